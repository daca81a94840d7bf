import type { Database } from "../kernel/statement.ts";
import { createLane, type Lane, type LaneObserver } from "./group-commit.ts";

/** What holds for all lanes of a module. */
export type LaneLimits = {
  readonly maxBatch: number;
  readonly maxQueued: number;
  readonly maxWaitMs: number;
  readonly sendAheadFrom: number;
  /** After how long recovery takes over what was accepted and nobody settled, in milliseconds. */
  readonly leaseMs: number;
  readonly observerOf: (lane: string, depth: () => number) => LaneObserver;
};

/**
 * Makes the lanes of a module, each with a connection of its own from `database(lane)`: one lane for each kind of
 * statement measured best, two on the same rows collapsed. `narrower` is what of a lane is not as for all.
 */
export function laneMaker(database: (lane: string) => Database, limits: LaneLimits) {
  return function make<Item, Outcome>(
    name: string,
    run: (items: readonly Item[], connection: Database) => Promise<readonly Outcome[]>,
    keyOf?: (item: Item) => string,
    narrower: Partial<Pick<LaneLimits, "maxBatch" | "sendAheadFrom">> = {},
  ): Lane<Item, Outcome> {
    const connection = database(name);
    const made: Lane<Item, Outcome> = createLane({
      ...limits,
      ...narrower,
      name,
      run: (items) => run(items, connection),
      observer: limits.observerOf(name, () => made.depth()),
      ...(keyOf === undefined ? {} : { keyOf }),
    });
    return made;
  };
}
