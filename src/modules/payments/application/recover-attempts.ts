import type { Currency } from "../../../kernel/currency.ts";
import { fromStoredDecimal } from "../../../kernel/money.ts";
import { recover, type Trace } from "../../../movements/index.ts";
import { attemptIdOf } from "../domain.ts";
import * as statements from "../persistence.queries.ts";
import type { PaymentsContext } from "./context.ts";
import { cancellation, creation, type PaymentAttempt } from "./movements.ts";

/** How many attempts are taken up at once: bounds what a stop waits for, and the load on a gateway that is back. */
const attemptsAtOnce = 32;

/**
 * Takes up attempts that were accepted and never settled, in whatever process and however that one ended. Returns how
 * many it took up. An attempt that fails to be recovered is due again after its lease.
 */
export async function recoverDueAttempts(
  context: PaymentsContext,
  resume: (traceparent: string | null) => Trace,
  onFailure: (attemptId: string, error: unknown) => void,
): Promise<number> {
  const due = await statements.claimDueAttempts.run(
    { limit: attemptsAtOnce, leaseMs: context.leaseMs },
    context.database,
  );
  await Promise.all(
    due.map(async (row) => {
      const attempt = attemptOf(row);
      const policy = row.operation === "cancel" ? cancellation(context) : creation(context);
      try {
        const completion = await recover(policy, attempt, resume(row.traceparent), context.pipeline);
        const result =
          completion.type === "postponed" ? completion.outcome : (completion.settled?.status ?? "elsewhere");
        context.observe.attemptRecovered(row.operation, result);
      } catch (error) {
        onFailure(attempt.id, error);
      }
    }),
  );
  return due.length;
}

/** How many attempts are past their lease: what recovery has before it. */
export async function countDueAttempts(context: PaymentsContext): Promise<number> {
  const [count] = await statements.countDueAttempts.run(undefined, context.database);
  return Number(count?.due ?? 0n);
}

function attemptOf(row: statements.ClaimDueAttemptsResult): PaymentAttempt {
  const { paymentId, number, tries, absences, intentId, reference, acceptedAt, traceparent } = row;
  return {
    id: attemptIdOf(paymentId, number),
    tries,
    absences,
    paymentId,
    number,
    amount: fromStoredDecimal(row.amount, row.currency as Currency),
    capture: row.capture as PaymentAttempt["capture"],
    reference,
    intentId,
    acceptedAt,
    traceparent,
  };
}
