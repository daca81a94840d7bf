import type { Database } from "../../../kernel/statement.ts";
import * as statements from "../persistence/log.queries.ts";

/** One state change, as it was appended in the commit that made it. */
export type LoggedEvent = {
  readonly version: number;
  readonly type: string;
  readonly data: unknown;
  readonly recordedAt: Date;
};

/** The events of one stream (a payment, an order, a pago), oldest first, at most `limit`. */
export async function readStream(database: Database, stream: string, limit: number): Promise<LoggedEvent[]> {
  return await statements.readStream.run({ stream, limit }, database);
}
