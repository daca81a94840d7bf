import type { Cluster } from "./cluster.ts";
import { bytesAlone, encodeMessage } from "./entries.ts";
import { openProducer, type Producer } from "./producer.ts";

export type DeadLetter = {
  readonly messageId: string;
  readonly topic: string;
  readonly key: string;
  readonly payload: Buffer;
  readonly properties: Readonly<Record<string, string>>;
};

/** Where messages are put that a subscription cannot handle: the topic that Pulsar's own clients use for that. */
export type DeadLetters = {
  /** Resolves once it is kept. Rejects where it cannot be now. */
  put(letter: DeadLetter, reason: string): Promise<void>;
  close(): Promise<void>;
};

const deadlineMs = 30_000;
/** What the note takes that a letter was cut off. */
const noteBytes = 64;

export function createDeadLetters(cluster: Cluster, subscription: string): DeadLetters {
  const producers = new Map<string, Producer>();
  // One after another: they are rare, and a producer has one entry under way.
  let before: Promise<void> = Promise.resolve();

  async function producerOf(topic: string): Promise<Producer> {
    const there = producers.get(topic);
    if (there?.isOpen()) return there;
    const untilMs = performance.now() + deadlineMs;
    // Without a subscription Pulsar keeps nothing of a topic.
    const producer = await openProducer(cluster, { topic, initialSubscription: subscription, untilMs });
    producers.set(topic, producer);
    return producer;
  }

  async function put({ messageId, topic, key, payload, properties }: DeadLetter, reason: string): Promise<void> {
    const producer = await producerOf(`${topic}-${subscription}-DLQ`);
    const origin = { REAL_TOPIC: topic, REAL_SUBSCRIPTION: subscription, ORIGIN_MESSAGE_ID: messageId, REASON: reason };
    const sequenceId = producer.highestKnown() + 1n;
    const encode = (text: Buffer, more: Record<string, string>) =>
      encodeMessage({ sequenceId, key, payload: text, properties: { ...properties, ...origin, ...more } });
    try {
      const whole = encode(payload, {});
      const excess = bytesAlone(whole, producer.name) + noteBytes - producer.maxMessageBytes;
      // Larger than it came, because of its origin or unpacked: cut off, or it would stop its partition for good.
      const kept = payload.subarray(0, Math.max(0, payload.length - excess));
      const letter = excess <= 0 ? whole : encode(kept, { CUT_FROM_BYTES: String(payload.length) });
      await producer.send([letter], deadlineMs);
    } catch (error) {
      await producer.close();
      throw error;
    }
  }

  return {
    put(letter, reason) {
      const putting = before.then(() => put(letter, reason));
      before = putting.catch(() => undefined);
      return putting;
    },
    async close() {
      await Promise.all([...producers.values()].map((producer) => producer.close()));
    },
  };
}
