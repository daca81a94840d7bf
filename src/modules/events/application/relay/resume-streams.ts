import type { Database } from "../../../../kernel/statement.ts";
import type { LogEvent } from "../../domain/log-event.ts";
import { type ReadReleasedResult, readReleased, readWithheld, resumeStream } from "../../persistence/relay.queries.ts";
import type { LaneOwnership, OwnedLane } from "./lane-ownership.ts";
import { type Published, prepareEvents, publishEvents, type RefusedEvent } from "./publish-lane.ts";
import { relayConsumer as consumer, type RelaySettings } from "./settings.ts";

type Resuming = {
  readonly lanes: readonly OwnedLane[];
  readonly ownership: LaneOwnership;
  readonly database: Database;
};

type Work = { readonly settings: RelaySettings; readonly own: Resuming; readonly lane: OwnedLane };

/** Streams that are taken up at once of each lane; and of all, that are published at the same time. */
const mostOfLane = 32;
const atOnce = 8;
/** Events of a stream that are read and published together. */
const pageEvents = 500;

/**
 * Publishes what was withheld of the streams that a person has released, each under a name of its own, while their
 * lanes stand still. Gives back the lanes that are not this process's any more. Throws where the broker or the database
 * is away: what is left is taken up again.
 */
export async function resumeReleased(settings: RelaySettings, own: Resuming): Promise<void> {
  const lanes = own.lanes.map(({ lane }) => lane);
  const cursors = own.lanes.map(({ cursor }) => cursor);
  const released = await readReleased.run({ consumer, lanes, cursors, limit: mostOfLane }, own.database);
  const byNumber = new Map(own.lanes.map((lane) => [lane.lane, lane]));
  for (let from = 0; from < released.length; from += atOnce) {
    const some = released.slice(from, from + atOnce).map(async (row) => {
      const lane = byNumber.get(row.lane);
      if (lane !== undefined) await resume({ settings, own, lane }, row);
    });
    const failed = (await Promise.allSettled(some)).find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}

/** Where a stream goes on that is not done: what is still to be published begins there, or was refused there. */
type Next = { readonly event: LogEvent; readonly reason: string | null };

/**
 * Page by page until nothing is withheld, something is refused or the lane is lost; what its lane has still before it
 * waits until that has passed it.
 */
async function resume(work: Work, row: ReadReleasedResult): Promise<void> {
  const { own, lane } = work;
  for (let at = row; own.ownership.isOwned(lane); ) {
    const next = await resumePage(work, at);
    if (next === undefined || next.reason !== null || next.event.position > lane.cursor) return;
    at = { ...at, position: next.event.position, version: next.event.version, skipReason: null };
  }
}

async function resumePage({ settings, own, lane }: Work, at: ReadReleasedResult): Promise<Next | undefined> {
  const skips = at.skipReason !== null;
  const { stream, version } = at;
  const range = { stream, fromVersion: skips ? version + 1 : version, limit: pageEvents + 1 };
  const events = await readWithheld.run(range, own.database);
  // What is there beyond the cursor may have been withheld from a page that was published and not committed. The
  // broker has what follows it by the lane's name, and would drop it: it waits for the cursor, and comes by another.
  const page = events.slice(0, pageEvents).filter(({ position }) => position <= lane.cursor);
  const [first] = page;
  // A name of its own for each place to begin at, so that a broker that drops what it has can tell them apart.
  const name = `${lane.name}-replay-${first?.position}`;
  const prepared = prepareEvents(settings.messageOf, page);
  const published = await publishEvents(settings.publisher, name, prepared);
  const next = nextOf(published.refused[0] ?? prepared.refused[0], events[page.length]);
  const count = sumOf(published) + (skips ? 1 : 0);
  const done = { stream, position: at.position, skipped: skips, count: BigInt(count) };
  if (!(await commitResumed(own, lane, { ...done, next }))) return undefined;
  for (const [topic, messages] of published.byTopic) settings.observe.published(topic, messages);
  if (next === undefined) lane.parked.delete(stream);
  else lane.parked.set(stream, next.event.position);
  if (next !== undefined && next.reason !== null) {
    const { position, type } = next.event;
    settings.observe.refused({ lane: lane.lane, stream, position, type, reason: next.reason });
  }
  return next;
}

type Resumed = {
  readonly stream: string;
  readonly position: bigint;
  readonly skipped: boolean;
  readonly count: bigint;
  readonly next: Next | undefined;
};

/** False where the lane was lost. Throws where the database is away; it may have been committed then. */
async function commitResumed(own: Resuming, lane: OwnedLane, { next, ...done }: Resumed): Promise<boolean> {
  const { event, reason = null } = next ?? {};
  const after = {
    nextPosition: event?.position ?? null,
    nextVersion: event?.version ?? null,
    nextType: event?.type ?? null,
    nextReason: reason,
  };
  const fence = { consumer, lane: lane.lane, epoch: lane.epoch, cursor: lane.cursor };
  try {
    const rows = await resumeStream.run({ ...fence, ...done, ...after }, own.database);
    if (rows.length > 0) return true;
  } catch (error) {
    // It may have been committed, and a stream that is parked here only would be withheld for ever: what the database
    // says is read with the next taking.
    await own.ownership.drop(lane).catch(() => undefined);
    throw error;
  }
  await own.ownership.drop(lane);
  return false;
}

function nextOf(refused: RefusedEvent | undefined, following: LogEvent | undefined): Next | undefined {
  if (refused !== undefined) return refused;
  return following === undefined ? undefined : { event: following, reason: null };
}

function sumOf({ byCategory }: Published): number {
  return byCategory.values().reduce((sum, count) => sum + count, 0);
}
