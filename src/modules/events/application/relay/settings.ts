import type { Result } from "../../../../kernel/result.ts";
import type { Database } from "../../../../kernel/statement.ts";
import type { LogEvent } from "../../domain/log-event.ts";
import type { LaneLocks, Message, Publisher } from "../../ports.ts";
import type { HorizonGauge } from "../horizon.ts";

/** The consumer of the log that publishes it. */
export const relayConsumer = "relay";

/** A stream of which an event was refused: from there on nothing of it is published until a person has decided. */
export type ParkedStream = {
  readonly lane: number;
  readonly stream: string;
  readonly position: bigint;
  readonly type: string;
  readonly reason: string;
};

/** Told of what the relay does; each is called rarely (for a page, a second, a change), never for an event. */
export type RelayObserver = {
  /** So many messages of a topic are kept by the broker. */
  published(topic: string, messages: number): void;
  /** How long ago the oldest event of a page that was just published had been appended, in milliseconds. */
  lag(ms: number): void;
  /** A stream was parked; it is told again where it is refused again after its release. */
  refused(parked: ParkedStream): void;
  /** How many streams are parked in the lanes of this process. */
  parked(streams: number): void;
  /** A lane does not go on, because more than so many of its streams would be parked. It tries again. */
  halted(lane: number, parked: number): void;
  /** The broker could not be reached: told once, and `reachable` once it is there again. */
  unreachable(error: unknown): void;
  reachable(): void;
  horizon(gauge: HorizonGauge): void;
  /** How many lanes this process owns; told when that changes. */
  lanes(owned: number): void;
  /** Something else failed (the database is away); it is tried again. */
  failed(error: unknown): void;
};

export type RelayLimits = {
  /** Events of one page. */
  readonly pageEvents: number;
  /** Streams of a lane that may be parked: with more something general is wrong, and the lane waits instead. */
  readonly mostParked: number;
  /** Where nothing is to be read. */
  readonly idleMs: number;
  /** After a page that was small: some more come meanwhile, and are one commit. */
  readonly gatherMs: number;
  /** Between two looks at what was released, and at who else shares the lanes. */
  readonly lookMs: number;
  readonly leastBackoffMs: number;
  readonly mostBackoffMs: number;
  /** How long a stop waits for the page under way. */
  readonly stopMs: number;
};

export const relayLimits: RelayLimits = {
  pageEvents: 2_000,
  mostParked: 1_000,
  idleMs: 50,
  gatherMs: 100,
  lookMs: 1_000,
  leastBackoffMs: 100,
  mostBackoffMs: 5_000,
  stopMs: 10_000,
};

export type RelaySettings = {
  /** A connection of its own by this name; the relay has two, to read and to write. */
  readonly connection: (name: string) => Database;
  readonly locks: LaneLocks;
  readonly publisher: Publisher;
  readonly messageOf: (event: LogEvent) => Result<Message, { type: string }>;
  readonly observe: RelayObserver;
  readonly limits?: Partial<RelayLimits>;
};

/** Twice as long after each failure, and never twice the same: those who wait together do not come together. */
export function backoffMs(failures: number, { leastBackoffMs, mostBackoffMs }: RelayLimits): number {
  return Math.min(mostBackoffMs, leastBackoffMs * 2 ** Math.min(failures - 1, 16)) * (0.5 + Math.random() / 2);
}
