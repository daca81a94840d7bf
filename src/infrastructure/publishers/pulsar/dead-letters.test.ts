import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startStandIn, welcome } from "../../../../tests/conformance/pulsar-stand-in.ts";
import { createCluster } from "./cluster.ts";
import { createDeadLetters } from "./dead-letters.ts";
import { readEntry } from "./entries.ts";
import { encodeCommand } from "./frames.ts";

describe("a dead letter", () => {
  test("that is larger than the broker allows is cut off, and says so", async () => {
    const broker = await startStandIn((command, say) => {
      welcome(command, say);
      const { name, fields } = command;
      if (name === "lookup") {
        const requestId = BigInt(Number(fields.requestId));
        say("lookupResponse", { requestId, response: 1, brokerServiceUrl: broker.url });
      } else if (name === "producer") {
        say("producerSuccess", { requestId: BigInt(Number(fields.requestId)), producerName: "p", lastSequenceId: -1n });
      } else if (name === "send") {
        const { producerId, sequenceId } = fields;
        say("sendReceipt", { producerId: BigInt(Number(producerId)), sequenceId: BigInt(sequenceId) });
      } else if (name === "closeProducer") say("success", { requestId: BigInt(Number(fields.requestId)) });
    });
    const cluster = createCluster({ url: broker.url, answerMs: 300 });
    const letters = createDeadLetters(cluster, "s");
    const letter = { messageId: "1:2:0", topic: "t", key: "k", properties: { a: "b" } };
    await letters.put({ ...letter, payload: Buffer.from("small") }, "it is bad");
    await letters.put({ ...letter, payload: Buffer.alloc(5_000_000, "x") }, "it is large");
    const [small, large] = broker.heard.flatMap((command) =>
      command.name === "send" ? [{ ...command, bytes: command.payload.length }] : [],
    );
    assert.ok(small !== undefined && large !== undefined);
    assert.equal(readEntry(small.payload)[0]?.payload.toString(), "small");
    assert.equal(readEntry(small.payload)[0]?.properties["CUT_FROM_BYTES"], undefined);
    const frameBytes = encodeCommand("send", large.fields).length + large.bytes;
    assert.ok(frameBytes <= 1_234_567 && frameBytes > 1_234_000, `${frameBytes}`);
    const [cut] = readEntry(large.payload);
    assert.equal(cut?.properties["CUT_FROM_BYTES"], "5000000");
    assert.equal(cut?.properties["a"], "b");
    await letters.close();
    cluster.close();
  });
});
