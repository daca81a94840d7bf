import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { complete, type Trace } from "../../../movements/index.ts";
import { attemptIdOf, type Payment } from "../domain/payment.ts";
import { acceptMove } from "../persistence/movements.queries.ts";
import type { PaymentsContext } from "./context.ts";
import { cancellation, type UndecidedRefusal, undecided } from "./movements.ts";
import { getPayment } from "./read-payments.ts";

export type CancelPaymentRefusal =
  | { type: "payment_not_found" }
  | { type: "payment_not_cancellable"; status: string }
  | { type: "payment_under_way" }
  | UndecidedRefusal;

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

  const accepting = { paymentId: id, scope, operation: "cancel", amountMinor: null, leaseMs: context.leaseMs };
  const [accepted] = await trace.span("accept", () => acceptMove.run(accepting, context.database));
  if (accepted === undefined || payment.intentId === null) return refuse({ type: "payment_under_way" });
  const attempt = {
    id: attemptIdOf(id, accepted.number),
    tries: 1,
    absences: 0,
    paymentId: id,
    number: accepted.number,
    amount: payment.amount,
    capture: payment.capture,
    reference: payment.reference,
    intentId: payment.intentId,
    acceptedAt: payment.createdAt,
    traceparent: trace.traceparent,
  };
  const completion = await complete(cancellation(context), attempt, trace, context.pipeline);
  if (completion.type === "postponed") return refuse(undecided(id, completion.outcome));
  const after = await getPayment(context, scope, id);
  if (!after.ok || after.value.status === "cancelled") return after;
  return refuse({ type: "payment_not_cancellable", status: after.value.status });
}
