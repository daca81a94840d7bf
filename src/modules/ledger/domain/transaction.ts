import type { Money } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { kindOf } from "./chart.ts";

/** One leg: a debit where the amount is positive, a credit where it is negative. */
export type Leg = { readonly account: string; readonly amount: Money };

/** A transaction that is to be posted. */
export type TransactionDraft = {
  /** What happened, in snake_case: sale, refund, adjustment, … */
  readonly kind: string;
  /** The caller's name for it: the same reference is posted once, whoever repeats it. */
  readonly reference: string;
  /** The gateway's id of what moved the money. */
  readonly externalId: string | null;
  /** When it happened, where that is not when it is posted. */
  readonly effectiveAt: Date | null;
  /** The hold that it takes its money from; what it leaves of the hold is free again. */
  readonly holdId: string | null;
  /** In the order in which they shall be shown. */
  readonly legs: readonly Leg[];
  /** The account that bears what an account with a floor cannot, in its currency; null refuses instead. */
  readonly shortfall: string | null;
};

export type DraftRefusal =
  | { type: "kind_malformed" }
  | { type: "reference_malformed" }
  | { type: "too_few_legs" }
  | { type: "leg_must_not_be_zero" }
  | { type: "account_not_in_chart"; account: string }
  | { type: "unbalanced"; currency: string; differenceMinor: bigint };

/** More legs than this belong to several transactions. */
const mostLegs = 1_000;

/** Judges what the database would refuse: it would fail the call, and with it everybody else's in the batch. */
export function judgeDraft(draft: TransactionDraft): Result<TransactionDraft, DraftRefusal> {
  if (!/^[a-z_]{1,40}$/.test(draft.kind)) return refuse({ type: "kind_malformed" });
  const { length } = draft.reference;
  if (length < 1 || length > 255 || draft.reference.includes("\u0000")) return refuse({ type: "reference_malformed" });
  if (draft.legs.length < 2 || draft.legs.length > mostLegs) return refuse({ type: "too_few_legs" });
  const sums = new Map<string, bigint>();
  for (const { account, amount } of draft.legs) {
    if (kindOf(account) === undefined) return refuse({ type: "account_not_in_chart", account });
    if (amount.amountMinor === 0n) return refuse({ type: "leg_must_not_be_zero" });
    sums.set(amount.currency, (sums.get(amount.currency) ?? 0n) + amount.amountMinor);
  }
  if (draft.shortfall !== null && kindOf(draft.shortfall) === undefined) {
    return refuse({ type: "account_not_in_chart", account: draft.shortfall });
  }
  for (const [currency, differenceMinor] of sums) {
    if (differenceMinor !== 0n) return refuse({ type: "unbalanced", currency, differenceMinor });
  }
  return accept(draft);
}

/** A transaction that stands in the ledger; `already` where it had been posted before. */
export type PostedTransaction = { readonly transactionId: string; readonly already: boolean };

/** What the vault says no to. Nothing was posted, and the balances are as they were. */
export type PostingRefusal =
  | { type: "reference_conflict"; transactionId: string }
  | { type: "insufficient_funds" }
  | { type: "hold_unknown" }
  | { type: "hold_resolved" }
  | { type: "hold_exceeded" };

export type PostOutcome = Result<PostedTransaction, PostingRefusal>;
