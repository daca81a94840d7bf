import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { complete, type Trace } from "../../../movements/index.ts";
import { type BillPayment, type CannotRetry, retryBill } from "../domain/bill-payment.ts";
import type { BillsContext } from "./context.ts";
import { firstTry, payingBill } from "./movements.ts";
import { type BillNotFound, getBill, readBill } from "./read-bills.ts";
import { inBurst } from "./retry-bursts.ts";

/**
 * Tries a FAILED payment once more, and resolves to it as it stands after the attempt; PENDING where the outcome is not
 * known. Of several retries at the same time one makes an attempt, and the others are refused: in this process those
 * that overlap, and in all of them those that looked at the same attempt, because the one after it begins once.
 */
export async function retryPayment(
  context: BillsContext,
  scope: string,
  id: string,
  trace: Trace,
): Promise<Result<BillPayment, BillNotFound | CannotRetry>> {
  return await inBurst(context.retrying, `${scope} ${id}`, async (turn) => {
    const found = await getBill(context, scope, id);
    if (!found.ok) return found;
    const retried = retryBill(found.value, found.value.updatedAt);
    if (!retried.ok) return retried;
    if (!turn.take()) return refuse({ type: "cannot_retry_payment", paymentId: id, status: found.value.status });
    const { attempt } = retried.value;
    const item = { id, scope, attempt, traceparent: trace.traceparent };
    let begun: Awaited<ReturnType<typeof context.lanes.retry.submit>>;
    try {
      begun = await trace.span("accept", () => context.lanes.retry.submit(item));
    } catch (error) {
      turn.giveBack();
      throw error;
    }
    if (begun.type === "absent") return refuse({ type: "payment_not_found" });
    if (begun.type === "refused") return refuse({ type: "cannot_retry_payment", paymentId: id, status: begun.status });
    const bill = { ...retried.value, updatedAt: begun.at };
    const completion = await complete(payingBill(context), firstTry(bill), trace, context.pipeline);
    if (completion.type === "postponed") return accept(bill);
    return accept(completion.settled ?? (await readBill(context, scope, id)));
  });
}
