import type { Database } from "../../../../kernel/statement.ts";
import { type Cache, complete, type Policy, untraced } from "../../../../movements/index.ts";
import type { PayoutsContext } from "../context.ts";
import { type FinalPayoutOutcome, type PayoutAttempt, payingOut, type SettledPayout } from "../movements.ts";
import { createGate, createSignal, type Gate } from "./gate.ts";
import { beginLines } from "./start-lines.ts";
import { type Turn, takeTurn } from "./turns.ts";

export type BatchWorkerSettings = {
  /** A connection of its own, on which lines are begun. */
  readonly database: Database;
  /** Where processes agree on who works on batches. */
  readonly cache: Cache;
  /** How many payouts of batches the gateway is asked for at the same time. */
  readonly concurrency: number;
  /** Told of a payout that could not be settled, which recovery takes over, and, without one, of a database away. */
  readonly onFailure: (payoutId: string | null, error: unknown) => void;
  /** Told how long after it had begun a payout was settled, in milliseconds. */
  readonly onSettled: (durationMs: number) => void;
};

/** Pays the lines of batches, behind the requests that brought them. */
export type BatchWorker = {
  /** Begins to look for batches, now and every second. */
  start(): void;
  /** A batch has come: looks at once. */
  wake(): void;
  /** How many payouts have begun here and have not ended. */
  inFlight(): number;
  /** Begins no further line, and resolves when those that have begun are settled or left to recovery. */
  stop(): Promise<void>;
};

/** Lines of one statement: more would make those that settle payouts wait for the same account. */
const mostAtOnce = 256;
/** Besides those that the gateway is asked for, so many may have begun: they wait for their turn, or are settled. */
const mostAhead = 512;
const pollMs = 1_000;
const longestPauseMs = 30_000;
/** So many payouts in a row that no gateway decided, and it is away. */
const undecidedUntilAway = 5;

/**
 * Every process has one. It begins lines in groups while there is room for more, and each goes through the pipeline on
 * its own. What has begun is in the database before the gateway hears of it, so that whoever dies here leaves it to
 * recovery, and what has not begun to whoever comes next. A gateway that decides nothing is tried with single lines,
 * further and further apart, instead of leaving the whole batch to recovery.
 */
export function createBatchWorker(context: PayoutsContext, settings: BatchWorkerSettings): BatchWorker {
  const { concurrency, onFailure, onSettled } = settings;
  const policy = boundedBy(createGate(concurrency), payingOut(context));
  const mostBegun = concurrency + Math.min(concurrency, mostAhead);
  // Statements that carry many lines are what makes it fast.
  const fewestAtOnce = Math.min(64, Math.ceil(mostBegun / 8));
  const room = createSignal();
  const news = createSignal();
  let begun = 0;
  let undecided = 0;
  let probes = 0;
  let isStopping = false;
  let looping: Promise<void> | undefined;

  const isAway = () => undecided >= undecidedUntilAway;

  async function pay(attempt: PayoutAttempt): Promise<void> {
    const beganMs = performance.now();
    try {
      const completion = await complete(policy, attempt, untraced, context.pipeline);
      if (completion.type === "settled") {
        itAnswers();
        onSettled(performance.now() - beganMs);
      } else undecided += 1;
    } catch (error) {
      onFailure(attempt.payoutId, error);
    } finally {
      begun -= 1;
      if (begun === 0 || mostBegun - begun >= fewestAtOnce) room.raise();
    }
  }

  function itAnswers(): void {
    if (isAway()) news.raise();
    undecided = 0;
    probes = 0;
  }

  /** Begins the next lines; false where there is nothing to begin for now. */
  async function beginGroup(turn: Turn): Promise<boolean> {
    const most = isAway() ? 1 : Math.min(mostBegun - begun, mostAtOnce);
    const started = await beginLines(context, settings.database, most, turn.fence());
    if (started.type === "fenced") return await turn.survivesFence();
    if (started.type === "nothing_left") return false;
    begun += started.attempts.length;
    for (const attempt of started.attempts) void pay(attempt);
    return true;
  }

  /** Until there is room for a group, or it is time to try the gateway again with one line. */
  async function waitForRoom(): Promise<void> {
    if (isAway() && !isStopping) {
      await news.wait(Math.min(pollMs * 2 ** probes, longestPauseMs));
      probes += 1;
    }
    while (!isStopping && begun > 0 && mostBegun - begun < fewestAtOnce) await room.wait(pollMs);
  }

  async function workThrough(turn: Turn): Promise<void> {
    try {
      for (;;) {
        await waitForRoom();
        if (isStopping || !turn.isOurs() || !(await beginGroup(turn))) return;
      }
    } finally {
      await turn.end();
    }
  }

  async function loop(): Promise<void> {
    let failures = 0;
    while (!isStopping) {
      try {
        const turn = await takeTurn(settings.cache);
        if (turn !== null) await workThrough(turn);
        failures = 0;
      } catch (error) {
        failures += 1;
        onFailure(null, error);
      }
      if (!isStopping) await news.wait(Math.min(pollMs * 2 ** Math.max(0, failures - 1), longestPauseMs));
    }
    while (begun > 0) await room.wait(pollMs);
  }

  return {
    start() {
      looping ??= loop();
    },
    wake: () => news.raise(),
    inFlight: () => begun,
    async stop() {
      isStopping = true;
      news.raise();
      room.raise();
      await looping;
    },
  };
}

type PayoutPolicy = Policy<PayoutAttempt, SettledPayout, FinalPayoutOutcome>;

/** Bounds the calls and nothing else: what is settled meanwhile keeps no other payout from the gateway. */
function boundedBy(gate: Gate, policy: PayoutPolicy): PayoutPolicy {
  return { ...policy, call: (attempt, deadlineMs) => gate.pass(() => policy.call(attempt, deadlineMs)) };
}
