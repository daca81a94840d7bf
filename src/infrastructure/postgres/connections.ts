import pg from "pg";
import { type Database, DatabaseFailure } from "../../kernel/statement.ts";
import { failureOf } from "./failures.ts";

export type ConnectionSettings = {
  readonly url: string;
  /** Shown by pg_stat_activity. */
  readonly applicationName: string;
  /** The server gives up on a statement after this long; the client does a second later. In milliseconds. */
  readonly statementTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Told of connections that broke while nobody was using them. */
  readonly onIdleError: (error: Error) => void;
};

/** What needs no quotes inside an array: no separator, quote, backslash or brace, and not the word NULL. */
const plainElement = /^(?!null$)[\w.:+-]+$/i;

/**
 * A list as PostgreSQL's array literal. The driver's own writer escapes every element twice; a batch has a thousand.
 */
function arrayLiteral(elements: readonly unknown[]): string {
  let literal = "{";
  for (let place = 0; place < elements.length; place++) {
    if (place > 0) literal += ",";
    const element = elements[place];
    if (element === null || element === undefined) literal += "NULL";
    else if (typeof element === "number" || typeof element === "bigint") literal += element;
    else if (typeof element !== "string") throw new TypeError("an array parameter takes texts, numbers and nulls");
    else literal += plainElement.test(element) ? element : `"${element.replace(/["\\]/g, "\\$&")}"`;
  }
  return `${literal}}`;
}

type Query = { readonly name: string; readonly text: string; readonly values: unknown[] };

/** Throws a TypeError for a list that is a bug, before anything is sent. */
function encode(query: Query): Query {
  return { ...query, values: query.values.map((value) => (Array.isArray(value) ? arrayLiteral(value) : value)) };
}

/** A database that has to be closed. */
export type ClosableDatabase = Database & { close(): Promise<void> };

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    oid === pg.types.builtins.INT8 ? BigInt : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

function clientConfig(settings: ConnectionSettings): pg.ClientConfig {
  return {
    connectionString: settings.url,
    application_name: settings.applicationName,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    statement_timeout: settings.statementTimeoutMs,
    query_timeout: settings.statementTimeoutMs + 1_000,
    keepAlive: true,
    types,
  };
}

/** A pool for statements that are not hot. A broken connection is replaced by the next use. */
export function createPool(settings: ConnectionSettings & { readonly most: number }): ClosableDatabase {
  const pool = new pg.Pool({ ...clientConfig(settings), max: settings.most, idleTimeoutMillis: 30_000 });
  pool.on("error", settings.onIdleError);
  // While a client is in use the pool does not listen to it; its statement fails with the same error.
  pool.on("connect", (client) => client.on("error", () => undefined));
  return {
    async query(query) {
      const encoded = encode(query);
      let sent = false;
      try {
        const client = await pool.connect();
        sent = true;
        return await runOn(client, encoded, (broken) => client.release(broken));
      } catch (error) {
        throw failureOf(error, sent);
      }
    },
    close: () => pool.end(),
  };
}

/** A connection that cannot be trusted after an error (it timed out or broke) is not given back but ended. */
async function runOn(
  client: pg.ClientBase,
  query: { name: string; text: string; values: unknown[] },
  release: (broken: boolean) => void,
): Promise<{ rows: unknown[] }> {
  try {
    const result = await client.query(query);
    release(false);
    return result;
  } catch (error) {
    const failure = failureOf(error, true);
    release(failure instanceof DatabaseFailure && failure.kind === "unavailable");
    throw failure;
  }
}

/**
 * A lane's statements join a batch to tables by their keys, whatever the tables' sizes. Planned once and by index they
 * cost 70 µs of PostgreSQL's time for each payment (accept and settle, batches of 128); planned anew for each batch,
 * with sequential scans while the statistics are young, 143 µs.
 */
const planOnceByIndex = "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_memoize = off";

/**
 * One connection for one lane: it runs statements in the order in which they come, keeps its prepared statements, and
 * connects anew with the first statement after it broke. While the database is away that statement fails at once
 * instead of waiting.
 */
export function createDedicatedConnection(settings: ConnectionSettings): ClosableDatabase {
  let connected: Promise<pg.Client> | undefined;
  let current: pg.Client | undefined;
  let closed = false;

  function forget(client: pg.Client): void {
    if (current === client) connected = undefined;
    client.removeAllListeners("error");
    client.on("error", () => undefined);
    client.end().catch(settings.onIdleError);
  }

  async function connect(): Promise<pg.Client> {
    // Pipelined: a lane may send its next batch before it has the answer to the last one.
    const client = new pg.Client({ ...clientConfig(settings), pipeline: true });
    client.on("error", (error) => {
      settings.onIdleError(error);
      forget(client);
    });
    await client.connect();
    current = client;
    try {
      await client.query(planOnceByIndex);
    } catch (error) {
      forget(client);
      throw error;
    }
    return client;
  }

  return {
    async query(query) {
      if (closed) throw new DatabaseFailure("unavailable", false, "the connection is closed");
      const encoded = encode(query);
      connected ??= connect();
      let client: pg.Client;
      try {
        client = await connected;
      } catch (error) {
        connected = undefined;
        throw failureOf(error, false);
      }
      return await runOn(client, encoded, (broken) => {
        if (broken) forget(client);
      });
    },
    async close() {
      closed = true;
      const client = await connected?.catch(() => undefined);
      await client?.end();
    },
  };
}
