import type { Database } from "../../../kernel/statement.ts";
import type { SweeperJob } from "../../../movements/index.ts";
import * as statements from "../persistence/partitions.queries.ts";

/** Two months without a sweeper until a stream has no partition of its own; it is appended to another one then. */
const monthsAhead = 2;

/**
 * Sees to it that there are partitions of this month and the next ones. Returns how many it made. Costs nothing where
 * they are there. Fails as busy where the lock of the log is not to be had at once: try again later.
 */
export async function makePartitions(database: Database): Promise<number> {
  const [row] = await statements.makePartitions.run({ ahead: monthsAhead }, database);
  return row?.made ?? 0;
}

/**
 * Drops the oldest month of streams, where the owner of the schema has said how long events are kept
 * (`events.retention`; for ever, as it is) and everybody has done with them. Returns its name; undefined where there
 * is none to drop. Fails as busy where the lock of the log is not to be had at once: try again later.
 */
export async function dropPartition(database: Database): Promise<string | undefined> {
  const [row] = await statements.dropPartition.run(undefined, database);
  return row?.dropped ?? undefined;
}

const everyMs = 3_600_000;
const afterFailureMs = 600_000;

/** What the sweeper repeats: looks after the partitions once an hour, and otherwise does not ask the database. */
export function partitionJob(database: Database): SweeperJob {
  let dueAtMs = Number.NEGATIVE_INFINITY;
  return {
    name: "keep partitions",
    async run() {
      if (performance.now() < dueAtMs) return 0;
      dueAtMs = performance.now() + afterFailureMs;
      const made = await makePartitions(database);
      const dropped = await dropPartition(database);
      // There may be another one to drop, which waits for its own lock.
      dueAtMs = dropped === undefined ? performance.now() + everyMs : Number.NEGATIVE_INFINITY;
      return made + (dropped === undefined ? 0 : 1);
    },
  };
}
