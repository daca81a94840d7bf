/** Each power of two of the values is cut into 2^7 buckets, so that a percentile is less than 0.8 % off. */
const precisionBits = 7;
const bucketsPerPower = 2 ** precisionBits;
const powers = 32 - precisionBits;

/** The percentiles that reports show, in milliseconds. */
export type LatencySummary = {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

/**
 * Counts durations in logarithmic buckets (like HdrHistogram): recording costs a few nanoseconds and no memory,
 * whatever the number of requests.
 */
export class Histogram {
  readonly #counts = new Uint32Array((powers + 1) * bucketsPerPower);
  #count = 0;
  #sumUs = 0;
  #maxUs = 0;

  /** Records one duration in microseconds; negative ones count as 0, those over an hour as 2^32 - 1 µs. */
  record(durationUs: number): void {
    const us = Math.min(Math.max(Math.round(durationUs), 0), 2 ** 32 - 1);
    const bucket = bucketOf(us);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#sumUs += us;
    if (us > this.#maxUs) this.#maxUs = us;
  }

  /** The least duration, in µs, that at least `share` (0 to 1) of all durations do not exceed; 0 when empty. */
  percentileUs(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket += 1) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= wanted) return Math.min(largestOf(bucket), this.#maxUs);
    }
    return 0;
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      meanMs: this.#count === 0 ? 0 : this.#sumUs / this.#count / 1000,
      p50Ms: this.percentileUs(0.5) / 1000,
      p95Ms: this.percentileUs(0.95) / 1000,
      p99Ms: this.percentileUs(0.99) / 1000,
      maxMs: this.#maxUs / 1000,
    };
  }
}

/** Values below 2 * 2^7 have a bucket of their own; above, the leading bit and the seven after it choose it. */
function bucketOf(us: number): number {
  const shift = Math.max(0, 31 - Math.clz32(us) - precisionBits);
  return shift * bucketsPerPower + (us >>> shift);
}

function largestOf(bucket: number): number {
  if (bucket < 2 * bucketsPerPower) return bucket;
  const shift = Math.floor(bucket / bucketsPerPower) - 1;
  return (bucket - shift * bucketsPerPower + 1) * 2 ** shift - 1;
}
