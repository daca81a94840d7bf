import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type {
  Broker,
  Receive,
  ReceivedMessage,
  Subscription,
  SubscriptionSettings,
} from "../../../modules/events/ports.ts";
import { type Cluster, type ClusterOptions, createCluster } from "./cluster.ts";
import { type Arrival, type Consumer, openConsumer, type Progress } from "./consumer.ts";
import { createDeadLetters, type DeadLetters } from "./dead-letters.ts";
import { createDirectory, type Directory, type DirectoryOptions } from "./directory.ts";
import { fullName, partNames, type Topic } from "./topics.ts";

export type PulsarBrokerOptions = ClusterOptions &
  DirectoryOptions & {
    /** Where the topics are ("public/default"). */
    readonly namespace: string;
  };

/** How many messages a consumer is given at once. */
const mostTogether = 256;
const firstRetryMs = 100;
const mostRetryMs = 5_000;
/** What is done where a consumer throws, which it should not. */
const afterFaultMs = 1_000;
/** Topics can be given more partitions at any time; nobody tells us. */
const lookForPartitionsMs = 60_000;
/** How long closing waits for a batch that is under way. */
const closePatienceMs = 30_000;

/** Consumes from Apache Pulsar by its binary protocol. Connects when first used. */
export function createPulsarBroker(options: PulsarBrokerOptions): Broker {
  const cluster = createCluster(options);
  const directory = createDirectory(cluster, options);
  const subscriptions = new Set<Subscription>();
  return {
    async subscribe(settings) {
      const topics = settings.topics.map((name) => ({ namespace: options.namespace, name }));
      const subscription = await subscribe({ cluster, directory, topics, settings });
      subscriptions.add(subscription);
      return {
        close: async () => {
          subscriptions.delete(subscription);
          await subscription.close();
        },
      };
    },
    async ping() {
      await (await cluster.connect()).ping();
    },
    async close() {
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
      cluster.close();
    },
  };
}

type Subscribing = {
  readonly cluster: Cluster;
  readonly directory: Directory;
  readonly topics: readonly Topic[];
  readonly settings: SubscriptionSettings;
};

async function subscribe({ cluster, directory, topics, settings }: Subscribing): Promise<Subscription> {
  const stopping = new AbortController();
  const deadLetters = createDeadLetters(cluster, settings.subscription);
  const consumerName = `marketflow-${randomUUID()}`;
  const parts = new Map<string, PartitionReader>();

  async function readAllPartitions(): Promise<void> {
    const ready: Promise<void>[] = [];
    for (const topic of topics) {
      for (const part of partNames(fullName(topic), await directory.partitionsOf(topic))) {
        if (parts.has(part) || stopping.signal.aborted) continue;
        const place = { cluster, deadLetters, consumerName, topic, part, settings, signal: stopping.signal };
        const reader = readPartition(place);
        parts.set(part, reader);
        ready.push(reader.ready);
      }
    }
    await Promise.all(ready);
  }

  const lookAgain = setInterval(() => {
    for (const topic of topics) directory.forget(topic);
    readAllPartitions().catch(settings.onFailure);
  }, lookForPartitionsMs);
  lookAgain.unref();

  async function close(): Promise<void> {
    clearInterval(lookAgain);
    stopping.abort();
    const ended = Promise.all([...parts.values()].map((reader) => reader.ended)).then(() => deadLetters.close());
    const patience = new AbortController();
    await Promise.race([ended, sleep(closePatienceMs, undefined, { signal: patience.signal }).catch(() => undefined)]);
    patience.abort();
  }

  try {
    await readAllPartitions();
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

type Place = {
  readonly cluster: Cluster;
  readonly deadLetters: DeadLetters;
  readonly consumerName: string;
  readonly topic: Topic;
  readonly part: string;
  readonly settings: SubscriptionSettings;
  readonly signal: AbortSignal;
};

type PartitionReader = {
  /** Resolves once it is subscribed; rejects where the first attempt fails. */
  readonly ready: Promise<void>;
  /** Resolves once it was told to stop and has. */
  readonly ended: Promise<void>;
};

/** Reads one partition until it is told to stop, whatever happens to its connection meanwhile. */
function readPartition(place: Place): PartitionReader {
  const { cluster, consumerName, part, settings, signal } = place;
  const progress: Progress = { half: null };
  const first = Promise.withResolvers<void>();
  let waitMs = firstRetryMs;

  async function readOnce(): Promise<void> {
    const { subscription } = settings;
    const consumer = await openConsumer(cluster, { topic: part, subscription, consumerName, progress });
    const stop = (): void => consumer.stop();
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    first.resolve();
    try {
      while (!signal.aborted) {
        await handleNext(place, consumer);
        waitMs = firstRetryMs;
      }
    } finally {
      signal.removeEventListener("abort", stop);
      await consumer.close();
    }
  }

  async function readOn(): Promise<void> {
    while (!signal.aborted) {
      try {
        await readOnce();
      } catch (error) {
        first.reject(error);
        settings.onFailure(error);
        await pause(waitMs, signal);
        waitMs = Math.min(2 * waitMs, mostRetryMs);
      }
    }
    first.resolve();
  }

  // It is a failure only for whoever waits for it.
  first.promise.catch(() => undefined);
  return { ready: first.promise, ended: readOn() };
}

/** Has what is there handled. Rejects where the consumer has ended. */
async function handleNext(place: Place, consumer: Consumer): Promise<void> {
  let rest = await consumer.take(mostTogether);
  while (rest.length > 0) {
    const { handled, next: decision } = await handle(place, rest);
    consumer.acknowledge(rest.slice(0, handled));
    rest = rest.slice(handled);
    const [next] = rest;
    if (decision === "go_on" || next === undefined) continue;
    if ("deadLetter" in decision && (await putAside(place, next, decision.deadLetter))) {
      consumer.acknowledge([next]);
      rest = rest.slice(1);
      continue;
    }
    await pause("retryAfterMs" in decision ? decision.retryAfterMs : afterFaultMs, place.signal);
    if (!place.signal.aborted) consumer.redeliver();
    return;
  }
}

/** So many are handled, and that is what becomes of the others. */
type Outcome = {
  readonly handled: number;
  readonly next: "go_on" | { readonly retryAfterMs: number } | { readonly deadLetter: string };
};

async function handle({ part, settings }: Place, messages: readonly Arrival[]): Promise<Outcome> {
  const unreadableAt = messages.findIndex(({ unreadable }) => unreadable !== undefined);
  const unreadable = messages[unreadableAt]?.unreadable;
  if (unreadableAt === 0 && unreadable !== undefined) return { handled: 0, next: { deadLetter: unreadable } };
  const readable = unreadableAt === -1 ? messages : messages.slice(0, unreadableAt);
  try {
    const { handled, rest } = await receiveFrom(settings.receive, part, readable);
    if (handled === readable.length) return { handled, next: "go_on" };
    if (rest === undefined) throw new Error("nothing is said about what was not handled");
    return { handled, next: rest };
  } catch (error) {
    settings.onFailure(error);
    return { handled: 0, next: { retryAfterMs: afterFaultMs } };
  }
}

async function receiveFrom(receive: Receive, part: string, messages: readonly Arrival[]) {
  const reception = await receive(messages.map((message) => received(part, message)));
  if (reception.handled < 0 || reception.handled > messages.length) {
    throw new Error(`${reception.handled} of ${messages.length} messages are said to be handled`);
  }
  return reception;
}

/** Whether a message that nobody can handle was put aside. */
async function putAside(place: Place, arrival: Arrival, reason: string): Promise<boolean> {
  const letter = { ...received(place.part, arrival), topic: fullName(place.topic), payload: arrival.payload };
  try {
    await place.deadLetters.put(letter, reason);
    return true;
  } catch (error) {
    place.settings.onFailure(error);
    return false;
  }
}

function received(part: string, { entry, index, key, payload, properties }: Arrival): ReceivedMessage {
  const messageId = `${entry.ledgerId}:${entry.entryId}:${index}`;
  return { messageId, topic: part, key, payload: payload.toString("utf8"), properties };
}

/** Waits, unless it is told to stop. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
