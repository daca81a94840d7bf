import { type Result, refuse } from "../../../../kernel/result.ts";
import type { Trace } from "../../../../movements/index.ts";
import { sellerLacksFunds } from "../../domain/payout.ts";
import { judgeSellerOrder, type PayoutRequest, type SellerOrderRefusal } from "../../domain/payout-order.ts";
import type { PayoutsContext } from "../context.ts";
import { processPayout } from "./process-payout.ts";
import type { KeyRefusal, ProcessedPayout } from "./replay-payout.ts";

export type PaySellerOutRefusal =
  | SellerOrderRefusal
  | KeyRefusal
  | { type: "seller_balance_insufficient"; payoutId: string };

/**
 * Pays a seller out of their available balance, never below its floor. Where the balance does not cover the payout it
 * is kept as failed, and the same key is answered the same again.
 */
export async function paySellerOut(
  context: PayoutsContext,
  scope: string,
  request: PayoutRequest,
  trace: Trace,
): Promise<Result<ProcessedPayout, PaySellerOutRefusal>> {
  const judged = judgeSellerOrder(request);
  if (!judged.ok) return judged;
  const processed = await processPayout(context, scope, judged.value, trace);
  if (!processed.ok) return processed;
  const { payout } = processed.value;
  return payout.status === "FALLIDO" && payout.failure.code === sellerLacksFunds
    ? refuse({ type: sellerLacksFunds, payoutId: payout.id })
    : processed;
}
