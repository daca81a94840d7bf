import { crc32c } from "./crc32c.ts";
import { type Commands, commandNumbers, commandType, type EntryMetadata, entryMetadataType } from "./schema.ts";

/** A command of the broker, with what stands behind it where that is a message. */
export type ReceivedCommand = {
  [Name in keyof Commands]: { readonly name: Name; readonly fields: Commands[Name]; readonly payload: Buffer };
}[keyof Commands];

/** Says that a checksum follows. */
const magic = 0x0e01;
/** What a frame may have above the largest message: commands, metadata and sizes. */
const framePadding = 16_384;

const namesByNumber = new Map(Object.entries(commandNumbers).map(([name, number]) => [number, name]));

function encodeBare<Name extends keyof Commands>(name: Name, fields: Commands[Name]): Uint8Array {
  const type = commandNumbers[name];
  return commandType.encode(commandType.fromObject({ type, [name]: fields })).finish();
}

/** The frame of a command without a payload: its size, the size of the command, the command. */
export function encodeCommand<Name extends keyof Commands>(name: Name, fields: Commands[Name]): Buffer {
  const command = encodeBare(name, fields);
  const frame = Buffer.allocUnsafe(8 + command.length);
  frame.writeUInt32BE(4 + command.length, 0);
  frame.writeUInt32BE(command.length, 4);
  frame.set(command, 8);
  return frame;
}

/** The frame of an entry: the command, then magic, checksum, the size of the metadata, the metadata and the payload. */
export function encodeSend(send: Commands["send"], metadata: EntryMetadata, payload: Uint8Array): Buffer {
  const command = encodeBare("send", send);
  const head = entryMetadataType.encode(entryMetadataType.fromObject(metadata)).finish();
  const section = 8 + command.length;
  const frame = Buffer.allocUnsafe(section + 10 + head.length + payload.length);
  frame.writeUInt32BE(frame.length - 4, 0);
  frame.writeUInt32BE(command.length, 4);
  frame.set(command, 8);
  frame.writeUInt16BE(magic, section);
  frame.writeUInt32BE(head.length, section + 6);
  frame.set(head, section + 10);
  frame.set(payload, section + 10 + head.length);
  frame.writeUInt32BE(crc32c(frame.subarray(section + 6)), section + 2);
  return frame;
}

/** Reads what stands behind the size of a frame. Null where it is a command that we do not know. */
export function decodeFrame(frame: Buffer): ReceivedCommand | null {
  const size = frame.readUInt32BE(0);
  if (4 + size > frame.length) throw new Error(`a command of ${size} bytes in a frame of ${frame.length}`);
  const decoded = commandType.toObject(commandType.decode(frame.subarray(4, 4 + size)), { longs: BigInt });
  const name = namesByNumber.get(decoded["type"]);
  if (name === undefined) return null;
  return { name, fields: decoded[name] ?? {}, payload: frame.subarray(4 + size) } as ReceivedCommand;
}

/** Takes apart what stands behind the command of a message. Throws where the checksum is wrong. */
export function decodeEntry(section: Buffer): { readonly metadata: EntryMetadata; readonly payload: Buffer } {
  let at = 0;
  if (section.readUInt16BE(0) === magic) {
    at = 6;
    if (section.readUInt32BE(2) !== crc32c(section.subarray(at))) throw new Error("a message with a wrong checksum");
  }
  const size = section.readUInt32BE(at);
  const payloadAt = at + 4 + size;
  if (payloadAt > section.length) throw new Error(`metadata of ${size} bytes in ${section.length}`);
  const metadata = entryMetadataType.toObject(entryMetadataType.decode(section.subarray(at + 4, payloadAt)), {
    longs: BigInt,
  }) as EntryMetadata;
  return { metadata, payload: section.subarray(payloadAt) };
}

/**
 * Cuts what arrives into frames, without their sizes. Throws where one is larger than the largest message allows: what
 * arrives is no Pulsar then, and must not fill the memory.
 */
export function createFrameReader(): { push(chunk: Buffer, maxMessageBytes: number): Buffer[] } {
  let chunks: Buffer[] = [];
  let held = 0;
  let needed = 4;
  return {
    push(chunk, maxMessageBytes) {
      chunks.push(chunk);
      held += chunk.length;
      if (held < needed) return [];
      let rest = chunks.length === 1 ? chunk : Buffer.concat(chunks, held);
      const frames: Buffer[] = [];
      for (needed = 4; rest.length >= 4; ) {
        const size = rest.readUInt32BE(0);
        if (size > maxMessageBytes + framePadding) throw new Error(`a frame of ${size} bytes`);
        needed = 4 + size;
        if (rest.length < needed) break;
        frames.push(rest.subarray(4, needed));
        rest = rest.subarray(needed);
        needed = 4;
      }
      chunks = rest.length === 0 ? [] : [rest];
      held = rest.length;
      return frames;
    },
  };
}
