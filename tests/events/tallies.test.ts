import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { type ClosableDatabase, createPool } from "../../src/infrastructure/postgres/connections.ts";
import { tallyEvents } from "../../src/modules/events/application/statistics.ts";
import { eventJobs, eventStatistics, readStream } from "../../src/modules/events/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;
let pool: ClosableDatabase;
let admin: Client;
const clients: Client[] = [];
before(async () => {
  database = await createTestDatabase();
  pool = createPool({
    url: database.appUrl,
    applicationName: "event tests",
    statementTimeoutMs: 20_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
    most: 4,
  });
  admin = await connect(database.adminUrl);
});
after(async () => {
  await pool.close();
  for (const client of clients) await client.end();
  await database.drop();
});

async function connect(url = database.appUrl): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  clients.push(client);
  return client;
}

/** Appends so many events of new streams, as the settle statements do. */
async function append(session: Client, category: string, count = 1): Promise<string[]> {
  const streams = Array.from({ length: count }, () => randomUUID());
  await session.query(
    `select events.append($1, $2::uuid[], array_fill(1, array[$3::integer]), array_fill('x.happened'::text, array[$3]),
                          array_fill('{}'::jsonb, array[$3]), array_fill(null::text, array[$3]))`,
    [category, streams, count],
  );
  return streams;
}

const totalOf = async (category: string) => (await eventStatistics(pool, category, "nobody")).total;

/** How many events are in the tallies, and the position up to which they are. */
async function tallied(category: string): Promise<{ events: number; countedTo: number }> {
  const { rows } = await admin.query(
    `select coalesce((select events from events.tallies where category = $1), 0)::integer as events,
            (select counted_to from events.tally_progress)::integer as "countedTo"`,
    [category],
  );
  return rows[0];
}

async function drawnPosition(): Promise<number> {
  const { rows } = await admin.query("select last_value::integer as drawn from events.log_position_seq");
  return rows[0].drawn;
}

/** Rounds of the job: the first leaves a mark, the second counts up to it where all that was under way has ended. */
async function tallySome(): Promise<void> {
  for (let round = 0; round < 3; round++) while ((await tallyEvents(pool)) > 0);
}

/** Until all is tallied: transactions of other databases, those of other tests, are waited for as well. */
async function tallyAll(): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  for (;;) {
    await tallySome();
    if ((await tallied("")).countedTo === (await drawnPosition())) return;
    assert.ok(performance.now() < deadlineMs, "the tallies catch up");
    await sleep(10);
  }
}

describe("how many events there are", () => {
  test("is known of each category, before they are tallied and afterwards", async () => {
    const session = await connect();
    assert.deepEqual(await eventStatistics(pool, "one", "relay"), { total: 0, handled: 0, pending: 0 });
    await append(session, "one", 5);
    await append(session, "two", 3);
    assert.deepEqual([await totalOf("one"), await totalOf("two"), await totalOf("three")], [5, 3, 0]);
    await tallyAll();
    assert.equal((await tallied("one")).events, 5);
    assert.deepEqual([await totalOf("one"), await totalOf("two"), await totalOf("three")], [5, 3, 0]);
    await append(session, "one");
    assert.equal(await totalOf("one"), 6);
  });

  test("tells what a consumer has handled of a category, over all of its lanes, and what it has not", async () => {
    await admin.query(
      `insert into events.published (consumer, lane, category, events)
       values ('relay', 1, 'one', 2), ('relay', 2, 'one', 3), ('relay', 2, 'two', 1), ('other', 1, 'one', 1)`,
    );
    assert.deepEqual(await eventStatistics(pool, "one", "relay"), { total: 6, handled: 5, pending: 1 });
    assert.deepEqual(await eventStatistics(pool, "one", "other"), { total: 6, handled: 1, pending: 5 });
    assert.deepEqual(await eventStatistics(pool, "one", "nobody"), { total: 6, handled: 0, pending: 6 });
  });

  test("writes nothing where nothing happened", async () => {
    await tallyAll();
    const state = "select xmin::text, * from events.tally_progress";
    const { rows: before } = await admin.query(state);
    await tallyAll();
    assert.deepEqual((await admin.query(state)).rows, before);
  });

  test("is tallied by the sweeper's job, and by nobody in the middle of something else", async () => {
    const session = await connect();
    await append(session, "job", 4);
    const [job] = eventJobs(pool);
    await job?.run();
    await tallyAll();
    assert.equal(await job?.run(), 0);
    assert.equal((await tallied("job")).events, 4);
    await session.query("begin");
    await append(session, "job");
    await assert.rejects(session.query("select events.tally(10)"), { code: "25001" });
    await session.query("rollback");
  });

  test("is counted in pages, and each of them leaves the sum as it is", async () => {
    const session = await connect();
    await append(session, "pages", 100);
    const seen = new Set<number>();
    for (let rounds = 0; !seen.has(100); rounds++) {
      await session.query("select events.tally(7)");
      seen.add((await tallied("pages")).events);
      assert.equal(await totalOf("pages"), 100);
      assert.ok(rounds < 10_000, "the tallies catch up");
    }
    assert.ok(seen.size > 10, `${seen.size} pages`);
  });
});

describe("a transaction that is held open", () => {
  for (const end of ["commit", "rollback"] as const) {
    test(`with events in the middle of others' keeps them from nobody, and is right after its ${end}`, async () => {
      const category = `open ${end}`;
      const [held, others] = [await connect(), await connect()];
      await append(others, category, 2);
      await held.query("begin");
      const [stream] = await append(held, category);
      const positionOfHeld = await drawnPosition();
      await append(others, category, 10);
      for (let round = 0; round < 3; round++) {
        await tallySome();
        await append(others, category);
        assert.equal(await totalOf(category), 13 + round);
        // What is not visible yet is not behind the tallies.
        assert.ok((await tallied(category)).countedTo < positionOfHeld);
      }
      await held.query(end);
      const total = end === "commit" ? 16 : 15;
      assert.equal(await totalOf(category), total);
      await tallyAll();
      assert.equal(await totalOf(category), total);
      const { events, countedTo } = await tallied(category);
      assert.deepEqual([events, countedTo], [total, await drawnPosition()]);
      assert.equal((await readStream(pool, stream ?? "", 10)).length, end === "commit" ? 1 : 0);
    });
  }

  test("and appends only later is counted then", async () => {
    const [held, others] = [await connect(), await connect()];
    await held.query("begin");
    await held.query("select pg_current_xact_id()");
    for (let round = 0; round < 3; round++) {
      await append(others, "late", 2);
      await tallySome();
    }
    await append(held, "late");
    assert.equal(await totalOf("late"), 6);
    await tallySome();
    await held.query("commit");
    assert.equal(await totalOf("late"), 7);
    await tallyAll();
    assert.deepEqual([await totalOf("late"), (await tallied("late")).events], [7, 7]);
  });

  test("and reads sees what it saw, however much is tallied meanwhile", async () => {
    const [reader, others] = [await connect(), await connect()];
    await append(others, "seen", 3);
    await reader.query("begin isolation level repeatable read");
    const read = async () => Number((await reader.query("select events.count_of('seen') as n")).rows[0].n);
    assert.equal(await read(), 3);
    await append(others, "seen", 4);
    await tallyAll();
    assert.equal(await read(), 3);
    await reader.query("commit");
    assert.equal(await read(), 7);
  });
});

test("while eight sessions append, commit and roll back, every reading is what the log has", async () => {
  let writing = true;
  let readings = 0;
  const heights = new Set<number>();
  // A transaction that is open in any database of the server holds the tallies up: other test files have such ones.
  const patientUntilMs = performance.now() + 20_000;
  const isEnough = () => heights.size > 3 || performance.now() > patientUntilMs;
  const writers = Array.from({ length: 8 }, async (_writer, place) => {
    const session = await connect();
    for (let round = 0; round < 60 || !isEnough(); round++) {
      await session.query("begin");
      await append(session, "busy", 1 + ((place + round) % 5));
      if (round % 7 === place % 7) await sleep(3 * place);
      await append(session, "busy");
      await session.query((place + round) % 4 === 0 ? "rollback" : "commit");
    }
  });
  const tallying = (async () => {
    while (writing) {
      await tallyEvents(pool);
      heights.add((await tallied("busy")).events);
      await sleep(1);
    }
  })();
  const reading = (async () => {
    const session = await connect();
    while (writing) {
      const { rows } = await session.query(
        `select events.count_of('busy') as told,
                (select count(*) from events.log where category = 'busy') as there`,
      );
      assert.equal(rows[0].told, rows[0].there);
      readings += 1;
    }
  })();
  try {
    await Promise.all(writers);
  } finally {
    writing = false;
    await Promise.all([tallying, reading]);
  }
  await tallyAll();
  const { rows } = await admin.query("select count(*)::integer as n from events.log where category = 'busy'");
  assert.deepEqual([await totalOf("busy"), (await tallied("busy")).events], [rows[0].n, rows[0].n]);
  assert.ok(readings > 20 && heights.size > 3, `${readings} readings, tallied at ${heights.size} heights`);
});
