import type { BookRefund } from "../simulator/book.ts";
import type { Engine } from "../simulator/engine.ts";
import { leftOf, refund } from "../simulator/reversals.ts";
import { numberOfId, refundJson } from "../simulator/stripe-json.ts";
import { type Answer, answerError, answerOk, invalidParameter, listJson, noSuch } from "./stand-in-answers.ts";
import { metadataOf, type Parameters, pageOf } from "./stand-in-intents.ts";

function answerRefund(engine: Engine, booked: BookRefund): string {
  return refundJson(engine.book.tag, booked, engine.book.intentByNumber(booked.intent)?.currency ?? "");
}

function refused(message: string, code?: string): Answer {
  const fields = code === undefined ? { param: "amount" } : { code };
  return answerError(400, { type: "invalid_request_error", message, ...fields }, true);
}

/** POST /v1/refunds with `payment_intent`, and `amount` unless all that is left is to be given back. */
export function createRefund(engine: Engine, parameters: Parameters): Answer {
  const { book } = engine;
  const id = parameters.get("payment_intent") ?? "";
  const n = numberOfId(book.tag, "pi", id);
  const intent = n === undefined ? undefined : book.intentByNumber(n);
  if (intent === undefined) return noSuch("payment_intent", id);
  const left = leftOf(book, intent);
  const text = parameters.get("amount") ?? String(Math.max(1, left));
  const amount = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (amount < 1) return invalidParameter("amount", "Invalid positive integer.", "parameter_invalid_integer");
  const metadata = JSON.stringify(metadataOf(parameters));
  const asked = { amount, reason: parameters.get("reason"), metadata, createdAt: engine.now(), attempt: null };
  const booked = refund(book, intent, asked);
  if (booked === "nothing_charged") {
    return refused("This PaymentIntent has no charge.", "payment_intent_unexpected_state");
  }
  if (booked === "refunded_already") return refused("The charge is refunded already.", "charge_already_refunded");
  if (booked === "disputed") return refused("The charge has been charged back.", "charge_disputed");
  if (booked === "more_than_left") {
    return refused(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left}).`);
  }
  return answerOk(answerRefund(engine, booked));
}

/** GET /v1/refunds/:id */
export function retrieveRefund(engine: Engine, id: string): Answer {
  const n = numberOfId(engine.book.tag, "re", id);
  const booked = n === undefined ? undefined : engine.book.refundByNumber(n);
  return booked === undefined ? noSuch("refund", id) : answerOk(answerRefund(engine, booked));
}

/** GET /v1/refunds with `limit`, `starting_after` and `payment_intent`. */
export function listRefunds(engine: Engine, parameters: Parameters): Answer {
  const page = pageOf(engine, parameters, "re");
  if ("body" in page) return page;
  const id = parameters.get("payment_intent");
  const intent = id === null ? null : numberOfId(engine.book.tag, "pi", id);
  if (intent === undefined) return noSuch("payment_intent", id ?? "");
  const refunds = engine.book.refundsBefore(page.before, intent, page.limit + 1);
  const items = refunds.slice(0, page.limit).map((booked) => answerRefund(engine, booked));
  return answerOk(listJson("/v1/refunds", items, refunds.length > page.limit));
}
