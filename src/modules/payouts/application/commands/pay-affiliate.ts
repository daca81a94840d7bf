import type { Result } from "../../../../kernel/result.ts";
import type { Trace } from "../../../../movements/index.ts";
import { type AffiliateOrderRefusal, judgeAffiliateOrder, type PayoutRequest } from "../../domain/payout-order.ts";
import type { PayoutsContext } from "../context.ts";
import { processPayout } from "./process-payout.ts";
import type { KeyRefusal, ProcessedPayout } from "./replay-payout.ts";

export type PayAffiliateRefusal = AffiliateOrderRefusal | KeyRefusal;

/** ProcesarPago: pays an affiliate out of what was set apart at the gateway for payouts. */
export async function payAffiliate(
  context: PayoutsContext,
  scope: string,
  request: PayoutRequest,
  trace: Trace,
): Promise<Result<ProcessedPayout, PayAffiliateRefusal>> {
  const judged = judgeAffiliateOrder(request);
  return judged.ok ? await processPayout(context, scope, judged.value, trace) : judged;
}
