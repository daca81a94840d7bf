import type { LogEvent } from "../../domain/log-event.ts";
import type { Message } from "../../ports.ts";
import type { OwnedLane } from "./lane-ownership.ts";
import type { RelaySettings } from "./settings.ts";

/** An event that was refused, with the reason; its stream is withheld from there on. */
export type RefusedEvent = { readonly event: LogEvent; readonly reason: string };

/** Events as messages, in their order. */
export type Prepared = {
  readonly sent: readonly { readonly event: LogEvent; readonly message: Message }[];
  /** Those that are no messages, the first one of each stream; what follows in their streams is left out. */
  readonly refused: readonly RefusedEvent[];
};

/** What became of events that were given to the publisher. */
export type Published = {
  /** So many of each category, and of each topic, are kept by the broker. */
  readonly byCategory: ReadonlyMap<string, number>;
  readonly byTopic: ReadonlyMap<string, number>;
  /** The first event of each stream that the publisher refused; what follows in their streams is withheld. */
  readonly refused: readonly RefusedEvent[];
  /** When the first of them was appended. */
  readonly oldest: Date | undefined;
};

/** Makes messages of the events of a lane, or of one stream, without what is parked. */
export function prepareEvents(
  messageOf: RelaySettings["messageOf"],
  events: readonly LogEvent[],
  parked: ReadonlyMap<string, bigint> = new Map(),
): Prepared {
  const refused = new Map<string, RefusedEvent>();
  const sent: { event: LogEvent; message: Message }[] = [];
  for (const event of events) {
    const parkedAt = parked.size === 0 ? undefined : parked.get(event.stream);
    if ((parkedAt !== undefined && parkedAt <= event.position) || refused.has(event.stream)) continue;
    const message = messageOf(event);
    if (message.ok) sent.push({ event, message: message.value });
    else refused.set(event.stream, { event, reason: message.refusal.type });
  }
  return { sent, refused: [...refused.values()] };
}

/** Publishes under the name of a lane. Throws where the publisher does: some may have been published then. */
export async function publishEvents(
  publisher: RelaySettings["publisher"],
  name: string,
  { sent }: Prepared,
): Promise<Published> {
  const messages = sent.map(({ message }) => message);
  const refusals = messages.length === 0 ? [] : await publisher.publish(name, messages);
  const reasons = new Map(refusals.map(({ position, reason }) => [position, reason]));
  const refused = new Map<string, RefusedEvent>();
  const byCategory = new Map<string, number>();
  const byTopic = new Map<string, number>();
  let oldest: Date | undefined;
  for (const { event, message } of sent) {
    if (refused.has(event.stream)) continue;
    const reason = reasons.get(event.position);
    if (reason !== undefined) {
      refused.set(event.stream, { event, reason });
      continue;
    }
    byCategory.set(event.category, (byCategory.get(event.category) ?? 0) + 1);
    byTopic.set(message.topic, (byTopic.get(message.topic) ?? 0) + 1);
    oldest ??= event.recordedAt;
  }
  return { byCategory, byTopic, refused: [...refused.values()], oldest };
}

/** A lane's share of a page. */
export type LaneShare = { readonly lane: OwnedLane; readonly prepared: Prepared };

/** What became of it: published, or the publisher's error. */
export type LaneOutcome = { readonly lane: OwnedLane } & (
  | { readonly published: Published }
  | { readonly error: unknown }
);

/** Does not throw. */
export async function publishShare(
  publisher: RelaySettings["publisher"],
  { lane, prepared }: LaneShare,
): Promise<LaneOutcome> {
  try {
    return { lane, published: await publishEvents(publisher, lane.name, prepared) };
  } catch (error) {
    return { lane, error };
  }
}
