import type { AmountRefusal, Money } from "../../../kernel/money.ts";
import { type Result, refuse } from "../../../kernel/result.ts";
import { accountCodes } from "../domain/chart.ts";
import type { DraftRefusal, PostedTransaction, PostingRefusal } from "../domain/transaction.ts";
import type { PostingContext } from "./context.ts";
import { postTransaction } from "./post-transaction.ts";

export type FundingRefusal =
  | Extract<AmountRefusal, { type: "amount_must_be_positive" }>
  | PostingRefusal
  | DraftRefusal;

/**
 * Sets money of the marketplace's apart at a gateway, for payouts to affiliates: none can take more than is there.
 * `reference` is the caller's name for it, without the prefix that the ledger's has: the same one again changes
 * nothing, and is a conflict where it is another amount or gateway.
 */
export async function fundGateway(
  context: PostingContext,
  gateway: string,
  amount: Money,
  reference: string,
): Promise<Result<PostedTransaction, FundingRefusal>> {
  const { amountMinor, currency } = amount;
  if (amountMinor <= 0n) return refuse({ type: "amount_must_be_positive" });
  return await postTransaction(context, {
    kind: "funding",
    reference: `funding:${reference}`,
    externalId: null,
    effectiveAt: null,
    holdId: null,
    legs: [
      { account: accountCodes.funding(gateway), amount },
      { account: accountCodes.platformFunding, amount: { amountMinor: -amountMinor, currency } },
    ],
    shortfall: null,
  });
}
