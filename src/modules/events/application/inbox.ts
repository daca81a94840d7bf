import type { Database } from "../../../kernel/statement.ts";
import * as statements from "../persistence/inbox.queries.ts";

/**
 * How long it is remembered that an event was received. One that is delivered again after that is handled again, so
 * handlers keep a key of their own that makes even that harmless; brokers keep what nobody acknowledged for less.
 */
const keptDays = 14;

/** Receipts of one page: some 10 ms of PostgreSQL's time. */
const pageSize = 5_000;

/** Removes a page of receipts that are too old. Returns how many, so that the sweeper goes on while there are more. */
export async function forgetReceipts(database: Database): Promise<number> {
  const [row] = await statements.forgetReceipts.run({ keptDays, most: pageSize }, database);
  return Number(row?.removed ?? 0n);
}
