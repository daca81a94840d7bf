import { randomUUIDv7 } from "node:crypto";
import { Client } from "pg";
import { type ClosableDatabase, createDedicatedConnection } from "../../src/infrastructure/postgres/connections.ts";
import { createLogReader, type LogReader, readStream } from "../../src/modules/events/index.ts";
import type { BenchArguments } from "../arguments.ts";
import { type BenchCluster, type BenchDatabase, queryAsOwner } from "../cluster.ts";
import { Histogram } from "../histogram.ts";
import { median, type Table, whole } from "../report.ts";
import type { Outcome } from "./outcome.ts";

const months = 24;
const pageLength = 1_000;
/** The newest pages are what a relay reads: all of them are in the small log. */
const newestEvents = 8_000;
const batchLength = 256;
const filledAtOnce = 500_000;

/** How often a turn does each thing. */
const times = { newest: 100, anywhere: 50, stream: 300, append: 40 } as const;
type Work = keyof typeof times;

const words: Readonly<Record<Work, string>> = {
  newest: `page of ${whole(pageLength)}, the newest`,
  anywhere: `page of ${whole(pageLength)}, anywhere`,
  stream: "events of one stream",
  append: `append ${batchLength}`,
};

type Log = { readonly name: string; readonly database: BenchDatabase; readonly connection: ClosableDatabase };
type Turn = { readonly log: string; readonly work: Work; readonly p50Ms: number; readonly p99Ms: number };

/**
 * What reading and appending cost where the log has 10 thousand and 10 million events over two years of partitions, in
 * turns. Events that a turn appends stay: some percent of the small log's, and at its end.
 */
export async function logGrowthScenario(cluster: BenchCluster, args: BenchArguments): Promise<Outcome> {
  const sizes = args.short ? [10_000, 100_000] : [10_000, 10_000_000];
  const logs: Log[] = [];
  for (const events of sizes) {
    const database = await cluster.createDatabase(`bench_log_${events}`);
    await fill(database, events);
    logs.push({ name: `${whole(events)} events`, database, connection: openLane(database) });
  }
  const turns: Turn[] = [];
  for (let turn = 0; turn <= args.rounds; turn += 1) {
    await cluster.checkpoint();
    for (const log of logs) {
      const measured = await runTurn(log);
      // The first one fills caches.
      if (turn > 0) turns.push(...measured);
    }
  }
  const problems = (await Promise.all(logs.map(missingEvents))).flat();
  for (const { connection } of logs) await connection.close();
  const [small = "", large = ""] = logs.map(({ name }) => name);
  const ratio = (work: Work) => (middle(turns, large, work, "p50Ms") / middle(turns, small, work, "p50Ms")).toFixed(2);
  return {
    tables: [turnTable(logs, turns)],
    notes: [
      `With ${large} the newest page takes ${ratio("newest")} times as long as with ${small}, any page ` +
        `${ratio("anywhere")} times, a stream ${ratio("stream")} times, and appending ${ratio("append")} times.`,
    ],
    problems,
    figures: { turns },
  };
}

function openLane({ url }: BenchDatabase): ClosableDatabase {
  return createDedicatedConnection({
    url,
    applicationName: "log bench",
    statementTimeoutMs: 60_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
  });
}

/** Partitions of two years, and events over all of that time: two for each stream, as payments have. */
async function fill(database: BenchDatabase, events: number): Promise<void> {
  const client = new Client({ connectionString: database.ownerUrl });
  await client.connect();
  try {
    await client.query(
      `select events.make_partition(date_trunc('month', now() at time zone 'UTC') - n * interval '1 month', 0)
       from generate_series(1, ${months}) n`,
    );
    const streams = events / 2;
    for (let from = 1; from <= streams; from += filledAtOnce / 2) {
      await client.query(
        `insert into events.log (category, stream, stream_version, type, data)
         select 'payment', s.id, version, 'payment.' || case version when 1 then 'created' else 'succeeded' end,
                jsonb_build_object(
                  'amount', '1000.00', 'currency', 'USD', 'seller_id', 'seller_' || s.n % 1000,
                  'intent_id', 'pi_filled_' || s.id
                )
         from (
           select n, uuidv7((n - $3::bigint) * (interval '${months} months' / $3::bigint)) as id
           from generate_series($1::bigint, $2::bigint) n
         ) s, generate_series(1, 2) version
         order by s.n, version`,
        [from, Math.min(from + filledAtOnce / 2 - 1, streams), streams],
      );
    }
    await client.query("vacuum (analyze) events.log");
  } finally {
    await client.end();
  }
}

async function runTurn(log: Log): Promise<Turn[]> {
  const [edges] = await queryAsOwner<{ last: string; first: string }>(
    log.database,
    "select max(position) as last, min(position) as first from events.log",
  );
  if (edges === undefined) throw new Error("the log is empty");
  const last = Number(edges.last);
  const first = Number(edges.first);
  const reader = createLogReader(log.connection);
  await untilSettled(reader, BigInt(last));
  const streams = await someStreams(log.database, first, last);
  const spread = (n: number, from: number, to: number) => from + ((n * 7_919) % Math.max(1, to - from));
  const page = async (from: number) => {
    const { events } = await reader.next(BigInt(from), pageLength);
    if (events.length !== pageLength) throw new Error(`a page has ${events.length} events`);
  };
  const tasks: Readonly<Record<Work, (n: number) => Promise<void>>> = {
    newest: (n) => page(spread(n, last - newestEvents, last - pageLength)),
    anywhere: (n) => page(spread(n * 104_729, first - 1, last - pageLength)),
    async stream(n) {
      const events = await readStream(log.connection, streams[n % streams.length] ?? "", 10);
      if (events.length === 0) throw new Error("a stream has no events");
    },
    append: () => append(log.connection),
  };
  const turns: Turn[] = [];
  for (const [work, count] of Object.entries(times) as [Work, number][]) {
    const latency = new Histogram();
    for (let n = 0; n < count; n += 1) {
      const sentMs = performance.now();
      await tasks[work](n);
      latency.record((performance.now() - sentMs) * 1000);
    }
    const { p50Ms, p99Ms } = latency.summary();
    turns.push({ log: log.name, work, p50Ms, p99Ms });
  }
  return turns;
}

/** A reader knows nothing at first; it may read what was appended before once it has asked a few times. */
async function untilSettled(reader: LogReader, last: bigint): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while ((await reader.next(last - 1n, 1)).upTo < last) {
    if (performance.now() > deadlineMs) throw new Error("the log does not settle");
  }
}

async function someStreams(database: BenchDatabase, first: number, last: number): Promise<string[]> {
  const positions = Array.from({ length: times.stream }, (_, n) =>
    Math.round(first + ((last - first) * n) / times.stream),
  );
  const rows = await queryAsOwner<{ stream: string }>(
    database,
    `select l.stream from unnest($1::bigint[]) as p (position)
     cross join lateral (
       select stream from events.log where position >= p.position order by position limit 1
     ) l
     order by random()`,
    [positions],
  );
  return rows.map(({ stream }) => stream);
}

const payload = JSON.stringify({ amount: "1000.00", currency: "USD", seller_id: "seller_7", intent_id: "pi_appended" });

async function append(database: ClosableDatabase): Promise<void> {
  const of = <Value>(value: Value) => Array<Value>(batchLength).fill(value);
  await database.query({
    name: "append",
    text: "select events.append($1, $2::uuid[], $3::integer[], $4::text[], $5::jsonb[], $6::text[])",
    values: [
      "payment",
      Array.from({ length: batchLength }, () => randomUUIDv7()),
      of(1),
      of("payment.created"),
      of(payload),
      of(null),
    ],
  });
}

/** Every position that was drawn is an event of one partition: nothing else writes here. */
async function missingEvents({ name, database }: Log): Promise<string[]> {
  const [row] = await queryAsOwner<{ missing: string; strays: string }>(
    database,
    `select (select last_value from events.log_position_seq) - (select count(*) from events.log) as missing,
            (select count(*) from events.log_others) as strays`,
  );
  const faults = [];
  if (row?.missing !== "0") faults.push(`${name}: ${row?.missing} are missing`);
  if (row?.strays !== "0") faults.push(`${name}: ${row?.strays} are in no month's partition`);
  return faults;
}

function middle(turns: readonly Turn[], log: string, work: Work, figure: "p50Ms" | "p99Ms"): number {
  return median(turns.filter((turn) => turn.log === log && turn.work === work).map((turn) => turn[figure]));
}

function turnTable(logs: readonly Log[], turns: readonly Turn[]): Table {
  const columns = ["medians of the turns", ...logs.flatMap(({ name }) => [`${name}: P50 ms`, "P99 ms"])];
  const rows = (Object.keys(times) as Work[]).map((work) => [
    words[work],
    ...logs.flatMap(({ name }) => [
      middle(turns, name, work, "p50Ms").toFixed(2),
      middle(turns, name, work, "p99Ms").toFixed(2),
    ]),
  ]);
  return { columns, rows };
}
