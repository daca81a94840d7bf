/** A value larger than this many bytes is not kept: what is worth remembering is small. */
const mostValueBytes = 65_536;

const mostTtlMs = 365 * 24 * 3_600_000;

/** Milliseconds as both caches count them: whole, at most a year, and 0 for what is over at once. */
export function wholeMs(ttlMs: number): number {
  return ttlMs > 0 ? Math.min(Math.ceil(ttlMs), mostTtlMs) : 0;
}

/** How long a lock is asked for: one that is over at once would be a lock that nobody ever held. */
export function lockMs(ttlMs: number): number {
  return Math.max(wholeMs(ttlMs), 1);
}

/**
 * Whether a key says what it is in UTF-8, which is what reaches Redis: two keys with different halves of a surrogate
 * pair would be one there.
 */
export function isKey(key: string): boolean {
  return key.isWellFormed();
}

/** Whether a value is small enough to be kept, and comes back as it was. */
export function isKeepable(value: string): boolean {
  if (value.length > mostValueBytes) return false;
  return Buffer.byteLength(value) <= mostValueBytes && value.isWellFormed();
}
