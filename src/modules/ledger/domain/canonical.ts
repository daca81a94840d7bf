/**
 * The canonical form of what is in the ledger: the bytes that seals hash. Written from docs/ledger-proof.md and not
 * from the SQL that makes the seals, so that the audit does not repeat a mistake of theirs. Integers are big-endian in
 * two's complement; a text is its length in 4 bytes and its UTF-8; what may be missing has the length -1 where it is.
 * Moments are microseconds since 2000-01-01 UTC.
 */
export type SealedRow =
  | { readonly kind: "batch"; readonly id: bigint; readonly postedAt: bigint }
  | {
      readonly kind: "account";
      readonly id: bigint;
      readonly tenant: string;
      readonly code: string;
      readonly currency: string;
      readonly normalSide: string;
      readonly floored: boolean;
    }
  | {
      readonly kind: "transaction";
      readonly id: bigint;
      readonly tenant: string;
      /** What happened: sale, refund, … */
      readonly type: string;
      readonly reference: string;
      readonly externalId: string | null;
      readonly postedAt: bigint;
      readonly effectiveAt: bigint | null;
    }
  | {
      readonly kind: "entry";
      readonly id: bigint;
      readonly leg: number;
      readonly accountId: bigint;
      readonly version: bigint;
      readonly amount: bigint;
      readonly balance: bigint;
      readonly currency: string;
      readonly postedAt: bigint;
      readonly effectiveAt: bigint | null;
    }
  | {
      readonly kind: "hold";
      readonly id: bigint;
      readonly tenant: string;
      readonly reference: string;
      readonly accountId: bigint;
      readonly amount: bigint;
      readonly heldAt: bigint;
      readonly expiresAt: bigint | null;
    }
  | {
      readonly kind: "resolution";
      /** The hold's. */
      readonly id: bigint;
      readonly resolution: string;
      readonly transactionId: bigint | null;
      readonly batchId: bigint;
    }
  | {
      readonly kind: "floor_change";
      readonly id: bigint;
      readonly accountId: bigint;
      readonly floor: bigint;
      readonly reason: string;
      readonly changedBy: string;
      readonly changedAt: bigint;
    };

/** In the order in which a batch's rows are hashed; the place, from 1 on, is the first byte of the row. */
export const sealedKinds = [
  "batch",
  "account",
  "transaction",
  "entry",
  "hold",
  "resolution",
  "floor_change",
] as const satisfies readonly SealedRow["kind"][];

const utf8 = new TextEncoder();

/** Bytes that grow at their end. One writer serves many rows: an audit makes millions of them. */
class CanonicalWriter {
  #bytes = new Uint8Array(1_024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What was written, valid until the next row. */
  take(): Uint8Array {
    const written = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return written;
  }

  #room(size: number): number {
    const at = this.#length;
    if (at + size > this.#bytes.length) {
      const larger = new Uint8Array(2 * (at + size));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length += size;
    return at;
  }

  byte(value: number): this {
    const at = this.#room(1);
    this.#bytes[at] = value;
    return this;
  }

  int2(value: number): this {
    const at = this.#room(2);
    this.#view.setInt16(at, value);
    return this;
  }

  int4(value: number): this {
    const at = this.#room(4);
    this.#view.setInt32(at, value);
    return this;
  }

  int8(value: bigint): this {
    const at = this.#room(8);
    this.#view.setBigInt64(at, value);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  text(value: string | null): this {
    if (value === null) return this.int4(-1);
    // One UTF-16 unit is at most three bytes of UTF-8.
    const at = this.#room(4 + 3 * value.length);
    const { written } = utf8.encodeInto(value, this.#bytes.subarray(at + 4));
    this.#view.setInt32(at, written);
    this.#length = at + 4 + written;
    return this;
  }

  moment(value: bigint | null): this {
    return value === null ? this.int4(-1) : this.int4(8).int8(value);
  }
}

const writer = new CanonicalWriter();

/** A row in canonical form. The bytes are overwritten by the next call: hash or copy them. */
export function canonicalRow(row: SealedRow): Uint8Array {
  writer.byte(sealedKinds.indexOf(row.kind) + 1).int8(row.id);
  switch (row.kind) {
    case "batch":
      writer.int8(row.postedAt);
      break;
    case "account":
      writer
        .text(row.tenant)
        .text(row.code)
        .text(row.currency)
        .text(row.normalSide)
        .byte(row.floored ? 1 : 0);
      break;
    case "transaction":
      writer.text(row.tenant).text(row.type).text(row.reference).text(row.externalId);
      writer.int8(row.postedAt).moment(row.effectiveAt);
      break;
    case "entry":
      writer.int2(row.leg).int8(row.accountId).int8(row.version).int8(row.amount).int8(row.balance);
      writer.text(row.currency).int8(row.postedAt).moment(row.effectiveAt);
      break;
    case "hold":
      writer.text(row.tenant).text(row.reference).int8(row.accountId).int8(row.amount);
      writer.int8(row.heldAt).moment(row.expiresAt);
      break;
    case "resolution":
      writer.text(row.resolution).text(row.transactionId === null ? null : row.transactionId.toString());
      writer.int8(row.batchId);
      break;
    case "floor_change":
      writer.int8(row.accountId).int8(row.floor).text(row.reason).text(row.changedBy).int8(row.changedAt);
      break;
  }
  return writer.take();
}

/** What a seal says besides the digests of its rows. */
export type SealHeader = {
  readonly number: bigint;
  /** The hash of the seal before, 32 bytes. */
  readonly previous: Uint8Array;
  readonly batches: readonly bigint[];
  readonly sealedAt: bigint;
  readonly rows: number;
};

/** What is hashed before the digests of the rows. The bytes are overwritten by the next call: hash or copy them. */
export function canonicalHeader(header: SealHeader): Uint8Array {
  writer.int8(header.number).bytes(header.previous).int4(header.batches.length);
  for (const id of header.batches) writer.int8(id);
  return writer.int8(header.sealedAt).int4(header.rows).take();
}

/** How many bytes of each row's digest a seal keeps, in order, to say which row was changed. */
export const markLength = 8;

/** The head of the chain as it is exported: the number of the newest seal and its hash in hexadecimal. */
export type Head = { readonly number: bigint; readonly hash: string };

export function formatHead(head: Head): string {
  return `${head.number}:${head.hash}`;
}

/** Reads `NUMBER:HASH`; undefined where it is something else. */
export function parseHead(text: string): Head | undefined {
  const [, number, hash] = /^([1-9]\d{0,17}):([0-9a-f]{64})$/i.exec(text.trim()) ?? [];
  if (number === undefined || hash === undefined) return undefined;
  return { number: BigInt(number), hash: hash.toLowerCase() };
}
