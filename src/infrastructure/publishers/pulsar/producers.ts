import type { Cluster } from "./cluster.ts";
import { openProducer, type Producer, type ProducerOptions } from "./producer.ts";

/** The producers of a process, opened when needed and closed when nobody needs them for a while. */
export type Producers = {
  /**
   * Works with the producer of this name and topic, which nobody else does meanwhile. Where the work throws, the
   * producer is closed before this rejects, so that whoever comes next learns what the broker has.
   */
  use(options: ProducerOptions & { name: string }, work: (producer: Producer) => Promise<void>): Promise<void>;
  close(): Promise<void>;
};

type Place = { producer: Producer; isBusy: boolean; usedAtMs: number };

/** More than that many are open only while all of them are busy. */
const mostOpen = 1_000;

export function createProducers(cluster: Cluster, idleMs: number): Producers {
  // The one that was used longest ago stands first.
  const places = new Map<string, Place>();

  async function remove(key: string, { producer }: Place): Promise<void> {
    places.delete(key);
    await producer.close();
  }

  function closeIdle(): void {
    const before = performance.now() - idleMs;
    for (const [key, place] of places) {
      if (place.isBusy) continue;
      if (place.usedAtMs < before || places.size > mostOpen || !place.producer.isOpen()) void remove(key, place);
    }
  }
  const sweep = setInterval(closeIdle, Math.max(10, idleMs / 2));
  sweep.unref();

  return {
    async use(options, work) {
      const key = `${options.name} ${options.topic}`;
      const there = places.get(key);
      if (there?.isBusy) throw new Error(`${key} is busy: one call at a time for each lane`);
      if (there !== undefined && !there.producer.isOpen()) await remove(key, there);
      const producer = there?.producer.isOpen() ? there.producer : await openProducer(cluster, options);
      const place: Place = { producer, isBusy: true, usedAtMs: performance.now() };
      places.delete(key);
      places.set(key, place);
      if (places.size > mostOpen) closeIdle();
      try {
        await work(producer);
        place.isBusy = false;
        place.usedAtMs = performance.now();
      } catch (error) {
        await remove(key, place);
        throw error;
      }
    },
    async close() {
      clearInterval(sweep);
      await Promise.all([...places].map(([key, place]) => remove(key, place)));
    },
  };
}
