import type { Cache, Lease } from "../../../../movements/index.ts";

/** The time in which this process works on batches. */
export type Turn = {
  /** What begins lines is refused where a later holder of the lock has begun some; null without a lock. */
  fence(): bigint | null;
  /** False once another process may have the lock. */
  isOurs(): boolean;
  /** Told that a higher fence was seen: true where the turn goes on all the same. */
  survivesFence(): Promise<boolean>;
  end(): Promise<void>;
};

const lockName = "payouts:batches";
const lockTtlMs = 10_000;
const renewEveryMs = 3_000;

/**
 * Asks for the turn: null where another process has it. Two at once would be right as well, because lines are begun
 * under the batch's row lock; one at a time keeps the gateway at the bound that it was promised. So where there is no
 * cache that processes share, or it is away, each goes on alone.
 */
export async function takeTurn(cache: Cache): Promise<Turn | null> {
  if (cache.kind === "memory") return alone;
  const outcome = await cache.lock(lockName, lockTtlMs);
  if (outcome.type === "held_elsewhere") return null;
  return outcome.type === "locked" ? holding(outcome.lease) : alone;
}

const alone: Turn = {
  fence: () => null,
  isOurs: () => true,
  survivesFence: async () => false,
  end: async () => undefined,
};

function holding(lease: Lease): Turn {
  let isOurs = true;
  let isFenced = true;
  const renewal = setInterval(async () => {
    isOurs &&= await lease.renew(lockTtlMs);
  }, renewEveryMs);
  renewal.unref();
  return {
    fence: () => (isFenced ? lease.fence : null),
    isOurs: () => isOurs,
    async survivesFence() {
      isOurs &&= await lease.renew(lockTtlMs);
      // The lock is ours and its fence is too low: the cache has forgotten what it had given out before.
      isFenced &&= !isOurs;
      return isOurs;
    },
    async end() {
      clearInterval(renewal);
      await lease.release();
    },
  };
}
