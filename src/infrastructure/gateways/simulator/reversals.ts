import type { Book, BookDispute, BookIntent, BookRefund } from "./book.ts";
import { disputeClosedAfterMs } from "./magic-amounts.ts";
import { chargeJson, disputeJson } from "./stripe-json.ts";

/** Why money cannot be given back. */
export type RefundRefusal = "nothing_charged" | "refunded_already" | "disputed" | "more_than_left";

export type NewRefund = Omit<BookRefund, "n" | "intent">;

/** How much of an intent's money is still ours to give back, in minor units: a dispute has taken what it is about. */
export function leftOf(book: Book, intent: BookIntent): number {
  return intent.received - book.refundedOf(intent.n) - book.disputedOf(intent.n);
}

/** Gives money back, says so, and returns the refund; or why it cannot. Runs inside a transaction. */
export function refund(book: Book, intent: BookIntent, asked: NewRefund): BookRefund | RefundRefusal {
  if (intent.received === 0) return "nothing_charged";
  if (book.disputedOf(intent.n) > 0) return "disputed";
  const left = leftOf(book, intent);
  if (left <= 0) return "refunded_already";
  if (asked.amount > left) return "more_than_left";
  const booked = { intent: intent.n, ...asked };
  const n = book.insertRefund(booked);
  book.journal("refund", intent, asked.amount, n, asked.createdAt);
  const charge = chargeJson(book.tag, intent, book.refundedOf(intent.n));
  book.tell("charge.refunded", intent, charge, asked.createdAt);
  return { n, ...booked };
}

/**
 * The buyer's bank takes back what is left of the payment, and asks why it should not keep it. It decides after
 * {@link disputeClosedAfterMs}. False where there is nothing left to dispute. Runs inside a transaction.
 */
export function openDispute(book: Book, intent: BookIntent, outcome: "won" | "lost", now: number): boolean {
  const amount = leftOf(book, intent);
  if (amount <= 0) return false;
  const n = book.insertDispute(intent.n, amount, now);
  book.journal("dispute", intent, amount, n, now);
  const dispute: BookDispute = { n, intent: intent.n, amount, status: "needs_response", createdAt: now };
  const object = disputeJson(book.tag, dispute, intent.currency);
  book.tell("charge.dispute.created", intent, object, now);
  book.tell("charge.dispute.funds_withdrawn", intent, object, now);
  book.plan(intent.n, `dispute_${outcome}`, now + disputeClosedAfterMs);
  return true;
}

/** The bank has decided: where we won, the money comes back. Runs inside a transaction. */
export function closeDispute(
  book: Book,
  intent: BookIntent,
  dispute: BookDispute,
  outcome: "won" | "lost",
  now: number,
) {
  const object = disputeJson(book.tag, { ...dispute, status: outcome }, intent.currency);
  book.closeDispute(dispute.n, outcome);
  if (outcome === "won") {
    book.journal("dispute_reversal", intent, dispute.amount, dispute.n, now);
    book.tell("charge.dispute.funds_reinstated", intent, object, now);
  }
  book.tell("charge.dispute.closed", intent, object, now);
  book.plan(intent.n, null, null);
}
