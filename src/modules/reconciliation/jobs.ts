import type { SweeperJob } from "../../movements/index.ts";
import type { ReconciliationContext } from "./application/context.ts";
import { finishResolutions } from "./application/resolve-exception.ts";
import type { RunWorker } from "./application/run-worker.ts";

/** What the sweeper repeats for reconciliation: runs and resolutions that nobody works on are taken up. */
export function reconciliationJobs(context: ReconciliationContext, worker: RunWorker): SweeperJob[] {
  return [
    {
      name: "take up reconciliation runs",
      async run() {
        // Its work takes minutes, for which nobody else's recovery shall wait.
        await worker.takeUp();
        return 0;
      },
    },
    { name: "finish resolutions", run: () => finishResolutions(context) },
  ];
}
