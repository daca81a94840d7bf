import type { Currency } from "../../../kernel/currency.ts";
import type { SettlementLine, SettlementPage, SettlementRequest } from "../../../movements/ports.ts";
import type { Book, BookLine } from "./book.ts";
import { intentId, numberOfId, objectId } from "./stripe-json.ts";

/**
 * A page costs the event loop less than a millisecond where its lines follow the cursor. The first page of a range
 * passes over all lines before it, 60 ms for a million: an index on the time would cost every payment.
 */
const linesAtMost = 250;

const sourcePrefix = { charge: null, refund: "re", dispute: "dp", dispute_reversal: "dp" } as const satisfies Record<
  BookLine["kind"],
  string | null
>;

function readLine(tag: string, line: BookLine): SettlementLine {
  const prefix = sourcePrefix[line.kind];
  return {
    id: objectId(tag, "txn", line.n),
    kind: line.kind,
    intentId: intentId(tag, line.intent),
    sourceId: prefix === null || line.source === null ? null : objectId(tag, prefix, line.source),
    amount: { amountMinor: BigInt(line.amount), currency: line.currency as Currency },
    occurredAt: new Date(line.at),
  };
}

/** A page of the journal, oldest first; the cursor is the id of the last line before it. */
export function settlementPage(book: Book, { from, to, cursor }: SettlementRequest): SettlementPage {
  const after = cursor === null ? 0 : numberOfId(book.tag, "txn", cursor);
  if (after === undefined) {
    return { type: "unreachable", code: "resource_missing", message: "There is no line of that id." };
  }
  const range = { from: from.getTime(), to: to.getTime(), limit: linesAtMost + 1 };
  const booked = book.linesAfter(after, range);
  const lines = booked.slice(0, linesAtMost).map((line) => readLine(book.tag, line));
  const nextCursor = booked.length > linesAtMost ? (lines.at(-1)?.id ?? null) : null;
  return { type: "page", lines, nextCursor };
}
