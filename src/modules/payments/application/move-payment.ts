import type { Money } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { complete, type Trace } from "../../../movements/index.ts";
import { attemptIdOf, type Payment } from "../domain/payment.ts";
import { acceptMove } from "../persistence/movements.queries.ts";
import type { PaymentsContext } from "./context.ts";
import { cancellation, capturing, type UndecidedRefusal, undecided } from "./movements.ts";

export type MoveRefusal = { type: "payment_under_way" } | UndecidedRefusal;

const policies = { cancel: cancellation, capture: capturing };

/**
 * Has the gateway cancel or capture a pending payment: accepted, called, settled. What became of the payment has to be
 * read afterwards, because the gateway decides a race. One move of a payment is under way at a time.
 */
export async function movePayment(
  context: PaymentsContext,
  scope: string,
  payment: Payment,
  move: { readonly operation: "cancel" } | { readonly operation: "capture"; readonly amount: Money },
  trace: Trace,
): Promise<Result<null, MoveRefusal>> {
  const { database, leaseMs, pipeline } = context;
  const { id: paymentId, intentId, capture, reference } = payment;
  const captured = move.operation === "capture" ? move.amount : null;
  const accepting = {
    paymentId,
    scope,
    operation: move.operation,
    amountMinor: captured?.amountMinor ?? null,
    leaseMs,
  };
  const [accepted] = await trace.span("accept", () => acceptMove.run(accepting, database));
  if (accepted === undefined || intentId === null) return refuse({ type: "payment_under_way" });
  const attempt = {
    id: attemptIdOf(paymentId, accepted.number),
    tries: 1,
    absences: 0,
    paymentId,
    number: accepted.number,
    amount: captured ?? payment.amount,
    capture,
    reference,
    intentId,
    acceptedAt: payment.createdAt,
    traceparent: trace.traceparent,
  };
  const completion = await complete(policies[move.operation](context), attempt, trace, pipeline);
  return completion.type === "postponed" ? refuse(undecided(paymentId, completion.outcome)) : accept(null);
}
