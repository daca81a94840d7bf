import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Client } from "pg";
import type { ClosableDatabase } from "../../src/infrastructure/postgres/connections.ts";
import { refuse } from "../../src/kernel/result.ts";
import { listParkedStreams, releaseStreams } from "../../src/modules/events/application/outbox.ts";
import { eventStatistics } from "../../src/modules/events/index.ts";
import type { Publisher } from "../../src/modules/events/ports.ts";
import { until } from "../support/processes.ts";
import {
  append,
  arrived,
  createFakeBroker,
  type EventLog,
  type FakeBroker,
  messageOf,
  newStream,
  openEventLog,
  openRelay,
  type TestRelay,
  type TestRelayOptions,
} from "./support.ts";

let log: EventLog;
let writer: Client;
let broker: FakeBroker;
let database: ClosableDatabase;
const relays: TestRelay[] = [];
beforeEach(async () => {
  log = await openEventLog();
  writer = await log.session();
  broker = createFakeBroker();
  database = log.connection("operator");
});
afterEach(async () => {
  for (const relay of relays.splice(0)) await relay.stop();
  await log.close();
});

function start(options: TestRelayOptions = {}): TestRelay {
  const relay = openRelay(log, broker, options);
  relays.push(relay);
  relay.start();
  return relay;
}

const payments = () => eventStatistics(database, "payment", "relay");
const parked = () => listParkedStreams(database, { limit: 100 });
const release = (stream: string | undefined, skipReason?: string) =>
  releaseStreams(database, { stream, actor: "tester", skipReason });
const versionsOf = (stream: string) => arrived(broker).get(stream) ?? [];

async function appendVersions(streams: readonly string[], from: number, to: number): Promise<void> {
  for (let version = from; version <= to; version++) await append(writer, streams, { version });
}

const eventIdOf = ({ stream, version }: { stream: string; version: number }) => ({ eventId: `${stream}:${version}` });
const isOf = (stream: string, version: number) => (message: { eventId: string }) =>
  message.eventId === `${stream}:${version}`;

describe("an event that is refused for good", () => {
  test("parks its stream only, with the reason, and what follows in it is withheld and pending", async () => {
    const [poor, ...others] = Array.from({ length: 9 }, () => newStream(3));
    assert.ok(poor);
    broker.refuses = isOf(poor, 2);
    await appendVersions([poor, ...others], 1, 3);
    const relay = start();
    await until("the others go on", 10_000, () => others.every((stream) => versionsOf(stream).length === 3));
    await appendVersions([poor, ...others], 4, 4);
    await until("and on", 10_000, () => others.every((stream) => versionsOf(stream).length === 4));
    assert.deepEqual(versionsOf(poor), [1]);
    await until("all but three are done", 10_000, async () => (await payments()).pending === 3);
    const [row, ...more] = await parked();
    assert.deepEqual(
      [row?.stream, row?.lane, row?.version, row?.type, row?.reason, row?.withheld, more.length],
      [poor, 3, 2, "payment.happened", "too_large", 3, 0],
    );
    assert.deepEqual([relay.told.refused.length, relay.told.parked.at(-1)], [1, [1]]);
    assert.deepEqual(relay.told.unreachable, []);
  });

  test("is told by the envelope in the same way, before anything after it is published", async () => {
    const [poor, fine] = [newStream(1), newStream(1)];
    await appendVersions([poor, fine], 1, 2);
    const refusing: typeof messageOf = (event) =>
      event.stream === poor && event.version === 2 ? refuse({ type: "event_malformed" }) : messageOf(event);
    // Whatever becomes of the publication, the parking stands.
    broker.isAway = true;
    const first = start({ messageOf: refusing });
    await until("it is parked", 10_000, async () => (await parked()).length === 1);
    await first.stop();
    broker.isAway = false;
    start();
    await until("the others are there", 10_000, () => versionsOf(fine).length === 2 && versionsOf(poor).length === 1);
    await appendVersions([poor, fine], 3, 3);
    await until("and go on", 10_000, () => versionsOf(fine).length === 3);
    assert.deepEqual(versionsOf(poor), [1]);
    await release(poor);
    await until("all of it is there", 10_000, () => versionsOf(poor).join() === "1,2,3");
    await until("nothing is pending", 10_000, async () => (await payments()).pending === 0);
    assert.deepEqual(await payments(), { total: 6, handled: 6, pending: 0 });
  });

  test("is published after its release, under a name of its own, and then its stream goes on", async () => {
    const poor = newStream(5);
    broker.refuses = isOf(poor, 1);
    start();
    await appendVersions([poor], 1, 4);
    await until("it is parked", 10_000, async () => (await parked())[0]?.withheld === 4);
    broker.refuses = () => false;
    assert.deepEqual(await release(poor), [poor]);
    await until("all of it is there", 10_000, () => versionsOf(poor).length === 4);
    const names = new Set(broker.kept.map(({ lane }) => lane));
    assert.equal(names.size, 1);
    assert.match([...names][0] ?? "", new RegExp(`^[0-9a-f]{16}-5-replay-${broker.kept[0]?.message.position}$`));
    await until("nothing is pending", 10_000, async () => (await payments()).pending === 0);
    await appendVersions([poor], 5, 5);
    await until("it goes on", 10_000, () => versionsOf(poor).join() === "1,2,3,4,5");
    assert.match(broker.kept.at(-1)?.lane ?? "", /^[0-9a-f]{16}-5$/);
    assert.deepEqual(await parked(), []);
  });

  test("is parked where it is refused again, with what is refused then", async () => {
    const poor = newStream(5);
    broker.refuses = isOf(poor, 1);
    const relay = start();
    await appendVersions([poor], 1, 4);
    await until("it is parked", 10_000, async () => (await parked())[0]?.version === 1);
    broker.refuses = isOf(poor, 3);
    await release(poor);
    await until("it is parked further on", 10_000, async () => (await parked())[0]?.version === 3);
    const [row] = await parked();
    assert.deepEqual([row?.releasedAt, row?.releasedBy, row?.withheld], [null, null, 2]);
    assert.deepEqual(versionsOf(poor), [1, 2]);
    assert.deepEqual([relay.told.refused.length, (await payments()).pending], [2, 2]);
  });

  test("is passed over by a person with a reason, counts as handled and is kept with who did it", async () => {
    const poor = newStream(6);
    broker.refuses = isOf(poor, 2);
    start();
    await appendVersions([poor], 1, 3);
    await until("it is parked", 10_000, async () => (await parked())[0]?.withheld === 2);
    await release(poor, "the partner has it on paper");
    await until("the rest is there", 10_000, () => versionsOf(poor).join() === "1,3");
    await until("nothing is pending", 10_000, async () => (await payments()).pending === 0);
    const { rows } = await log.admin.query("select stream, version, type, refusal, reason, actor from events.skipped");
    assert.deepEqual(rows, [
      {
        stream: poor,
        version: 2,
        type: "payment.happened",
        refusal: "too_large",
        reason: "the partner has it on paper",
        actor: "tester",
      },
    ]);
  });

  test("parks its stream before another event of it that was parked on the same page", async () => {
    const [poor, fine] = [newStream(1), newStream(1)];
    await appendVersions([poor, fine], 1, 3);
    broker.refuses = isOf(poor, 1);
    const relay = start({
      messageOf: (event) => (isOf(poor, 2)(eventIdOf(event)) ? refuse({ type: "event_malformed" }) : messageOf(event)),
    });
    await until("the others are there", 10_000, () => versionsOf(fine).length === 3);
    await until("all but its own are done", 10_000, async () => (await payments()).pending === 3);
    const [row] = await parked();
    assert.deepEqual([row?.version, row?.reason, row?.withheld], [1, "too_large", 3]);
    assert.deepEqual(relay.told.failed, []);
    broker.refuses = () => false;
    await release(poor);
    await until("it is parked at the other", 10_000, async () => (await parked())[0]?.version === 2);
    assert.deepEqual([versionsOf(poor), (await payments()).pending], [[1], 2]);
  });

  test("is not withheld for ever where the answer to its publication was lost", async () => {
    const poor = newStream(5);
    broker.refuses = isOf(poor, 1);
    let losesAnswer = true;
    const relay = start({
      connection(name) {
        const opened = log.connection(name);
        return {
          ...opened,
          async query(query) {
            const answer = await opened.query(query);
            if (!query.text.includes("into events.skipped") || !losesAnswer) return answer;
            losesAnswer = false;
            throw new Error("the connection is gone");
          },
        };
      },
    });
    await appendVersions([poor], 1, 2);
    await until("it is parked", 10_000, async () => (await parked())[0]?.withheld === 2);
    broker.refuses = () => false;
    await release(poor);
    await until("the answer is lost", 10_000, () => relay.told.failed.length === 1);
    assert.deepEqual(await parked(), []);
    await appendVersions([poor], 3, 3);
    await until("it goes on", 10_000, () => versionsOf(poor).join() === "1,2,3");
    await until("nothing is pending", 10_000, async () => (await payments()).pending === 0);
  });

  test("is not dropped by a broker that has what follows it from a page that was never committed", async () => {
    const [poor, other] = [newStream(5), newStream(5)];
    broker.refuses = isOf(poor, 1);
    let losesAnswers = false;
    const marks = new Map<string, bigint>();
    const publish: Publisher["publish"] = async (lane, messages) => {
      // As brokers do: what is not above the highest number that they have by the name is kept already.
      const mark = marks.get(lane) ?? 0n;
      const refusals = await broker.publisher.publish(
        lane,
        messages.filter(({ position }) => position > mark),
      );
      marks.set(lane, messages.at(-1)?.position ?? mark);
      if (losesAnswers && !lane.includes("replay")) throw new Error("the answer is lost");
      return refusals;
    };
    const relay = openRelay(log, { ...broker, publisher: { ...broker.publisher, publish } });
    relays.push(relay);
    relay.start();
    await appendVersions([poor], 1, 1);
    await until("it is parked", 10_000, async () => (await parked())[0]?.withheld === 1);
    losesAnswers = true;
    await append(writer, [poor], { version: 2 });
    await append(writer, [other]);
    await until("what follows it is kept", 10_000, () => versionsOf(other).length === 1);
    broker.refuses = () => false;
    await release(poor);
    await until("it is published", 10_000, () => versionsOf(poor).length === 1);
    await until("and counted", 10_000, async () => (await payments()).pending === 2);
    losesAnswers = false;
    await until("nothing is pending", 10_000, async () => (await payments()).pending === 0);
    assert.deepEqual(versionsOf(poor), [1, 2]);
    await append(writer, [poor], { version: 3 });
    await until("it goes on", 10_000, () => versionsOf(poor).join() === "1,2,3");
    assert.deepEqual(await parked(), []);
  });

  test("stays released while the broker is away, and is published by whoever owns the lane later", async () => {
    const poor = newStream(2);
    broker.refuses = isOf(poor, 1);
    const first = start();
    await appendVersions([poor], 1, 2);
    await until("it is parked", 10_000, async () => (await parked())[0]?.withheld === 2);
    broker.isAway = true;
    await release(poor);
    await until("it was tried", 10_000, () => first.told.failed.length > 0);
    await first.stop();
    [broker.isAway, broker.refuses] = [false, () => false];
    start();
    await until("it is published", 10_000, () => versionsOf(poor).join() === "1,2");
    await until("nothing is pending", 10_000, async () => (await payments()).pending === 0);
  });
});

test("a long stream is published in pages after its release", async () => {
  const long = newStream(4);
  broker.refuses = isOf(long, 1);
  start();
  await writer.query(
    `select events.append('payment', array_agg($1::uuid), array_agg(n), array_agg('x'::text), array_agg('{}'::jsonb),
                          array_agg(null::text)) from generate_series(1, 1200) n`,
    [long],
  );
  await until("it is parked", 10_000, async () => (await parked())[0]?.withheld === 1200);
  broker.refuses = () => false;
  await release(undefined);
  await until("nothing is pending", 10_000, async () => (await payments()).pending === 0);
  assert.deepEqual(
    versionsOf(long),
    Array.from({ length: 1200 }, (_, place) => place + 1),
  );
  assert.equal(new Set(broker.kept.map(({ lane }) => lane)).size, 3);
});

test("a lane with too many parked streams halts and says so, and goes on after the release", async () => {
  const broken = Array.from({ length: 12 }, () => newStream(0));
  const [late, other] = [newStream(0), newStream(1)];
  let knows = false;
  const forgetful: typeof messageOf = (event) =>
    broken.includes(event.stream) && !knows ? refuse({ type: "event_unknown" }) : messageOf(event);
  const relay = start({ messageOf: forgetful, limits: { mostParked: 10 } });
  await append(writer, broken);
  await until("it halts", 10_000, () => relay.told.halted.length === 1);
  await append(writer, [late, other]);
  await until("the other lane goes on", 10_000, () => versionsOf(other).length === 1);
  assert.deepEqual(versionsOf(late), []);
  assert.deepEqual(relay.told.halted, [[0, 12]]);
  knows = true;
  assert.equal((await release(undefined)).length, 12);
  await until("all is there", 10_000, () => [late, ...broken].every((stream) => versionsOf(stream).length === 1));
  await until("nothing is pending", 10_000, async () => (await payments()).pending === 0);
});
