/** One event on its way to other systems: the log's row in the form of its topic. */
export type Message = {
  /** The topic's short name ("pagos-events"). */
  readonly topic: string;
  /** What keeps its order: messages of one key arrive in the order in which they were published. */
  readonly key: string;
  /** The stream that it is of (a payment, a pago). */
  readonly stream: string;
  /** What a consumer recognises a second delivery by: a uuid that is the same at every publication. */
  readonly eventId: string;
  /** The JSON that consumers read. */
  readonly payload: string;
  /** `event_id`, `event_type`, `event_version`, `stream`, `stream_version`, `position`; `traceparent` where traced. */
  readonly properties: Readonly<Record<string, string>>;
  /** Its place in the log; rises within a lane, and is the sequence number by which a broker drops what it has. */
  readonly position: bigint;
};

/** A message that will never be taken as it is ("it is larger than the broker allows"). */
export type Refusal = { readonly position: bigint; readonly reason: string };

/**
 * Where events leave to. Adapters: Apache Pulsar, and `local`, which hands them to subscribers of this process.
 */
export interface Publisher {
  readonly name: string;
  /**
   * Publishes messages of one lane in their order and resolves once each is kept by the broker or refused for good.
   * After a message that is refused nothing of its stream is published. Rejects where the broker cannot be reached or
   * does not answer in time: some of them may have arrived then, and the same are published again, perhaps by another
   * process, under the same lane and positions. There is one call at a time for each lane, and a lane's name is that
   * of one log for ever: another log's positions are other events.
   */
  publish(lane: string, messages: readonly Message[]): Promise<readonly Refusal[]>;
  /** Rejects where the broker cannot be reached. */
  ping(): Promise<void>;
  /** Waits for what is under way, for at most some seconds. */
  close(): Promise<void>;
}

/** A message as it came to a consumer. */
export type ReceivedMessage = {
  /** The broker's name for it, the same at every delivery. */
  readonly messageId: string;
  readonly topic: string;
  readonly key: string;
  readonly payload: string;
  readonly properties: Readonly<Record<string, string>>;
};

/**
 * What became of a batch of deliveries: so many from its beginning are done with and acknowledged. The rest comes
 * again, in the same order, after the delay; or its first one is put aside for good (dead-lettered) and the rest comes
 * again after that.
 */
export type Reception = {
  readonly handled: number;
  readonly rest?: { readonly retryAfterMs: number } | { readonly deadLetter: string };
};

/** Takes a batch of deliveries of one partition, in their order; one call at a time for each partition. */
export type Receive = (messages: readonly ReceivedMessage[]) => Promise<Reception>;

export type SubscriptionSettings = {
  readonly topics: readonly string[];
  /** The name by which the broker knows how far its consumers have come, together. */
  readonly subscription: string;
  readonly receive: Receive;
  /** Told of what goes wrong meanwhile (the broker is away, a dead letter could not be put aside) and is repeated. */
  readonly onFailure: (error: unknown) => void;
};

export type Subscription = {
  /** Takes nothing more, waits for the batch under way and acknowledges it. What was not handled comes to others. */
  close(): Promise<void>;
};

/** Where events come in from. Each partition has one consumer at a time, so that order is kept within a key. */
export interface Broker {
  /** Resolves once it is subscribed. Rejects where the broker cannot be reached. */
  subscribe(settings: SubscriptionSettings): Promise<Subscription>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** The locks of a process on its lanes, all on one connection that runs nothing else. */
export type LaneLocks = {
  /**
   * How many processes share the lanes, this one among them. Whoever holds lanes asks every second: PostgreSQL takes
   * them back from a session that was silent for some seconds. Throws where it does not answer: everything that was
   * held is lost then, and the next call begins anew, which none of the others does: whoever was told that a lane is
   * its own had it in this session.
   */
  countOwners(): Promise<number>;
  /** True where the lane was free, and is this process's now. Throws where the session is gone. */
  tryTake(lane: number): Promise<boolean>;
  /** Gives a lane back. Throws where PostgreSQL does not answer. */
  release(lane: number): Promise<void>;
  /** False as soon as the connection is known to be gone, or has not answered for so long that it may be. */
  isAlive(): boolean;
  /** Gives everything back; does not wait for longer than for an answer. */
  close(): Promise<void>;
};
