import type { BookRefund } from "../simulator/book.ts";
import type { Engine } from "../simulator/engine.ts";
import { numberOfId, refundJson } from "../simulator/stripe-json.ts";
import { type Answer, answerError, answerOk, invalidParameter, listJson, noSuch } from "./stand-in-answers.ts";
import { metadataOf, type Parameters, pageOf } from "./stand-in-intents.ts";

function answerRefund(engine: Engine, refund: BookRefund): string {
  return refundJson(engine.book.tag, refund, engine.book.intentByNumber(refund.intent)?.currency ?? "");
}

/** POST /v1/refunds with `payment_intent`, and `amount` unless all that is left is to be given back. */
export function createRefund(engine: Engine, parameters: Parameters): Answer {
  const { book } = engine;
  const id = parameters.get("payment_intent") ?? "";
  const n = numberOfId(book.tag, "pi", id);
  const intent = n === undefined ? undefined : book.intentByNumber(n);
  if (intent === undefined) return noSuch("payment_intent", id);
  const left = intent.received - book.refundedOf(intent.n);
  if (left <= 0) {
    const message = intent.received === 0 ? "This PaymentIntent has no charge." : "The charge is refunded already.";
    const code = intent.received === 0 ? "payment_intent_unexpected_state" : "charge_already_refunded";
    return answerError(400, { type: "invalid_request_error", code, message }, true);
  }
  const text = parameters.get("amount") ?? String(left);
  const amount = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (amount < 1) return invalidParameter("amount", "Invalid positive integer.", "parameter_invalid_integer");
  if (amount > left) {
    const message = `Refund amount (${amount}) is greater than unrefunded amount on charge (${left}).`;
    return answerError(400, { type: "invalid_request_error", message, param: "amount" }, true);
  }
  const metadata = JSON.stringify(metadataOf(parameters));
  const refund = { amount, reason: parameters.get("reason"), metadata, createdAt: engine.now() };
  const number = book.refund(intent, refund);
  return answerOk(answerRefund(engine, { n: number, intent: intent.n, ...refund }));
}

/** GET /v1/refunds/:id */
export function retrieveRefund(engine: Engine, id: string): Answer {
  const n = numberOfId(engine.book.tag, "re", id);
  const refund = n === undefined ? undefined : engine.book.refundByNumber(n);
  return refund === undefined ? noSuch("refund", id) : answerOk(answerRefund(engine, refund));
}

/** GET /v1/refunds with `limit`, `starting_after` and `payment_intent`. */
export function listRefunds(engine: Engine, parameters: Parameters): Answer {
  const page = pageOf(engine, parameters, "re");
  if ("body" in page) return page;
  const id = parameters.get("payment_intent");
  const intent = id === null ? null : numberOfId(engine.book.tag, "pi", id);
  if (intent === undefined) return noSuch("payment_intent", id ?? "");
  const refunds = engine.book.refundsBefore(page.before, intent, page.limit + 1);
  const items = refunds.slice(0, page.limit).map((refund) => answerRefund(engine, refund));
  return answerOk(listJson("/v1/refunds", items, refunds.length > page.limit));
}
