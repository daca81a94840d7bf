import { type RecoverySettings, recoveryJobs, type SweeperJob } from "../../movements/index.ts";
import type { BillsContext } from "./application/context.ts";
import { foldChanges, forgetKeys } from "./application/keep-house.ts";
import { countDueBills, recoverDueBills } from "./application/recover-bills.ts";

/** What the sweeper repeats for bills. */
export function billJobs(context: BillsContext, settings: RecoverySettings): SweeperJob[] {
  return [
    ...recoveryJobs(
      "bills",
      () => countDueBills(context),
      () => recoverDueBills(context, settings.resumeTrace, settings.onFailure),
      settings,
    ),
    { name: "forget idempotency keys of bills", run: () => forgetKeys(context) },
    { name: "tally bills", run: () => foldChanges(context) },
  ];
}
