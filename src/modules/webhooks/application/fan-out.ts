import type { Result } from "../../../kernel/result.ts";
import type { Database } from "../../../kernel/statement.ts";
import { type LogPage, type LogReader, readCursor } from "../../events/index.ts";
import { isWanted } from "../domain/endpoint.ts";
import {
  type ListWebhookFiltersResult,
  listWebhookFilters,
  storeWebhookDeliveries,
} from "../persistence/fan-out.queries.ts";

type LoggedEvent = LogPage["events"][number];

/** An event in the form in which it leaves: the webhook-id and the body. */
export type OutgoingBody = { readonly eventId: string; readonly payload: string };

export type FanOutSettings = {
  /** One connection of its own: the log's reader knows for its session only how far the log may be read. */
  readonly database: Database;
  readonly reader: Pick<LogReader, "next">;
  readonly bodyOf: (event: LoggedEvent) => Result<OutgoingBody, { type: string }>;
  readonly newId: () => string;
  readonly nowMs: () => number;
  /** Told of an event that cannot leave, which no endpoint is sent. */
  readonly onUnknown: (event: LoggedEvent, reason: string) => void;
};

/** What a round did: how many deliveries it decided on, and what is next. */
export type FanOutRound = {
  readonly deliveries: number;
  /** There is more to read, the log was read to its end, nothing was new, or nobody takes anything. */
  readonly next: "more" | "caught_up" | "nothing_new" | "nobody";
};

export type FanOut = { next(): Promise<FanOutRound> };

const eventsAtOnce = 1_000;
/** Deliveries of one commit: a hundred endpoints that take everything make a page of the log shorter. */
const deliveriesAtOnce = 2_000;
const bytesAtOnce = 4 * 1024 * 1024;
/** Where nobody takes anything, pages are only walked over. */
const skippedAtOnce = 5_000;

/**
 * Follows the log and decides, once for each event and endpoint, what is sent to whom. Any number may follow: a page is
 * stored together with the cursor that moves over it, or by somebody else.
 */
export function createFanOut({ database, reader, bodyOf, newId, nowMs, onUnknown }: FanOutSettings): FanOut {
  let cursor: bigint | undefined;
  let anybodyTakes = true;

  /** Returns how many were stored; undefined where somebody else has moved over the page. */
  async function store(from: bigint, { upTo, messages, deliveries }: Decided): Promise<number | undefined> {
    const [row] = await storeWebhookDeliveries.run(
      {
        from,
        upTo,
        now: new Date(nowMs()),
        eventIds: messages.map(({ eventId }) => eventId),
        positions: messages.map(({ position }) => position),
        types: messages.map(({ type }) => type),
        payloads: messages.map(({ payload }) => payload),
        ids: deliveries.map(() => newId()),
        endpointIds: deliveries.map(({ endpointId }) => endpointId),
        deliveryEventIds: deliveries.map(({ message }) => message.eventId),
        deliveryTypes: deliveries.map(({ message }) => message.type),
      },
      database,
    );
    // Where to somebody else has moved it, the next round asks.
    cursor = row?.moved === true ? upTo : undefined;
    return row?.moved === true ? Number(row.stored) : undefined;
  }

  /** Walks over what nobody takes; somebody may have come meanwhile, who is sent what is new on the page. */
  async function walk(from: bigint): Promise<FanOutRound> {
    const page = await reader.next(from, skippedAtOnce, { lanes: [] });
    anybodyTakes = (await listWebhookFilters.run(undefined, database)).length > 0;
    if (anybodyTakes) return { deliveries: 0, next: "more" };
    if (page.upTo !== from) await store(from, { upTo: page.upTo, messages: [], deliveries: [], unknown: [] });
    return { deliveries: 0, next: page.upTo - from >= skippedAtOnce ? "more" : "nobody" };
  }

  async function follow(from: bigint): Promise<FanOutRound> {
    const page = await reader.next(from, eventsAtOnce);
    if (page.upTo === from) return { deliveries: 0, next: "nothing_new" };
    // After the page and not before: who has registered meanwhile takes nothing that is on it.
    const filters = await listWebhookFilters.run(undefined, database);
    anybodyTakes = filters.length > 0;
    const decided = decide(page, filters, bodyOf);
    const stored = await store(from, decided);
    if (stored !== undefined) for (const { event, reason } of decided.unknown) onUnknown(event, reason);
    const isWhole = stored !== undefined && decided.upTo === page.upTo && page.events.length < eventsAtOnce;
    return { deliveries: stored ?? 0, next: isWhole ? "caught_up" : "more" };
  }

  return {
    async next() {
      cursor ??= await readCursor(database, "webhooks");
      return await (anybodyTakes ? follow(cursor) : walk(cursor));
    },
  };
}

type StoredMessage = OutgoingBody & Pick<LoggedEvent, "position" | "type">;

type Decided = {
  /** How far the page was gone through. */
  readonly upTo: bigint;
  readonly messages: readonly StoredMessage[];
  readonly deliveries: readonly { readonly endpointId: string; readonly message: StoredMessage }[];
  readonly unknown: readonly { readonly event: LoggedEvent; readonly reason: string }[];
};

/** Who is sent which events of a page; it ends early where that becomes too much for one commit. */
function decide(
  { events, upTo }: LogPage,
  filters: readonly ListWebhookFiltersResult[],
  bodyOf: FanOutSettings["bodyOf"],
): Decided {
  const messages: StoredMessage[] = [];
  const deliveries: { endpointId: string; message: StoredMessage }[] = [];
  const unknown: { event: LoggedEvent; reason: string }[] = [];
  const takers = takersByType(filters);
  let bytes = 0;
  for (const event of events) {
    const endpointIds = takers(event.type)
      .filter(({ createdAt }) => createdAt <= event.recordedAt)
      .map(({ id }) => id);
    if (endpointIds.length === 0) continue;
    const body = bodyOf(event);
    if (!body.ok) {
      unknown.push({ event, reason: body.refusal.type });
      continue;
    }
    const { eventId, payload } = body.value;
    const message = { eventId, payload, position: event.position, type: event.type };
    messages.push(message);
    deliveries.push(...endpointIds.map((endpointId) => ({ endpointId, message })));
    bytes += payload.length;
    const isFull = deliveries.length >= deliveriesAtOnce || bytes >= bytesAtOnce;
    if (isFull) return { upTo: event.position, messages, deliveries, unknown };
  }
  return { upTo, messages, deliveries, unknown };
}

/** Compares each type with the filters once for a page. */
function takersByType(filters: readonly ListWebhookFiltersResult[]) {
  const known = new Map<string, readonly ListWebhookFiltersResult[]>();
  return (type: string): readonly ListWebhookFiltersResult[] => {
    let takers = known.get(type);
    if (takers === undefined) {
      takers = filters.filter(({ eventTypes }) => isWanted(eventTypes as readonly string[], type));
      known.set(type, takers);
    }
    return takers;
  };
}
