import type { Database } from "../../../../kernel/statement.ts";
import { advanceLanes, parkStreams } from "../../persistence/relay.queries.ts";
import type { OwnedLane } from "./lane-ownership.ts";
import type { LaneOutcome, LaneShare, Published, RefusedEvent } from "./publish-lane.ts";
import { relayConsumer as consumer, type RelayObserver } from "./settings.ts";

type CommitSettings = {
  readonly database: Database;
  readonly observe: RelayObserver;
};

type Advance = { readonly lane: OwnedLane; readonly published: Published };

/**
 * Parks the streams of events that cannot be messages, before anything after them is published. Returns the lanes that
 * are not this process's any more.
 */
export async function parkRefused(settings: CommitSettings, shares: readonly LaneShare[]): Promise<OwnedLane[]> {
  const refused = shares.flatMap(({ lane, prepared }) => prepared.refused.map((event) => ({ lane, ...event })));
  if (refused.length === 0) return [];
  const rows = await parkStreams.run(
    {
      consumer,
      streams: refused.map(({ event }) => event.stream),
      lanes: refused.map(({ lane }) => lane.lane),
      epochs: refused.map(({ lane }) => lane.epoch),
      positions: refused.map(({ event }) => event.position),
      versions: refused.map(({ event }) => event.version),
      categories: refused.map(({ event }) => event.category),
      types: refused.map(({ event }) => event.type),
      reasons: refused.map(({ reason }) => reason),
    },
    settings.database,
  );
  const parked = new Set(rows.map(({ stream }) => stream));
  const lost = new Set<OwnedLane>();
  for (const { lane, event, reason } of refused) {
    if (parked.has(event.stream)) park(settings.observe, lane, { event, reason });
    else lost.add(lane);
  }
  return [...lost];
}

function park(observe: RelayObserver, lane: OwnedLane, { event, reason }: RefusedEvent): void {
  const { stream, position, type } = event;
  lane.parked.set(stream, position);
  observe.refused({ lane: lane.lane, stream, position, type, reason });
}

/**
 * Moves the cursors of the lanes that were published, with the counts, and parks the streams that were refused, in one
 * commit. Returns the lanes that are not this process's any more: theirs did not move. Throws where the
 * database is away; it may have been committed then.
 */
export async function commitPage(
  settings: CommitSettings,
  outcomes: readonly LaneOutcome[],
  upTo: bigint,
): Promise<OwnedLane[]> {
  const advances: Advance[] = [];
  for (const outcome of outcomes) if ("published" in outcome) advances.push(outcome);
  if (advances.length === 0) return [];
  const moved = new Set((await advanceLanes.run(rowsOf(advances, upTo), settings.database)).map(({ lane }) => lane));
  for (const { lane, published } of advances) {
    if (!moved.has(lane.lane)) continue;
    lane.cursor = upTo;
    for (const refused of published.refused) park(settings.observe, lane, refused);
  }
  tell(
    settings.observe,
    advances.filter(({ lane }) => moved.has(lane.lane)),
  );
  return advances.map(({ lane }) => lane).filter(({ lane }) => !moved.has(lane));
}

function rowsOf(advances: readonly Advance[], upTo: bigint) {
  const counted = advances.flatMap(({ lane, published }) =>
    [...published.byCategory].map(([category, count]) => ({ lane: lane.lane, category, count })),
  );
  const refused = advances.flatMap(({ lane, published }) =>
    published.refused.map(({ event, reason }) => ({ ...event, reason, lane: lane.lane })),
  );
  return {
    consumer,
    lanes: advances.map(({ lane }) => lane.lane),
    epochs: advances.map(({ lane }) => lane.epoch),
    froms: advances.map(({ lane }) => lane.cursor),
    tos: advances.map(() => upTo),
    countedLanes: counted.map(({ lane }) => lane),
    countedCategories: counted.map(({ category }) => category),
    counts: counted.map(({ count }) => BigInt(count)),
    parkedStreams: refused.map(({ stream }) => stream),
    parkedLanes: refused.map(({ lane }) => lane),
    parkedPositions: refused.map(({ position }) => position),
    parkedVersions: refused.map(({ version }) => version),
    parkedCategories: refused.map(({ category }) => category),
    parkedTypes: refused.map(({ type }) => type),
    reasons: refused.map(({ reason }) => reason),
  };
}

function tell(observe: RelayObserver, advances: readonly Advance[]): void {
  const topics = new Map<string, number>();
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const { published } of advances) {
    for (const [topic, count] of published.byTopic) topics.set(topic, (topics.get(topic) ?? 0) + count);
    if (published.oldest !== undefined) oldestMs = Math.min(oldestMs, published.oldest.getTime());
  }
  for (const [topic, count] of topics) observe.published(topic, count);
  if (Number.isFinite(oldestMs)) observe.lag(Math.max(0, Date.now() - oldestMs));
}
