import type { Currency } from "../../../kernel/currency.ts";
import { fromStoredDecimal } from "../../../kernel/money.ts";
import { recover, type Trace } from "../../../movements/index.ts";
import { attemptIdOf } from "../domain/payment.ts";
import * as statements from "../persistence/movements.queries.ts";
import type { PaymentsContext } from "./context.ts";
import { cancellation, capturing, creation, type PaymentAttempt } from "./movements.ts";
import { refunding } from "./settle-refund.ts";

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
      try {
        const result = await recoverOne(context, attempt, row, resume(row.traceparent));
        context.observe.attemptRecovered(row.operation, result);
      } catch (error) {
        onFailure(attempt.id, error);
      }
    }),
  );
  return due.length;
}

/** What came of it: a status, how the gateway left it, or "elsewhere" where somebody else had settled it. */
async function recoverOne(
  context: PaymentsContext,
  attempt: PaymentAttempt,
  { operation, refundId }: statements.ClaimDueAttemptsResult,
  trace: Trace,
): Promise<string> {
  const { pipeline } = context;
  if (operation === "refund") {
    if (refundId === null) throw new Error(`attempt ${attempt.id} refunds without a refund`);
    const completion = await recover(refunding(context), { ...attempt, refundId }, trace, pipeline);
    return completion.type === "postponed" ? completion.outcome : completion.settled;
  }
  const policies = { create: creation, cancel: cancellation, capture: capturing };
  const policy = policies[operation as keyof typeof policies](context);
  const completion = await recover(policy, attempt, trace, pipeline);
  return completion.type === "postponed" ? completion.outcome : (completion.settled?.status ?? "elsewhere");
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
    amount:
      row.amountMinor === null
        ? fromStoredDecimal(row.amount, row.currency as Currency)
        : { amountMinor: row.amountMinor, currency: row.currency as Currency },
    capture: row.capture as PaymentAttempt["capture"],
    reference,
    intentId,
    acceptedAt,
    traceparent,
  };
}
