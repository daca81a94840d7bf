/** Requests under way in this process, by key, so that a repeated one is woken instead of polling. */
export type UnderWay = Map<string, Promise<unknown>>;

/** Lets repeated requests in this process wait for the work itself, for as long as it runs. */
export async function announce<Value>(underWay: UnderWay, key: string, work: Promise<Value>): Promise<Value> {
  underWay.set(key, work);
  try {
    return await work;
  } finally {
    underWay.delete(key);
  }
}

const firstPollMs = 20;
const longestPollMs = 200;

/**
 * Looks what stands under a key until the first request with it is over, or until the time has come; resolves to what
 * was seen last. A request of this process is waited for, one of another process is polled for.
 */
export async function lookUntilOver<Standing>(
  waiting: { readonly underWay: UnderWay; readonly key: string; readonly untilMs: number },
  look: () => Promise<Standing>,
  isOver: (standing: Standing) => boolean,
): Promise<Standing> {
  const { underWay, key, untilMs } = waiting;
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, longestPollMs)) {
    const standing = await look();
    const leftMs = untilMs - performance.now();
    if (isOver(standing) || leftMs <= 0) return standing;
    const first = underWay.get(key);
    await ended(first, first === undefined ? Math.min(pollMs, leftMs) : leftMs);
  }
}

/** Resolves when the work has ended, however it did, or after the given time. */
export async function ended(work: Promise<unknown> | undefined, mostMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, mostMs);
  });
  const over = work?.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race(over === undefined ? [timeout] : [over, timeout]);
  clearTimeout(timer);
}
