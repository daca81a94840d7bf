import type { ConsumerObserver, Receive } from "../../src/modules/events/index.ts";
import type { ReceivedMessage } from "../../src/modules/events/ports.ts";

/** What became of the messages of one partition. */
export type Deliveries = {
  readonly deadLetters: { readonly messageId: string; readonly reason: string }[];
  /** The pauses that were asked for, in milliseconds; they are not waited for. */
  readonly pauses: number[];
  /** How many batches were delivered. */
  batches: number;
};

/**
 * Delivers messages as a broker does to the one consumer of a partition: in order, so many at a time, what is not
 * handled again from its beginning, and what is put aside never again. Throws where nothing moves any more.
 */
export async function deliver(
  receive: Receive,
  messages: readonly ReceivedMessage[],
  { batch = 100, onPause = async () => undefined }: { batch?: number; onPause?: () => Promise<void> } = {},
): Promise<Deliveries> {
  const queue = [...messages];
  const deliveries: Deliveries = { deadLetters: [], pauses: [], batches: 0 };
  while (queue.length > 0) {
    deliveries.batches += 1;
    if (deliveries.batches > 10_000) throw new Error("the deliveries do not end");
    const given = queue.slice(0, batch);
    const { handled, rest } = await receive(given);
    if (rest === undefined && handled < given.length) throw new Error("what is not handled needs a word");
    queue.splice(0, handled);
    if (rest === undefined) continue;
    if ("deadLetter" in rest) {
      const { messageId = "" } = queue.shift() ?? {};
      deliveries.deadLetters.push({ messageId, reason: rest.deadLetter });
    } else {
      deliveries.pauses.push(rest.retryAfterMs);
      await onPause();
    }
  }
  return deliveries;
}

/** A message as it comes from a partition; the id names it at every delivery. */
export function messageOf(
  messageId: string,
  payload: string,
  properties: Readonly<Record<string, string>> = {},
  topic = "topic-partition-0",
): ReceivedMessage {
  return { messageId, topic, key: messageId, payload, properties };
}

export type SeenByObserver = {
  readonly observe: ConsumerObserver;
  readonly counts: Map<string, number>;
  readonly failures: { readonly error: unknown; readonly messageId: string | null }[];
  readonly aside: string[];
  /** Each span, with the reason where it failed; "open" where nobody ended it. */
  readonly spans: { readonly name: string; readonly traceparent: string; end: string }[];
};

/** An observer that remembers. */
export function createObserver(): SeenByObserver {
  const counts = new Map<string, number>();
  const failures: SeenByObserver["failures"] = [];
  const aside: string[] = [];
  const spans: SeenByObserver["spans"] = [];
  return {
    counts,
    failures,
    aside,
    spans,
    observe: {
      counted(outcome, messages) {
        if (messages > 0) counts.set(outcome, (counts.get(outcome) ?? 0) + messages);
      },
      failed: (error, message) => failures.push({ error, messageId: message?.messageId ?? null }),
      deadLettered: (_reason, { messageId }) => aside.push(messageId),
      startSpan(name, traceparent) {
        const span = { name, traceparent, end: "open" };
        let reason: string | undefined;
        spans.push(span);
        return {
          fail(why) {
            reason = why;
          },
          end() {
            span.end = reason ?? "well";
          },
        };
      },
    },
  };
}
