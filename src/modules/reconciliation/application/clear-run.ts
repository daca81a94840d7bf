import { removeLines } from "../persistence/lines.queries.ts";
import { discardRun as discardRunStatement, endClearing } from "../persistence/runs.queries.ts";
import type { ReconciliationContext } from "./context.ts";

const removedAtOnce = 20_000;

/** Removes the lines of a run that came to nothing, in bounded steps; of a discarded file nothing stays at all. */
export async function clearRun(context: ReconciliationContext, runId: string): Promise<void> {
  const { database, leaseMs } = context;
  for (;;) {
    const [row] = await removeLines.run({ runId, limit: removedAtOnce, leaseMs }, database);
    if ((row?.removed ?? 0n) === 0n) break;
  }
  await endClearing.run({ runId }, database);
}

/** A file that was bad, or whose upload broke off. Does nothing to a run that is more than that by now. */
export async function discardRun(context: ReconciliationContext, runId: string): Promise<void> {
  await discardRunStatement.run({ runId }, context.database);
  await clearRun(context, runId);
}
