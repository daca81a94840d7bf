import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createLogReader, type LogReader, readCursor } from "../../src/modules/events/index.ts";
import { append, type EventLog, newStream, openEventLog } from "./support.ts";

let log: EventLog;
before(async () => {
  log = await openEventLog();
});
after(() => log.close());

/** Reads on until nothing comes any more for a while; transactions of other tests' databases are waited for as well. */
class Follower {
  readonly reader: LogReader = createLogReader(log.connection("follower"));
  readonly seen: { stream: string; version: number; position: bigint }[] = [];
  cursor = 0n;

  async step(limit = 100): Promise<number> {
    const { events, upTo } = await this.reader.next(this.cursor, limit);
    this.seen.push(...events);
    this.cursor = upTo;
    return events.length;
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    const deadlineMs = performance.now() + 20_000;
    while (!holds()) {
      assert.ok(performance.now() < deadlineMs, `in time: ${what}`);
      if ((await this.step()) === 0) await sleep(2);
    }
  }

  has(stream: string): boolean {
    return this.seen.some((event) => event.stream === stream);
  }
}

/** A follower that stands at the end of the log. */
async function followerAtEnd(): Promise<Follower> {
  const follower = new Follower();
  const marker = newStream();
  await append(await log.session(), [marker]);
  await follower.until("all that was there", () => follower.has(marker));
  return follower;
}

describe("what is read of the log", () => {
  for (const end of ["commit", "rollback"] as const) {
    test(`skips nothing of a transaction that has drawn a lower position and ends with ${end} later`, async () => {
      const follower = await followerAtEnd();
      const [held, others] = [await log.session(), await log.session()];
      const [first, early, late] = [newStream(), newStream(), newStream()];
      await append(others, [first]);
      await held.query("begin");
      await append(held, [early]);
      await append(others, [late]);
      // What came before it settles with a later mark than the one in whose time it is open; nothing after it is read.
      for (let round = 0; round < 20; round++) await follower.step();
      assert.deepEqual([follower.has(early), follower.has(late)], [false, false]);
      const gauge = follower.reader.gauge();
      assert.ok(gauge.positions >= 2, `${gauge.positions} positions`);
      await sleep(30);
      assert.ok(follower.reader.gauge().ageMs >= 25);
      await held.query(end);
      await follower.until("what was behind it", () => follower.has(late));
      assert.equal(follower.has(early), end === "commit");
      const order = follower.seen.map(({ position }) => position);
      assert.deepEqual(
        order,
        order.toSorted((left, right) => (left < right ? -1 : 1)),
      );
      await follower.until("nothing is ahead", () => follower.reader.gauge().positions === 0);
      assert.equal(follower.reader.gauge().ageMs, 0);
    });
  }

  test("skips nothing of a transaction that is older and draws its position later", async () => {
    const follower = await followerAtEnd();
    const [held, others] = [await log.session(), await log.session()];
    await held.query("begin");
    await held.query("select pg_current_xact_id()");
    const [early, late] = [newStream(), newStream()];
    await append(others, [early]);
    for (let round = 0; round < 10; round++) await follower.step();
    await append(held, [late]);
    for (let round = 0; round < 10; round++) await follower.step();
    assert.ok(!follower.has(late));
    await held.query("commit");
    await follower.until("both", () => follower.has(early) && follower.has(late));
  });

  test("skips nothing of a transaction whose number no snapshot knows of", async () => {
    // A snapshot ends one above the last transaction that has ended, and that is the number of the one held here.
    const follower = await followerAtEnd();
    const [held, others] = [await log.session(), await log.session()];
    const [early, late] = [newStream(), newStream()];
    await others.query("begin");
    await others.query("select pg_current_xact_id()");
    await held.query("begin");
    await append(held, [early]);
    await append(others, [late]);
    await others.query("commit");
    for (let round = 0; round < 20; round++) await follower.step();
    assert.ok(!follower.has(late));
    await held.query("commit");
    await follower.until("both", () => follower.has(early) && follower.has(late));
  });

  test("burns no transaction number where nothing happens", async () => {
    const follower = await followerAtEnd();
    await follower.until("nothing is ahead", () => follower.reader.gauge().positions === 0);
    const xids = "select pg_snapshot_xmax(pg_current_snapshot())::text as next, datname from pg_database limit 1";
    let quiet = false;
    // Other test files' databases use numbers as well, so it is asked for one stretch in which nobody did.
    for (let round = 0; round < 50 && !quiet; round++) {
      const { rows: earlier } = await log.admin.query(xids);
      for (let step = 0; step < 10; step++) await follower.step();
      const { rows: later } = await log.admin.query(xids);
      quiet = earlier[0].next === later[0].next;
    }
    assert.ok(quiet);
  });

  test("forgets what it knew of a session that is gone", async () => {
    const follower = await followerAtEnd();
    const [held, others] = [await log.session(), await log.session()];
    const [early, late] = [newStream(), newStream()];
    await held.query("begin");
    await append(held, [early]);
    await append(others, [late]);
    await log.admin.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'test follower'",
    );
    for (let round = 0; round < 20; round++) await follower.step().catch(() => sleep(2));
    assert.ok(!follower.has(late));
    await held.query("commit");
    await follower.until("both", () => follower.has(early) && follower.has(late));
  });
});

test("while sixteen sessions append, wait and end, every event is seen once and each stream in order", async () => {
  const follower = await followerAtEnd();
  const from = follower.seen.length;
  let writing = true;
  const expected = new Map<string, number>();
  const writers = Array.from({ length: 16 }, async (_writer, place) => {
    const session = await log.session();
    const streams = Array.from({ length: 4 }, () => newStream());
    for (let round = 0; round < 80; round++) {
      const versions = 1 + (expected.get(streams[0] ?? "") ?? 0);
      await session.query("begin");
      await append(session, streams, { version: versions });
      if ((round + place) % 5 === 0) await sleep(Math.random() * 8);
      const commits = (round + place) % 7 !== 0;
      await session.query(commits ? "commit" : "rollback");
      if (commits) for (const stream of streams) expected.set(stream, versions);
    }
  });
  const following = (async () => {
    // Pages of several sizes, so that they end anywhere.
    for (let turn = 0; writing; turn++) if ((await follower.step(1 + (turn % 90))) === 0) await sleep(1);
  })();
  try {
    await Promise.all(writers);
  } finally {
    writing = false;
    await following;
  }
  const count = expected.values().reduce((sum, versions) => sum + versions, 0);
  await follower.until("all of them", () => follower.seen.length - from >= count);
  for (let round = 0; round < 10; round++) await follower.step();
  const seen = new Map<string, number>();
  for (const { stream, version } of follower.seen.slice(from)) {
    assert.equal(version, (seen.get(stream) ?? 0) + 1, "the next version of its stream");
    seen.set(stream, version);
  }
  assert.deepEqual([...seen].sort(), [...expected].sort());
  assert.ok(count > 4_000, `${count} events`);
});

test("a page has the events of its lanes, ends by its bytes, and does not go beyond where it may", async () => {
  const follower = await followerAtEnd();
  const start = follower.cursor;
  const session = await log.session();
  const streams = Array.from({ length: 16 }, (_, place) => newStream(place % 8));
  await append(session, streams);
  await follower.until("all", () => streams.every((stream) => follower.has(stream)));
  const end = follower.cursor;
  const some = await follower.reader.next(start, 100, { lanes: [2, 3] });
  assert.deepEqual(
    some.events.map(({ stream }) => stream),
    streams.filter((_, place) => [2, 3].includes(place % 8)),
  );
  assert.deepEqual([some.upTo, some.more], [end, false]);
  const none = await follower.reader.next(start, 7, { lanes: [7] });
  assert.deepEqual([none.events.length, none.upTo, none.more], [0, start + 7n, true]);
  const small = await follower.reader.next(start, 100, { bytes: 50 });
  assert.deepEqual([small.events.length, small.more], [3, true]);
  const bounded = await follower.reader.next(start, 100, { notBeyond: start + 5n });
  assert.deepEqual([bounded.events.length, bounded.upTo, bounded.more], [5, start + 5n, false]);
});

describe("a consumer's cursor", () => {
  const consumer = "follower";
  const move = async (from: bigint, to: bigint) => {
    const session = await log.session();
    const { rows } = await session.query("select events.move_cursor($1, 0, $2, $3) as moved", [consumer, from, to]);
    return rows[0].moved as boolean;
  };

  test("moves from where it stands only, forward, and for one of those who try at once", async () => {
    const database = log.connection("cursors");
    assert.equal(await readCursor(database, "follower"), 0n);
    assert.deepEqual((await Promise.all([move(0n, 5n), move(0n, 5n), move(0n, 5n)])).sort(), [false, false, true]);
    assert.deepEqual((await Promise.all([move(5n, 9n), move(5n, 7n)])).sort(), [false, true]);
    assert.ok([7n, 9n].includes(await readCursor(database, "follower")));
    assert.equal(await move(5n, 20n), false);
    await assert.rejects(move(9n, 8n), /moves forward/);
  });
});
