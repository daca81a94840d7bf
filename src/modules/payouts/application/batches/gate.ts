/** Lets so many of its users work at the same time; the others wait, in the order in which they came. */
export type Gate = { pass<Value>(work: () => Promise<Value>): Promise<Value> };

export function createGate(most: number): Gate {
  let inside = 0;
  let waiting: (() => void)[] = [];
  let next = 0;

  function leave(): void {
    const first = waiting[next];
    if (first === undefined) {
      inside -= 1;
      return;
    }
    // Its place goes over to whoever waited longest. What was let in is cut off now and then, and not each time.
    next += 1;
    if (next === 1_024) {
      waiting = waiting.slice(next);
      next = 0;
    }
    first();
  }

  return {
    async pass(work) {
      if (inside < most) inside += 1;
      else {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
        });
      }
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}

/** Wakes one that waits; what is raised while nobody waits is there for the next who does. */
export type Signal = {
  raise(): void;
  /** Resolves when it is raised, and after the time at the latest. */
  wait(mostMs: number): Promise<void>;
};

export function createSignal(): Signal {
  let isRaised = false;
  let wake: (() => void) | undefined;
  return {
    raise() {
      isRaised = true;
      wake?.();
    },
    async wait(mostMs) {
      if (!isRaised) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
          timer = setTimeout(resolve, mostMs).unref();
        });
        clearTimeout(timer);
        wake = undefined;
      }
      isRaised = false;
    },
  };
}
