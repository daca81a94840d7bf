import type { Database } from "../../../kernel/statement.ts";
import { laneCount } from "../domain/lanes.ts";
import type { LogEvent } from "../domain/log-event.ts";
import * as statements from "../persistence/outbox.queries.ts";
import { relayConsumer as consumer } from "./relay/settings.ts";

/** One category of the log: what there is of it, and what became of it. */
export type CategoryReport = {
  readonly category: string;
  readonly total: number;
  /** With those that were passed over. */
  readonly published: number;
  readonly pending: number;
  /** Streams. */
  readonly parked: number;
  readonly skipped: number;
};

export type LaneReport = {
  readonly lane: number;
  readonly position: bigint;
  readonly published: number;
  readonly parked: number;
  /** When its cursor moved last; null where it never did. */
  readonly movedAt: Date | null;
  /** The session that owns it (pg_stat_activity has more); null where nobody does. */
  readonly ownerPid: number | null;
};

export type OutboxReport = {
  readonly categories: readonly CategoryReport[];
  readonly lanes: readonly LaneReport[];
  /** The last position that was drawn. */
  readonly drawn: bigint;
  /** When the oldest event was appended that is not published; null where all are. */
  readonly oldestPending: Date | null;
};

/** Enough to have the oldest one of what is parked, and to say that there are more. */
const mostLooked = 10_000;

/** What the relay has done and has not. */
export async function reportOutbox(database: Database): Promise<OutboxReport> {
  const [categories, lanes, drawn, parked] = await Promise.all([
    statements.listCategories.run({ consumer }, database),
    statements.listLanes.run({ consumer, lanes: laneCount }, database),
    statements.readDrawn.run(undefined, database),
    statements.listParked.run({ consumer, stream: null, limit: mostLooked }, database),
  ]);
  const pendingSince = [...lanes.map((lane) => lane.oldestPending), ...parked.map((stream) => stream.recordedAt)];
  const times = pendingSince.filter((at) => at !== null).map((at) => at.getTime());
  return {
    categories: categories.map(({ category, total, published, parked: streams, skipped }) => ({
      category,
      total: Number(total),
      published: Number(published),
      pending: Number(total - published),
      parked: Number(streams),
      skipped: Number(skipped),
    })),
    lanes: lanes.map(({ lane, position, published, parked: streams, movedAt, ownerPid }) => ({
      ...{ lane, position, movedAt, ownerPid },
      published: Number(published),
      parked: Number(streams),
    })),
    drawn: drawn[0]?.drawn ?? 0n,
    oldestPending: times.length === 0 ? null : new Date(times.reduce((least, time) => Math.min(least, time))),
  };
}

/** A parked stream; `position`, `version` and `type` are of its first event that is not published. */
export type ParkedReport = {
  readonly stream: string;
  readonly lane: number;
  readonly position: bigint;
  readonly version: number;
  readonly category: string;
  readonly type: string;
  /** Why that event was refused. */
  readonly reason: string;
  readonly parkedAt: Date;
  /** Set once a person has released it, until the relay has published it. */
  readonly releasedAt: Date | null;
  readonly releasedBy: string | null;
  /** Why its first event is to be passed over; null where it is not. */
  readonly skipReason: string | null;
  /** Its events that are not published and that its lane has passed. */
  readonly withheld: number;
};

/** The parked streams, those that were parked first at the beginning; or one of them. */
export async function listParkedStreams(
  database: Database,
  { stream, limit }: { readonly stream?: string; readonly limit: number },
): Promise<ParkedReport[]> {
  const rows = await statements.listParked.run({ consumer, stream: stream ?? null, limit }, database);
  return rows.map(({ recordedAt: _, withheld, ...row }) => ({ ...row, withheld: Number(withheld) }));
}

export type Release = {
  /** One stream; undefined releases all of them. */
  readonly stream: string | undefined;
  /** Who releases, for the record. */
  readonly actor: string;
  /** The first event is passed over instead of tried again, and this is why. */
  readonly skipReason?: string | undefined;
};

/** Releases what is parked: the relay publishes it within seconds. Returns the streams; none where none was parked. */
export async function releaseStreams(database: Database, { stream, actor, skipReason }: Release): Promise<string[]> {
  const parameters = { consumer, actor, stream: stream ?? null, skipReason: skipReason ?? null };
  return (await statements.releaseParked.run(parameters, database)).map((row) => row.stream);
}

/** An event with what the relay has made of it. */
export type InspectedEvent = LogEvent & {
  readonly state: "published" | "pending" | "withheld" | "skipped";
  /** Who passed it over and why, where somebody did. */
  readonly skipped: { readonly refusal: string; readonly reason: string; readonly actor: string } | null;
};

/** The events of a stream, or the one at a position, oldest first. */
export async function inspectEvents(
  database: Database,
  what: { readonly stream: string } | { readonly position: bigint },
  limit: number,
): Promise<InspectedEvent[]> {
  const place = "stream" in what ? { stream: what.stream, position: null } : { stream: null, position: what.position };
  const events = await statements.readLogged.run({ ...place, limit }, database);
  const [first] = events;
  if (first === undefined) return [];
  const positions = events.map(({ position }) => position);
  const [[parked], lanes, skips] = await Promise.all([
    statements.listParked.run({ consumer, stream: first.stream, limit: 1 }, database),
    statements.readStreamCursor.run({ consumer, stream: first.stream }, database),
    statements.readSkipped.run({ consumer, positions }, database),
  ]);
  const cursor = lanes[0]?.position ?? 0n;
  const skipped = new Map(skips.map(({ position, refusal, reason, actor }) => [position, { refusal, reason, actor }]));
  return events.map((event) => {
    const skip = skipped.get(event.position) ?? null;
    const isWithheld = parked !== undefined && event.version >= parked.version;
    const state =
      skip !== null ? "skipped" : isWithheld ? "withheld" : event.position <= cursor ? "published" : "pending";
    return { ...event, state, skipped: skip };
  });
}
