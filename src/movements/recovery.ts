import type { Trace } from "./ports.ts";
import type { SweeperJob } from "./sweeper.ts";

/** What the recovery of every kind of movement is given. */
export type RecoverySettings = {
  /** Continues the trace of the request that an attempt came from. */
  readonly resumeTrace: (traceparent: string | null) => Trace;
  /** Told of an attempt that could not be recovered; it is due again after its lease. */
  readonly onFailure: (attemptId: string, error: unknown) => void;
  /** Told how many attempts are past their lease. */
  readonly onDue: (attempts: number) => void;
};

/** What the sweeper repeats for the attempts that nobody settled: tells how many there are, and takes them up. */
export function recoveryJobs(
  attempts: string,
  count: () => Promise<number>,
  recover: () => Promise<number>,
  { onDue }: RecoverySettings,
): SweeperJob[] {
  return [
    {
      name: `count due ${attempts}`,
      async run() {
        onDue(await count());
        return 0;
      },
    },
    { name: `recover ${attempts}`, run: recover },
  ];
}
