import { closeSync, fdatasync, openSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import type { JournalEntry } from "./journal.ts";
import { disputedAfterMs } from "./magic-amounts.ts";
import { openDatabase } from "./schema.ts";
import { prepareStatements } from "./statements.ts";

const synchronise = promisify(fdatasync);

export type BookStatus = "pending" | "requires_capture" | "succeeded" | "failed" | "cancelled";

/** What the simulated buyer does when an intent is due; `dispute_…` is to pay, then to dispute, and how that ends. */
export type BuyerPlan = "pay" | "decline" | "fail_then_pay" | "dispute_lost" | "dispute_won";

/** A payment intent as it is booked; amounts are minor units, times are milliseconds since 1970. */
export type BookIntent = {
  readonly n: number;
  readonly attempt: string | null;
  readonly paymentId: string;
  readonly reference: string | null;
  /** The metadata as JSON where the intent came over HTTP; null where it follows from the other columns. */
  readonly metadata: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly capture: "automatic" | "manual";
  readonly status: BookStatus;
  readonly received: number;
  readonly failure: string | null;
  readonly plan: BuyerPlan | null;
  readonly createdAt: number;
};

export type NewIntent = Omit<BookIntent, "n" | "status" | "received" | "failure"> & { readonly dueAt: number | null };

/** An event to deliver: a snapshot of what was true when it happened. */
export type BookEvent = {
  readonly n: number;
  readonly type: string;
  readonly occurredAt: number;
  readonly tries: number;
  readonly intent: BookIntent;
  /** What the event is about, as JSON, where that is not the intent itself. */
  readonly object: string | null;
};

type EventRow = BookIntent & Omit<BookEvent, "n" | "intent"> & { event: number };

export type BookRefund = {
  readonly n: number;
  readonly intent: number;
  readonly amount: number;
  readonly reason: string | null;
  readonly metadata: string;
  readonly createdAt: number;
  /** Null where the refund came over HTTP, or before refunds were booked with it. */
  readonly attempt: string | null;
};

/** A buyer's dispute of a payment: the amount is with the bank until it is won. */
export type BookDispute = {
  readonly n: number;
  readonly intent: number;
  readonly amount: number;
  readonly status: "needs_response" | "won" | "lost";
  readonly createdAt: number;
};

/** A bill that was paid or a payout that was made, or one that was declined, which says why. */
export type BookDisbursement = {
  readonly n: number;
  /** Null where it came over HTTP. */
  readonly attempt: string | null;
  readonly kind: "bill_payment" | "payout";
  /** The payment whose bill it is, or the payout. */
  readonly subject: string;
  readonly recipient: string | null;
  readonly reference: string | null;
  readonly amount: number;
  readonly currency: string;
  /** Why it was declined: a code, and its sentence in `message`; null where it was paid. */
  readonly failure: string | null;
  readonly message: string | null;
  /** As JSON; null where it did not come over HTTP. */
  readonly metadata: string | null;
  readonly createdAt: number;
};

/** A line of the journal that moved a payment's money; `source` is the number of its refund or dispute. */
export type BookLine = {
  readonly n: number;
  readonly kind: "charge" | "refund" | "dispute" | "dispute_reversal";
  readonly intent: number;
  readonly source: number | null;
  readonly amount: number;
  readonly currency: string;
  readonly at: number;
};

/** Which lines of the journal: those that occurred in [from, to), in milliseconds, at most `limit`. */
export type LineRange = { readonly from: number; readonly to: number; readonly limit: number };

/** What an HTTP request was answered; `fingerprint` is the request. */
export type StoredReply = { readonly fingerprint: string; readonly status: number; readonly body: string };

/**
 * The book of a simulated gateway: intents, refunds, what was paid out, the journal of all of it, and the events to
 * deliver.
 * What changes something runs inside `transaction`; `flushed` then says when the disk has it. Throws what SQLite
 * throws: the file cannot be read or written, or another process held it for 5 s.
 */
export class Book {
  /** Makes ids of this book differ from those of every other book. */
  readonly tag: string;
  readonly database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #path: string;
  #writeAheadLog: number | undefined;
  #flush: Promise<void> | undefined;
  #nextFlush: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
    this.database = openDatabase(path);
    this.#statements = prepareStatements(this.database);
    this.tag = (this.database.prepare("select value from book where name = 'tag'").get() as { value: string }).value;
  }

  /**
   * Resolves when everything that was committed until now is on the disk; those who ask while a flush is under way
   * share the next one. SQLite's own flush (`synchronous=full`) would hold the event loop for as long.
   */
  flushed(): Promise<void> {
    this.#nextFlush ??= (this.#flush ?? Promise.resolve())
      // That flush's failure is told to those who waited for it.
      .catch(() => undefined)
      .then(() => {
        this.#flush = this.#nextFlush;
        this.#nextFlush = undefined;
        this.#writeAheadLog ??= openSync(`${this.#path}-wal`, "r");
        return synchronise(this.#writeAheadLog);
      });
    return this.#nextFlush;
  }

  /** Runs `work` as one transaction, which survives this process; whatever it throws undoes all of it. */
  transaction<Value>(work: () => Value): Value {
    this.database.exec("begin immediate");
    try {
      const value = work();
      this.database.exec("commit");
      return value;
    } catch (error) {
      if (this.database.isTransaction) this.database.exec("rollback");
      throw error;
    }
  }

  /** Books a new intent; undefined where this attempt has one already. */
  insertIntent(intent: NewIntent): number | undefined {
    const { changes, lastInsertRowid } = this.#statements.insertIntent.run(
      intent.attempt,
      intent.paymentId,
      intent.reference,
      intent.metadata,
      intent.amount,
      intent.currency,
      intent.capture,
      intent.plan,
      intent.dueAt,
      intent.createdAt,
    );
    return changes === 0 ? undefined : Number(lastInsertRowid);
  }

  intentByAttempt(attempt: string): BookIntent | undefined {
    return this.#statements.byAttempt.get(attempt) as BookIntent | undefined;
  }

  intentByNumber(n: number): BookIntent | undefined {
    return this.#statements.byNumber.get(n) as BookIntent | undefined;
  }

  /** Intents numbered below `before` and created in [from, to), newest first. */
  intentsBefore(before: number, from: number, to: number, limit: number): BookIntent[] {
    return this.#statements.list.all(before, from, to, limit) as BookIntent[];
  }

  /** The buyer pays: the money is taken, or held where the capture is manual. */
  pay(intent: BookIntent, now: number): BookIntent {
    if (intent.capture === "automatic") return this.charge(intent, intent.amount, now);
    const held = { status: "requires_capture", failure: null, plan: disputePlan(intent) } as const;
    return this.#move(intent, held, now, "payment_intent.amount_capturable_updated");
  }

  /** Takes the money and says so; less than the whole amount only where a capture asks for less. */
  charge(intent: BookIntent, amount: number, now: number): BookIntent {
    this.journal("charge", intent, amount, null, now);
    const plan = disputePlan(intent);
    const charged = { status: "succeeded", received: amount, failure: null, plan } as const;
    return this.#move(intent, charged, now, "payment_intent.succeeded", plan === null ? null : now + disputedAfterMs);
  }

  /** The buyer's card is declined; what follows is the plan, or nothing. */
  fail(intent: BookIntent, now: number, plan: BuyerPlan | null, dueAt: number | null): BookIntent {
    const failed = { status: "failed", failure: "card_declined", plan } as const;
    return this.#move(intent, failed, now, "payment_intent.payment_failed", dueAt);
  }

  cancel(intent: BookIntent, now: number): BookIntent {
    this.journal("cancel", intent, intent.amount, null, now);
    return this.#move(intent, { status: "cancelled" }, now, "payment_intent.canceled");
  }

  /** Books that money was given back; returns the refund's number. */
  insertRefund({ intent, amount, reason, metadata, createdAt, attempt }: Omit<BookRefund, "n">): number {
    const inserted = this.#statements.insertRefund.run(intent, amount, reason, metadata, createdAt, attempt);
    return Number(inserted.lastInsertRowid);
  }

  /** How much of an intent was given back, in minor units. */
  refundedOf(n: number): number {
    return (this.#statements.refundedOf.get(n) as { amount: number }).amount;
  }

  /** How much of an intent the buyer's bank has because of disputes that are open or lost, in minor units. */
  disputedOf(n: number): number {
    return (this.#statements.disputedOf.get(n) as { amount: number }).amount;
  }

  refundByAttempt(attempt: string): BookRefund | undefined {
    return this.#statements.refundByAttempt.get(attempt) as BookRefund | undefined;
  }

  refundByNumber(n: number): BookRefund | undefined {
    return this.#statements.refundByNumber.get(n) as BookRefund | undefined;
  }

  /** Refunds numbered below `before`, of one intent or of all, newest first. */
  refundsBefore(before: number, intent: number | null, limit: number): BookRefund[] {
    return this.#statements.listRefunds.all(before, intent, limit) as BookRefund[];
  }

  /** Books a dispute that is open; returns its number. */
  insertDispute(intent: number, amount: number, now: number): number {
    return Number(this.#statements.insertDispute.run(intent, amount, now).lastInsertRowid);
  }

  openDisputeOf(intent: number): BookDispute | undefined {
    return this.#statements.openDisputeOf.get(intent) as BookDispute | undefined;
  }

  disputeByNumber(n: number): BookDispute | undefined {
    return this.#statements.disputeByNumber.get(n) as BookDispute | undefined;
  }

  closeDispute(n: number, status: "won" | "lost"): void {
    this.#statements.closeDispute.run(status, n);
  }

  /** Books what was paid out, and in the journal, or why it was declined; returns its number. */
  insertDisbursement(asked: Omit<BookDisbursement, "n">): number {
    const { attempt, kind, subject, recipient, reference, amount, currency } = asked;
    const { failure, message, metadata, createdAt } = asked;
    const { lastInsertRowid } = this.#statements.insertDisbursement.run(
      attempt,
      kind,
      subject,
      recipient,
      reference,
      amount,
      currency,
      failure,
      message,
      metadata,
      createdAt,
    );
    const n = Number(lastInsertRowid);
    if (failure === null) {
      this.#statements.insertPaidLine.run(kind, subject, amount, currency, createdAt, n, recipient);
    }
    return n;
  }

  disbursementByAttempt(attempt: string): BookDisbursement | undefined {
    return this.#statements.disbursementByAttempt.get(attempt) as BookDisbursement | undefined;
  }

  /** A payout that came over HTTP. */
  transferByNumber(n: number): BookDisbursement | undefined {
    return this.#statements.transferByNumber.get(n) as BookDisbursement | undefined;
  }

  /** Payouts that came over HTTP numbered below `before`, of one group or of all, newest first. */
  transfersBefore(before: number, group: string | null, limit: number): BookDisbursement[] {
    const { listTransfers, listTransfersOfGroup } = this.#statements;
    const found = group === null ? listTransfers.all(before, limit) : listTransfersOfGroup.all(before, group, limit);
    return found as BookDisbursement[];
  }

  /** Lines numbered above `after`, oldest first. Each page reads on from the one before: nothing but `n` is indexed. */
  linesAfter(after: number, { from, to, limit }: LineRange): BookLine[] {
    return this.#statements.linesAfter.all(after, from, to, limit) as BookLine[];
  }

  /** Lines numbered below `before`, newest first. */
  linesBefore(before: number, { from, to, limit }: LineRange): BookLine[] {
    return this.#statements.linesBefore.all(before, from, to, limit) as BookLine[];
  }

  /** What was answered to the request with this idempotency key; undefined where nothing was kept. */
  replyTo(key: string): StoredReply | undefined {
    return this.#statements.replyTo.get(key) as StoredReply | undefined;
  }

  keepReply(key: string, { fingerprint, status, body }: StoredReply, now: number): void {
    this.#statements.keepReply.run(key, fingerprint, status, body, now);
  }

  /** At most `limit` intents on which the buyer is to act by now. */
  dueIntents(now: number, limit: number): BookIntent[] {
    return this.#statements.dueIntents.all(now, limit) as BookIntent[];
  }

  /** What the buyer does next, and when; nothing where both are null. */
  plan(intent: number, plan: BuyerPlan | null, dueAt: number | null): void {
    this.#statements.planIntent.run(plan, dueAt, intent);
  }

  nextIntentDue(): number | null {
    return (this.#statements.nextIntentDue.get() as { at: number | null }).at;
  }

  /** Claims at most `limit` events that are due until `leaseUntil`; nobody else gets them before then. */
  claimEvents(now: number, leaseUntil: number, limit: number): BookEvent[] {
    const due = this.#statements.dueEvents.all(now, limit) as EventRow[];
    return due.map((row) => {
      this.#statements.claimEvent.run(leaseUntil, row.event);
      const { event: n, type, occurredAt, object } = row;
      return { n, type, occurredAt, tries: row.tries + 1, intent: row, object };
    });
  }

  nextEventDue(): number | null {
    return (this.#statements.nextEventDue.get() as { at: number | null }).at;
  }

  eventDelivered(n: number, now: number): void {
    this.#statements.deliverEvent.run(now, n);
  }

  /** Delivery is tried again at `dueAt`, or never where that is null. */
  eventPostponed(n: number, dueAt: number | null): void {
    this.#statements.postponeEvent.run(dueAt, n);
  }

  /** One more line about money; `source` is the number of the refund or of the dispute that it is about. */
  journal(kind: JournalEntry["kind"], intent: BookIntent, amount: number, source: number | null, now: number): void {
    this.#statements.insertJournal.run(kind, intent.n, intent.paymentId, amount, intent.currency, now, source);
  }

  /** An event about a charge or a dispute of the intent, with that object's JSON as it is now. */
  tell(type: string, intent: BookIntent, object: string, now: number): void {
    const { n, status, received, failure } = intent;
    this.#statements.insertObjectEvent.run(n, type, status, received, failure, now, now, object);
  }

  close(): void {
    if (this.#writeAheadLog !== undefined) closeSync(this.#writeAheadLog);
    this.database.close();
  }

  #move(
    intent: BookIntent,
    to: Partial<BookIntent>,
    now: number,
    event: string,
    dueAt: number | null = null,
  ): BookIntent {
    const moved = { ...intent, plan: null, ...to };
    const { status, received, failure, plan, n } = moved;
    this.#statements.moveIntent.run(status, received, failure, plan, dueAt, n);
    this.#statements.insertEvent.run(n, event, status, received, failure, now, now);
    return moved;
  }
}

/** The plan of a buyer who disputes what is paid; null for all others. */
function disputePlan({ plan }: BookIntent): BuyerPlan | null {
  return plan === "dispute_lost" || plan === "dispute_won" ? plan : null;
}
