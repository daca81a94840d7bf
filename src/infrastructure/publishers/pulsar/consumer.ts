import type { Cluster } from "./cluster.ts";
import { type EntryMessage, readEntry } from "./entries.ts";
import { encodeCommand, type ReceivedCommand } from "./frames.ts";
import { acknowledgement, type EntryId, initialPosition, subscriptionType } from "./schema.ts";

export type ConsumerOptions = {
  /** A topic without partitions, or one partition of one. */
  readonly topic: string;
  readonly subscription: string;
  /** The same for all partitions that a process consumes: by it the broker shares them out evenly. */
  readonly consumerName: string;
  /** What outlives the consumer: see {@link Progress}. */
  readonly progress: Progress;
};

/** A message that arrived, and where in its entry it is. */
export type Arrival = EntryMessage & { readonly entry: EntryId; readonly index: number; readonly isLast: boolean };

/**
 * The entry of which this process has handled the first messages and not the last ones. The broker knows whole entries
 * only and delivers all of it again.
 */
export type Progress = { half: { readonly entry: EntryId; readonly handled: number } | null };

/** A consumer of one partition, which has it alone for as long as the broker says so (Failover). */
export type Consumer = {
  /** The messages that are there, in their order, once there are any; none after `stop`. Rejects once it has ended. */
  take(most: number): Promise<readonly Arrival[]>;
  /** Says that these, the first of those that were taken, are done with. */
  acknowledge(handled: readonly Arrival[]): void;
  /** Lets go of everything that is not acknowledged, and has it come again from the first of it. */
  redeliver(): void;
  /** Takes nothing more. */
  stop(): void;
  /** Stops, and leaves the partition to others. Never rejects. */
  close(): Promise<void>;
};

/** How many messages may be here that are not taken yet. */
const window = 1_000;

/** Subscribes to one topic, from its beginning where the subscription is new. */
export async function openConsumer(cluster: Cluster, options: ConsumerOptions): Promise<Consumer> {
  const connection = await cluster.connectTo(options.topic);
  const inbox = createInbox(options.progress);
  const id = connection.attach({ onCommand: (command) => onCommand(command), onEnd: inbox.fail });
  let owedPermits = 0;

  /** The broker sends as many as it has leave for; what has left the inbox makes room for more. */
  function permit(messages: number): void {
    owedPermits += messages;
    if (owedPermits < window / 2) return;
    const messagePermits = owedPermits;
    owedPermits = 0;
    connection.write(encodeCommand("flow", { consumerId: id, messagePermits })).catch(inbox.fail);
  }

  function onCommand({ name, fields, payload }: ReceivedCommand): void {
    if (name === "message") {
      const messages = readEntry(payload);
      // The broker counts the messages of a batch also where they are one to us.
      const uncounted = (messages[0]?.counted ?? 1) - 1;
      permit(uncounted + inbox.add(fields.messageId, messages, fields.consumerEpoch));
    } else if (name === "activeConsumerChange") permit(inbox.activate(fields.isActive === true));
    else if (name === "closeConsumer") inbox.fail(new Error("Pulsar moves the topic, or stops"));
  }

  async function leave(): Promise<void> {
    if (!connection.isOpen) return;
    await connection.request("closeConsumer", { consumerId: id }).catch(() => {
      // As long as the broker believes us to be there nobody else gets the partition.
      connection.end(new Error("Pulsar does not let a consumer go"));
    });
    connection.detach(id);
  }

  const { topic, subscription, consumerName } = options;
  try {
    await connection.request("subscribe", {
      topic,
      subscription,
      subType: subscriptionType.failover,
      consumerId: id,
      consumerName,
      durable: true,
      initialPosition: initialPosition.earliest,
      consumerEpoch: 0,
    });
    permit(window);
  } catch (error) {
    await leave();
    throw error;
  }

  return {
    async take(most) {
      const taken = await inbox.take(most);
      permit(taken.length);
      return taken;
    },
    acknowledge(handled) {
      const whole = handled.findLast(({ isLast }) => isLast)?.entry;
      const last = handled.at(-1);
      if (last !== undefined)
        options.progress.half = last.isLast ? null : { entry: last.entry, handled: last.index + 1 };
      if (whole === undefined || !connection.isOpen) return;
      const ack = { consumerId: id, ackType: acknowledgement.cumulative, messageId: [whole] };
      connection.write(encodeCommand("ack", ack)).catch(inbox.fail);
    },
    redeliver() {
      const cleared = inbox.clear();
      const consumerEpoch = inbox.nextEpoch();
      connection.write(encodeCommand("redeliver", { consumerId: id, consumerEpoch })).catch(inbox.fail);
      permit(cleared);
    },
    stop: inbox.stop,
    async close() {
      inbox.stop();
      await leave();
    },
  };
}

/** What has arrived and was not taken. */
function createInbox(progress: Progress) {
  let arrived: Arrival[] = [];
  let epoch = 0;
  let failure: Error | null = null;
  let isActive = true;
  let isStopped = false;
  let wake = (): void => undefined;

  /** Forgets what has arrived; returns how much that was. */
  function clear(): number {
    const cleared = arrived.length;
    arrived = [];
    return cleared;
  }

  return {
    /** Takes an entry in, but for what this process has handled of it; returns how many messages it left out. */
    add(entry: EntryId, messages: readonly EntryMessage[], consumerEpoch: bigint | undefined): number {
      // What was under way when we asked for everything again comes again after it.
      const isStale = consumerEpoch !== undefined && consumerEpoch < BigInt(epoch);
      if (isStale || !isActive) return messages.length;
      const { half } = progress;
      const isHalf = half?.entry.ledgerId === entry.ledgerId && half.entry.entryId === entry.entryId;
      const handled = isHalf ? half.handled : 0;
      for (const [index, message] of messages.entries()) {
        if (index >= handled) arrived.push({ ...message, entry, index, isLast: index === messages.length - 1 });
      }
      wake();
      return Math.min(handled, messages.length);
    },
    async take(most: number): Promise<Arrival[]> {
      while (arrived.length === 0 && failure === null && !isStopped) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (isStopped) return [];
      if (failure !== null) throw failure;
      const taken = arrived.slice(0, most);
      arrived = arrived.slice(most);
      return taken;
    },
    clear,
    /**
     * Whoever has the partition now gets all that is not acknowledged; so do we once it is ours again. What arrives
     * until then follows what was forgotten: handled and acknowledged, it would acknowledge that as well.
     */
    activate(active: boolean): number {
      isActive = active;
      return active ? 0 : clear();
    },
    nextEpoch(): number {
      epoch += 1;
      return epoch;
    },
    fail(error: Error): void {
      failure ??= error;
      wake();
    },
    stop(): void {
      isStopped = true;
      wake();
    },
  };
}
