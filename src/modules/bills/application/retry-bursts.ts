/** Retries of one payment that came at the same time to this process. */
type Burst = {
  /** How many of them have no answer yet. */
  inside: number;
  /** One of them has had its attempt. */
  begun: boolean;
  /** There was more than one of them. */
  crowded: boolean;
  ending: NodeJS.Timeout | undefined;
};

/** The bursts of this process, by payment: no more than there are requests, but for those that have just ended. */
export type RetryBursts = Map<string, Burst>;

/** What came this shortly after the last of several came at the same time as they did. */
const lingerMs = 100;

/**
 * Runs what answers a retry, and tells it whether it may make an attempt: of retries that come at the same time one
 * may, even where its attempt is over before the last of them was read. The database alone could not tell those that
 * were sent together from those that were sent after each other, and a stampede would use up all of a payment's
 * retries. A retry that comes alone is always the first of its burst.
 */
export async function inBurst<Answer>(
  bursts: RetryBursts,
  key: string,
  answer: (turn: { take(): boolean; giveBack(): void }) => Promise<Answer>,
): Promise<Answer> {
  const burst = bursts.get(key) ?? { inside: 0, begun: false, crowded: false, ending: undefined };
  burst.crowded ||= bursts.has(key);
  burst.inside += 1;
  clearTimeout(burst.ending);
  bursts.set(key, burst);
  try {
    return await answer({
      take() {
        const isFirst = !burst.begun;
        burst.begun = true;
        return isFirst;
      },
      giveBack() {
        burst.begun = false;
      },
    });
  } finally {
    burst.inside -= 1;
    if (burst.inside === 0) end(bursts, key, burst);
  }
}

function end(bursts: RetryBursts, key: string, burst: Burst): void {
  if (!burst.crowded) bursts.delete(key);
  else burst.ending = setTimeout(() => bursts.delete(key), lingerMs).unref();
}
