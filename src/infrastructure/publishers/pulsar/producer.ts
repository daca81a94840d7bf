import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";
import { type Connection, PulsarError } from "./connection.ts";
import { type EncodedMessage, encodeBatch } from "./entries.ts";
import type { ReceivedCommand } from "./frames.ts";

export type ProducerOptions = {
  /** A topic without partitions, or one partition of one. */
  readonly topic: string;
  /** By which the broker remembers what it has of us. Left out: the broker gives a name of its own. */
  readonly name?: string;
  /** A subscription that is made where it is not there, so that nothing is let go before somebody reads it. */
  readonly initialSubscription?: string | undefined;
  /** When waiting for another producer of this name ends, on the clock of `performance.now()`. */
  readonly untilMs: number;
};

/**
 * One writer of one topic. It has one entry under way at a time: were there two, and the first refused, the broker
 * would take the first one for a duplicate when it comes again, because it has a higher number already.
 */
export type Producer = {
  readonly name: string;
  readonly maxMessageBytes: number;
  /** The highest sequence id that the broker may have of this name, written by us or by whoever had it before. */
  highestKnown(): bigint;
  isOpen(): boolean;
  /**
   * Sends the messages as one entry, and resolves once it is kept, or dropped because the broker has its first message
   * already. Rejects with a PulsarError where the broker refuses it, and with another error where it is not known
   * whether it is kept, after `withinMs` at the latest. Close it then: only opening another one says what the broker
   * has.
   */
  send(batch: readonly EncodedMessage[], withinMs: number): Promise<"kept" | "dropped">;
  /** Afterwards the broker takes nothing more that was sent before. Never rejects. */
  close(): Promise<void>;
};

/** The ledger that the broker names for what it has dropped: -1. */
const noLedger = 0xffff_ffff_ffff_ffffn;
const firstRetryMs = 25;
const mostRetryMs = 500;

/**
 * Opens a producer. Where another one has the name (of a process that died a moment ago, or that has lost its lane and
 * goes on) it waits until that one is gone.
 */
export async function openProducer(cluster: Cluster, options: ProducerOptions): Promise<Producer> {
  for (let waitMs = firstRetryMs; ; waitMs = Math.min(2 * waitMs, mostRetryMs)) {
    try {
      return await openOn(await cluster.connectTo(options.topic), options);
    } catch (error) {
      if (!isPassing(error) || performance.now() + waitMs > options.untilMs) throw error;
      await sleep(waitMs);
    }
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof PulsarError && (error.code === "ProducerBusy" || error.code === "ServiceNotReady");
}

type EntryUnderWay = {
  readonly sequenceId: bigint;
  resolve(outcome: "kept" | "dropped"): void;
  reject(error: Error): void;
};

async function openOn(connection: Connection, options: ProducerOptions): Promise<Producer> {
  let underWay: EntryUnderWay | null = null;
  let isOpen = true;
  const fail = (error: Error): void => {
    isOpen = false;
    underWay?.reject(error);
  };
  const id = connection.attach({
    onCommand({ name, fields }: ReceivedCommand) {
      if (name === "sendReceipt") {
        if (fields.sequenceId !== underWay?.sequenceId) return;
        underWay.resolve(fields.messageId?.ledgerId === noLedger ? "dropped" : "kept");
      } else if (name === "sendError") underWay?.reject(new PulsarError(fields.error, fields.message));
      else if (name === "closeProducer") fail(new Error("Pulsar moves the topic, or stops"));
    },
    onEnd: fail,
  });

  async function close(): Promise<void> {
    fail(new Error("the producer is closed"));
    if (!connection.isOpen) return;
    try {
      await connection.request("closeProducer", { producerId: id });
    } catch (error) {
      // What was sent may still be taken by the broker as long as it believes this producer to be there.
      if (!(error instanceof PulsarError)) connection.end(new Error("Pulsar does not let a producer go"));
    } finally {
      connection.detach(id);
    }
  }

  async function introduce(): Promise<{ name: string; lastSequenceId: bigint }> {
    const { topic, name, initialSubscription } = options;
    const answer = await connection.request("producer", {
      topic,
      producerId: id,
      userProvidedProducerName: name !== undefined,
      ...(name !== undefined && { producerName: name }),
      ...(initialSubscription !== undefined && { initialSubscriptionName: initialSubscription }),
    });
    if (answer.name !== "producerSuccess") throw new Error(`Pulsar answers with ${answer.name}`);
    return { name: answer.fields.producerName, lastSequenceId: answer.fields.lastSequenceId ?? -1n };
  }

  const introduced = await introduce().catch(async (error: unknown) => {
    if (error instanceof PulsarError) connection.detach(id);
    else await close();
    throw error;
  });
  let highest = introduced.lastSequenceId;

  return {
    name: introduced.name,
    maxMessageBytes: connection.maxMessageBytes,
    highestKnown: () => highest,
    isOpen: () => isOpen && connection.isOpen,
    async send(batch, withinMs) {
      if (!isOpen) throw new Error("the producer is closed");
      if (underWay !== null) throw new Error("an entry is under way already");
      const last = batch.at(-1)?.sequenceId ?? highest;
      if (last > highest) highest = last;
      const sequenceId = batch[0]?.sequenceId ?? highest;
      const receipt = new Promise<"kept" | "dropped">((resolve, reject) => {
        underWay = { sequenceId, resolve, reject };
      });
      const lateness = setTimeout(() => fail(new Error(`Pulsar keeps nothing within ${withinMs} ms`)), withinMs);
      try {
        connection.write(encodeBatch({ id, name: introduced.name }, batch)).catch(fail);
        return await receipt;
      } finally {
        clearTimeout(lateness);
        underWay = null;
      }
    },
    close,
  };
}
