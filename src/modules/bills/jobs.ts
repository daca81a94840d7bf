import type { SweeperJob, Trace } from "../../movements/index.ts";
import type { BillsContext } from "./application/context.ts";
import { foldChanges, forgetKeys } from "./application/keep-house.ts";
import { countDueBills, recoverDueBills } from "./application/recover-bills.ts";

export type BillJobsSettings = {
  /** Continues the trace of the request that an attempt came from. */
  readonly resumeTrace: (traceparent: string | null) => Trace;
  readonly onFailure: (attemptId: string, error: unknown) => void;
  readonly onDue: (attempts: number) => void;
};

/** What the sweeper repeats for bills. */
export function billJobs(context: BillsContext, settings: BillJobsSettings): SweeperJob[] {
  return [
    {
      name: "count due bills",
      async run() {
        settings.onDue(await countDueBills(context));
        return 0;
      },
    },
    { name: "recover bills", run: () => recoverDueBills(context, settings.resumeTrace, settings.onFailure) },
    { name: "forget idempotency keys of bills", run: () => forgetKeys(context) },
    { name: "tally bills", run: () => foldChanges(context) },
  ];
}
