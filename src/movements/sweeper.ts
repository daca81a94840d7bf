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
  let stopped = false;
  let wake: () => void = () => undefined;
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });

  async function runJob(job: SweeperJob): Promise<void> {
    try {
      while (!stopped && (await job.run()) > 0);
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

  async function loop(): Promise<void> {
    while (!stopped) {
      await round();
      await Promise.race([woken, new Promise((resolve) => setTimeout(resolve, settings.intervalMs).unref())]);
    }
  }

  const looping = loop();
  return {
    async stop() {
      stopped = true;
      wake();
      await looping;
    },
  };
}
