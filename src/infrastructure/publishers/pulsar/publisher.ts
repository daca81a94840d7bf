import type { Message, Publisher, Refusal } from "../../../modules/events/ports.ts";
import { type ClusterOptions, createCluster } from "./cluster.ts";
import { PulsarError } from "./connection.ts";
import { createDirectory, type DirectoryOptions } from "./directory.ts";
import { bytesAlone, type EncodedMessage, encodeMessage } from "./entries.ts";
import type { Producer } from "./producer.ts";
import { createProducers } from "./producers.ts";
import { fullName, partitionOf, partNames, type Topic } from "./topics.ts";

export type PulsarPublisherOptions = ClusterOptions &
  DirectoryOptions & {
    /** Where the topics are ("public/default"). */
    readonly namespace: string;
    /**
     * The subscription that a topic (by its short name) is made with, so that what is published before its consumers
     * first come is kept for them. Undefined: only what somebody has subscribed to is kept.
     */
    readonly subscriptionOf?: ((topic: string) => string | undefined) | undefined;
    /** How long publishing may take; 30 s where nothing is said. */
    readonly deadlineMs?: number | undefined;
    /** A producer that is not used for this long is closed, so that another process can have its name; 2 s. */
    readonly idleMs?: number | undefined;
  };

/** An entry is at most so large, but for a message that is larger by itself. */
const mostEntryBytes = 131_072;
const mostEntryMessages = 1_000;
/** To how many partitions one call writes at the same time. */
const mostAtOnce = 64;
const closePatienceMs = 5_000;

/** What a partition is sent in one call, and what becomes of it. */
type Group = {
  readonly topic: Topic;
  readonly part: string;
  readonly partitions: number;
  readonly messages: Message[];
};

/** What a call has refused: nothing of these streams follows. */
type Refused = { readonly refusals: Refusal[]; readonly streams: Set<string> };

/**
 * Publishes to Apache Pulsar by its binary protocol; the reasons are in docs/decisions/0014-pulsar-client.md.
 * Connects when first used. Lanes must have other names for another log, because positions are what is compared.
 */
export function createPulsarPublisher(options: PulsarPublisherOptions): Publisher {
  const { deadlineMs = 30_000, idleMs = 2_000, namespace, subscriptionOf } = options;
  const cluster = createCluster(options);
  const directory = createDirectory(cluster, options);
  const producers = createProducers(cluster, idleMs);
  const underWay = new Set<Promise<unknown>>();
  let isClosed = false;

  async function groupsOf(messages: readonly Message[]): Promise<Group[]> {
    const topics = new Map<string, Group[]>();
    for (const message of messages) {
      // Once for the call: under the name for one number of partitions nothing may go where another number leads.
      const groups = topics.get(message.topic) ?? (await emptyGroups({ namespace, name: message.topic }));
      topics.set(message.topic, groups);
      groups[partitionOf(message.key, groups.length)]?.messages.push(message);
    }
    return [...topics.values()].flat().filter((group) => group.messages.length > 0);
  }

  async function emptyGroups(topic: Topic): Promise<Group[]> {
    const partitions = await directory.partitionsOf(topic);
    return partNames(fullName(topic), partitions).map((part) => ({ topic, part, partitions, messages: [] }));
  }

  async function deliver(lane: string, group: Group, refused: Refused, untilMs: number): Promise<void> {
    // Numbers are compared within one partition: with other partitions it is another name that counts.
    const name = `marketflow-${lane}-p${group.partitions}`;
    const initialSubscription = subscriptionOf?.(group.topic.name);
    try {
      await producers.use({ topic: group.part, name, initialSubscription, untilMs }, (producer) =>
        send(producer, group.messages, refused, untilMs),
      );
    } catch (error) {
      directory.forget(group.topic);
      throw error;
    }
  }

  async function publish(lane: string, messages: readonly Message[]): Promise<readonly Refusal[]> {
    if (isClosed) throw new Error("the publisher is closed");
    const untilMs = performance.now() + deadlineMs;
    const refused: Refused = { refusals: [], streams: new Set() };
    const waiting = await groupsOf(messages);
    const failures: unknown[] = [];
    // Every partition is waited for, also where another one has failed: afterwards nothing of the call is under way.
    const work = async (): Promise<void> => {
      for (let group = waiting.pop(); group !== undefined; group = waiting.pop()) {
        await deliver(lane, group, refused, untilMs).catch((error: unknown) => void failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: Math.min(mostAtOnce, waiting.length) }, work));
    if (failures.length > 0) throw failures[0];
    return refused.refusals.sort((a, b) => Number(a.position - b.position));
  }

  return {
    name: "pulsar",
    async publish(lane, messages) {
      const publishing = publish(lane, messages);
      underWay.add(publishing);
      return await publishing.finally(() => underWay.delete(publishing));
    },
    async ping() {
      await (await cluster.connect()).ping();
    },
    async close() {
      isClosed = true;
      const closing = Promise.allSettled([...underWay]).then(() => producers.close());
      let patience: NodeJS.Timeout | undefined;
      const impatience = new Promise<void>((resolve) => {
        patience = setTimeout(resolve, closePatienceMs);
      });
      await Promise.race([closing, impatience]);
      clearTimeout(patience);
      cluster.close();
    },
  };
}

/** Sends a partition its messages in their order, entry after entry. */
async function send(producer: Producer, messages: readonly Message[], refused: Refused, untilMs: number) {
  let rest = encodeAll(producer, messages, refused);
  while (rest.length > 0) {
    const entry = rest.slice(0, entryLength(rest, producer));
    try {
      const outcome = await producer.send(
        entry.map(({ encoded }) => encoded),
        Math.max(1, untilMs - performance.now()),
      );
      // Dropped for its first message: only that one is there. A broker that is just beginning to drop duplicates has
      // more than it said when the producer was opened. Each goes alone now, because the producer counts them all.
      if (outcome === "kept" || entry.length === 1) rest = rest.slice(entry.length);
    } catch (error) {
      if (!(error instanceof PulsarError) || error.code !== "NotAllowedError") throw error;
      // The broker keeps nothing of such an entry. Which message it means shows when each is sent alone, and that they
      // are from now on, because the producer counts them among those that the broker may have.
      const [only] = entry;
      if (entry.length > 1 || only === undefined) continue;
      refuse(refused, only.message, error.message);
      rest = rest.filter(({ message }) => !refused.streams.has(message.stream));
    }
  }
}

type Outgoing = { readonly message: Message; readonly encoded: EncodedMessage };

function encodeAll(producer: Producer, messages: readonly Message[], refused: Refused): Outgoing[] {
  const outgoing: Outgoing[] = [];
  let before = -1n;
  for (const message of messages) {
    if (message.position <= before) throw new Error(`position ${message.position} after ${before}`);
    before = message.position;
    if (refused.streams.has(message.stream)) continue;
    const encoded = encodeMessage({ ...message, sequenceId: message.position });
    const bytes = bytesAlone(encoded, producer.name);
    if (bytes <= producer.maxMessageBytes) outgoing.push({ message, encoded });
    else refuse(refused, message, `It takes ${bytes} bytes, and Pulsar allows ${producer.maxMessageBytes}.`);
  }
  return outgoing;
}

function refuse({ refusals, streams }: Refused, { position, stream }: Message, reason: string): void {
  refusals.push({ position, reason });
  streams.add(stream);
}

/**
 * How many of the messages make the next entry. The broker looks at an entry's first number only, and drops all of it
 * where it has that one. So what it may have goes alone, and it decides about each.
 */
function entryLength(rest: readonly Outgoing[], producer: Producer): number {
  const [first] = rest;
  if (first === undefined || first.encoded.sequenceId <= producer.highestKnown()) return 1;
  const mostBytes = Math.min(mostEntryBytes, producer.maxMessageBytes - bytesAlone(noMessage, producer.name));
  let bytes = first.encoded.bytes.length;
  let length = 1;
  for (; length < Math.min(rest.length, mostEntryMessages); length++) {
    bytes += rest[length]?.encoded.bytes.length ?? 0;
    if (bytes > mostBytes) break;
  }
  return length;
}

const noMessage: EncodedMessage = { sequenceId: 0n, key: "", bytes: Buffer.alloc(0) };
