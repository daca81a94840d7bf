import assert from "node:assert/strict";
import { randomUUIDv7 } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { type ClosableDatabase, createPool } from "../../src/infrastructure/postgres/connections.ts";
import { dropPartition, partitionJob } from "../../src/modules/events/application/partitions.ts";
import { tallyEvents } from "../../src/modules/events/application/statistics.ts";
import { laneCount } from "../../src/modules/events/domain/lanes.ts";
import { eventStatistics } from "../../src/modules/events/index.ts";
import { connectAs } from "../ledger/vault.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;
let pool: ClosableDatabase;
let owner: Client;
let admin: Client;
before(async () => {
  database = await createTestDatabase();
  pool = createPool({
    url: database.appUrl,
    applicationName: "partition tests",
    statementTimeoutMs: 20_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
    most: 4,
  });
  owner = await connectAs(database.ownerUrl);
  admin = await connectAs(database.adminUrl);
  await makeMonth("2024-02");
});
after(async () => {
  await pool.close();
  await owner.end();
  await admin.end();
  await database.drop();
});

const makeMonth = (month: string) => owner.query("select events.make_partition($1, 0)", [`${month}-01`]);

const append = (session: Client, stream: string) =>
  session.query("select events.append('test', array[$1::uuid], '{1}', '{x.happened}', array['{}'::jsonb], '{null}')", [
    stream,
  ]);

/** An event of a stream of that month, as if it had been appended then. */
async function appendThen(month: string): Promise<string> {
  const ms = Date.parse(`${month}-10T00:00:00Z`).toString(16).padStart(12, "0");
  const stream = `${ms.slice(0, 8)}-${ms.slice(8)}${randomUUIDv7().slice(13)}`;
  await append(owner, stream);
  await admin.query("update events.log set recorded_at = $2 where stream = $1", [stream, `${month}-10T00:00:00Z`]);
  return stream;
}

async function olderMonths(): Promise<string[]> {
  const { rows } = await owner.query(
    `select relname from pg_class
     where relnamespace = 'events'::regnamespace and relkind = 'r' and relname ~ '^log_2024'`,
  );
  return rows.map(({ relname }) => relname.slice(4)).sort();
}

const keepFor = (months: number | null) => owner.query("update events.retention set months = $1", [months]);

async function tallyAll(): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  for (;;) {
    await tallyEvents(pool);
    const { rows } = await owner.query(
      `select (select last_value from events.log_position_seq) = (select counted_to from events.tally_progress)
              as done`,
    );
    if (rows[0].done) return;
    assert.ok(performance.now() < deadlineMs, "the tallies catch up");
  }
}

/** Sets every cursor of a consumer to the log's end, and some of them a little before it. */
async function passAll(consumer: string, lanes: number, behind = 0): Promise<void> {
  await owner.query(
    `insert into events.cursors as c (consumer, lane, position)
     select $1, lane, p.last_value - case lane when 0 then $3::bigint else 0 end
     from generate_series(0, $2::integer - 1) lane, events.log_position_seq p
     on conflict (consumer, lane) do update set position = excluded.position`,
    [consumer, lanes, behind],
  );
}

describe("an old month of streams", () => {
  test("is kept for ever where nobody has said otherwise", async () => {
    await appendThen("2024-02");
    await tallyAll();
    await passAll("relay", laneCount);
    assert.equal(await dropPartition(pool), undefined);
    assert.deepEqual(await olderMonths(), ["2024_02"]);
  });

  const early: Readonly<Record<string, [spoil: () => Promise<unknown>, mend: () => Promise<unknown>]>> = {
    "is younger than the retention": [() => keepFor(1_000), () => keepFor(6)],
    "has events that one lane of the relay has not passed": [
      () => passAll("relay", laneCount, 2),
      () => passAll("relay", laneCount),
    ],
    "has events that another consumer has not passed": [
      () => passAll("somebody", 1, 2),
      () => owner.query("delete from events.cursors where consumer = 'somebody'"),
    ],
    "has never been before a relay": [
      () => owner.query("delete from events.cursors"),
      () => passAll("relay", laneCount),
    ],
    "has been before some of the relay's lanes only": [
      () => owner.query("delete from events.cursors where lane = 3"),
      () => passAll("relay", laneCount),
    ],
    "is not tallied": [
      () => owner.query("update events.tally_progress set counted_to = 0"),
      () => owner.query("update events.tally_progress set counted_to = settled_to"),
    ],
    "has a stream that waits to be published once more": [
      () =>
        owner.query(
          `insert into events.parked (consumer, stream, lane, position, version, category, type, reason)
           select 'relay', stream, 0, position, 1, category, type, 'too large'
           from events.log order by position limit 1`,
        ),
      () => owner.query("delete from events.parked"),
    ],
    "has a stream that something happened to lately": [
      () => admin.query("update events.log_2024_02 set recorded_at = now()"),
      () => admin.query("update events.log_2024_02 set recorded_at = '2024-02-10'"),
    ],
  };
  for (const [name, [spoil, mend]] of Object.entries(early)) {
    test(`is not dropped where it ${name}`, async () => {
      await keepFor(6);
      await spoil();
      try {
        assert.equal(await dropPartition(pool), undefined);
        assert.deepEqual(await olderMonths(), ["2024_02"]);
      } finally {
        await mend();
      }
    });
  }

  test("goes with the job's run, the oldest first, and no count changes", async () => {
    for (const month of ["2024-03", "2024-05"]) await makeMonth(month);
    for (const month of ["2024-03", "2024-03", "2024-05"]) await appendThen(month);
    await tallyAll();
    await passAll("relay", laneCount);
    const before = await eventStatistics(pool, "test", "relay");
    assert.equal(before.total, 4);
    assert.equal(await dropPartition(pool), "log_2024_02");
    const job = partitionJob(pool);
    assert.deepEqual([await job.run(), await job.run(), await job.run()], [1, 1, 0]);
    assert.deepEqual(await olderMonths(), []);
    assert.deepEqual(await eventStatistics(pool, "test", "relay"), before);
    const late = await appendThen("2024-02");
    assert.equal((await eventStatistics(pool, "test", "relay")).total, 5);
    const { rows } = await owner.query("select tableoid::regclass::text as name from events.log where stream = $1", [
      late,
    ]);
    assert.equal(rows[0].name, "events.log_others");
  });

  test("is kept for a parked stream of its first hour, also where the session's zone has no such hour", async () => {
    await makeMonth("2023-10");
    await owner.query("set timezone = 'America/Asuncion'");
    const isDone = async () =>
      (await owner.query("select events.is_done_with('log_2023_10', now()) as done")).rows[0].done;
    await owner.query(
      `insert into events.parked (consumer, stream, lane, position, version, category, type, reason)
       values ('relay', events.lowest_stream('2023-10-01 00:30:00Z'), 0, 1, 1, 'test', 'x', 'too large')`,
    );
    assert.equal(await isDone(), false);
    await owner.query("delete from events.parked");
    assert.equal(await isDone(), true);
    await owner.query("reset timezone");
    await owner.query("drop table events.log_2023_10");
  });

  test("waits for its turn and goes later where somebody reads the log for long; appending goes on", async () => {
    await makeMonth("2024-06");
    const reader = await connectAs(database.appUrl);
    await reader.query("begin");
    await reader.query("select count(*) from events.log");
    const startedMs = performance.now();
    const refused = assert.rejects(dropPartition(pool), { kind: "busy" });
    await append(owner, randomUUIDv7());
    await refused;
    assert.ok(performance.now() - startedMs < 2_000);
    await reader.query("commit");
    await reader.end();
    assert.equal(await dropPartition(pool), "log_2024_06");
  });

  test("goes while eight sessions append, and what they append is there", async () => {
    const months = Array.from({ length: 8 }, (_, n) => `2023-0${n + 1}`);
    for (const month of months) await makeMonth(month);
    await passAll("relay", laneCount);
    const countOfLog = async () => (await owner.query("select count(*)::integer as n from events.log")).rows[0].n;
    const before = await countOfLog();
    let appending = true;
    let appended = 0;
    const writers = Array.from({ length: 8 }, async () => {
      const session = await connectAs(database.appUrl);
      while (appending) {
        await append(session, randomUUIDv7());
        appended += 1;
      }
      await session.end();
    });
    const dropped: string[] = [];
    const deadlineMs = performance.now() + 20_000;
    while (dropped.length < months.length && performance.now() < deadlineMs) {
      const name = await dropPartition(pool).catch(() => undefined);
      if (name !== undefined) dropped.push(name);
      // Each drop has appends before and after it.
      const soFar = appended;
      while (appended === soFar && performance.now() < deadlineMs) await sleep(1);
    }
    appending = false;
    await Promise.all(writers);
    assert.deepEqual(
      dropped,
      months.map((month) => `log_${month.replace("-", "_")}`),
    );
    assert.ok(appended >= months.length);
    assert.equal(await countOfLog(), before + appended);
  });
});
