import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Broker, Publisher, Receive, ReceivedMessage, Subscription } from "../../src/modules/events/ports.ts";
import { eventually } from "../support/app.ts";
import { messagesFor, positionsOf } from "./publisher.ts";

/** Brokers of two processes, and somebody who publishes. */
export type BrokerUnderTest = {
  readonly broker: Broker;
  readonly neighbour: Broker;
  readonly publisher: Publisher;
  /** Everything that was put aside for a subscription to the topic. */
  deadLetters(topic: string, subscription: string): Promise<readonly ReceivedMessage[]>;
  /** The first broker loses its connection, once. */
  interrupt(): Promise<void>;
  close(): Promise<void>;
};

/** What every broker does. */
export function describeBroker(
  name: string,
  create: () => Promise<BrokerUnderTest>,
  skip: string | false = false,
): void {
  describe(`broker: ${name}`, { skip }, () => {
    let tested: BrokerUnderTest;
    const open: Subscription[] = [];
    const failures: unknown[] = [];
    before(async () => {
      tested = await create();
    });
    after(() => tested?.close());

    async function subscribe(broker: Broker, topic: string, receive: Receive): Promise<Subscription> {
      const onFailure = (error: unknown) => void failures.push(error);
      const subscription = await broker.subscribe({ topics: [topic], subscription: "readers", receive, onFailure });
      open.push(subscription);
      return subscription;
    }
    async function publish(topic: string, count: number, firstPosition = 1): Promise<void> {
      const next = messagesFor(topic, BigInt(firstPosition));
      const messages = Array.from({ length: count }, (_, n) => next(`stream ${n % 13}`));
      assert.deepEqual(await tested.publisher.publish("0", messages), []);
    }
    const until = (condition: () => boolean) =>
      eventually(
        async () => condition(),
        (isSo) => isSo,
        15_000,
      );
    const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1);
    const sorted = (numbers: Iterable<number>) => [...numbers].sort((a, b) => a - b);

    /** Each stream's positions rise, once second deliveries are left out. */
    function assertInOrder(messages: readonly ReceivedMessage[]): void {
      const highest = new Map<string, number>();
      const seen = new Set<number>();
      for (const { properties } of messages) {
        const position = Number(properties["position"]);
        const stream = properties["stream"] ?? "";
        if (seen.has(position)) continue;
        assert.ok(position > (highest.get(stream) ?? 0), `${position} after ${highest.get(stream)} in ${stream}`);
        highest.set(stream, position);
        seen.add(position);
      }
    }

    it("delivers everything, also what was published before, in the order of each key, a batch at a time", async () => {
      await publish("ordered", 700);
      const received: ReceivedMessage[] = [];
      const underWay = new Set<string>();
      const subscription = await subscribe(tested.broker, "ordered", async (messages) => {
        const [{ topic } = { topic: "" }] = messages;
        assert.ok(!underWay.has(topic), "one call at a time for each partition");
        underWay.add(topic);
        await sleep(1);
        underWay.delete(topic);
        received.push(...messages);
        return { handled: messages.length };
      });
      await publish("ordered", 500, 701);
      await until(() => received.length >= 1_200);
      assert.deepEqual(sorted(positionsOf(received)), upTo(1_200));
      assertInOrder(received);
      assert.equal(new Set(received.map(({ messageId, topic }) => `${topic} ${messageId}`)).size, 1_200);
      await subscription.close();
    });

    it("has what is asked for again come again after the delay, in order, and nothing that was handled", async () => {
      const received: ReceivedMessage[] = [];
      let refusedAtMs = 0;
      let delayMs = 0;
      const subscription = await subscribe(tested.broker, "again", async (messages) => {
        const at = messages.findIndex(({ properties }) => properties["position"] === "100");
        if (at !== -1 && refusedAtMs === 0) {
          refusedAtMs = performance.now();
          received.push(...messages.slice(0, at));
          return { handled: at, rest: { retryAfterMs: 300 } };
        }
        if (at !== -1) delayMs = performance.now() - refusedAtMs;
        received.push(...messages);
        return { handled: messages.length };
      });
      await publish("again", 260);
      await until(() => received.length >= 260);
      assert.ok(delayMs >= 300, `${delayMs} ms`);
      assert.deepEqual(sorted(positionsOf(received)), upTo(260));
      assertInOrder(received);
      await subscription.close();
    });

    it("puts aside for good what it is told to, and goes on after it", async () => {
      const received: ReceivedMessage[] = [];
      const subscription = await subscribe(tested.broker, "dead", async (messages) => {
        const at = messages.findIndex(({ properties }) => Number(properties["position"]) % 50 === 0);
        const handled = at === -1 ? messages.length : at;
        received.push(...messages.slice(0, handled));
        return { handled, ...(at !== -1 && { rest: { deadLetter: "it is the fiftieth" } }) };
      });
      await publish("dead", 200);
      await until(() => received.length >= 196);
      const dead = await eventually(
        () => tested.deadLetters("dead", "readers"),
        (letters) => letters.length >= 4,
        10_000,
      );
      assert.deepEqual(sorted(positionsOf(dead)), [50, 100, 150, 200]);
      assertInOrder(received);
      for (const { properties, payload, key } of dead) {
        assert.equal(properties["REASON"], "it is the fiftieth");
        assert.match(properties["REAL_TOPIC"] ?? "", /dead$/);
        assert.equal(properties["event_id"], JSON.parse(payload).event_id);
        assert.match(key, /^key of stream/);
      }
      await subscription.close();
      const rest: ReceivedMessage[] = [];
      const next = await subscribe(tested.neighbour, "dead", async (messages) => {
        rest.push(...messages);
        return { handled: messages.length };
      });
      await publish("dead", 1, 201);
      await until(() => rest.length >= 1);
      assert.deepEqual(positionsOf(rest), [201], "what was put aside is acknowledged");
      await next.close();
    });

    it("comes back after its connection broke, and after a consumer that throws", async () => {
      const received: ReceivedMessage[] = [];
      let throwsLeft = 1;
      const subscription = await subscribe(tested.broker, "broken", async (messages) => {
        received.push(...messages);
        if (throwsLeft-- > 0) throw new Error("a consumer that throws");
        return { handled: messages.length };
      });
      await publish("broken", 100);
      await tested.interrupt();
      await publish("broken", 100, 101);
      await until(() => new Set(positionsOf(received)).size >= 200);
      assertInOrder(received);
      assert.ok(failures.length >= 1);
      await subscription.close();
    });

    it("shares the partitions between two, and one takes over what the other leaves", async () => {
      const received: ReceivedMessage[][] = [[], []];
      const subscriptions: Subscription[] = [];
      for (const [nth, broker] of [tested.broker, tested.neighbour].entries()) {
        subscriptions.push(
          await subscribe(broker, "shared", async (messages) => {
            received[nth]?.push(...messages);
            return { handled: messages.length };
          }),
        );
      }
      const [first = [], second = []] = received;
      await publish("shared", 400);
      const positions = () => new Set(positionsOf([...first, ...second]));
      await until(() => positions().size >= 400);
      assert.ok(first.length > 0 && second.length > 0, `${first.length} and ${second.length}`);
      for (const messages of received) assertInOrder(messages);
      await subscriptions[0]?.close();
      const before = first.length;
      await publish("shared", 400, 401);
      await until(() => positions().size >= 800);
      assert.equal(first.length, before, "who has left gets nothing");
      assertInOrder(second);
      await subscriptions[1]?.close();
    });

    it("waits for the batch under way when it is closed, and has it acknowledged", async () => {
      const received: ReceivedMessage[] = [];
      let hasBegun = false;
      let isHandled = false;
      const subscription = await subscribe(tested.broker, "closed", async (messages) => {
        hasBegun = true;
        await sleep(300);
        isHandled = true;
        received.push(...messages);
        return { handled: messages.length };
      });
      const next = messagesFor("closed");
      await tested.publisher.publish("0", [next("stream"), next("stream")]);
      await until(() => hasBegun);
      await subscription.close();
      assert.ok(isHandled);
      const later: ReceivedMessage[] = [];
      const other = await subscribe(tested.neighbour, "closed", async (messages) => {
        later.push(...messages);
        return { handled: messages.length };
      });
      await tested.publisher.publish("0", [next("stream")]);
      await until(() => later.length >= 1);
      assert.deepEqual(positionsOf([...received, ...later]), [1, 2, 3]);
      await other.close();
    });
  });
}
