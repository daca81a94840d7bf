import type { BookIntent, BuyerPlan } from "../simulator/book.ts";
import type { Engine } from "../simulator/engine.ts";
import { intentJson, numberOfId } from "../simulator/stripe-json.ts";
import {
  type Answer,
  answerError,
  answerOk,
  cardDeclined,
  invalidParameter,
  listJson,
  noSuch,
} from "./stand-in-answers.ts";

export type Parameters = URLSearchParams;

/** What the buyer of a new intent does: set by the faults that concern the buyer and not the answer. */
export type Purchase = { readonly plan: BuyerPlan; readonly absent: boolean; readonly paidAtOnce: boolean };

const threeDecimals = /^(BHD|JOD|KWD|OMR|TND)$/;
const hundredths = /^(ISK|UGX)$/;

/** Reads a whole number of Stripe's units; undefined where it is not one. */
export function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The metadata that came as `metadata[key]=value`. */
export function metadataOf(parameters: Parameters): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const [name, value] of parameters) {
    const key = /^metadata\[([^\]]+)\]$/.exec(name)?.[1];
    if (key !== undefined) metadata[key] = value;
  }
  return metadata;
}

/** What Stripe would not take: docs.stripe.com/currencies (#minimum-and-maximum…, #three-decimal, #special-cases). */
export function refuseAmount(amount: number, currency: string): Answer | undefined {
  if (amount < 1) return invalidParameter("amount", "This value must be greater than or equal to 1.");
  const most = currency === "IDR" ? 999_999_999_999 : 99_999_999;
  if (amount > most) {
    return invalidParameter("amount", `Amount must be no more than ${most}.`, "amount_too_large");
  }
  if (threeDecimals.test(currency) && amount % 10 !== 0) {
    return invalidParameter("amount", `Invalid amount: the last digit of amounts in ${currency} must be 0.`);
  }
  if (hundredths.test(currency) && amount % 100 !== 0) {
    return invalidParameter("amount", `Invalid amount: amounts in ${currency} must be evenly divisible by 100.`);
  }
  return undefined;
}

function unexpectedState(engine: Engine, intent: BookIntent, verb: string): Answer {
  const json = intentJson(engine.book.tag, intent);
  const message = `You cannot ${verb} this PaymentIntent because it has a status of ${JSON.parse(json).status}.`;
  const error = { type: "invalid_request_error", code: "payment_intent_unexpected_state", message } as const;
  return answerError(400, error, true, json);
}

/** POST /v1/payment_intents. The buyer confirms and pays on their own after a while, or at once with `confirm`. */
export function createIntent(engine: Engine, parameters: Parameters, purchase: Purchase): Answer {
  const amount = wholeNumber(parameters.get("amount"));
  const currency = parameters.get("currency") ?? "";
  const capture = parameters.get("capture_method") ?? "automatic";
  if (amount === undefined) return invalidParameter("amount", "Missing or invalid required param: amount.");
  if (!/^[a-z]{3}$/.test(currency)) return invalidParameter("currency", "Invalid currency: three lowercase letters.");
  if (!/^(automatic|automatic_async|manual)$/.test(capture))
    return invalidParameter("capture_method", "Invalid value.");
  const refused = refuseAmount(amount, currency.toUpperCase());
  if (refused !== undefined) return refused;
  const { book } = engine;
  const now = engine.now();
  const metadata = metadataOf(parameters);
  const confirmed = purchase.paidAtOnce || parameters.get("confirm") === "true";
  const n = book.insertIntent({
    attempt: null,
    paymentId: metadata.marketflow_payment_id ?? "",
    reference: null,
    metadata: JSON.stringify(metadata),
    amount,
    currency: currency.toUpperCase(),
    capture: capture === "manual" ? "manual" : "automatic",
    plan: purchase.plan,
    dueAt: confirmed || purchase.absent ? null : engine.dueAt(now),
    createdAt: now,
  });
  const booked = n === undefined ? undefined : book.intentByNumber(n);
  if (booked === undefined) throw new Error("the intent that was booked is not there");
  return answerOk(intentJson(book.tag, confirmed ? book.pay(booked, now) : booked));
}

/** The intent of a path; an error answer where it is not there. */
function intentOf(engine: Engine, id: string): BookIntent | Answer {
  const n = numberOfId(engine.book.tag, "pi", id);
  return (n === undefined ? undefined : engine.book.intentByNumber(n)) ?? noSuch("payment_intent", id);
}

/** GET /v1/payment_intents/:id */
export function retrieveIntent(engine: Engine, id: string): Answer {
  const intent = intentOf(engine, id);
  return "body" in intent ? intent : answerOk(intentJson(engine.book.tag, intent));
}

/** POST /v1/payment_intents/:id/confirm | cancel | capture */
export function moveIntent(engine: Engine, id: string, verb: string, parameters: Parameters): Answer {
  const intent = intentOf(engine, id);
  if ("body" in intent) return intent;
  const { book } = engine;
  const now = engine.now();
  const unpaid = intent.status === "pending" || intent.status === "failed";
  if (verb === "confirm" && unpaid) {
    if (parameters.get("payment_method") !== "pm_card_chargeDeclined") {
      return answerOk(intentJson(book.tag, book.pay(intent, now)));
    }
    return answerError(402, cardDeclined, true, intentJson(book.tag, book.fail(intent, now, null, null)));
  }
  if (verb === "cancel" && (unpaid || intent.status === "requires_capture")) {
    return answerOk(intentJson(book.tag, book.cancel(intent, now)));
  }
  if (verb === "capture" && intent.status === "requires_capture") {
    const amount = wholeNumber(parameters.get("amount_to_capture") ?? String(intent.amount)) ?? 0;
    if (amount >= 1 && amount <= intent.amount) {
      return answerOk(intentJson(book.tag, book.charge(intent, amount, now)));
    }
    return invalidParameter("amount_to_capture", "The amount is not within what can be captured.", "amount_too_large");
  }
  return unexpectedState(engine, intent, verb);
}

/** GET /v1/payment_intents with `limit`, `starting_after` and `created[gte|gt|lte|lt]` (in seconds). */
export function listIntents(engine: Engine, parameters: Parameters): Answer {
  const page = pageOf(engine, parameters, "pi");
  if ("body" in page) return page;
  const { from, to } = createdRange(parameters);
  const intents = engine.book.intentsBefore(page.before, from, to, page.limit + 1);
  const items = intents.slice(0, page.limit).map((intent) => intentJson(engine.book.tag, intent));
  return answerOk(listJson("/v1/payment_intents", items, intents.length > page.limit));
}

/** The milliseconds of `created[gte|gt|lte|lt]`, which are seconds: from, and up to but not including to. */
export function createdRange(parameters: Parameters): { readonly from: number; readonly to: number } {
  const second = (bound: string) => wholeNumber(parameters.get(`created[${bound}]`));
  const from = Math.max(second("gte") ?? 0, (second("gt") ?? -1) + 1) * 1000;
  const to = Math.min((second("lte") ?? 1e11) + 1, second("lt") ?? 1e11) * 1000;
  return { from, to };
}

/** The page that a list is asked for: at most `limit` items numbered below `before`. */
export function pageOf(
  engine: Engine,
  parameters: Parameters,
  prefix: string,
): { readonly limit: number; readonly before: number } | Answer {
  const limit = wholeNumber(parameters.get("limit") ?? "10") ?? 0;
  if (limit < 1 || limit > 100) return invalidParameter("limit", "Invalid integer: from 1 to 100.");
  const after = parameters.get("starting_after");
  const before = after === null ? Number.MAX_SAFE_INTEGER : numberOfId(engine.book.tag, prefix, after);
  return before === undefined ? noSuch("object", after ?? "") : { limit, before };
}
