import type { Currency } from "../../../kernel/currency.ts";
import type {
  CreateRefundRequest,
  FindRefundRequest,
  GatewayRefund,
  RefundFinding,
  RefundOutcome,
} from "../../../movements/ports.ts";
import type { Book, BookRefund } from "./book.ts";
import type { Engine } from "./engine.ts";
import { bookedIntent } from "./intents.ts";
import { type RefundRefusal, refund } from "./reversals.ts";
import { intentId, numberOfId, objectId } from "./stripe-json.ts";

const refusals: Readonly<Record<RefundRefusal, { readonly code: string; readonly message: string }>> = {
  nothing_charged: { code: "payment_intent_unexpected_state", message: "The intent has no charge." },
  refunded_already: { code: "charge_already_refunded", message: "The charge is refunded already." },
  disputed: { code: "charge_disputed", message: "The buyer disputes the charge, and the bank has its money." },
  more_than_left: { code: "amount_too_large", message: "The amount is more than what is left of the charge." },
};

export function refundDeclined(code: string, message: string): RefundOutcome {
  return { type: "declined", code, message, refund: null };
}

function readRefund(book: Book, booked: BookRefund, currency: Currency): GatewayRefund {
  return {
    id: objectId(book.tag, "re", booked.n),
    status: "succeeded",
    amount: { amountMinor: BigInt(booked.amount), currency },
    intentId: intentId(book.tag, booked.intent),
  };
}

/** Books the refund of an attempt, or answers with the one it made. Runs inside a transaction. */
export function createRefund({ book, now }: Engine, request: CreateRefundRequest): RefundOutcome {
  const { attemptId, paymentId, refundId, amount } = request;
  const intent = bookedIntent(book, request.intentId, paymentId);
  if (intent === undefined) return refundDeclined("resource_missing", "There is no such intent.");
  if (amount.currency !== intent.currency || amount.amountMinor <= 0n) {
    return refundDeclined("parameter_invalid_integer", "The amount is not a positive one of the charge's currency.");
  }
  const before = book.refundByAttempt(attemptId);
  if (before !== undefined) {
    const same = before.intent === intent.n && BigInt(before.amount) === amount.amountMinor;
    if (same) return { type: "succeeded", refund: readRefund(book, before, amount.currency) };
    return refundDeclined("idempotency_error", "This attempt was made before with another request.");
  }
  const metadata = JSON.stringify({
    marketflow_payment_id: paymentId,
    marketflow_refund_id: refundId,
    marketflow_attempt_id: attemptId,
  });
  const asked = { amount: Number(amount.amountMinor), reason: null, metadata, createdAt: now(), attempt: attemptId };
  const booked = refund(book, intent, asked);
  if (typeof booked === "string") return refundDeclined(refusals[booked].code, refusals[booked].message);
  return { type: "succeeded", refund: readRefund(book, booked, amount.currency) };
}

export function findRefund({ book }: Engine, request: FindRefundRequest): RefundFinding {
  const { attemptId, gatewayRefundId: id } = request;
  const n = id === null ? undefined : numberOfId(book.tag, "re", id);
  const byId = n === undefined ? undefined : book.refundByNumber(n);
  const booked = id === null ? book.refundByAttempt(attemptId) : byId;
  const currency = booked && book.intentByNumber(booked.intent)?.currency;
  if (booked === undefined || currency === undefined) return { type: "absent" };
  return { type: "found", refund: readRefund(book, booked, currency as Currency) };
}
