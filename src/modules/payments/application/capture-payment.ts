import { type AmountRefusal, parseAmount } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { complete, type Trace } from "../../../movements/index.ts";
import { attemptIdOf, type Payment } from "../domain/payment.ts";
import { acceptMove } from "../persistence/movements.queries.ts";
import type { PaymentsContext } from "./context.ts";
import { capturing, type UndecidedRefusal, undecided } from "./movements.ts";
import { getPayment } from "./read-payments.ts";

export type CapturePaymentRefusal =
  | AmountRefusal
  | { type: "payment_not_found" }
  | { type: "payment_not_capturable" }
  | { type: "capture_exceeds_payment" }
  | { type: "payment_under_way" }
  | UndecidedRefusal;

/**
 * Takes the money of a payment that was made with `capture: false` and whose buyer has paid: all of it, or less, which
 * releases the rest. Capturing the same amount again changes nothing.
 */
export async function capturePayment(
  context: PaymentsContext,
  scope: string,
  id: string,
  amountText: string | null,
  trace: Trace,
): Promise<Result<Payment, CapturePaymentRefusal>> {
  const found = await getPayment(context, scope, id);
  if (!found.ok) return found;
  const payment = found.value;
  const parsed = amountText === null ? accept(payment.amount) : parseAmount(amountText, payment.amount.currency);
  if (!parsed.ok) return parsed;
  const amount = parsed.value;
  if (amount.amountMinor > payment.amount.amountMinor) return refuse({ type: "capture_exceeds_payment" });
  const isCaptured = (after: Payment) =>
    after.status === "succeeded" && after.captured?.amountMinor === amount.amountMinor;
  if (payment.capture === "manual" && isCaptured(payment)) return accept(payment);
  if (payment.status !== "pending" || payment.capture !== "manual") return refuse({ type: "payment_not_capturable" });

  const { leaseMs } = context;
  const move = { paymentId: id, scope, operation: "capture", amountMinor: amount.amountMinor, leaseMs };
  const [accepted] = await trace.span("accept", () => acceptMove.run(move, context.database));
  if (accepted === undefined || payment.intentId === null) return refuse({ type: "payment_under_way" });
  const attempt = {
    id: attemptIdOf(id, accepted.number),
    tries: 1,
    absences: 0,
    paymentId: id,
    number: accepted.number,
    amount,
    capture: payment.capture,
    reference: payment.reference,
    intentId: payment.intentId,
    acceptedAt: payment.createdAt,
    traceparent: trace.traceparent,
  };
  const completion = await complete(capturing(context), attempt, trace, context.pipeline);
  if (completion.type === "postponed") return refuse(undecided(id, completion.outcome));
  const after = await getPayment(context, scope, id);
  if (!after.ok || isCaptured(after.value)) return after;
  return refuse({ type: "payment_not_capturable" });
}
