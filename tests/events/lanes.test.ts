import assert from "node:assert/strict";
import { resolve } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createLaneLocks } from "../../src/infrastructure/postgres/lane-locks.ts";
import { allLanes, laneCount, laneOf } from "../../src/modules/events/domain/lanes.ts";
import { eventStatistics } from "../../src/modules/events/index.ts";
import { type Child, startChild, until } from "../support/processes.ts";
import {
  append,
  arrived,
  createFakeBroker,
  type EventLog,
  newStream,
  openEventLog,
  openRelay,
  type TestRelay,
} from "./support.ts";

let log: EventLog;
before(async () => {
  log = await openEventLog();
});
after(() => log.close());

const relays: TestRelay[] = [];
const children: Child[] = [];
afterEach(async () => {
  for (const relay of relays.splice(0)) await relay.stop();
  for (const child of children.splice(0)) await child.kill();
});

function start(broker = createFakeBroker()): TestRelay {
  const relay = openRelay(log, broker);
  relays.push(relay);
  relay.start();
  return relay;
}

function startProcess(): Child {
  const script = resolve(import.meta.dirname, "relay-process.ts");
  const child = startChild(script, [log.database.appUrl], {}, import.meta.dirname);
  children.push(child);
  return child;
}

const owned = (relay: TestRelay) => relay.told.lanes.at(-1)?.[0] ?? 0;
const ownedBy = (child: Child) =>
  Number(/^\{"owned":(\d)\}$/m.exec(child.output().split("\n").reverse().join("\n"))?.[1] ?? 0);

test("a stream's lane in TypeScript is its lane in SQL", async () => {
  const streams = Array.from({ length: 200 }, () => newStream());
  const { rows } = await log.admin.query(
    `select s.stream, get_byte(uuid_send(s.stream), 15) & ${laneCount - 1} as lane
     from unnest($1::uuid[]) as s (stream)`,
    [streams],
  );
  for (const { stream, lane } of rows) assert.equal(laneOf(stream), lane);
  assert.deepEqual([...new Set(streams.map(laneOf))].sort(), [...allLanes]);
});

describe("relays share the lanes", () => {
  test("evenly, as they come and go", async () => {
    const first = start();
    await until("one has all of them", 5_000, () => owned(first) === 8);
    const second = start();
    await until("two have half each", 5_000, () => owned(first) === 4 && owned(second) === 4);
    const third = start();
    const shares = () => [first, second, third].map(owned).sort();
    await until("three have a third each", 5_000, () => shares().join() === "2,3,3");
    await first.stop();
    await until("two have half each again", 5_000, () => owned(second) === 4 && owned(third) === 4);
  });

  test("and a hundredth one waits for its turn", async () => {
    const all = Array.from({ length: 10 }, () => start());
    const sum = () => all.reduce((total, relay) => total + owned(relay), 0);
    await until("each lane has an owner, and nobody has two", 10_000, () => {
      return sum() === 8 && all.every((relay) => owned(relay) <= 1);
    });
  });
});

describe("the lanes of a relay", () => {
  test("that is killed are taken over within seconds, and its work goes on", async () => {
    const child = startProcess();
    await until("the process owns all", 20_000, () => ownedBy(child) === 8);
    const streams = allLanes.map(newStream);
    const writer = await log.session();
    await append(writer, streams);
    await until("it publishes", 10_000, () => streams.every((stream) => child.output().includes(stream)));
    const broker = createFakeBroker();
    const waiting = start(broker);
    await until("they share", 10_000, () => owned(waiting) === 4 && ownedBy(child) === 4);
    await child.kill();
    const tookMs = await until("the other owns all", 5_000, () => owned(waiting) === 8);
    assert.ok(tookMs < 5_000, `${tookMs} ms`);
    await append(writer, streams, { version: 2 });
    await until("it goes on in every lane", 10_000, () => {
      const seen = arrived(broker);
      return streams.every((stream) => seen.get(stream)?.includes(2));
    });
  });

  test("that is killed again and again lose nothing, keep the order, and their counts stay exact", async () => {
    const writer = await log.session();
    const reading = log.connection("statistics");
    const streams = Array.from({ length: 16 }, () => newStream());
    const outputs: string[] = [];
    let writing = true;
    const killing = (async () => {
      while (writing || outputs.length < 3) {
        const child = startProcess();
        await until("it publishes", 20_000, () => !writing || child.output().includes('{"event"'));
        await sleep(Math.random() * 150);
        await child.kill();
        outputs.push(child.output());
      }
    })();
    for (let version = 1; version <= 60 || outputs.length < 3; version++) {
      await append(writer, streams, { version, category: "killed" });
      const { handled, total } = await eventStatistics(reading, "killed", "relay");
      assert.ok(handled <= total);
      await sleep(20);
    }
    writing = false;
    await killing;
    const last = startProcess();
    const statistics = () => eventStatistics(reading, "killed", "relay");
    await until("nothing is pending", 20_000, async () => (await statistics()).pending === 0);
    await last.stop();
    // The end of a line may be missing: it was being written.
    const published = [...outputs, last.output()].join("\n").matchAll(/"event":"([0-9a-f-]{36}):(\d+)"/g);
    const seen = new Map<string, number>();
    for (const [, stream = "", version] of published) {
      const known = seen.get(stream) ?? 0;
      assert.ok(Number(version) <= known + 1, `version ${version} of ${stream} after ${known}`);
      seen.set(stream, Math.max(known, Number(version)));
    }
    const { rows } = await log.admin.query(
      "select count(*)::integer as n, max(stream_version) as last from events.log where category = 'killed'",
    );
    assert.ok(streams.every((stream) => seen.get(stream) === rows[0].last));
    assert.deepEqual(await statistics(), { total: rows[0].n, handled: rows[0].n, pending: 0 });
  });

  test("that hangs are taken over as soon as it has been silent for too long", async () => {
    const child = startProcess();
    const waiting = start();
    await until("they share", 20_000, () => owned(waiting) === 4 && ownedBy(child) === 4);
    process.kill(child.pid, "SIGSTOP");
    try {
      await until("the other owns all", 5_000, () => owned(waiting) === 8);
    } finally {
      process.kill(child.pid, "SIGCONT");
    }
    await until("they share again", 10_000, () => owned(waiting) === 4 && ownedBy(child) === 4);
  });
});

describe("the locks of lanes", () => {
  const open = () => createLaneLocks({ url: log.database.appUrl, task: "test", timeoutMs: 2_000, silenceMs: 400 });

  test("are one owner's, who knows at once when the session that holds them has ended", async () => {
    const [one, other] = [open(), open()];
    assert.deepEqual([await one.countOwners(), await other.countOwners()], [1, 2]);
    assert.deepEqual([await one.tryTake(3), await other.tryTake(3), await other.tryTake(4)], [true, false, true]);
    assert.deepEqual([await one.countOwners(), one.isAlive()], [2, true]);
    await one.release(3);
    assert.equal(await other.tryTake(3), true);
    await log.admin.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'marketflow test lanes'",
    );
    await until("both know", 300, () => !one.isAlive() && !other.isAlive());
    // It would be one's in another session than what it had before.
    await assert.rejects(one.tryTake(3), /session/);
    assert.equal(await one.countOwners(), 1);
    assert.equal(await one.tryTake(3), true);
    await Promise.all([one.close(), other.close()]);
  });

  test("are PostgreSQL's again after a silence, and their holder has known that before", async () => {
    const [silent, other] = [open(), open()];
    await silent.countOwners();
    assert.equal(await silent.tryTake(1), true);
    await until("it may be gone", 1_000, () => !silent.isAlive());
    await other.countOwners();
    await until("it is gone", 2_000, async () => await other.tryTake(1));
    await Promise.all([silent.close(), other.close()]);
  });

  test("are given back without waiting for a PostgreSQL that does not answer", async () => {
    const locks = createLaneLocks({ url: log.database.appUrl, task: "deaf", timeoutMs: 300 });
    await locks.countOwners();
    const { rows } = await log.admin.query(
      "select pid from pg_stat_activity where application_name = 'marketflow deaf lanes'",
    );
    process.kill(rows[0].pid, "SIGSTOP");
    try {
      const startedMs = performance.now();
      await locks.close();
      assert.ok(performance.now() - startedMs < 2_000);
    } finally {
      process.kill(rows[0].pid, "SIGCONT");
    }
  });

  test("cannot be had where the database is away", async () => {
    const locks = createLaneLocks({ url: "postgres://nobody@127.0.0.1:1/none", task: "test", timeoutMs: 500 });
    await assert.rejects(locks.countOwners());
    await assert.rejects(locks.tryTake(1));
    assert.equal(locks.isAlive(), false);
    await locks.close();
  });
});
