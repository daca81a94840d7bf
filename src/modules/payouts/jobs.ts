import { type RecoverySettings, recoveryJobs, type SweeperJob } from "../../movements/index.ts";
import type { PayoutsContext } from "./application/context.ts";
import { countPayoutsDue, recoverDuePayouts } from "./application/recover-payouts.ts";

/** What the sweeper repeats for payouts. */
export function payoutJobs(context: PayoutsContext, settings: RecoverySettings): SweeperJob[] {
  return recoveryJobs(
    "payouts",
    () => countPayoutsDue(context),
    () => recoverDuePayouts(context, settings.resumeTrace, settings.onFailure),
    settings,
  );
}
