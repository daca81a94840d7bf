import type { Estado, Payout } from "../../domain/payout.ts";
import { listSellerPayouts as listPage, listPayoutsOfSeller } from "../../persistence/reading.queries.ts";
import type { PayoutsContext } from "../context.ts";
import { payoutOf } from "../stored-payout.ts";

export type SellerPayoutFilter = {
  readonly sellerId: string | null;
  readonly status: Estado | null;
  /** The id of the last payout of the page before. */
  readonly before: string | null;
  readonly limit: number;
};

const aboveEveryId = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** A page of payouts to sellers, newest first; `next` continues after it, null where it was the last. */
export async function listSellerPayouts(
  { database }: PayoutsContext,
  scope: string,
  { sellerId, status, before, limit }: SellerPayoutFilter,
): Promise<{ payouts: Payout[]; next: string | null }> {
  const page = { scope, status, before: before ?? aboveEveryId, limit: limit + 1 };
  const rows =
    sellerId === null
      ? await listPage.run(page, database)
      : await listPayoutsOfSeller.run({ ...page, sellerId }, database);
  const payouts = rows.slice(0, limit).map(payoutOf);
  return { payouts, next: rows.length > limit ? (payouts.at(-1)?.id ?? null) : null };
}
