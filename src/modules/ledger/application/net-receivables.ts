import type { Currency } from "../../../kernel/currency.ts";
import { listNettable } from "../persistence/posting.queries.ts";
import type { PostingContext } from "./context.ts";
import { postTransaction } from "./post-transaction.ts";

const nettedAtOnce = 100;

/**
 * Nets off what sellers owe with what they have earned since. A debt comes from money that went back without asking
 * us: a refund made at the gateway, a dispute that was lost after the payout. Returns how many debts it made smaller,
 * so that the sweeper goes on while there are more.
 */
export async function netReceivables(context: PostingContext): Promise<number> {
  const { tenant, database } = context;
  const nettable = await listNettable.run({ tenant, after: 0n, limit: nettedAtOnce }, database);
  const posted = await Promise.all(
    nettable.map((pair) => {
      const currency = pair.currency as Currency;
      return postTransaction(context, {
        kind: "netting",
        // One for each state of the debt, so that two processes that find the same pair net it once.
        reference: `netting:${pair.receivableId}:${pair.version}`,
        externalId: null,
        effectiveAt: null,
        holdId: null,
        legs: [
          { account: pair.availableCode, amount: { amountMinor: pair.amountMinor, currency } },
          { account: pair.receivableCode, amount: { amountMinor: -pair.amountMinor, currency } },
        ],
        shortfall: null,
      });
    }),
  );
  // A refusal says that the seller's money went elsewhere meanwhile: the next round looks again.
  return posted.filter((result) => result.ok && !result.value.already).length;
}
