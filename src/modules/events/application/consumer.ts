import type { Result } from "../../../kernel/result.ts";
import { DatabaseFailure } from "../../../kernel/statement.ts";
import type { Receive, ReceivedMessage, Reception } from "../ports.ts";

/** Why a message is no event for this consumer: it is of another type, or it will never be readable. */
export type MessageRefusal = { type: "not_for_us" } | { type: "malformed"; reason: string };

/** What became of messages; a message that is asked for again is counted each time. */
export type ConsumerOutcome = "handled" | "duplicate" | "passed_over" | "retried" | "dead_lettered";

/** What a consumer reports to. None of these may throw. */
export type ConsumerObserver = {
  readonly counted: (outcome: ConsumerOutcome, messages: number) => void;
  /** Something went wrong with this message or, where it is null, with all of them: it is tried again. */
  readonly failed: (error: unknown, message: ReceivedMessage | null) => void;
  readonly deadLettered: (reason: string, message: ReceivedMessage) => void;
  /** Begins a span below the trace that the event was recorded in; called for messages that carry one. */
  readonly startSpan: (name: string, traceparent: string) => { fail(reason: string): void; end(): void };
};

export type ConsumerSettings<Event> = {
  /** Its name in the inbox; another name is another consumer, which is given everything anew. */
  readonly name: string;
  readonly parse: (message: ReceivedMessage) => Result<Event, MessageRefusal>;
  /**
   * Takes events, in their order, in one commit with their receipts (`events.receive`), and returns how many of them
   * were new. The same may be given again, whole or in part, and by several processes at once.
   */
  readonly handle: (events: readonly Event[]) => Promise<number>;
  readonly observe: ConsumerObserver;
  /** After how many refusals by the database a message is put aside. */
  readonly maxTries?: number;
  /** The first pause before something is tried again; each further one is twice as long, up to 5 s. */
  readonly backoffMs?: number;
};

type Rest = NonNullable<Reception["rest"]>;

const longestPauseMs = 5_000;
/** There is one message at fault at a time in each partition; a process has far fewer partitions than this. */
const mostRemembered = 1_000;

/**
 * Makes a `Receive` that hands a whole batch to `handle`. Where the database refuses a batch, halving finds the message
 * at fault: what is before it takes effect, and it is tried again, alone in deciding when it is put aside
 * (dead-lettered), after so many tries of this process. What cannot be read is put aside at once; types that are not
 * for this consumer are passed over. A database that is away or busy, and an error that is a bug of ours, are no
 * fault of the message: they burn no tries and are waited out. Never rejects.
 */
export function createConsumer<Event>(settings: ConsumerSettings<Event>): Receive {
  const { observe, maxTries = 5, backoffMs = 100 } = settings;
  const tries = new Map<string, number>();
  const outages = new Map<string, number>();
  const pauseAfter = (failures: number) => Math.min(longestPauseMs, backoffMs * 2 ** Math.min(failures - 1, 16));

  function waitOut(error: unknown, topic: string): Rest {
    observe.failed(error, null);
    return { retryAfterMs: pauseAfter(countOne(outages, topic)) };
  }

  function judge(error: DatabaseFailure, message: ReceivedMessage): Rest {
    const tried = countOne(tries, message.messageId);
    if (tried >= maxTries) return putAside(`refused ${tried} times: ${error.message}`, message);
    observe.failed(error, message);
    return { retryAfterMs: pauseAfter(tried) };
  }

  function putAside(reason: string, message: ReceivedMessage): Rest {
    observe.counted("dead_lettered", 1);
    observe.deadLettered(reason, message);
    return { deadLetter: reason };
  }

  return async (messages) => {
    const [first] = messages;
    if (first === undefined) return { handled: 0 };
    const { entries, end, fault } = readBatch(settings, messages);
    const spans = startSpans(settings, entries);
    const { taken, fresh, failure } = await take(settings.handle, entries);
    const failed = entries[taken];
    const handled = failed?.place ?? end;
    endSpans(spans, handled, failure);
    observe.counted("handled", fresh);
    observe.counted("duplicate", taken - fresh);
    observe.counted("passed_over", handled - taken);
    if (failed === undefined || isRefusal(failure)) outages.delete(first.topic);
    for (const { messageId } of tries.size > 0 ? messages.slice(0, handled) : []) tries.delete(messageId);

    const next = messages[handled];
    if (next === undefined) return { handled };
    if (failed === undefined) return { handled, rest: putAside(fault, next) };
    const rest = isRefusal(failure) ? judge(failure, next) : waitOut(failure, first.topic);
    if ("retryAfterMs" in rest) observe.counted("retried", messages.length - handled);
    return { handled, rest };
  };
}

/** Counts one more under a key, and forgets the oldest key where there are too many. */
function countOne(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.delete(key);
  counts.set(key, count);
  const [oldest] = counts.keys();
  if (counts.size > mostRemembered && oldest !== undefined) counts.delete(oldest);
  return count;
}

function isRefusal(failure: unknown): failure is DatabaseFailure {
  return failure instanceof DatabaseFailure && failure.kind === "rejected";
}

/** An event with the place of its message in the batch. */
type Entry<Event> = { readonly place: number; readonly message: ReceivedMessage; readonly event: Event };

type Batch<Event> = {
  readonly entries: readonly Entry<Event>[];
  /** The place of the first message that cannot be read, or the length of the batch. */
  readonly end: number;
  /** What is wrong with it; empty where there is none. */
  readonly fault: string;
};

/** Reads messages up to the first one that cannot be read: it has to be put aside before what is behind it. */
function readBatch<Event>(
  { parse }: Pick<ConsumerSettings<Event>, "parse">,
  messages: readonly ReceivedMessage[],
): Batch<Event> {
  const entries: Entry<Event>[] = [];
  for (const [place, message] of messages.entries()) {
    const parsed = parse(message);
    if (parsed.ok) entries.push({ place, message, event: parsed.value });
    else if (parsed.refusal.type === "malformed") return { entries, end: place, fault: parsed.refusal.reason };
  }
  return { entries, end: messages.length, fault: "" };
}

/** So many from the beginning took effect, `fresh` of them for the first time; the next one met the failure. */
type Taken = { readonly taken: number; readonly fresh: number; readonly failure?: unknown };

async function take<Event>(
  handle: ConsumerSettings<Event>["handle"],
  entries: readonly Entry<Event>[],
): Promise<Taken> {
  if (entries.length === 0) return { taken: 0, fresh: 0 };
  try {
    return { taken: entries.length, fresh: await handle(entries.map(({ event }) => event)) };
  } catch (failure) {
    if (!isRefusal(failure) || entries.length === 1) return { taken: 0, fresh: 0, failure };
    const half = Math.ceil(entries.length / 2);
    const first = await take(handle, entries.slice(0, half));
    if ("failure" in first) return first;
    const second = await take(handle, entries.slice(half));
    return { ...second, taken: first.taken + second.taken, fresh: first.fresh + second.fresh };
  }
}

type PlacedSpan = { readonly place: number; readonly span: ReturnType<ConsumerObserver["startSpan"]> };

function startSpans<Event>(
  { name, observe }: Pick<ConsumerSettings<Event>, "name" | "observe">,
  entries: readonly Entry<Event>[],
): PlacedSpan[] {
  const spans: PlacedSpan[] = [];
  for (const { place, message } of entries) {
    const traceparent = message.properties["traceparent"];
    if (traceparent !== undefined) spans.push({ place, span: observe.startSpan(`consume ${name}`, traceparent) });
  }
  return spans;
}

function endSpans(spans: readonly PlacedSpan[], handled: number, failure: unknown): void {
  const reason = failure instanceof Error ? failure.message : String(failure);
  for (const { place, span } of spans) {
    if (place >= handled) span.fail(reason);
    span.end();
  }
}
