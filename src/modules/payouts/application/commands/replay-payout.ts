import { accept, type Result, refuse } from "../../../../kernel/result.ts";
import { lookUntilOver } from "../../../../movements/index.ts";
import type { Payout } from "../../domain/payout.ts";
import type { PayoutsContext } from "../context.ts";
import type { StandingPayout } from "../lanes.ts";

/** A payout as its request is answered; `replayed` where an earlier request had made it. */
export type ProcessedPayout = { readonly payout: Payout; readonly replayed: boolean };

export type KeyRefusal = { type: "idempotency_key_reused" } | { type: "idempotency_key_in_use" };

/** Answers from what stands under the key; waits while the first request is under way, here or in another process. */
export async function replayPayout(
  context: PayoutsContext,
  scope: string,
  key: string,
  fingerprint: string,
): Promise<Result<ProcessedPayout, KeyRefusal>> {
  const { underWay, lanes, replayWaitMs } = context;
  const isAnother = (standing: StandingPayout) => standing.fingerprint !== fingerprint;
  const standing = await lookUntilOver(
    { underWay, key: underWayKey(scope, key), untilMs: performance.now() + replayWaitMs },
    async () => {
      const found = await lanes.findByKey.submit({ scope, key });
      if (found === null) throw new Error(`no payout stands under a key that is taken: ${key}`);
      return found;
    },
    (found) => isAnother(found) || !found.running,
  );
  if (isAnother(standing)) return refuse({ type: "idempotency_key_reused" });
  if (standing.running) return refuse({ type: "idempotency_key_in_use" });
  return accept({ payout: standing.payout, replayed: true });
}

/** What a request under way is known by in this process. */
export function underWayKey(scope: string, key: string): string {
  return `${scope} ${key}`;
}
