import type { SweeperJob, Trace } from "../../movements/index.ts";
import type { PayoutsContext } from "./application/context.ts";
import { countPayoutsDue, recoverDuePayouts } from "./application/recover-payouts.ts";

export type PayoutJobsSettings = {
  /** Continues the trace of the request that a payout came from. */
  readonly resumeTrace: (traceparent: string | null) => Trace;
  readonly onFailure: (payoutId: string, error: unknown) => void;
  readonly onDue: (payouts: number) => void;
};

/** What the sweeper repeats for payouts. */
export function payoutJobs(context: PayoutsContext, settings: PayoutJobsSettings): SweeperJob[] {
  return [
    {
      name: "count due payouts",
      async run() {
        settings.onDue(await countPayoutsDue(context));
        return 0;
      },
    },
    { name: "recover payouts", run: () => recoverDuePayouts(context, settings.resumeTrace, settings.onFailure) },
  ];
}
