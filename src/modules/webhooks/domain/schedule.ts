const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** How long each further try waits, as Standard Webhooks has it: ten tries within some 75 hours. In milliseconds. */
const pauses = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
] as const;

/** What an endpoint asks for by Retry-After counts up to here, in milliseconds. */
const longestAsked = 24 * hour;
/** Pauses are up to so much longer, so that what failed together does not come again together. */
const jitter = 0.1;

/**
 * How long the next try waits after so many that failed, in milliseconds; null after the last. An endpoint may ask for
 * longer. `random` is from 0 to 1.
 */
export function pauseAfter(tries: number, askedMs: number | null, random: number): number | null {
  const pause = pauses[tries - 1];
  if (pause === undefined) return null;
  return Math.round(Math.max(pause * (1 + jitter * random), Math.min(askedMs ?? 0, longestAsked)));
}
