import { inflateSync, zstdDecompressSync } from "node:zlib";
import { decodeEntry, encodeSend } from "./frames.ts";
import { type BatchedMetadata, batchedMetadataType, compressionType, type EntryMetadata } from "./schema.ts";

/** A message in an entry of a topic. */
export type EntryMessage = {
  readonly key: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly payload: Buffer;
  /** Why it cannot be read, where that is so; the payload is then what came. */
  readonly unreadable?: string;
  /** How many messages the broker counts for it, where that is an entry that could not be taken apart. */
  readonly counted?: number;
};

/** A message in the form in which batches have it, ready to be sent. */
export type EncodedMessage = {
  /** By which the broker knows it again; rises from message to message. */
  readonly sequenceId: bigint;
  readonly key: string;
  readonly bytes: Buffer;
};

/** What the metadata of a batch of ours takes beside names and keys, generously. */
const metadataBytes = 128;
/** More than any entry may have: what says that it becomes larger is not opened. */
const mostUncompressedBytes = 134_217_728;

/** Encodes a message as a batch holds it: the size of its metadata, the metadata, the payload. */
export function encodeMessage(message: {
  readonly sequenceId: bigint;
  readonly key: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly payload: string | Buffer;
}): EncodedMessage {
  const { sequenceId, key, payload } = message;
  const payloadSize = Buffer.byteLength(payload);
  const properties = Object.entries(message.properties).map(([name, value]) => ({ key: name, value }));
  const head = batchedMetadataType.encode({ properties, partitionKey: key, payloadSize }).finish();
  const bytes = Buffer.allocUnsafe(4 + head.length + payloadSize);
  bytes.writeUInt32BE(head.length, 0);
  bytes.set(head, 4);
  if (typeof payload === "string") bytes.write(payload, 4 + head.length, "utf8");
  else bytes.set(payload, 4 + head.length);
  return { sequenceId, key, bytes };
}

/** How many bytes a message takes that is sent alone, metadata included: what a broker compares with its limit. */
export function bytesAlone(message: EncodedMessage, producerName: string): number {
  return message.bytes.length + metadataBytes + Buffer.byteLength(producerName) + Buffer.byteLength(message.key);
}

/** The frame that sends the messages as one entry, also where that is one message. There must be one. */
export function encodeBatch(producer: { id: number; name: string }, batch: readonly EncodedMessage[]): Buffer {
  const [first] = batch;
  const last = batch.at(-1);
  if (first === undefined || last === undefined) throw new Error("an empty batch");
  const payload = batch.length === 1 ? first.bytes : Buffer.concat(batch.map(({ bytes }) => bytes));
  return encodeSend(
    {
      producerId: producer.id,
      sequenceId: first.sequenceId,
      numMessages: batch.length,
      highestSequenceId: last.sequenceId,
    },
    {
      producerName: producer.name,
      sequenceId: first.sequenceId,
      publishTime: BigInt(Date.now()),
      highestSequenceId: last.sequenceId,
      numMessagesInBatch: batch.length,
      uncompressedSize: payload.length,
      // Consumers that share work by key look at the entry and not into it: an entry of one message can serve them.
      ...(batch.length === 1 && { partitionKey: first.key }),
    },
    payload,
  );
}

/** The messages of an entry, in their order. Throws where it was damaged on its way. */
export function readEntry(section: Buffer): EntryMessage[] {
  const { metadata, payload } = decodeEntry(section);
  const unread = { ...labels(metadata), payload, counted: Math.max(1, metadata.numMessagesInBatch ?? 1) };
  const unreadable = whyUnreadable(metadata);
  if (unreadable !== null) return [{ ...unread, unreadable }];
  try {
    const plain = decompress(metadata, payload);
    if (metadata.numMessagesInBatch === undefined) return [{ ...labels(metadata), payload: plain }];
    return readBatch(plain, metadata.numMessagesInBatch);
  } catch (error) {
    // Whoever wrote it wrote no batch: it will never be another one, and must not stop what comes after it.
    return [{ ...unread, unreadable: `it is damaged: ${String(error)}` }];
  }
}

function readBatch(plain: Buffer, count: number): EntryMessage[] {
  const messages: EntryMessage[] = [];
  let at = 0;
  for (let nth = 0; nth < count; nth++) {
    const payloadAt = at + 4 + plain.readUInt32BE(at);
    const head = batchedMetadataType.decode(plain.subarray(at + 4, payloadAt)) as unknown as BatchedMetadata;
    at = payloadAt + head.payloadSize;
    if (head.payloadSize < 0 || at > plain.length) throw new Error("a message ends outside of its batch");
    messages.push({ ...labels(head), payload: plain.subarray(payloadAt, at) });
  }
  return messages;
}

function labels({
  partitionKey,
  properties,
}: EntryMetadata | BatchedMetadata): Pick<EntryMessage, "key" | "properties"> {
  return {
    key: partitionKey ?? "",
    properties: Object.fromEntries((properties ?? []).map(({ key, value }) => [key, value])),
  };
}

function whyUnreadable(metadata: EntryMetadata): string | null {
  const compression = metadata.compression ?? compressionType.none;
  if ((metadata.encryptionKeys?.length ?? 0) > 0) return "it is encrypted";
  if ((metadata.numChunksFromMsg ?? 1) > 1) return "it is in several chunks";
  if ((metadata.uncompressedSize ?? 0) > mostUncompressedBytes) return "it is too large";
  if (!Object.values<number>(compressionType).includes(compression)) return "it is compressed with LZ4 or Snappy";
  return null;
}

function decompress({ compression, uncompressedSize }: EntryMetadata, payload: Buffer): Buffer {
  const options = { maxOutputLength: Math.max(1, uncompressedSize ?? 0) };
  if (compression === compressionType.zlib) return inflateSync(payload, options);
  if (compression === compressionType.zstd) return zstdDecompressSync(payload, options);
  return payload;
}
