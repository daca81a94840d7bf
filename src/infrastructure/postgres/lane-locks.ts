import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { LaneLocks } from "../../modules/events/ports.ts";

export type LaneLockSettings = {
  readonly url: string;
  /** What the lanes are of ("relay"). */
  readonly task: string;
  /** For connecting, and for each answer, in milliseconds. */
  readonly timeoutMs: number;
  /** After how long without a word PostgreSQL ends the session and so frees its lanes, in milliseconds. */
  readonly silenceMs?: number;
};

/** The lock that every owner shares, so that they can be counted. No lane has this number. */
const aliveKey = 1_000_000;

const countText = `
  select count(*)::integer as owners from pg_locks
  where locktype = 'advisory' and classid = hashtext($1)::oid and objid = ${aliveKey} and objsubid = 2 and granted
    and database = (select oid from pg_database where datname = current_database())`;

/**
 * Lanes are owned by session advisory locks: a process that dies gives its lanes back with its connection, at once. One
 * that hangs, or is cut off, says nothing any more, and loses them with the session after `silenceMs`.
 */
export function createLaneLocks(settings: LaneLockSettings): LaneLocks {
  const { url, timeoutMs, silenceMs = 4_000 } = settings;
  const task = `marketflow ${settings.task}`;
  let current: pg.Client | undefined;
  let connecting: Promise<pg.Client> | undefined;
  /** When what was answered last was asked: PostgreSQL has counted the silence from a later moment on. */
  let heardAtMs = Number.NEGATIVE_INFINITY;

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: url,
      application_name: `${task} lanes`,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      keepAlive: true,
    });
    client.on("error", () => drop(client));
    client.on("end", () => drop(client));
    await client.connect();
    try {
      await client.query(`set idle_session_timeout = ${silenceMs}`);
      await client.query(`select pg_advisory_lock_shared(hashtext($1), ${aliveKey})`, [task]);
    } catch (error) {
      drop(client);
      throw error;
    }
    current = client;
    return client;
  }

  function drop(client: pg.Client): void {
    if (current === client) current = undefined;
    // It may be broken already; ending it is all that is left to do with it.
    client.end().catch(() => undefined);
  }

  async function ask<Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<Row> {
    const client = current;
    if (client === undefined) throw new Error("there is no session to hold lanes in");
    const askedAtMs = performance.now();
    try {
      const { rows } = await client.query<Row>(text, values);
      const [row] = rows;
      if (row === undefined || current !== client) throw new Error("the session that held the lanes is gone");
      heardAtMs = askedAtMs;
      return row;
    } catch (error) {
      drop(client);
      throw error;
    }
  }

  return {
    async countOwners() {
      connecting ??= current === undefined ? connect().finally(() => (connecting = undefined)) : undefined;
      await connecting;
      return (await ask<{ owners: number }>(countText, [task])).owners;
    },
    async tryTake(lane) {
      return (await ask<{ taken: boolean }>("select pg_try_advisory_lock(hashtext($1), $2) as taken", [task, lane]))
        .taken;
    },
    async release(lane) {
      if (current !== undefined) await ask("select pg_advisory_unlock(hashtext($1), $2)", [task, lane]);
    },
    isAlive: () => current !== undefined && performance.now() - heardAtMs < silenceMs,
    async close() {
      const client = current;
      current = undefined;
      const ended = client?.end().catch(() => undefined);
      await Promise.race([ended, sleep(timeoutMs, undefined, { ref: false })]);
    },
  };
}
