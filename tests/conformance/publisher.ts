import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Message, Publisher, ReceivedMessage } from "../../src/modules/events/ports.ts";
import { eventually } from "../support/app.ts";

/** A publisher with somebody who reads what it publishes. */
export type PublisherUnderTest = {
  readonly publisher: Publisher;
  /** Everything that has arrived in the topic until now, in its order within each key. */
  arrived(topic: string): Promise<readonly ReceivedMessage[]>;
  /** From now on nobody is there to publish to, or takes what comes. */
  leave(): Promise<void>;
  comeBack(): Promise<void>;
  /** A payload that is refused for good. */
  refusedPayload(): string;
  close(): Promise<void>;
};

/** A topic that no other test uses, and messages for it whose positions rise from one to the next. */
export function messagesFor(topic: string, firstPosition = 1n): (stream: string, payload?: string) => Message {
  let position = firstPosition - 1n;
  return (stream, payload) => {
    position += 1n;
    const eventId = randomUUID();
    return {
      topic,
      key: `key of ${stream}`,
      stream,
      eventId,
      payload: payload ?? JSON.stringify({ event_id: eventId, data: { stream, text: "señal €5 𝄞" } }),
      properties: { event_id: eventId, event_type: "Happened", stream, position: String(position) },
      position,
    };
  };
}

export function positionsOf(messages: readonly { properties: Readonly<Record<string, string>> }[]): number[] {
  return messages.map(({ properties }) => Number(properties["position"]));
}

/** The same messages once each, in the order in which they first came, stream by stream. */
function byStream(messages: readonly ReceivedMessage[]): Map<string, number[]> {
  const streams = new Map<string, number[]>();
  for (const { properties } of messages) {
    const stream = properties["stream"] ?? "";
    const position = Number(properties["position"]);
    const before = streams.get(stream) ?? [];
    if (!before.includes(position)) streams.set(stream, [...before, position]);
  }
  return streams;
}

/** What every publisher does. */
export function describePublisher(
  name: string,
  create: () => Promise<PublisherUnderTest>,
  skip: string | false = false,
): void {
  describe(`publisher: ${name}`, { skip }, () => {
    let tested: PublisherUnderTest;
    const topics = ["first", "second", "third", "fourth"];
    before(async () => {
      tested = await create();
    });
    after(() => tested?.close());

    const arrivals = (topic: string, count: number) =>
      eventually(
        () => tested.arrived(topic),
        (messages) => messages.length >= count,
        10_000,
      );

    it("publishes everything once, in the order of each stream, as it was given", async () => {
      const [topic = ""] = topics;
      const next = messagesFor(topic);
      const messages = Array.from({ length: 2_500 }, (_, n) => next(`stream ${n % 31}`));
      assert.deepEqual(await tested.publisher.publish("0", messages.slice(0, 1_700)), []);
      assert.deepEqual(await tested.publisher.publish("0", messages.slice(1_700)), []);
      const arrived = await arrivals(topic, messages.length);
      assert.equal(arrived.length, messages.length);
      const streams = byStream(arrived);
      assert.equal(streams.size, 31);
      for (const [stream, positions] of streams) {
        assert.deepEqual(positions, positionsOf(messages.filter((message) => message.stream === stream)), stream);
      }
      const byId = new Map(arrived.map((message) => [message.properties["event_id"], message]));
      for (const message of messages) {
        const received = byId.get(message.eventId);
        assert.equal(received?.payload, message.payload);
        assert.equal(received.key, message.key);
        assert.deepEqual({ ...received.properties }, message.properties);
      }
    });

    it("publishes for several lanes at once", async () => {
      const topic = topics[1] ?? "";
      const lanes = ["1", "2", "3"].map((lane) => {
        const next = messagesFor(topic, BigInt(lane) * 1_000n);
        return { lane, messages: Array.from({ length: 300 }, (_, n) => next(`${lane}: ${n % 7}`)) };
      });
      await Promise.all(lanes.map(({ lane, messages }) => tested.publisher.publish(lane, messages)));
      const streams = byStream(await arrivals(topic, 900));
      for (const { messages } of lanes) {
        for (const stream of new Set(messages.map((message) => message.stream))) {
          assert.deepEqual(streams.get(stream), positionsOf(messages.filter((message) => message.stream === stream)));
        }
      }
    });

    it("refuses what will never be taken, and publishes nothing of its stream after it", async () => {
      const topic = topics[2] ?? "";
      const next = messagesFor(topic);
      const messages = [
        next("held"),
        next("other"),
        next("held", tested.refusedPayload()),
        next("other"),
        next("held"),
        next("other"),
      ];
      const refusals = await tested.publisher.publish("4", messages);
      assert.deepEqual(
        refusals.map(({ position }) => position),
        [3n],
      );
      assert.notEqual(refusals[0]?.reason, "");
      const streams = byStream(await arrivals(topic, 4));
      assert.deepEqual(streams.get("held"), [1]);
      assert.deepEqual(streams.get("other"), [2, 4, 6]);
      // What is not of the stream goes on, also in the next call.
      assert.deepEqual(await tested.publisher.publish("4", [next("other")]), []);
    });

    it("rejects while nobody is there, and loses nothing when the same are published again", async () => {
      const topic = topics[3] ?? "";
      const next = messagesFor(topic);
      const first = Array.from({ length: 40 }, (_, n) => next(`stream ${n % 5}`));
      await tested.publisher.publish("5", first);
      await tested.leave();
      const second = Array.from({ length: 40 }, (_, n) => next(`stream ${n % 5}`));
      await assert.rejects(tested.publisher.publish("5", second));
      await tested.comeBack();
      const third = Array.from({ length: 40 }, (_, n) => next(`stream ${n % 5}`));
      await eventually(
        () => tested.publisher.publish("5", [...second, ...third]).catch(() => null),
        (refusals) => refusals !== null,
        10_000,
      );
      const streams = byStream(await arrivals(topic, 120));
      for (const [stream, positions] of streams) {
        const all = [...first, ...second, ...third].filter((message) => message.stream === stream);
        assert.deepEqual(positions, positionsOf(all), stream);
      }
      await tested.publisher.ping();
    });

    it("takes nothing after it was closed", async () => {
      await tested.publisher.close();
      await assert.rejects(tested.publisher.publish("6", [messagesFor("first")("stream")]));
    });
  });
}
