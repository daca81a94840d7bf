import { claimDueRun, releaseRun } from "../persistence/runs.queries.ts";
import { advanceRun, retryInterrupted } from "./advance-run.ts";
import type { ReconciliationContext } from "./context.ts";

/** Works on runs behind the requests that began them. */
export type RunWorker = {
  /**
   * Works on a run that this process has begun. Resolves when it has ended or waits for another try; at once, with the
   * run left to whoever is next, where enough are under way here.
   */
  begin(runId: string): Promise<void>;
  /** Takes up one run that nobody works on, and does not wait for it. */
  takeUp(): Promise<void>;
  /** Ends after the steps under way, and leaves the runs to other processes. */
  stop(): Promise<void>;
};

/** The comparison of a large run keeps one core of the database busy. */
const mostAtOnce = 2;

/** A run never fails because its process does: what one leaves, another takes up. */
export function createRunWorker(
  context: ReconciliationContext,
  onFailure: (runId: string, error: unknown) => void,
): RunWorker {
  const underWay = new Map<string, Promise<void>>();
  let isStopping = false;

  async function work(runId: string): Promise<void> {
    try {
      while ((await advanceRun(context, runId)) === "advanced") {
        if (isStopping) return await release(runId);
      }
    } catch (error) {
      onFailure(runId, error);
      // Where the database is away its lease ends instead.
      await retryInterrupted(context, runId).catch(() => undefined);
    }
  }

  async function release(runId: string): Promise<void> {
    await releaseRun.run({ runId }, context.database);
  }

  async function begin(runId: string): Promise<void> {
    if (isStopping || underWay.size >= mostAtOnce) return await release(runId);
    const working = work(runId).finally(() => underWay.delete(runId));
    underWay.set(runId, working);
    await working;
  }

  return {
    begin,
    async takeUp() {
      if (isStopping || underWay.size >= mostAtOnce) return;
      const [due] = await claimDueRun.run({ leaseMs: context.leaseMs }, context.database);
      if (due !== undefined) begin(due.id).catch((error: unknown) => onFailure(due.id, error));
    },
    async stop() {
      isStopping = true;
      await Promise.allSettled(underWay.values());
    },
  };
}
