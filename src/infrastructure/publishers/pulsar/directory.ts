import { deduplicateTopic, makePartitionedTopic } from "./admin.ts";
import type { Cluster } from "./cluster.ts";
import { fullName, type Topic } from "./topics.ts";

export type DirectoryOptions = {
  /** Pulsar's admin API, by which topics are made; without it they must be there. */
  readonly webUrl?: string | undefined;
  readonly token?: string | undefined;
  readonly answerMs?: number | undefined;
  /** How many partitions a topic is made with. One that is there keeps what it has. */
  readonly partitions: number;
  /** Told what could not be set up, where one can go on without it. */
  readonly onWarning: (message: string) => void;
};

/** The topics that we use, each made where it was not there, and how many partitions each has. */
export type Directory = {
  /** Rejects where the brokers cannot be reached. */
  partitionsOf(topic: Topic): Promise<number>;
  /** Asks anew the next time: something went wrong with the topic. */
  forget(topic: Topic): void;
};

export function createDirectory(cluster: Cluster, options: DirectoryOptions): Directory {
  const { webUrl, token, partitions, onWarning, answerMs = 10_000 } = options;
  const known = new Map<string, Promise<number>>();
  const prepared = new Set<string>();

  async function find(topic: Topic): Promise<number> {
    const name = fullName(topic);
    const there = webUrl === undefined || prepared.has(name) ? await cluster.partitionsOf(name) : 0;
    // It was removed since we made it, or never had any: whoever wrote to it now would make it without, for good.
    if (webUrl === undefined || there > 0) return there;
    await prepare({ webUrl, token, answerMs }, topic);
    prepared.add(name);
    return await cluster.partitionsOf(name);
  }

  async function prepare(admin: { webUrl: string; token: string | undefined; answerMs: number }, topic: Topic) {
    const name = fullName(topic);
    try {
      const made = await makePartitionedTopic(admin, topic, partitions);
      if (made === "not_allowed") onWarning(`Pulsar does not let us make ${name}. Its partitions are what they are.`);
    } catch (error) {
      // A topic that is there needs nobody to make it. One that is not would be made without partitions, for good.
      if ((await cluster.partitionsOf(name)) === 0) throw error;
      onWarning(`Pulsar's admin API is away: ${String(error)}`);
    }
    const reason = await deduplicateTopic(admin, topic).then(
      (outcome) => (outcome === "not_allowed" ? "it does not let us" : null),
      (error: unknown) => String(error),
    );
    if (reason !== null) {
      onWarning(`Pulsar is not told to drop duplicates in ${name} (${reason}); consumers will see some after a crash.`);
    }
  }

  return {
    partitionsOf(topic) {
      const name = fullName(topic);
      const found = known.get(name);
      if (found !== undefined) return found;
      const finding = find(topic);
      known.set(name, finding);
      finding.catch(() => {
        if (known.get(name) === finding) known.delete(name);
      });
      return finding;
    },
    forget: (topic) => void known.delete(fullName(topic)),
  };
}
