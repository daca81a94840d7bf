import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deflateSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { crc32c } from "./crc32c.ts";
import { encodeBatch, encodeMessage, readEntry } from "./entries.ts";
import { createFrameReader, decodeEntry, decodeFrame, encodeCommand, encodeSend } from "./frames.ts";
import { compressionType, type EntryMetadata } from "./schema.ts";
import { fullName, parseTopic, partitionOf, partNames } from "./topics.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("CRC-32C", () => {
  test("is what RFC 3720 gives as examples", () => {
    assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
    assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
    assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43);
    assert.equal(crc32c(Buffer.from(Array.from({ length: 32 }, (_, n) => n))), 0x46dd794e);
    assert.equal(crc32c(Buffer.alloc(0)), 0);
  });
});

describe("a command", () => {
  test("is on the wire what the protocol says", () => {
    // Type 18, and field 18 with nothing in it.
    assert.equal(hex(encodeCommand("ping", {})), "0000000900000005" + "0812920100");
    // Type 11; field 11 with the consumer's id 7 and 1,000 permits.
    assert.equal(
      hex(encodeCommand("flow", { consumerId: 7, messagePermits: 1_000 })),
      "0000000d00000009" + "080b" + "5a05" + "0807" + "10e807",
    );
    // Type 6; field 6 with producer 1, first number 300, two messages, last number 2^60.
    assert.equal(
      hex(encodeCommand("send", { producerId: 1, sequenceId: 300n, numMessages: 2, highestSequenceId: 2n ** 60n })),
      "0000001900000015" + "0806" + "3211" + "0801" + "10ac02" + "1802" + "30" + "808080808080808010",
    );
  });

  test("is read with what is there told from what is not, also where it is 0 or negative", () => {
    const success = { requestId: 3n, producerName: "x", lastSequenceId: -1n };
    const command = decodeFrame(encodeCommand("producerSuccess", success).subarray(4));
    assert.deepEqual(command?.fields, success);
    const none = decodeFrame(encodeCommand("partitionsResponse", { requestId: 1n, partitions: 0 }).subarray(4));
    assert.deepEqual(none?.fields, { requestId: 1n, partitions: 0 });
    const failed = decodeFrame(encodeCommand("partitionsResponse", { requestId: 1n, error: 0 }).subarray(4));
    assert.deepEqual(failed?.fields, { requestId: 1n, error: 0 });
  });

  test("that is not known is left out", () => {
    assert.equal(decodeFrame(Buffer.from("00000005" + "0832920300", "hex")), null);
  });
});

describe("frames", () => {
  test("are cut from whatever pieces they come in", () => {
    const frames = [1, 300, 70_000].map((length) => Buffer.alloc(length, length));
    const stream = Buffer.concat(
      frames.flatMap((frame) => {
        const size = Buffer.alloc(4);
        size.writeUInt32BE(frame.length);
        return [size, frame];
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (cuts) => {
        const reader = createFrameReader();
        const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const read = places.slice(1).flatMap((end, nth) => reader.push(stream.subarray(places[nth], end), 100_000));
        assert.deepEqual(read.map(hex), frames.map(hex));
      }),
      { numRuns: 200 },
    );
  });

  test("that are larger than any message are not waited for", () => {
    assert.throws(() => createFrameReader().push(Buffer.from("HTTP/1.1 400 Bad Request\r\n"), 5_242_880), /a frame of/);
  });
});

/** What the broker passes on of what we send: everything behind the command. */
function sectionOf(frame: Buffer): Buffer {
  return decodeFrame(frame.subarray(4))?.payload ?? assert.fail("a command");
}

const producer = { id: 1, name: "marketflow-0-p8" };

describe("an entry", () => {
  test("holds the messages that were put into it, whatever is in them", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 20 });
    const message = fc.record({ key: text, payload: text, properties: fc.dictionary(text, text, { maxKeys: 4 }) });
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), (messages) => {
        const encoded = messages.map((one, nth) => encodeMessage({ ...one, sequenceId: BigInt(nth + 10) }));
        const frame = encodeBatch(producer, encoded);
        const read = readEntry(sectionOf(frame));
        assert.deepEqual(
          read.map(({ key, payload, properties }) => ({ key, payload: payload.toString(), ...properties })),
          messages.map(({ key, payload, properties }) => ({ key, payload, ...properties })),
        );
        const { metadata } = decodeEntry(sectionOf(frame));
        assert.equal(metadata.sequenceId, 10n);
        assert.equal(metadata.highestSequenceId, BigInt(messages.length + 9));
        assert.equal(metadata.numMessagesInBatch, messages.length);
      }),
      { numRuns: 300 },
    );
  });

  test("that was damaged on its way is not read", () => {
    const frame = encodeBatch(producer, [encodeMessage({ sequenceId: 1n, key: "k", properties: {}, payload: "p" })]);
    frame[frame.length - 1] = (frame.at(-1) ?? 0) ^ 1;
    assert.throws(() => readEntry(sectionOf(frame)), /wrong checksum/);
  });

  const send = { producerId: 1, sequenceId: 1n, numMessages: 1, highestSequenceId: 1n };
  const metadata: EntryMetadata = {
    producerName: "another client",
    sequenceId: 1n,
    publishTime: 1n,
    partitionKey: "k",
  };
  const entry = (more: Partial<EntryMetadata>, payload: Buffer) =>
    readEntry(sectionOf(encodeSend(send, { ...metadata, ...more }, payload)));

  test("may be one message alone, and compressed, as other clients send it", () => {
    const plain = Buffer.from("a message ".repeat(20));
    const uncompressedSize = plain.length;
    const packed: [Partial<EntryMetadata>, Buffer][] = [
      [{}, plain],
      [{ compression: compressionType.zlib, uncompressedSize }, deflateSync(plain)],
      [{ compression: compressionType.zstd, uncompressedSize }, zstdCompressSync(plain)],
    ];
    for (const [more, payload] of packed) {
      const [message] = entry(more, payload);
      assert.deepEqual(
        [message?.key, message?.payload.toString(), message?.unreadable],
        ["k", plain.toString(), undefined],
      );
    }
  });

  test("that nobody can read is one message that says why", () => {
    const unreadable: [Partial<EntryMetadata>, RegExp][] = [
      [{ compression: 1, uncompressedSize: 5 }, /LZ4/],
      [{ encryptionKeys: [Buffer.from("key")] }, /encrypted/],
      [{ numChunksFromMsg: 2 }, /chunks/],
      [{ numMessagesInBatch: 2 }, /damaged/],
      [{ compression: compressionType.zlib, uncompressedSize: 3 }, /damaged/],
      [{ compression: compressionType.zlib, uncompressedSize: 4_000_000_000 }, /too large/],
    ];
    for (const [more, reason] of unreadable) {
      const messages = entry(more, deflateSync("not what it says"));
      assert.equal(messages.length, 1);
      assert.match(messages[0]?.unreadable ?? "", reason);
    }
  });
});

describe("topics", () => {
  test("are named in short or in full", () => {
    assert.deepEqual(parseTopic("pagos-events"), { namespace: "public/default", name: "pagos-events" });
    assert.deepEqual(parseTopic("persistent://a/b/c"), { namespace: "a/b", name: "c" });
    assert.equal(fullName(parseTopic("c")), "persistent://public/default/c");
    for (const text of ["", "a/b", "persistent://a/b", "non-persistent://a/b/c"]) assert.throws(() => parseTopic(text));
  });

  test("have partitions, or are one", () => {
    assert.deepEqual(partNames("t", 2), ["t-partition-0", "t-partition-1"]);
    assert.deepEqual(partNames("t", 0), ["t"]);
  });

  test("have a key in the partition in which Java has it", () => {
    // "hello".hashCode() is 99162322, and "polygenelubricants".hashCode() is -2^31.
    assert.equal(partitionOf("hello", 1_000), 322);
    assert.equal(partitionOf("polygenelubricants", 8), 0);
    assert.equal(partitionOf("", 8), 0);
    assert.equal(partitionOf("hello", 1), 0);
  });
});
