import { closeSync, fdatasync, openSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { lateSuccessAfterMs } from "./magic-amounts.ts";
import { openDatabase } from "./schema.ts";

const synchronise = promisify(fdatasync);

export type BookStatus = "pending" | "requires_capture" | "succeeded" | "failed" | "cancelled";

/** What the simulated buyer does when an intent is due. */
export type BuyerPlan = "pay" | "decline" | "fail_then_pay";

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

/** An event to deliver: a snapshot of what was true of the intent when it happened. */
export type BookEvent = {
  readonly n: number;
  readonly type: string;
  readonly occurredAt: number;
  readonly tries: number;
  readonly intent: BookIntent;
};

type EventRow = BookIntent & { event: number; type: string; occurredAt: number; tries: number };

export type BookRefund = {
  readonly n: number;
  readonly intent: number;
  readonly amount: number;
  readonly reason: string | null;
  readonly metadata: string;
  readonly createdAt: number;
};

/** What an HTTP request was answered; `fingerprint` is the request. */
export type StoredReply = { readonly fingerprint: string; readonly status: number; readonly body: string };

const fixedColumns =
  "i.n, i.attempt, i.payment_id as paymentId, i.reference, i.metadata, i.amount, i.currency, i.capture, i.plan, " +
  "i.created_at as createdAt";
const intentColumns = `${fixedColumns}, i.status, i.received, i.failure`;

const refundColumns = "n, intent, amount, reason, metadata, created_at as createdAt";

/** Everything the book is asked, prepared once: what the hot path runs costs a few microseconds each. */
function prepareStatements(database: DatabaseSync) {
  return {
    insertIntent: database.prepare(
      "insert into intents (attempt, payment_id, reference, metadata, amount, currency, capture, status, plan, " +
        "due_at, created_at) values (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?) on conflict (attempt) do nothing",
    ),
    byAttempt: database.prepare(`select ${intentColumns} from intents i where attempt = ?`),
    byNumber: database.prepare(`select ${intentColumns} from intents i where n = ?`),
    list: database.prepare(
      `select ${intentColumns} from intents i
        where i.n < ? and i.created_at >= ? and i.created_at < ? order by i.n desc limit ?`,
    ),
    dueIntents: database.prepare(
      `select ${intentColumns} from intents i
        where i.due_at <= ? order by i.due_at limit ?`,
    ),
    nextIntentDue: database.prepare("select min(due_at) as at from intents where due_at is not null"),
    moveIntent: database.prepare(
      "update intents set status = ?, received = ?, failure = ?, plan = ?, due_at = ? where n = ?",
    ),
    insertJournal: database.prepare(
      "insert into journal (kind, intent, payment_id, amount, currency, at) values (?, ?, ?, ?, ?, ?)",
    ),
    insertEvent: database.prepare(
      "insert into events (intent, type, status, received, failure, created_at, due_at) values (?, ?, ?, ?, ?, ?, ?)",
    ),
    dueEvents: database.prepare(
      `select ${fixedColumns}, e.status, e.received, e.failure, e.n as event, e.type,
         e.created_at as occurredAt, e.tries
         from events e join intents i on i.n = e.intent where e.due_at <= ? order by e.due_at limit ?`,
    ),
    nextEventDue: database.prepare("select min(due_at) as at from events where due_at is not null"),
    claimEvent: database.prepare("update events set tries = tries + 1, due_at = ? where n = ?"),
    postponeEvent: database.prepare("update events set due_at = ? where n = ? and delivered_at is null"),
    deliverEvent: database.prepare("update events set due_at = null, delivered_at = ? where n = ?"),
    insertRefund: database.prepare(
      "insert into refunds (intent, amount, reason, metadata, created_at) values (?, ?, ?, ?, ?)",
    ),
    refundByNumber: database.prepare(`select ${refundColumns} from refunds where n = ?`),
    listRefunds: database.prepare(
      `select ${refundColumns} from refunds where n < ?1 and (?2 is null or intent = ?2) order by n desc limit ?3`,
    ),
    replyTo: database.prepare("select fingerprint, status, body from replies where key = ?"),
    keepReply: database.prepare(
      "insert into replies (key, fingerprint, status, body, created_at) values (?, ?, ?, ?, ?)",
    ),
    refundedOf: database.prepare("select coalesce(sum(amount), 0) as amount from refunds where intent = ?"),
  };
}

type Statements = ReturnType<typeof prepareStatements>;

/**
 * The book of a simulated gateway: intents, the journal of what was charged, refunds, and the events to deliver.
 * What changes something runs inside `transaction`; `flushed` then says when the disk has it. Throws what SQLite
 * throws: the file cannot be read or written, or another process held it for 5 s.
 */
export class Book {
  /** Makes ids of this book differ from those of every other book. */
  readonly tag: string;
  readonly database: DatabaseSync;
  readonly #statements: Statements;
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
    const held = { status: "requires_capture", failure: null } as const;
    return this.#move(intent, held, now, "payment_intent.amount_capturable_updated");
  }

  /** Takes the money and says so; less than the whole amount only where a capture asks for less. */
  charge(intent: BookIntent, amount: number, now: number): BookIntent {
    this.#journal("charge", intent, amount, now);
    const charged = { status: "succeeded", received: amount, failure: null } as const;
    return this.#move(intent, charged, now, "payment_intent.succeeded");
  }

  /** The buyer's card is declined; what follows is the plan, or nothing. */
  fail(intent: BookIntent, now: number, plan: BuyerPlan | null, dueAt: number | null): BookIntent {
    const failed = { status: "failed", failure: "card_declined", plan } as const;
    return this.#move(intent, failed, now, "payment_intent.payment_failed", dueAt);
  }

  cancel(intent: BookIntent, now: number): BookIntent {
    this.#journal("cancel", intent, intent.amount, now);
    return this.#move(intent, { status: "cancelled" }, now, "payment_intent.canceled");
  }

  /** Gives money back; the caller has made sure that so much is left. Returns the refund's number. */
  refund(intent: BookIntent, refund: Omit<BookRefund, "n" | "intent">): number {
    this.#journal("refund", intent, refund.amount, refund.createdAt);
    const { amount, reason, metadata, createdAt } = refund;
    return Number(this.#statements.insertRefund.run(intent.n, amount, reason, metadata, createdAt).lastInsertRowid);
  }

  /** How much of an intent was given back, in minor units. */
  refundedOf(n: number): number {
    return (this.#statements.refundedOf.get(n) as { amount: number }).amount;
  }

  refundByNumber(n: number): BookRefund | undefined {
    return this.#statements.refundByNumber.get(n) as BookRefund | undefined;
  }

  /** Refunds numbered below `before`, of one intent or of all, newest first. */
  refundsBefore(before: number, intent: number | null, limit: number): BookRefund[] {
    return this.#statements.listRefunds.all(before, intent, limit) as BookRefund[];
  }

  /** What was answered to the request with this idempotency key; undefined where nothing was kept. */
  replyTo(key: string): StoredReply | undefined {
    return this.#statements.replyTo.get(key) as StoredReply | undefined;
  }

  keepReply(key: string, { fingerprint, status, body }: StoredReply, now: number): void {
    this.#statements.keepReply.run(key, fingerprint, status, body, now);
  }

  /** Lets the buyer act on at most `limit` intents that are due. */
  followPlans(now: number, limit: number): void {
    for (const intent of this.#statements.dueIntents.all(now, limit) as BookIntent[]) {
      if (intent.plan === "decline") this.fail(intent, now, null, null);
      else if (intent.plan === "fail_then_pay") this.fail(intent, now, "pay", now + lateSuccessAfterMs);
      else this.pay(intent, now);
    }
  }

  nextIntentDue(): number | null {
    return (this.#statements.nextIntentDue.get() as { at: number | null }).at;
  }

  /** Claims at most `limit` events that are due until `leaseUntil`; nobody else gets them before then. */
  claimEvents(now: number, leaseUntil: number, limit: number): BookEvent[] {
    const due = this.#statements.dueEvents.all(now, limit) as EventRow[];
    return due.map((row) => {
      this.#statements.claimEvent.run(leaseUntil, row.event);
      return { n: row.event, type: row.type, occurredAt: row.occurredAt, tries: row.tries + 1, intent: row };
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

  #journal(kind: "charge" | "refund" | "cancel", intent: BookIntent, amount: number, now: number): void {
    this.#statements.insertJournal.run(kind, intent.n, intent.paymentId, amount, intent.currency, now);
  }
}
