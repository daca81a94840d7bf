import type { Book, BookLine } from "../simulator/book.ts";
import type { Engine } from "../simulator/engine.ts";
import { chargeJson, disputeJson, objectId, refundJson, transactionJson } from "../simulator/stripe-json.ts";
import { type Answer, answerOk, listJson } from "./stand-in-answers.ts";
import { createdRange, type Parameters, pageOf } from "./stand-in-intents.ts";

/** What a line is about as it is now; undefined for a refund of before lines carried their number. */
function sourceObject(book: Book, line: BookLine): string | undefined {
  const { tag } = book;
  if (line.kind === "charge") {
    const intent = book.intentByNumber(line.intent);
    return intent && chargeJson(tag, intent, book.refundedOf(line.intent));
  }
  if (line.kind === "refund") {
    const refund = book.refundByNumber(line.source ?? 0);
    return refund && refundJson(tag, refund, line.currency);
  }
  const dispute = book.disputeByNumber(line.source ?? 0);
  return dispute && disputeJson(tag, dispute, line.currency);
}

function sourceId(tag: string, line: BookLine): string {
  if (line.kind === "charge") return objectId(tag, "ch", line.intent);
  return objectId(tag, line.kind === "refund" ? "re" : "dp", line.source ?? 0);
}

/**
 * GET /v1/balance_transactions with `limit`, `starting_after`, `created` and `expand[]=data.source`. A charge that was
 * captured in part has one line here, of what was captured; Stripe has two.
 */
export function listTransactions(engine: Engine, parameters: Parameters): Answer {
  const { book } = engine;
  const page = pageOf(engine, parameters, "txn");
  if ("body" in page) return page;
  const expanded = [...parameters].some(([name, value]) => name.startsWith("expand") && value === "data.source");
  const lines = book.linesBefore(page.before, { ...createdRange(parameters), limit: page.limit + 1 });
  const items = lines.slice(0, page.limit).map((line) => {
    const source = (expanded ? sourceObject(book, line) : undefined) ?? `"${sourceId(book.tag, line)}"`;
    return transactionJson(book.tag, line, source);
  });
  return answerOk(listJson("/v1/balance_transactions", items, lines.length > page.limit));
}
