import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import type { ClosableDatabase } from "../../src/infrastructure/postgres/connections.ts";
import { createLaneLocks } from "../../src/infrastructure/postgres/lane-locks.ts";
import { commitPage, parkRefused } from "../../src/modules/events/application/relay/commit-page.ts";
import { LaneOwnership, type OwnedLane } from "../../src/modules/events/application/relay/lane-ownership.ts";
import type { RelayObserver } from "../../src/modules/events/application/relay/settings.ts";
import { eventStatistics } from "../../src/modules/events/index.ts";
import { until } from "../support/processes.ts";
import {
  append,
  arrived,
  createFakeBroker,
  type EventLog,
  type FakeBroker,
  newStream,
  openEventLog,
  openRelay,
  type TestRelay,
  type TestRelayOptions,
} from "./support.ts";

let log: EventLog;
let writer: Client;
let reading: ClosableDatabase;
let broker: FakeBroker;
const relays: TestRelay[] = [];
before(async () => {
  log = await openEventLog();
  writer = await log.session();
  reading = log.connection("statistics");
});
beforeEach(() => {
  broker = createFakeBroker();
});
afterEach(async () => {
  for (const relay of relays.splice(0)) await relay.stop();
});
after(() => log.close());

function start(options: TestRelayOptions = {}, to = broker): TestRelay {
  const relay = openRelay(log, to, options);
  relays.push(relay);
  relay.start();
  return relay;
}

/** Some streams, each with so many versions, appended one version after the other. */
async function appendVersions(streams: readonly string[], versions: number, category = "payment"): Promise<void> {
  for (let version = 1; version <= versions; version++) await append(writer, streams, { version, category });
}

const newStreams = (count: number) => Array.from({ length: count }, (_, place) => newStream(place % 8));

const hasAll = (streams: readonly string[], versions: number, of = broker) => {
  const seen = arrived(of);
  return streams.every((stream) => seen.get(stream)?.length === versions);
};

/** No stream jumps: every version came after the one before it. */
function assertInOrder(streams: readonly string[], of = broker): void {
  const seen = arrived(of);
  for (const stream of streams) {
    const versions = seen.get(stream) ?? [];
    assert.deepEqual(
      versions,
      versions.map((_, place) => place + 1),
    );
  }
}

const statistics = (category: string) => eventStatistics(reading, category, "relay");

describe("a relay", () => {
  test("publishes every event once and in order, and counts what it published", async () => {
    const streams = newStreams(24);
    await appendVersions(streams, 3, "pago");
    const relay = start();
    await until("all are published", 10_000, () => hasAll(streams, 3));
    await appendVersions(
      streams.map(() => newStream()),
      1,
      "pago",
    );
    await until("nothing is pending", 10_000, async () => (await statistics("pago")).pending === 0);
    assertInOrder(streams);
    assert.equal(broker.kept.length, 24 * 4);
    assert.deepEqual(await statistics("pago"), { total: 96, handled: 96, pending: 0 });
    const messages = relay.told.published.reduce((sum, [, count]) => sum + count, 0);
    assert.deepEqual([messages, relay.told.lanes], [96, [[8]]]);
    assert.ok(relay.told.lag.every(([ms]) => ms >= 0 && ms < 30_000));
    assert.deepEqual(relay.told.failed, []);
  });

  test("goes on where another one has ended, and publishes nothing again", async () => {
    const streams = newStreams(8);
    await append(writer, streams);
    const first = start();
    await until("the first has published", 10_000, () => hasAll(streams, 1));
    await first.stop();
    await append(writer, streams, { version: 2 });
    start();
    await until("the second has published", 10_000, () => hasAll(streams, 2));
    assert.equal(broker.kept.length, 16);
  });

  test("reads pages that end in the middle of streams, and gaps, and lanes with nothing", async () => {
    const streams = newStreams(3);
    await writer.query("begin");
    await append(writer, newStreams(5));
    await writer.query("rollback");
    await appendVersions(streams, 40);
    start({ limits: { pageEvents: 7 } });
    await until("all are published", 10_000, () => hasAll(streams, 40));
    assertInOrder(streams);
    assert.equal(broker.kept.length, 120);
  });

  test("waits for a broker that is away: nothing is parked, it is told once, and all comes in order", async () => {
    const streams = newStreams(16);
    broker.isAway = true;
    const relay = start();
    await appendVersions(streams, 4);
    await until("it has tried some times", 10_000, () => broker.calls > 16);
    const before = await statistics("payment");
    assert.equal(before.pending, 64);
    broker.isAway = false;
    await until("all are published", 10_000, () => hasAll(streams, 4));
    assertInOrder(streams);
    await until("nothing is pending", 10_000, async () => (await statistics("payment")).pending === 0);
    assert.deepEqual([relay.told.unreachable.length, relay.told.reachable.length], [1, 1]);
    assert.deepEqual([relay.told.refused, relay.told.failed], [[], []]);
  });

  test("goes on where the broker takes some and then goes away, again and again", async () => {
    const streams = newStreams(40);
    let left = 0;
    broker.refuses = () => {
      left -= 1;
      broker.isAway = left < 0;
      return false;
    };
    start({ limits: { pageEvents: 30 } });
    const writing = appendVersions(streams, 5);
    await until("all are published", 30_000, () => {
      if (broker.isAway) [left, broker.isAway] = [17, false];
      return hasAll(streams, 5);
    });
    await writing;
    broker.refuses = () => false;
    broker.isAway = false;
    assertInOrder(streams);
    await until("nothing is pending", 10_000, async () => (await statistics("payment")).pending === 0);
  });

  test("survives that its connections to the database are ended at any moment", async () => {
    const streams = newStreams(24);
    const relay = start({ limits: { pageEvents: 50 } });
    let writing = true;
    const patientUntilMs = performance.now() + 15_000;
    const isDisturbed = () => relay.told.failed.length > 0 || performance.now() > patientUntilMs;
    const killing = (async () => {
      while (writing || !isDisturbed()) {
        await sleep(60);
        await log.admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and (application_name ~ '^test relay' or application_name ~ 'lanes$')
             and random() < 0.4`,
        );
      }
    })();
    for (let version = 1; version <= 30; version++) {
      await append(writer, streams, { version });
      const { total, handled } = await statistics("payment");
      assert.ok(handled <= total, `${handled} of ${total}`);
      await sleep(10);
    }
    writing = false;
    await killing;
    await until("all are published", 20_000, () => hasAll(streams, 30));
    assertInOrder(streams);
    await until("nothing is pending", 10_000, async () => (await statistics("payment")).pending === 0);
    assert.ok(relay.told.failed.length > 0, "it was disturbed");
  });

  test("that has lost its lanes while it waits for the broker moves no cursor of theirs", async () => {
    const zombie = start({ limits: { lookMs: 60_000 } });
    await until("it owns all lanes", 10_000, () => zombie.told.lanes.length > 0);
    broker.delayMs = 400;
    const streams = newStreams(8);
    await append(writer, streams);
    await until("it publishes", 10_000, () => broker.calls > 0);
    const positions = "select position from events.cursors where consumer = 'relay' order by lane";
    const { rows: earlier } = await log.admin.query(positions);
    await endLockSessions();
    await until("its call has ended", 10_000, () => hasAll(streams, 1));
    await sleep(200);
    assert.deepEqual((await log.admin.query(positions)).rows, earlier);
    start({}, createFakeBroker());
    await until("nothing is pending", 10_000, async () => (await statistics("payment")).pending === 0);
  });
});

const endLockSessions = () =>
  log.admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'marketflow relay lanes'`,
  );

test("what an earlier owner of a lane still sends moves nothing, counts nothing and parks nothing", async () => {
  const observe = Object.fromEntries(
    ["published", "lag", "refused", "parked", "lanes", "failed"].map((name) => [name, () => undefined]),
  ) as unknown as RelayObserver;
  const database = log.connection("owners");
  const locksOf = () => createLaneLocks({ url: log.database.appUrl, task: "relay", timeoutMs: 2_000 });
  const [earlier, later] = [locksOf(), locksOf()].map((locks) => new LaneOwnership({ database, locks, observe }));
  assert.ok(earlier && later);
  await earlier.keep();
  const [zombie] = earlier.working();
  assert.ok(zombie);
  await endLockSessions();
  await until("it is taken over", 5_000, async () => {
    await later.keep();
    return later.working().length === 8;
  });
  const owner = later.working().find(({ lane }) => lane === zombie.lane);
  assert.ok(owner);
  const event = { position: zombie.cursor + 1n, stream: newStream(), version: 1, category: "fence", type: "x" };
  const refused = [{ event: { ...event, data: "{}", traceparent: null, recordedAt: new Date() }, reason: "no" }];
  const published = { byCategory: new Map([["fence", 5]]), byTopic: new Map(), refused, oldest: undefined };
  const upTo = zombie.cursor + 1n;
  assert.deepEqual(await commitPage({ database, observe }, [{ lane: zombie, published }], upTo), [zombie]);
  assert.deepEqual(await parkRefused({ database, observe }, [{ lane: zombie, prepared: { sent: [], refused } }]), [
    zombie,
  ]);
  const state = `select (select position from events.cursors where consumer = 'relay' and lane = ${zombie.lane}),
                        (select sum(events)::integer from events.published where category = 'fence') as counted,
                        (select count(*)::integer from events.parked) as parked`;
  const kept = { position: String(zombie.cursor), counted: null, parked: 0 };
  assert.deepEqual((await log.admin.query(state)).rows, [kept]);
  assert.deepEqual(await commitPage({ database, observe }, [{ lane: owner, published }], upTo), []);
  assert.deepEqual((await log.admin.query(state)).rows, [{ position: String(upTo), counted: 5, parked: 1 }]);
  // Once more, as after an answer that was lost; and for an owner that is losing the lane just now.
  const share = (lane: OwnedLane) => [{ lane, prepared: { sent: [], refused } }];
  assert.deepEqual(await parkRefused({ database, observe }, share(owner)), []);
  assert.equal((await log.admin.query(state)).rows[0].parked, 1);
  await log.admin.query("delete from events.parked");
  await log.admin.query("begin");
  await log.admin.query("update events.cursors set epoch = epoch + 1 where lane = $1", [owner.lane]);
  const late = parkRefused({ database, observe }, share(owner));
  await sleep(100);
  await log.admin.query("commit");
  assert.deepEqual(await late, [owner]);
  assert.equal((await log.admin.query(state)).rows[0].parked, 0);
  await log.admin.query("update events.cursors set position = position - 1 where lane = $1", [zombie.lane]);
  await earlier.close();
  await later.close();
});

test("what is read of another log is published under its name, and its lanes are taken anew for that", async () => {
  const stream = newStream(1);
  start();
  await append(writer, [stream]);
  await until("it is published", 10_000, () => arrived(broker).get(stream)?.length === 1);
  const name = broker.kept.at(-1)?.lane;
  // What is restored to an earlier moment, or promoted, has another name from then on.
  await log.admin.query("update events.identity set id = gen_random_uuid()");
  await append(writer, [stream], { version: 2 });
  await until("the next one is published", 10_000, () => arrived(broker).get(stream)?.length === 2);
  assert.match(broker.kept.at(-1)?.lane ?? "", /^[0-9a-f]{16}-1$/);
  assert.notEqual(broker.kept.at(-1)?.lane, name);
});

test("several relays at once lose and reorder nothing while they come and go, and no lane is left behind", async () => {
  const streams = newStreams(32);
  let writing = true;
  const coming = (async () => {
    const own: TestRelay[] = [start({ limits: { pageEvents: 40 } })];
    while (writing) {
      await sleep(150);
      if (own.length > 2) await own.shift()?.stop();
      else own.push(start({ limits: { pageEvents: 40 } }));
    }
  })();
  for (let version = 1; version <= 60; version++) {
    await append(writer, streams, { version });
    await sleep(15);
  }
  writing = false;
  await coming;
  await until("all are published", 20_000, () => hasAll(streams, 60));
  assertInOrder(streams);
  await until("nothing is pending", 10_000, async () => (await statistics("payment")).pending === 0);
  const { handled } = await statistics("payment");
  const { rows } = await log.admin.query("select count(*)::integer as n from events.log where category = 'payment'");
  assert.equal(handled, rows[0].n);
});
