import type { Currency } from "../../../kernel/currency.ts";
import type {
  CancelIntentRequest,
  CaptureIntentRequest,
  CreateIntentRequest,
  FindIntentRequest,
  GatewayIntent,
  GatewayOutcome,
  IntentFinding,
} from "../../../movements/ports.ts";
import type { Book, BookIntent, BuyerPlan } from "./book.ts";
import type { Engine } from "./engine.ts";
import type { Fault } from "./magic-amounts.ts";
import { intentId, numberOfId } from "./stripe-json.ts";

const planOf: Partial<Record<Fault, BuyerPlan>> = {
  declined_later: "decline",
  late_success: "fail_then_pay",
  disputed_lost: "dispute_lost",
  disputed_won: "dispute_won",
};

/** What the buyer of an intent does, whom a fault may tell to do otherwise than to pay. */
export function planOfFault(fault: string | undefined): BuyerPlan {
  return planOf[fault as Fault] ?? "pay";
}

export function declined(code: string, message: string, intent: GatewayIntent | null = null): GatewayOutcome {
  return { type: "declined", code, message, intent };
}

/** The intent of a request; undefined where it is not there, or is another payment's. */
export function bookedIntent(book: Book, id: string, paymentId?: string): BookIntent | undefined {
  const n = numberOfId(book.tag, "pi", id);
  const booked = n === undefined ? undefined : book.intentByNumber(n);
  return paymentId === undefined || booked?.paymentId === paymentId ? booked : undefined;
}

function readIntent(book: Book, booked: BookIntent): GatewayIntent {
  const currency = booked.currency as Currency;
  return {
    id: intentId(book.tag, booked.n),
    status: booked.status === "requires_capture" ? "pending" : booked.status,
    amount: { amountMinor: BigInt(booked.amount), currency },
    captured: { amountMinor: BigInt(booked.received), currency },
    clientSecret: null,
    paymentId: booked.paymentId,
  };
}

/** Books the intent of an attempt, or answers with the one it has. Runs inside a transaction, as all of these do. */
export function createIntent(engine: Engine, request: CreateIntentRequest, fault: Fault | undefined): GatewayOutcome {
  const now = engine.now();
  const { book } = engine;
  const { amount, paymentId } = request;
  const n = book.insertIntent({
    attempt: request.attemptId,
    paymentId,
    reference: request.reference,
    metadata: null,
    amount: Number(amount.amountMinor),
    currency: amount.currency,
    capture: request.capture,
    plan: planOfFault(fault),
    dueAt: fault === "never_paid" ? null : engine.dueAt(now),
    createdAt: now,
  });
  if (n === undefined) return createdBefore(book, request);
  if (fault === "timeout_after_charge") {
    const booked = book.intentByNumber(n);
    if (booked !== undefined) book.pay(booked, now);
  }
  const captured = { amountMinor: 0n, currency: amount.currency };
  const id = intentId(book.tag, n);
  return { type: "succeeded", intent: { id, status: "pending", amount, captured, clientSecret: null, paymentId } };
}

function createdBefore(book: Book, request: CreateIntentRequest): GatewayOutcome {
  const booked = book.intentByAttempt(request.attemptId);
  const same =
    booked !== undefined &&
    booked.paymentId === request.paymentId &&
    booked.amount === Number(request.amount.amountMinor) &&
    booked.currency === request.amount.currency &&
    booked.capture === request.capture &&
    booked.reference === request.reference;
  if (same) return { type: "succeeded", intent: readIntent(book, booked) };
  return declined("idempotency_error", "This attempt was made before with another request.");
}

export function cancelIntent({ book, now }: Engine, request: CancelIntentRequest): GatewayOutcome {
  const booked = bookedIntent(book, request.intentId, request.paymentId);
  if (booked === undefined) return declined("resource_missing", "There is no such intent.");
  if (booked.status === "succeeded") {
    const message = "The intent has succeeded and cannot be cancelled any more.";
    return declined("payment_intent_unexpected_state", message, readIntent(book, booked));
  }
  const cancelled = booked.status === "cancelled" ? booked : book.cancel(booked, now());
  return { type: "succeeded", intent: readIntent(book, cancelled) };
}

/** Takes what is held, or a part of it. What was captured before is not captured again, whoever asks. */
export function captureIntent({ book, now }: Engine, request: CaptureIntentRequest): GatewayOutcome {
  const booked = bookedIntent(book, request.intentId, request.paymentId);
  if (booked === undefined) return declined("resource_missing", "There is no such intent.");
  const intent = readIntent(book, booked);
  if (booked.status !== "requires_capture") {
    const message = `The intent holds no money that could be captured: it is ${booked.status}.`;
    return declined("payment_intent_unexpected_state", message, intent);
  }
  const { amountMinor, currency } = request.amount;
  if (amountMinor <= 0n || amountMinor > intent.amount.amountMinor || currency !== booked.currency) {
    return declined("amount_too_large", "The amount is not within what is held.", intent);
  }
  return { type: "succeeded", intent: readIntent(book, book.charge(booked, Number(amountMinor), now())) };
}

export function findIntent({ book }: Engine, request: FindIntentRequest): IntentFinding {
  const booked = book.intentByAttempt(request.attemptId);
  return booked === undefined ? { type: "absent" } : { type: "found", intent: readIntent(book, booked) };
}
