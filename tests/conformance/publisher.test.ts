import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createLocalPublisher } from "../../src/infrastructure/publishers/local.ts";
import { createPulsarBroker } from "../../src/infrastructure/publishers/pulsar/broker.ts";
import { createPulsarPublisher } from "../../src/infrastructure/publishers/pulsar/publisher.ts";
import type { Broker, Publisher, ReceivedMessage } from "../../src/modules/events/ports.ts";
import { eventually } from "../support/app.ts";
import { createNamespace, sharedPulsar, type TestPulsar, withoutPulsar } from "../support/pulsar.ts";
import { describePublisher, messagesFor, type PublisherUnderTest, positionsOf } from "./publisher.ts";
import { type PulsarProxy, startPulsarProxy } from "./pulsar-proxy.ts";

const topics = ["first", "second", "third", "fourth"];

async function localUnderTest(): Promise<PublisherUnderTest> {
  const arrived: ReceivedMessage[] = [];
  let isAway = false;
  const receive = async (messages: readonly ReceivedMessage[]) => {
    const bad = messages.findIndex(({ payload }) => payload === "bad");
    const handled = isAway ? Math.min(3, messages.length) : bad === -1 ? messages.length : bad;
    arrived.push(...messages.slice(0, handled));
    if (isAway) return { handled, rest: { retryAfterMs: 1 } };
    return { handled, ...(bad !== -1 && { rest: { deadLetter: "it is bad" } }) };
  };
  const publisher = createLocalPublisher({ subscribers: [{ topics, receive }] });
  return {
    publisher,
    arrived: async (topic) => onceEach(arrived.filter((message) => message.topic === topic)),
    async leave() {
      isAway = true;
    },
    async comeBack() {
      isAway = false;
    },
    refusedPayload: () => "bad",
    close: () => publisher.close(),
  };
}

/** What a consumer keeps that has an inbox. */
function onceEach(messages: readonly ReceivedMessage[]): ReceivedMessage[] {
  return [...new Map(messages.map((message) => [message.properties["event_id"], message])).values()];
}

/** Everything that arrives in the topics, in the order of each partition. */
async function readAll(broker: Broker, names: readonly string[], subscription: string): Promise<ReceivedMessage[]> {
  const arrived: ReceivedMessage[] = [];
  await broker.subscribe({
    topics: names,
    subscription,
    receive: async (messages) => {
      arrived.push(...messages);
      return { handled: messages.length };
    },
    onFailure: () => undefined,
  });
  return arrived;
}

async function pulsarUnderTest(): Promise<PublisherUnderTest> {
  const { url, webUrl } = await sharedPulsar();
  const namespace = await createNamespace(webUrl);
  const proxy = await startPulsarProxy(url);
  const common = { webUrl, namespace, partitions: 4, onWarning: (message: string) => assert.fail(message) };
  const publisher = createPulsarPublisher({ ...common, url: proxy.url, deadlineMs: 5_000 });
  const broker = createPulsarBroker({ ...common, url });
  const arrived = await readAll(broker, topics, "everything");
  return {
    publisher,
    arrived: async (topic) => arrived.filter((message) => message.topic.includes(`/${topic}-partition-`)),
    leave: () => proxy.cut(),
    comeBack: () => proxy.restore(),
    refusedPayload: () => "x".repeat(6_000_000),
    async close() {
      await Promise.all([publisher.close(), broker.close()]);
      await proxy.close();
    },
  };
}

describePublisher("local", localUnderTest);
describePublisher("Pulsar", pulsarUnderTest, withoutPulsar);

// Each test has its own topic; at once because Pulsar waits a second before a partition has its first consumer.
describe("a Pulsar that drops what it has", { skip: withoutPulsar, concurrency: true }, () => {
  let pulsar: Pick<TestPulsar, "url" | "webUrl">;
  let proxy: PulsarProxy;
  let broker: Broker;
  let namespace: string;
  const opened: Publisher[] = [];
  before(async () => {
    pulsar = await sharedPulsar();
    namespace = await createNamespace(pulsar.webUrl);
    proxy = await startPulsarProxy(pulsar.url);
    broker = createPulsarBroker({ ...common(), url: pulsar.url });
  });
  after(async () => {
    await Promise.all([...opened.map((publisher) => publisher.close()), broker?.close()]);
    await proxy?.close();
  });

  const common = () => ({
    webUrl: pulsar.webUrl,
    namespace,
    partitions: 2,
    onWarning: (message: string) => assert.fail(message),
  });
  function open(options: { url?: string; deadlineMs?: number; idleMs?: number } = {}): Publisher {
    const publisher = createPulsarPublisher({ ...common(), url: pulsar.url, ...options });
    opened.push(publisher);
    return publisher;
  }
  const comes = (arrived: readonly ReceivedMessage[], count: number) =>
    eventually(
      async () => arrived.length,
      (length) => length >= count,
      10_000,
    );

  it("keeps once what is published again by another process in other entries", async () => {
    const arrived = await readAll(broker, ["again"], "reader");
    const next = messagesFor("again");
    const messages = Array.from({ length: 60 }, (_, n) => next(`stream ${n % 3}`));
    const first = open();
    await first.publish("0", messages.slice(0, 20));
    await first.publish("0", messages.slice(20, 40));
    await first.close();
    // Each entry of this one begins before and ends after what the broker has.
    await open().publish("0", messages.slice(10));
    await comes(arrived, 60);
    await sleep(100);
    assert.deepEqual(
      positionsOf(arrived).sort((a, b) => a - b),
      Array.from({ length: 60 }, (_, n) => n + 1),
    );
  });

  it("keeps everything also where it said that it had nothing, because it had just begun to drop", async () => {
    const arrived = await readAll(broker, ["begun"], "reader");
    const next = messagesFor("begun");
    const messages = Array.from({ length: 60 }, (_, n) => next(`stream ${n % 3}`));
    await open().publish("0", messages.slice(0, 20));
    const forgetful = await startPulsarProxy(pulsar.url);
    forgetful.beForgetful();
    const other = open({ url: forgetful.url });
    try {
      await eventually(
        () => other.publish("0", messages.slice(10)).catch(() => null),
        (refusals) => refusals !== null,
        10_000,
      );
    } finally {
      await other.close();
      await forgetful.close();
    }
    await comes(arrived, 60);
    await sleep(100);
    assert.deepEqual(
      positionsOf(arrived).sort((a, b) => a - b),
      Array.from({ length: 60 }, (_, n) => n + 1),
    );
  });

  it("keeps once what is published again by the same process", async () => {
    const arrived = await readAll(broker, ["same"], "reader");
    const next = messagesFor("same");
    const messages = Array.from({ length: 40 }, (_, n) => next(`stream ${n % 3}`));
    const publisher = open();
    await publisher.publish("0", messages.slice(0, 20));
    await publisher.publish("0", messages.slice(5));
    await comes(arrived, 40);
    await sleep(100);
    assert.equal(arrived.length, 40);
  });

  it("keeps once what it had kept without our learning of it", async () => {
    const arrived = await readAll(broker, ["unheard"], "reader");
    const next = messagesFor("unheard");
    const messages = Array.from({ length: 30 }, (_, n) => next(`stream ${n % 3}`));
    const publisher = open({ url: proxy.url, deadlineMs: 3_000 });
    await publisher.publish("0", messages.slice(0, 10));
    proxy.swallow(["sendReceipt"]);
    await assert.rejects(publisher.publish("0", messages.slice(10, 20)), /keeps nothing within/);
    proxy.swallow([]);
    assert.deepEqual(await publisher.publish("0", messages.slice(10)), []);
    await comes(arrived, 30);
    await sleep(100);
    assert.equal(arrived.length, 30);
  });

  it("is told nothing of a stream after what only its topic does not allow, and keeps the rest", async () => {
    const arrived = await readAll(broker, ["limited"], "reader");
    const admin = `${pulsar.webUrl}/admin/v2/persistent/${namespace}/limited/maxMessageSize`;
    const headers = { "content-type": "application/json" };
    const limited = await fetch(admin, { method: "POST", headers, body: "4000" });
    assert.ok(limited.ok, `${limited.status}`);
    const publisher = open();
    const next = messagesFor("limited");
    const large = () => next("large", "x".repeat(5_000));
    // The limit reaches the partitions a moment later.
    const probe = async () => (await publisher.publish("probe", [large()])).length;
    await eventually(probe, (refusals) => refusals === 1, 20_000);
    const before = new Set(positionsOf(arrived));
    const messages = [next("a"), next("b"), large(), next("a"), next("large"), next("b"), next("c")];
    const refusals = await publisher.publish("0", messages);
    assert.deepEqual(
      refusals.map(({ position }) => position),
      [messages[2]?.position],
    );
    const kept = messages.filter(({ stream }) => stream !== "large").map(({ position }) => Number(position));
    await eventually(
      async () => positionsOf(arrived).filter((position) => !before.has(position) && kept.includes(position)),
      (positions) => positions.length === kept.length,
      10_000,
    );
    const after = positionsOf(arrived).filter((position) => position >= (kept[0] ?? 0));
    assert.deepEqual(
      after.sort((a, b) => a - b),
      kept,
    );
  });

  it("moves a topic, and everything goes on with it", async () => {
    // A namespace of its own, because what is moved is all of it.
    const elsewhere = { ...common(), url: pulsar.url, namespace: await createNamespace(pulsar.webUrl) };
    const reader = createPulsarBroker(elsewhere);
    const arrived = await readAll(reader, ["moved"], "reader");
    const next = messagesFor("moved");
    const messages = Array.from({ length: 400 }, (_, n) => next(`stream ${n % 5}`));
    const publisher = createPulsarPublisher(elsewhere);
    opened.push(publisher);
    for (let at = 0; at < messages.length; at += 40) {
      if (at % 120 === 40) {
        const unloaded = await fetch(`${pulsar.webUrl}/admin/v2/namespaces/${elsewhere.namespace}/unload`, {
          method: "PUT",
        });
        assert.ok(unloaded.ok, `${unloaded.status}`);
      }
      await eventually(
        () => publisher.publish("0", messages.slice(at, at + 40)).catch(() => null),
        (refusals) => refusals !== null,
        10_000,
      );
    }
    await eventually(
      async () => new Set(positionsOf(arrived)).size,
      (count) => count === messages.length,
      10_000,
    );
    const once = [...new Map(arrived.map((message) => [message.properties["position"], message])).values()];
    for (const stream of new Set(messages.map((message) => message.stream))) {
      assert.deepEqual(
        positionsOf(once.filter(({ properties }) => properties["stream"] === stream)),
        positionsOf(messages.filter((message) => message.stream === stream)),
      );
    }
    await reader.close();
  });

  it("lets the same positions of another lane be other events", async () => {
    const arrived = await readAll(broker, ["lanes"], "reader");
    const publisher = open();
    await publisher.publish("0", [messagesFor("lanes")("one stream")]);
    await publisher.publish("1", [messagesFor("lanes")("another stream")]);
    await comes(arrived, 2);
  });

  it("has a lane wait for the process that had it, until that one lets go", async () => {
    const next = messagesFor("handed-over");
    const first = open({ idleMs: 500 });
    await first.publish("0", [next("stream")]);
    const second = open();
    await second.publish("0", [next("stream")]);
    await assert.rejects(open({ deadlineMs: 300 }).publish("0", [next("stream")]), /ProducerBusy/);
  });
});
