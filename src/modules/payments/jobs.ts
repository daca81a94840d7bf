import { type RecoverySettings, recoveryJobs, type SweeperJob, untraced } from "../../movements/index.ts";
import type { PaymentsContext } from "./application/context.ts";
import { applyWaitingEvents } from "./application/receive-webhook.ts";
import { recheckRefunds } from "./application/recheck-refunds.ts";
import { countDueAttempts, recoverDueAttempts } from "./application/recover-attempts.ts";

/** What the sweeper repeats for payments. */
export function paymentJobs(context: PaymentsContext, settings: RecoverySettings): SweeperJob[] {
  return [
    ...recoveryJobs(
      "attempts",
      () => countDueAttempts(context),
      () => recoverDueAttempts(context, settings.resumeTrace, settings.onFailure),
      settings,
    ),
    { name: "recheck refunds", run: () => recheckRefunds(context) },
    { name: "apply waiting events", run: () => applyWaitingEvents(context, untraced) },
  ];
}
