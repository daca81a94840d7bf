import { memoryOf } from "./processes.ts";
import { median } from "./report.ts";

/** What a process held over a while: medians of the first and of the last fifth of the samples, and the most. */
export type MemoryCourse = { readonly firstMb: number; readonly lastMb: number; readonly peakMb: number };

/** Often enough that the fifths of a run of ten seconds are more than two samples each. */
const sampleEveryMs = 250;

/** Begins to look at a process's memory; the result ends it and says what was seen. */
export function watchMemory(pid: number): () => MemoryCourse {
  const samples: number[] = [];
  const look = () => samples.push(memoryOf(pid).residentMb);
  look();
  const timer = setInterval(look, sampleEveryMs);
  return () => {
    clearInterval(timer);
    look();
    return courseOf(samples);
  };
}

/** Throws where there is no sample. */
export function courseOf(samples: readonly number[]): MemoryCourse {
  const fifth = Math.max(1, Math.floor(samples.length / 5));
  return {
    firstMb: median(samples.slice(0, fifth)),
    lastMb: median(samples.slice(-fifth)),
    peakMb: Math.max(...samples),
  };
}

/** What the garbage collector is allowed to differ by from one moment to the other. */
const toleratedGrowth = 0.1;

export function isFlat({ firstMb, lastMb }: MemoryCourse): boolean {
  return lastMb <= firstMb * (1 + toleratedGrowth);
}
