import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { type BenchBroker, pulsarEnvironment } from "./brokers.ts";
import { type BenchCluster, type BenchDatabase, queryAsOwner } from "./cluster.ts";
import { isBundled } from "./contenders.ts";
import { startServer } from "./processes.ts";

export type RelayStart = {
  readonly database: BenchDatabase;
  readonly nodeOptions: string;
  /** Left out: it publishes to the consumers of its own process. */
  readonly broker?: { readonly broker: BenchBroker; readonly namespace: string } | undefined;
};

const lanes = 8;
const lookEveryMs = 20;

/** Starts `marketflow relay` as in production; resolves once it is healthy, perhaps before it has its lanes. */
export function startRelay(cluster: BenchCluster, { database, nodeOptions, broker }: RelayStart) {
  const folder = cluster.makeHome(`${database.name}-relay`);
  const environment = {
    NODE_ENV: "production",
    GATEWAY: "simulator",
    MARKETFLOW_HOME: folder,
    DATABASE_URL: database.url,
    DATABASE_OWNER_URL: database.ownerUrl,
    NODE_OPTIONS: nodeOptions,
    MARKETFLOW_BUNDLE: isBundled ? "1" : "",
    ...(broker === undefined ? {} : pulsarEnvironment(broker.broker, broker.namespace)),
  };
  const args = [join(import.meta.dirname, "..", "bin", "marketflow.mjs"), "relay"];
  return startServer({ args, environment, folder });
}

/** How many events were published between two looks at the cursors, and how long that took. */
export type Drained = { readonly events: number; readonly seconds: number };

/**
 * Watches the relay's cursors until all of them are at a position. It is counted from the first time that they are seen
 * to have moved, when `onFirst` is called: neither the start of the process nor the making of topics is in it. Throws
 * where it takes too long.
 */
export async function watchDrain(
  { ownerUrl }: BenchDatabase,
  until: bigint,
  withinMs: number,
  onFirst: () => void,
): Promise<Drained> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    const deadlineMs = performance.now() + withinMs;
    let first: { readonly position: bigint; readonly atMs: number } | undefined;
    while (performance.now() < deadlineMs) {
      const { rows } = await client.query<{ slowest: string | null; lanes: number }>({
        name: "cursors",
        text: `select min(position) as slowest, count(*)::integer as lanes
               from events.cursors where consumer = 'relay'`,
      });
      const slowest = rows[0]?.lanes === lanes ? BigInt(rows[0].slowest ?? 0) : 0n;
      const atMs = performance.now();
      if (slowest > 0n && first === undefined) {
        first = { position: slowest, atMs };
        onFirst();
      }
      if (slowest >= until && first !== undefined) {
        return { events: Number(until - first.position), seconds: (atMs - first.atMs) / 1000 };
      }
      await sleep(lookEveryMs);
    }
    throw new Error(`the relay has not published everything after ${withinMs} ms`);
  } finally {
    await client.end();
  }
}

/** What is published must be what is in the log, category by category, with nothing parked. Returns problems. */
export async function wronglyPublished(database: BenchDatabase): Promise<string[]> {
  const rows = await queryAsOwner<{ category: string; logged: string; published: string }>(
    database,
    `select category, coalesce(l.events, 0)::text as logged, coalesce(p.events, 0)::text as published
     from (select category, count(*) as events from events.log group by category) l
     full join (
       select category, sum(events) as events from events.published where consumer = 'relay' group by category
     ) p using (category)
     where l.events is distinct from p.events`,
  );
  const parked = await queryAsOwner(database, "select from events.parked");
  const wrong = rows.map(
    ({ category, logged, published }) => `${published} events of ${category} are said to be published, not ${logged}`,
  );
  return parked.length === 0 ? wrong : [...wrong, `${parked.length} streams are parked`];
}

/** Waits until the relay has published what is in the log; false where it does not within a time. */
export async function untilPublished(database: BenchDatabase, withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  while (performance.now() < deadlineMs) {
    if ((await countPending(database)) === 0) return true;
    await sleep(100);
  }
  return false;
}

/** How many events of the log are not published. */
export async function countPending(database: BenchDatabase): Promise<number> {
  const [row] = await queryAsOwner<{ pending: string }>(
    database,
    `select (select count(*) from events.log)
       - (select coalesce(sum(events), 0) from events.published where consumer = 'relay') as pending`,
  );
  return Number(row?.pending);
}
