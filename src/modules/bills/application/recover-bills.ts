import { recover, type Trace } from "../../../movements/index.ts";
import { attemptIdOf } from "../domain/bill-payment.ts";
import * as statements from "../persistence/movements.queries.ts";
import type { BillsContext } from "./context.ts";
import { type BillAttempt, payingBill } from "./movements.ts";
import { pendingOf } from "./rows.ts";

/** How many attempts are taken up at once: bounds what a stop waits for, and the load on a gateway that is back. */
const attemptsAtOnce = 32;

/**
 * Takes up attempts that were accepted and never settled, in whatever process and however that one ended. Returns how
 * many it took up. An attempt that fails to be recovered is due again after its lease.
 */
export async function recoverDueBills(
  context: BillsContext,
  resume: (traceparent: string | null) => Trace,
  onFailure: (attemptId: string, error: unknown) => void,
): Promise<number> {
  const { database, leaseMs, observe } = context;
  const due = await statements.claimDueBills.run({ limit: attemptsAtOnce, leaseMs }, database);
  const policy = payingBill(context);
  await Promise.all(
    due.map(async (row) => {
      const attempt = attemptOf(row);
      try {
        const completion = await recover(policy, attempt, resume(row.traceparent), context.pipeline);
        const result = completion.type === "postponed" ? completion.outcome : completion.settled?.status;
        observe.attemptRecovered(policy.operation, result ?? "elsewhere");
      } catch (error) {
        onFailure(attempt.id, error);
      }
    }),
  );
  return due.length;
}

function attemptOf(row: statements.ClaimDueBillsResult): BillAttempt {
  const bill = pendingOf(row);
  return { id: attemptIdOf(bill), tries: row.tries, absences: row.absences, bill };
}

/** How many attempts are past their lease: what recovery has before it. */
export async function countDueBills(context: BillsContext): Promise<number> {
  const [count] = await statements.countDueBills.run(undefined, context.database);
  return Number(count?.due ?? 0n);
}
