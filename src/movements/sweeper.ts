import { setTimeout as sleep } from "node:timers/promises";

/** Work that the sweeper repeats. Returns how many things it did: after some it is run again at once. */
export type SweeperJob = { readonly name: string; run(): Promise<number> };

export type SweeperSettings = {
  readonly jobs: readonly SweeperJob[];
  /** True while this process is the owner; one process at a time gets true. Throws where the database is away. */
  readonly holdsOwnership: () => Promise<boolean>;
  readonly intervalMs: number;
  readonly onFailure: (job: string, error: unknown) => void;
};

export type Sweeper = {
  /** Resolves when the round under way is over; no further one begins. */
  stop(): Promise<void>;
};

/**
 * Recovery's clockwork: every interval the owner runs each job until it finds nothing more to do. Every process may
 * run one; those that are not the owner only ask whether the owner is gone.
 */
export function startSweeper(settings: SweeperSettings): Sweeper {
  const stopping = new AbortController();

  async function runJob(job: SweeperJob): Promise<void> {
    try {
      while (!stopping.signal.aborted && (await job.run()) > 0);
    } catch (error) {
      settings.onFailure(job.name, error);
    }
  }

  async function round(): Promise<void> {
    try {
      if (!(await settings.holdsOwnership())) return;
    } catch (error) {
      settings.onFailure("ownership", error);
      return;
    }
    for (const job of settings.jobs) await runJob(job);
  }

  /** Until the next round, or until it is told to stop. */
  async function pause(): Promise<void> {
    try {
      await sleep(settings.intervalMs, undefined, { ref: false, signal: stopping.signal });
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
    }
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await round();
      await pause();
    }
  }

  const looping = loop();
  return {
    async stop() {
      stopping.abort();
      await looping;
    },
  };
}
