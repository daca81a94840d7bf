import { type SweeperJob, type Trace, untraced } from "../../movements/index.ts";
import type { PaymentsContext } from "./application/context.ts";
import { applyWaitingEvents } from "./application/receive-webhook.ts";
import { recheckRefunds } from "./application/recheck-refunds.ts";
import { countDueAttempts, recoverDueAttempts } from "./application/recover-attempts.ts";

export type PaymentJobsSettings = {
  /** Continues the trace of the request that an attempt came from. */
  readonly resumeTrace: (traceparent: string | null) => Trace;
  readonly onFailure: (attemptId: string, error: unknown) => void;
  readonly onDue: (attempts: number) => void;
};

/** What the sweeper repeats for payments. */
export function paymentJobs(context: PaymentsContext, settings: PaymentJobsSettings): SweeperJob[] {
  return [
    {
      name: "count due attempts",
      async run() {
        settings.onDue(await countDueAttempts(context));
        return 0;
      },
    },
    { name: "recover attempts", run: () => recoverDueAttempts(context, settings.resumeTrace, settings.onFailure) },
    { name: "recheck refunds", run: () => recheckRefunds(context) },
    { name: "apply waiting events", run: () => applyWaitingEvents(context, untraced) },
  ];
}
