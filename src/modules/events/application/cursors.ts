import type { Database } from "../../../kernel/statement.ts";
import * as statements from "../persistence/relay.queries.ts";

/** Where a consumer of the log stands: it has handled what is up to there. 0 where it has handled nothing. */
export async function readCursor(database: Database, consumer: string, lane = 0): Promise<bigint> {
  const [row] = await statements.readCursor.run({ consumer, lane }, database);
  return row?.position ?? 0n;
}
