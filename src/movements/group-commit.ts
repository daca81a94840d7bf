import { DatabaseFailure } from "../kernel/statement.ts";
import { LaneRefusal } from "./ports.ts";

export type LaneSettings<Item, Outcome> = {
  readonly name: string;
  /** Runs one set-based statement for the whole batch and returns one outcome for each item, in the same order. */
  readonly run: (items: readonly Item[]) => Promise<readonly Outcome[]>;
  /** Items of one batch have different keys; a second item of a key waits for the next batch. Unset: no limit. */
  readonly keyOf?: (item: Item) => string;
  readonly maxBatch: number;
  /** Beyond it items are turned away with a {@link LaneRefusal} instead of waiting longer than anyone would. */
  readonly maxQueued: number;
  /** How long an item may wait for its batch to begin, in milliseconds. */
  readonly maxWaitMs: number;
  /**
   * So many waiting items are sent while the batch before them is still under way, so that the database goes on without
   * waiting for this process to take its answer. Unset: one batch at a time. At most two are under way, and `run` must
   * keep their order: the connection is one.
   */
  readonly sendAheadFrom?: number;
  readonly observer?: LaneObserver;
};

/** Told what a lane does; metrics stand behind it. */
export type LaneObserver = {
  /** A batch is done: its size, how long its statement took, and how long its oldest item had waited before. */
  batch(observed: { readonly size: number; readonly durationMs: number; readonly waitedMs: number }): void;
  shed(): void;
  failed(): void;
};

export type Lane<Item, Outcome> = {
  readonly name: string;
  /**
   * Resolves once the item's batch is committed. Rejects with a {@link LaneRefusal} where nothing was sent,
   * and with the batch's {@link DatabaseFailure} otherwise.
   */
  submit(item: Item): Promise<Outcome>;
  depth(): number;
  /** Takes no more items, and resolves when those that were taken have their outcome. */
  drain(): Promise<void>;
};

type Waiting<Item, Outcome> = {
  readonly item: Item;
  readonly key: string | undefined;
  readonly sinceMs: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
};

const busyRetries = 3;

/**
 * Group commit: items that arrive while the database is busy with a batch become the next batch, so that one durable
 * commit serves many. There is no timer: an idle lane sends what one turn of the event loop brought it.
 */
export function createLane<Item, Outcome>(settings: LaneSettings<Item, Outcome>): Lane<Item, Outcome> {
  const { name, keyOf, maxBatch, maxQueued, maxWaitMs, sendAheadFrom = Number.POSITIVE_INFINITY, observer } = settings;
  let queue: Waiting<Item, Outcome>[] = [];
  const running = new Set<Promise<void>>();
  let closed = false;

  /** Takes the next batch off the queue, in order of arrival; a repeated key stays at its place for the next one. */
  function takeBatch(): Waiting<Item, Outcome>[] {
    const oldestMs = performance.now() - maxWaitMs;
    const batch: Waiting<Item, Outcome>[] = [];
    const later: Waiting<Item, Outcome>[] = [];
    const keys = new Set<string>();
    let taken = 0;
    for (; taken < queue.length && batch.length < maxBatch; taken++) {
      const waiting = queue[taken] as Waiting<Item, Outcome>;
      const { key } = waiting;
      if (waiting.sinceMs < oldestMs) turnAway(waiting, "waited_too_long");
      else if (key !== undefined && keys.has(key)) later.push(waiting);
      else {
        if (key !== undefined) keys.add(key);
        batch.push(waiting);
      }
    }
    queue = later.length === 0 ? queue.slice(taken) : [...later, ...queue.slice(taken)];
    return batch;
  }

  function turnAway(waiting: Waiting<Item, Outcome>, reason: LaneRefusal["reason"]): void {
    observer?.shed();
    waiting.reject(new LaneRefusal(name, reason));
  }

  /** Whether what waits is to be a batch now: nothing is under way, or one batch is and enough wait for another. */
  function mayStart(): boolean {
    return running.size === 0 || (running.size === 1 && queue.length >= sendAheadFrom);
  }

  function start(): void {
    const run: Promise<void> = new Promise(setImmediate).then(() => runAll(() => running.delete(run)));
    running.add(run);
  }

  /** `leave` is called in the same step as the last look at the queue: an item that comes next must start a new run. */
  async function runAll(leave: () => void): Promise<void> {
    for (;;) {
      const isAhead = running.size > 1;
      const batch = isAhead && queue.length < sendAheadFrom ? [] : takeBatch();
      if (batch.length === 0) {
        leave();
        return;
      }
      const beganMs = performance.now();
      await runBatch(batch);
      const waitedMs = beganMs - (batch[0]?.sinceMs ?? beganMs);
      observer?.batch({ size: batch.length, durationMs: performance.now() - beganMs, waitedMs });
    }
  }

  /**
   * Where the database rejects a batch for its data, the halves are tried on their own, down to the item at fault: the
   * statement was rolled back as a whole, so nothing is done twice and the others go through.
   */
  async function runBatch(batch: readonly Waiting<Item, Outcome>[]): Promise<void> {
    try {
      const outcomes = await runPatiently(batch.map((waiting) => waiting.item));
      if (outcomes.length !== batch.length) {
        throw new Error(`the ${name} lane's statement gave ${outcomes.length} outcomes for ${batch.length} items`);
      }
      for (const [place, waiting] of batch.entries()) waiting.resolve(outcomes[place] as Outcome);
    } catch (error) {
      if (batch.length > 1 && error instanceof DatabaseFailure && error.kind === "rejected") {
        const half = Math.ceil(batch.length / 2);
        await runBatch(batch.slice(0, half));
        await runBatch(batch.slice(half));
        return;
      }
      observer?.failed();
      for (const waiting of batch) waiting.reject(error);
    }
  }

  async function runPatiently(items: readonly Item[]): Promise<readonly Outcome[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await settings.run(items);
      } catch (error) {
        if (!(error instanceof DatabaseFailure && error.kind === "busy") || tries > busyRetries) throw error;
      }
    }
  }

  return {
    name,
    submit(item) {
      if (closed) return Promise.reject(new LaneRefusal(name, "closed"));
      return new Promise((resolve, reject) => {
        const waiting = { item, key: keyOf?.(item), sinceMs: performance.now(), resolve, reject };
        if (queue.length >= maxQueued) return turnAway(waiting, "full");
        queue.push(waiting);
        if (mayStart()) start();
      });
    },
    depth: () => queue.length,
    async drain() {
      closed = true;
      while (running.size > 0) await Promise.all(running);
    },
  };
}
