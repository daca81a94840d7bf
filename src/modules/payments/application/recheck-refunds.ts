import { claimUndecidedRefunds } from "../persistence/returns.queries.ts";
import type { PaymentsContext } from "./context.ts";
import { settleRefund } from "./settle-refund.ts";

/** A bank takes days; asking each refund about once an hour finds within the hour what an event failed to tell. */
const quietMs = 3_600_000n;
const refundsAtOnce = 16;

/**
 * Asks the gateway about refunds that it took and a bank had not decided. Its event usually tells; one that was lost
 * must not keep the seller's money on hold for ever. Returns how many were decided.
 */
export async function recheckRefunds(context: PaymentsContext, quiet = quietMs): Promise<number> {
  const { database, gateway, pipeline } = context;
  const undecided = await claimUndecidedRefunds.run({ quietMs: quiet, limit: refundsAtOnce }, database);
  const settled = await Promise.all(
    undecided.map(async ({ id, paymentId, gatewayRefundId, intentId }) => {
      const request = { attemptId: id, intentId, gatewayRefundId };
      const finding = await gateway.findRefund(request, pipeline.callDeadlineMs);
      if (finding.type !== "found" || finding.refund.status === "pending") return false;
      const { status } = finding.refund;
      const failed = { code: "refund_failed", message: "The refund failed at the bank." };
      const failure = status === "failed" ? failed : null;
      await settleRefund(context, paymentId, { refundId: id, status, gatewayRefundId, failure, attempt: null });
      return true;
    }),
  );
  return settled.filter(Boolean).length;
}
