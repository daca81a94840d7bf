/** So many numbers share one page of bits. */
const pageBits = 65_536n;

/** Batches have positive numbers, and their rows' ids have 64 bits with 16 of them for the place in the batch. */
export function isBatchNumber(id: bigint): boolean {
  return id > 0n && id < 2n ** 47n;
}

/**
 * A set of batch numbers as bits: they come from a sequence and are dense, so that ten million of them take little more
 * than a megabyte.
 */
export class BatchSet {
  readonly #pages = new Map<bigint, Uint8Array>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** False where it was in the set already. */
  add(id: bigint): boolean {
    const number = id / pageBits;
    const place = Number(id % pageBits);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = new Uint8Array(Number(pageBits) / 8);
      this.#pages.set(number, page);
    }
    const bit = 1 << (place & 7);
    const byte = page[place >> 3] ?? 0;
    if ((byte & bit) !== 0) return false;
    page[place >> 3] = byte | bit;
    this.#size++;
    return true;
  }

  has(id: bigint): boolean {
    if (!isBatchNumber(id)) return false;
    const place = Number(id % pageBits);
    return ((this.#pages.get(id / pageBits)?.[place >> 3] ?? 0) & (1 << (place & 7))) !== 0;
  }
}
