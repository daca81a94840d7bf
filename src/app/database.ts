import type { Logger } from "pino";
import {
  type ClosableDatabase,
  createDedicatedConnection,
  createPool,
} from "../infrastructure/postgres/connections.ts";
import type { AppSettings } from "./settings.ts";

/** A statement of ours that takes longer than this has gone wrong. */
const statementTimeoutMs = 5_000;
export const connectTimeoutMs = 2_000;

export type OpenDatabase = {
  readonly pool: ClosableDatabase;
  /** A connection of its own, for one lane. */
  readonly lane: (name: string) => ClosableDatabase;
  /** Rejects where the database does not answer. */
  ping(): Promise<unknown>;
  close(): Promise<void>;
};

/** A pool for what is not hot, and a connection of its own for each lane; each connects with its first statement. */
export function openDatabase(settings: AppSettings, logger: Logger): OpenDatabase {
  const connection = {
    url: settings.databaseUrl,
    applicationName: "marketflow",
    statementTimeoutMs,
    connectTimeoutMs,
    onIdleError: (error: Error) => logger.warn({ error }, "a database connection broke"),
  };
  const pool = createPool({ ...connection, most: 8 });
  const lanes: ClosableDatabase[] = [];
  return {
    pool,
    lane(name) {
      const opened = createDedicatedConnection({ ...connection, applicationName: `marketflow ${name}` });
      lanes.push(opened);
      return opened;
    },
    ping: () => pool.query({ name: "health", text: "select 1", values: [] }),
    async close() {
      await Promise.all([pool, ...lanes].map((opened) => opened.close()));
    },
  };
}
