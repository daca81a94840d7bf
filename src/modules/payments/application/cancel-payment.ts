import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { Trace } from "../../../movements/index.ts";
import type { Payment } from "../domain/payment.ts";
import type { PaymentsContext } from "./context.ts";
import { type MoveRefusal, movePayment } from "./move-payment.ts";
import { getPayment } from "./read-payments.ts";

export type CancelPaymentRefusal =
  | { type: "payment_not_found" }
  | { type: "payment_not_cancellable"; status: string }
  | MoveRefusal;

/**
 * Cancels a pending payment at its gateway. The gateway decides a race with the buyer: where the money moved first,
 * the payment is succeeded and the cancellation is refused. Cancelling a cancelled payment changes nothing.
 */
export async function cancelPayment(
  context: PaymentsContext,
  scope: string,
  id: string,
  trace: Trace,
): Promise<Result<Payment, CancelPaymentRefusal>> {
  const found = await getPayment(context, scope, id);
  if (!found.ok) return found;
  const payment = found.value;
  if (payment.status === "cancelled") return accept(payment);
  if (payment.status !== "pending") return refuse({ type: "payment_not_cancellable", status: payment.status });

  const moved = await movePayment(context, scope, payment, { operation: "cancel" }, trace);
  if (!moved.ok) return moved;
  const after = await getPayment(context, scope, id);
  if (!after.ok || after.value.status === "cancelled") return after;
  return refuse({ type: "payment_not_cancellable", status: after.value.status });
}
