import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Client } from "pg";
import { outboxCommand } from "../../src/apps/outbox.ts";
import { eventStatistics } from "../../src/modules/events/index.ts";
import { parseSettings } from "../../src/settings.ts";
import { until } from "../support/processes.ts";
import {
  append,
  createFakeBroker,
  type EventLog,
  newStream,
  openEventLog,
  openRelay,
  type TestRelay,
} from "./support.ts";

let log: EventLog;
let writer: Client;
before(async () => {
  log = await openEventLog();
  writer = await log.session();
});
after(() => log.close());

const relays: TestRelay[] = [];
afterEach(async () => {
  for (const relay of relays.splice(0)) await relay.stop();
});

async function outbox(...args: string[]): Promise<string> {
  let text = "";
  const settings = parseSettings({ DATABASE_URL: log.database.appUrl });
  await outboxCommand(settings, args, {
    write(more: string) {
      text += more;
    },
  });
  return text;
}

const stats = async () => JSON.parse(await outbox("stats", "--json"));

test("while events are appended and published, no reading has more handled than there are, nor fewer", async () => {
  const broker = createFakeBroker();
  const relay = openRelay(log, broker, { limits: { pageEvents: 50 } });
  relays.push(relay);
  const reading = log.connection("statistics");
  const read = () => eventStatistics(reading, "pago", "relay");
  let writing = true;
  let last = { total: 0, handled: 0 };
  let readings = 0;
  const watching = (async () => {
    while (writing) {
      const now = await read();
      assert.ok(now.handled <= now.total && now.pending === now.total - now.handled, JSON.stringify(now));
      assert.ok(now.handled >= last.handled && now.total >= last.total, JSON.stringify([last, now]));
      last = now;
      readings += 1;
    }
  })();
  relay.start();
  const streams = Array.from({ length: 40 }, () => newStream());
  for (let version = 1; version <= 40; version++) await append(writer, streams, { version, category: "pago" });
  await until("nothing is pending", 10_000, async () => (await read()).handled === 1_600);
  writing = false;
  await watching;
  assert.deepEqual(await read(), { total: 1_600, handled: 1_600, pending: 0 });
  assert.ok(readings > 20, `${readings} readings`);
});

describe("marketflow outbox", () => {
  const poor = newStream(3);
  let broker: ReturnType<typeof createFakeBroker>;

  before(async () => {
    broker = createFakeBroker();
    broker.refuses = ({ eventId }) => eventId === `${poor}:2`;
    const relay = openRelay(log, broker);
    relay.start();
    for (let version = 1; version <= 4; version++) await append(writer, [poor, newStream(3)], { version: version });
    await until(
      "all else is published",
      10_000,
      async () => (await eventStatistics(log.connection("s"), "payment", "relay")).pending === 3,
    );
    await relay.stop();
  });

  test("stats tells of categories, lanes, parked streams and the age of what is pending", async () => {
    const report = await stats();
    const payment = report.categories.find(({ category }: { category: string }) => category === "payment");
    assert.deepEqual(payment, { category: "payment", total: 8, published: 5, pending: 3, parked: 1, skipped: 0 });
    assert.equal(report.lanes.length, 8);
    assert.deepEqual([report.lanes[3].parked, report.lanes[3].ownerPid], [1, null]);
    assert.equal(
      report.lanes.reduce((sum: number, { published }: { published: number }) => sum + published, 0),
      1_605,
    );
    assert.equal(report.parked[0].stream, poor);
    assert.equal(report.parked[0].withheld, 3);
    assert.ok(Date.now() - Date.parse(report.oldestPending) < 60_000);
    const text = await outbox("stats");
    assert.match(text, /^payment +8 +5 +3 +1 +0$/m);
    assert.match(text, /3 events are pending, the oldest for \d+ s\. The log has drawn position \d+\./);
    assert.match(text, new RegExp(`^${poor}  payment.happened +2 +3 +\\d+ s ago +too_large$`, "m"));
  });

  test("stats says who owns a lane", async () => {
    const relay = openRelay(log, broker);
    relays.push(relay);
    relay.start();
    await until("it owns them", 5_000, () => relay.told.lanes.length > 0);
    const { rows } = await log.admin.query(
      "select pid from pg_stat_activity where datname = current_database() and application_name ~ 'relay lanes'",
    );
    assert.equal((await stats()).lanes[5].ownerPid, rows[0].pid);
  });

  test("inspect shows what became of each event of a stream", async () => {
    const events = JSON.parse(await outbox("inspect", poor, "--json"));
    assert.deepEqual(
      events.map(({ version, state }: { version: number; state: string }) => [version, state]),
      [
        [1, "published"],
        [2, "withheld"],
        [3, "withheld"],
        [4, "withheld"],
      ],
    );
    assert.deepEqual(events[0].data, { amount: "10.00" });
    const text = await outbox("inspect", String(events[1].position));
    assert.match(
      text,
      new RegExp(`payment ${poor} version 2  payment.happened  withheld\n  \\{"amount": "10.00"\\}\n$`),
    );
  });

  test("says what is wrong", async () => {
    for (const args of [
      [],
      ["stats", "more"],
      ["inspect"],
      ["inspect", "x"],
      ["replay"],
      ["replay", poor, "--all"],
      ["skip", poor],
      ["skip", poor, "--reason", " "],
      ["skip", "--all", "--reason", "x"],
      ["stats", "--who"],
    ]) {
      await assert.rejects(outbox(...args), /Usage: marketflow outbox/, args.join(" "));
    }
    await assert.rejects(outbox("replay", newStream()), /is not parked/);
    await assert.rejects(outbox("inspect", newStream()), /no such event/);
  });

  test("skip and replay release a stream once, and what became of it is shown", async () => {
    assert.match(await outbox("skip", poor, "--reason", "known elsewhere"), /^1 stream is released/);
    await assert.rejects(outbox("replay", poor), /released already/);
    const relay = openRelay(log, broker);
    relays.push(relay);
    relay.start();
    await until("nothing is pending", 10_000, async () => (await stats()).parked.length === 0);
    const text = await outbox("inspect", poor);
    assert.match(text, /version 2 {2}payment.happened {2}skipped by \S+: known elsewhere \(it was too_large\)/);
    assert.equal(text.match(/ published$/gm)?.length, 3);
    assert.match(await outbox("replay", "--all"), /^0 streams are released/);
    assert.equal((await stats()).oldestPending, null);
  });
});
