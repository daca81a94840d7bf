import { type AmountRefusal, parseAmount } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { Trace } from "../../../movements/index.ts";
import type { Payment } from "../domain/payment.ts";
import type { PaymentsContext } from "./context.ts";
import { type MoveRefusal, movePayment } from "./move-payment.ts";
import { getPayment } from "./read-payments.ts";

export type CapturePaymentRefusal =
  | AmountRefusal
  | { type: "payment_not_found" }
  | { type: "payment_not_capturable" }
  | { type: "capture_exceeds_payment" }
  | MoveRefusal;

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

  const moved = await movePayment(context, scope, payment, { operation: "capture", amount }, trace);
  if (!moved.ok) return moved;
  const after = await getPayment(context, scope, id);
  if (!after.ok || isCaptured(after.value)) return after;
  return refuse({ type: "payment_not_capturable" });
}
