import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type StandIn, startStandIn, welcome } from "../../../../tests/conformance/pulsar-stand-in.ts";
import { type Cluster, createCluster } from "./cluster.ts";
import { type Consumer, openConsumer, type Progress } from "./consumer.ts";
import { encodeBatch, encodeMessage } from "./entries.ts";
import { decodeFrame, encodeCommand, encodeSend } from "./frames.ts";

describe("a consumer of a partition", () => {
  let broker: StandIn;
  let cluster: Cluster;
  before(async () => {
    broker = await startStandIn((command, say) => {
      welcome(command, say);
      const { name, fields } = command;
      if (name === "ping") say("pong", {});
      else if (name === "lookup") {
        say("lookupResponse", {
          requestId: BigInt(Number(fields.requestId)),
          response: 1,
          brokerServiceUrl: broker.url,
        });
      } else if (name === "subscribe" || name === "closeConsumer") {
        say("success", { requestId: BigInt(Number(fields.requestId)) });
      }
    });
    cluster = createCluster({ url: broker.url });
  });
  after(() => cluster.close());

  async function open(progress: Progress = { half: null }): Promise<Consumer> {
    broker.heard.length = 0;
    return await openConsumer(cluster, { topic: "t", subscription: "s", consumerName: "us", progress });
  }
  /** The broker delivers an entry of so many messages, each with the entry's number and its own as its payload. */
  function deliver(entryId: number, count: number, consumerEpoch: number): void {
    const messages = Array.from({ length: count }, (_, index) =>
      encodeMessage({ sequenceId: BigInt(index), key: "k", properties: {}, payload: `${entryId}.${index}` }),
    );
    deliverSection(entryId, sectionOf(encodeBatch({ id: 1, name: "p" }, messages)), consumerEpoch);
  }
  function sectionOf(frame: Buffer): Buffer {
    return decodeFrame(frame.subarray(4))?.payload ?? assert.fail();
  }
  function deliverSection(entryId: number, section: Buffer, consumerEpoch: number): void {
    const subscribe = heard("subscribe").at(-1) ?? assert.fail("nobody has subscribed");
    const messageId = { ledgerId: 1n, entryId: BigInt(entryId), partition: 0 };
    const consumerId = BigInt(Number(subscribe.consumerId));
    const command = encodeCommand("message", { consumerId, messageId, consumerEpoch: BigInt(consumerEpoch) });
    const frame = Buffer.concat([command, section]);
    frame.writeUInt32BE(frame.length - 4);
    broker.sockets.at(-1)?.write(frame);
  }
  function heard(name: string): Record<string, unknown>[] {
    return broker.heard.flatMap((command) => (command.name === name ? [{ ...command.fields }] : []));
  }
  const payloads = async (consumer: Consumer, most = 100) =>
    (await consumer.take(most)).map(({ payload }) => payload.toString());

  test("takes nothing that was on its way when it asked for everything again", async () => {
    const consumer = await open();
    deliver(1, 2, 0);
    assert.deepEqual(await payloads(consumer), ["1.0", "1.1"]);
    consumer.redeliver();
    deliver(2, 1, 0);
    deliver(1, 2, 1);
    assert.deepEqual(await payloads(consumer), ["1.0", "1.1"]);
    deliver(2, 1, 1);
    assert.deepEqual(await payloads(consumer), ["2.0"]);
    await consumer.close();
  });

  test("acknowledges whole entries, and leaves out what it has handled of the one that comes again", async () => {
    const progress: Progress = { half: null };
    const consumer = await open(progress);
    deliver(1, 2, 0);
    deliver(2, 3, 0);
    const first = await consumer.take(2);
    const second = await consumer.take(2);
    consumer.acknowledge([...first, ...second.slice(0, 1)]);
    consumer.redeliver();
    deliver(2, 3, 1);
    assert.deepEqual(await payloads(consumer), ["2.1", "2.2"]);
    await consumer.close();
    assert.deepEqual(
      heard("ack").map(({ messageId }) => messageId),
      [[{ ledgerId: 1n, entryId: 1n, partition: 0 }]],
    );
    // It is known to the next consumer as well, whatever became of the connection.
    const next = await open(progress);
    deliver(2, 3, 0);
    assert.deepEqual(await payloads(next), ["2.1", "2.2"]);
    await next.close();
  });

  test("gives back leave for whatever has left it, and for no more than that", async () => {
    const consumer = await open();
    for (let entry = 1; entry <= 12; entry++) deliver(entry, 100, 0);
    for (let taken = 0; taken < 600; ) taken += (await consumer.take(600 - taken)).length;
    consumer.redeliver();
    deliver(1, 100, 1);
    assert.equal((await consumer.take(100)).length, 100);
    await consumer.close();
    const given = heard("flow").map(({ messagePermits }) => Number(messagePermits));
    assert.equal(given[0], 1_000);
    const sum = given.slice(1).reduce((total, permits) => total + permits, 0);
    assert.ok(sum > 700 && sum <= 1_300, `${given}`);
  });

  test("gives back leave for all of an entry that it cannot take apart", async () => {
    const consumer = await open();
    const lz4 = { producerName: "another", sequenceId: 1n, publishTime: 1n, compression: 1, numMessagesInBatch: 1_000 };
    const send = { producerId: 1, sequenceId: 1n, numMessages: 1_000, highestSequenceId: 1n };
    deliverSection(1, sectionOf(encodeSend(send, lz4, Buffer.from("packed"))), 0);
    const [entry] = await consumer.take(10);
    assert.match(entry?.unreadable ?? "", /LZ4/);
    await consumer.close();
    const given = heard("flow").reduce((total, { messagePermits }) => total + Number(messagePermits), 0);
    assert.ok(given >= 1_999, `${given}`);
  });

  test("lets go of what it has not begun when another one gets the partition", async () => {
    const consumer = await open();
    deliver(1, 4, 0);
    assert.equal((await consumer.take(1)).length, 1);
    const consumerId = BigInt(Number(heard("subscribe")[0]?.["consumerId"]));
    broker.sockets.at(-1)?.write(encodeCommand("activeConsumerChange", { consumerId, isActive: false }));
    deliver(2, 1, 0);
    broker.sockets.at(-1)?.write(encodeCommand("activeConsumerChange", { consumerId, isActive: true }));
    deliver(3, 1, 0);
    // What was said before the answer has arrived with it.
    await (await cluster.connect()).ping();
    assert.deepEqual(await payloads(consumer), ["3.0"]);
    await consumer.close();
  });
});
