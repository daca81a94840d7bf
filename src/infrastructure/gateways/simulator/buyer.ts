import type { Book, BookIntent } from "./book.ts";
import { lateSuccessAfterMs } from "./magic-amounts.ts";
import { closeDispute, openDispute } from "./reversals.ts";

/** Lets the buyer act on at most `limit` intents that are due. Runs inside a transaction. */
export function followPlans(book: Book, now: number, limit: number): void {
  for (const intent of book.dueIntents(now, limit)) {
    if (intent.plan === "decline") book.fail(intent, now, null, null);
    else if (intent.plan === "fail_then_pay") book.fail(intent, now, "pay", now + lateSuccessAfterMs);
    else if (intent.status === "succeeded") moveDispute(book, intent, now);
    else book.pay(intent, now);
  }
}

/** What is due of an intent that is paid is its dispute: to be opened, or to be closed where it is open. */
function moveDispute(book: Book, intent: BookIntent, now: number): void {
  const outcome = intent.plan === "dispute_won" ? "won" : "lost";
  const open = book.openDisputeOf(intent.n);
  if (open !== undefined) closeDispute(book, intent, open, outcome, now);
  // Refunds may have left nothing: then there is nothing more to come.
  else if (!openDispute(book, intent, outcome, now)) book.plan(intent.n, null, null);
}
