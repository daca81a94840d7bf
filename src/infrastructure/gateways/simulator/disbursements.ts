import type { Money } from "../../../kernel/money.ts";
import type { DisbursementFinding, DisbursementOutcome, GatewayFailure } from "../../../movements/ports.ts";
import type { Book, BookDisbursement } from "./book.ts";
import type { Engine } from "./engine.ts";
import { objectId } from "./stripe-json.ts";

type Kind = BookDisbursement["kind"];

/** A bill to pay or a payout to make, as one attempt asks for it. */
export type Disbursement = {
  readonly kind: Kind;
  readonly attempt: string;
  /** The payment whose bill it is, or the payout. */
  readonly subject: string;
  readonly recipient: string | null;
  readonly reference: string;
  readonly amount: Money;
};

type Decided = Extract<DisbursementOutcome, { type: "succeeded" | "declined" }>;

export const amountNotSupported = {
  type: "declined",
  code: "amount_not_supported_by_gateway",
  message: "The gateway does not take amounts this large or small.",
} as const;

/** Whether the book can carry the amount: more than nothing, and no more than a double counts exactly. */
export function isSupported({ amountMinor }: Money): boolean {
  return amountMinor > 0n && amountMinor <= BigInt(Number.MAX_SAFE_INTEGER);
}

const idPrefix = { bill_payment: "bp", payout: "po" } as const satisfies Record<Kind, string>;

function succeeded(book: Book, kind: Kind, n: number): Decided {
  return { type: "succeeded", gatewayReference: objectId(book.tag, idPrefix[kind], n) };
}

function decidedBefore(book: Book, { kind, n, failure, message }: BookDisbursement): Decided {
  if (failure === null) return succeeded(book, kind, n);
  return { type: "declined", code: failure, message: message ?? "" };
}

function isSame(booked: BookDisbursement, asked: Disbursement): boolean {
  return (
    booked.kind === asked.kind &&
    booked.subject === asked.subject &&
    booked.recipient === asked.recipient &&
    booked.reference === asked.reference &&
    booked.amount === Number(asked.amount.amountMinor) &&
    booked.currency === asked.amount.currency
  );
}

/**
 * Pays, or declines where `decide` gives a reason. An attempt is decided once: asked again it gets the same answer, a
 * decline too, and another request under its id is declined. Runs inside a transaction.
 */
export function disburse(
  { book, now }: Engine,
  asked: Disbursement,
  decide: () => GatewayFailure | undefined,
): DisbursementOutcome {
  const { attempt, amount } = asked;
  const before = book.disbursementByAttempt(attempt);
  if (before !== undefined) {
    if (isSame(before, asked)) return decidedBefore(book, before);
    const message = "This attempt was made before with another request.";
    return { type: "declined", code: "idempotency_error", message };
  }
  const failure = decide();
  const n = book.insertDisbursement({
    attempt,
    kind: asked.kind,
    subject: asked.subject,
    recipient: asked.recipient,
    reference: asked.reference,
    amount: Number(amount.amountMinor),
    currency: amount.currency,
    failure: failure?.code ?? null,
    message: failure?.message ?? null,
    metadata: null,
    createdAt: now(),
  });
  return failure === undefined ? succeeded(book, asked.kind, n) : { type: "declined", ...failure };
}

/** What became of an attempt: paid, declined, or never heard of. */
export function findDisbursement(book: Book, kind: Kind, attempt: string, subject: string): DisbursementFinding {
  const booked = book.disbursementByAttempt(attempt);
  if (booked === undefined || booked.kind !== kind || booked.subject !== subject) return { type: "absent" };
  return decidedBefore(book, booked);
}
