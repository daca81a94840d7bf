/** What one part of a process rings when there is something to do for another. */
export type Bell = {
  ring(): void;
  /** Until it rings, or after so many milliseconds; at once where it rang since the last wait. */
  wait(mostMs: number): Promise<void>;
};

export function createBell(): Bell {
  let rang = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      rang = true;
      wake?.();
    },
    async wait(mostMs) {
      if (!rang) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, mostMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wake = undefined;
      }
      rang = false;
    },
  };
}
