import type { Database } from "../../../kernel/statement.ts";
import * as statements from "../persistence/log.queries.ts";

/** How many events there are of a category, and how many of them a consumer has handled and has not. */
export type EventStatistics = { readonly total: number; readonly handled: number; readonly pending: number };

/**
 * The statistics as of now: every event that is committed is in them, at any load. They cost what is not tallied yet,
 * which is what came within the last rounds of {@link tallyEvents}. A consumer that never handled anything has handled
 * none.
 */
export async function eventStatistics(
  database: Database,
  category: string,
  consumer: string,
): Promise<EventStatistics> {
  const [row] = await statements.readStatistics.run({ category, consumer }, database);
  const total = Number(row?.total ?? 0n);
  const handled = Number(row?.handled ?? 0n);
  return { total, handled, pending: total - handled };
}

/** Positions of one page: some 10 ms of PostgreSQL's time. */
const pageSize = 50_000;

/**
 * Counts a page of events into the tallies. Returns how many positions could be counted still, so that the sweeper goes
 * on while there are more. What is being written meanwhile comes with a later round.
 */
export async function tallyEvents(database: Database): Promise<number> {
  const [row] = await statements.tallyEvents.run({ most: pageSize }, database);
  return Number(row?.left ?? 0n);
}
