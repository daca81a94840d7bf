import assert from "node:assert/strict";
import { randomUUID, randomUUIDv7 } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { Client } from "pg";
import {
  type ClosableDatabase,
  createDedicatedConnection,
  createPool,
} from "../../src/infrastructure/postgres/connections.ts";
import { createLogReader } from "../../src/modules/events/application/log-reader.ts";
import { makePartitions, partitionJob } from "../../src/modules/events/application/partitions.ts";
import { readStream } from "../../src/modules/events/index.ts";
import { readPage } from "../../src/modules/events/persistence/log.queries.ts";
import { connectAs } from "../ledger/vault.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { lanePlans } from "../support/plans.ts";

let database: TestDatabase;
let pool: ClosableDatabase;
let connection: ClosableDatabase;
let owner: Client;
const sessions: Client[] = [];
async function connect(): Promise<Client> {
  const session = await connectAs(database.appUrl);
  sessions.push(session);
  return session;
}
before(async () => {
  database = await createTestDatabase();
  const settings = {
    url: database.appUrl,
    applicationName: "partition tests",
    statementTimeoutMs: 20_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
  };
  pool = createPool({ ...settings, most: 4 });
  connection = createDedicatedConnection(settings);
  owner = await connectAs(database.ownerUrl);
  // A month that the tests' clock is not in, with the one after it.
  await owner.query("select events.make_partition('2024-02-01', 0), events.make_partition('2024-03-01', 0)");
});
after(async () => {
  for (const session of sessions) await session.end();
  await pool.close();
  await connection.close();
  await owner.end();
  await database.drop();
});

/** A stream that began at a time, with random bits as a uuidv7 has them. */
function streamOf(time: string | number): string {
  const ms = new Date(time).getTime().toString(16).padStart(12, "0");
  return `${ms.slice(0, 8)}-${ms.slice(8)}${randomUUIDv7().slice(13)}`;
}

async function append(stream: string, version = 1, session: Client = owner): Promise<void> {
  await session.query(
    `select events.append('test', array[$1::uuid], array[$2::integer], '{x.happened}', array['{}'::jsonb], '{null}')`,
    [stream, version],
  );
}

async function partitionsOf(stream: string): Promise<string[]> {
  const { rows } = await owner.query(
    "select tableoid::regclass::text as name from events.log where stream = $1 order by stream_version",
    [stream],
  );
  return rows.map(({ name }) => name);
}

async function monthPartitions(): Promise<string[]> {
  const { rows } = await owner.query(
    String.raw`select inhrelid::regclass::text as name from pg_inherits
               where inhparent = 'events.log'::regclass and inhrelid::regclass::text ~ '_\d{4}_\d{2}$' order by 1`,
  );
  return rows.map(({ name }) => name);
}

/** The partition of the month that is so many months from now. */
function monthName(later: number): string {
  const now = new Date();
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + later, 1));
  return `events.log_${first.toISOString().slice(0, 7).replace("-", "_")}`;
}

const startOf = (later: number) => `${monthName(later).slice(11).replace("_", "-")}-01T00:00:00Z`;

describe("the partitions of the log", () => {
  test("are there for this month and the next two, and looking again makes none", async () => {
    assert.deepEqual((await monthPartitions()).slice(2), [0, 1, 2].map(monthName));
    assert.equal(await makePartitions(pool), 0);
  });

  test("take a stream whole: in the month in which it began, however late its events come", async () => {
    const first = streamOf("2024-02-01T00:00:00.000Z");
    const last = streamOf("2024-02-29T23:59:59.999Z");
    for (const version of [1, 2, 3]) await append(first, version);
    await append(last);
    await append(streamOf("2024-03-01T00:00:00.000Z"));
    assert.deepEqual(await partitionsOf(first), Array(3).fill("events.log_2024_02"));
    assert.deepEqual(await partitionsOf(last), ["events.log_2024_02"]);
    const { rows } = await owner.query("select count(*)::integer as n from events.log_2024_03");
    assert.equal(rows[0].n, 1);
    const now = randomUUIDv7();
    await append(now);
    assert.deepEqual(await partitionsOf(now), [monthName(0)]);
    assert.deepEqual(
      (await readStream(pool, first, 10)).map(({ version }) => version),
      [1, 2, 3],
    );
  });

  test("have one event for each version of a stream, wherever it is", async () => {
    for (const stream of [streamOf("2024-02-10"), randomUUIDv7(), randomUUID(), streamOf("2019-01-01")]) {
      await append(stream);
      await append(stream, 2);
      await assert.rejects(append(stream), { code: "23505" });
      assert.equal((await partitionsOf(stream)).length, 2);
    }
  });

  test("take every stream: where there is no month for it another one does", async () => {
    const cases = {
      [randomUUID().replace(/^../, "ff")]: "events.log_others",
      [streamOf("2023-12-31T23:59:59.999Z")]: "events.log_others",
      [streamOf(startOf(5))]: "events.log_others",
      "00000000-0000-8000-8000-000000000001": "events.log_endless",
    };
    for (const [stream, partition] of Object.entries(cases)) {
      await append(stream);
      assert.deepEqual(await partitionsOf(stream), [partition]);
    }
  });

  test("are read in the order of the positions, whatever is in which of them", async () => {
    const reader = createLogReader(connection);
    const session = await connect();
    const times = ["2024-03-05", "2024-02-05", startOf(0), "2021-01-01", "2024-02-06", startOf(1)];
    const streams = Array.from({ length: 60 }, (_, n) => streamOf(times[n % times.length] ?? 0));
    for (const stream of streams) await append(stream, 1, session);
    const seen: { stream: string; position: bigint }[] = [];
    let cursor = 0n;
    const deadlineMs = performance.now() + 20_000;
    while (!seen.some(({ stream }) => stream === streams.at(-1))) {
      assert.ok(performance.now() < deadlineMs, "everything is read");
      const page = await reader.next(cursor, 7);
      seen.push(...page.events);
      cursor = page.upTo;
    }
    assert.deepEqual(
      seen.map(({ stream }) => stream).filter((stream) => streams.includes(stream)),
      streams,
    );
    assert.ok(seen.every(({ position }, place) => place === 0 || position > (seen[place - 1]?.position ?? 0n)));
    const { rows } = await owner.query("select count(*)::integer as n from events.log");
    assert.equal(seen.length, rows[0].n);
  });
});

describe("the next month's partition", () => {
  test("takes with it what came before there was one, and whoever reads meanwhile sees each event once", async () => {
    const stream = streamOf(startOf(4));
    await append(stream);
    await append(stream, 2);
    const logged = async (session: Client) => {
      const { rows } = await session.query("select * from events.log where position > 0 order by position");
      return rows;
    };
    const before = await logged(owner);
    // Its snapshot is from before; the partitions that it finds are those of its first look at the log.
    const watcher = await connect();
    await watcher.query("begin isolation level repeatable read");
    await watcher.query("select pg_current_snapshot()");
    const { rows } = await owner.query("select events.make_partitions(4) as made");
    assert.equal(rows[0].made, 2);
    assert.deepEqual(await partitionsOf(stream), Array(2).fill(monthName(4)));
    assert.deepEqual(await logged(watcher), before);
    await watcher.query("commit");
    assert.deepEqual(await logged(watcher), before);
  });

  test("is not made by moving more than a moment's work, unless the owner says so", async () => {
    const month = startOf(8).slice(0, 10);
    for (let n = 0; n < 3; n++) await append(streamOf(month));
    const make = async (most: number) =>
      (await owner.query("select events.make_partition($1, $2) as made", [month, most])).rows[0].made;
    assert.equal(await make(2), false);
    assert.equal(await make(3), true);
    assert.equal(await make(3), false);
    const { rows } = await owner.query(`select count(*)::integer as n from ${monthName(8)}`);
    assert.equal(rows[0].n, 3);
  });

  test("waits for nobody for long: the job is busy, appending goes on, and it comes with a later run", async () => {
    await owner.query(`drop table ${monthName(2)}`);
    const reader = await connect();
    await reader.query("begin");
    await reader.query("select count(*) from events.log");
    const startedMs = performance.now();
    const job = partitionJob(pool);
    const failing = job.run();
    await append(randomUUIDv7());
    await assert.rejects(failing, { kind: "busy" });
    assert.ok(performance.now() - startedMs < 2_000);
    assert.equal(await job.run(), 0, "not before some minutes have passed");
    await reader.query("commit");
    const later = partitionJob(pool);
    assert.equal(await later.run(), 1);
    assert.equal(await later.run(), 0);
    assert.ok((await monthPartitions()).includes(monthName(2)));
  });

  test("is made once by any number at the same time", async () => {
    await owner.query(`drop table ${monthName(1)}, ${monthName(2)}`);
    const made = await Promise.all(Array.from({ length: 4 }, () => makePartitions(pool)));
    assert.deepEqual(made.sort(), [0, 0, 0, 2]);
  });

  test("is at most twelve months ahead for the application, which can make no other and drop none", async () => {
    const application = await connect();
    await application.query("select events.make_partitions(1000)");
    assert.equal((await monthPartitions()).at(-1), monthName(12));
    for (const statement of [
      "select events.make_partition('2030-01-01', 0)",
      "select events.is_done_with('log_2024_02', now())",
      "drop table events.log_2024_02",
      "delete from events.log_2024_02",
      "select from events.log_2024_02",
      `insert into events.log (category, stream, stream_version, type, data)
       values ('a', gen_random_uuid(), 1, 'a', '1')`,
      "update events.retention set months = 1",
    ]) {
      await assert.rejects(application.query(statement), { code: "42501" }, statement);
    }
  });
});

describe("statements on the log", () => {
  const plans = lanePlans();

  test("read a page by position from every partition, and merge", async () => {
    const plan = await plans.textOf(readPage.text);
    assert.match(plan, /Merge Append\n +Sort Key: l\."position"/);
    assert.doesNotMatch(plan, /Seq Scan|Bitmap/);
    const scans = plan.match(/Index Scan using \w+_position_idx on \w+ l_\d+\n +Index Cond: \(\(?"position" > /g) ?? [];
    assert.equal(
      scans.length,
      (await plans.rowsOf("select from pg_inherits where inhparent = 'events.log'::regclass")).length,
    );
  });

  test("read a stream from the one partition that has it", async () => {
    await plans.rowsOf("prepare one (uuid) as select type from events.log where stream = $1 order by stream_version");
    const explained = await plans.rowsOf(`explain (costs off) execute one ('${randomUUIDv7()}')`);
    const plan = explained.map((row) => Object.values(row as object)[0]).join("\n");
    assert.match(plan, /Subplans Removed: \d/);
    assert.equal(plan.match(/Index Scan/g)?.length, 1, plan);
  });
});
