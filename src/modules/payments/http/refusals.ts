import type { CancelPaymentRefusal } from "../application/cancel-payment.ts";
import type { CapturePaymentRefusal } from "../application/capture-payment.ts";
import type { CreatePaymentRefusal } from "../application/create-payment.ts";
import type { PaymentNotFound } from "../application/read-payments.ts";
import type { RefundRefusal } from "../application/refund-payment.ts";
import type { EventRefusal } from "../domain/gateway-event.ts";

export type HttpRefusal =
  | CreatePaymentRefusal
  | CancelPaymentRefusal
  | CapturePaymentRefusal
  | RefundRefusal
  | PaymentNotFound
  | EventRefusal
  | { type: "idempotency_key_missing" }
  | { type: "idempotency_keys_differ" }
  | { type: "cursor_malformed" }
  | { type: "created_after_malformed" }
  | { type: "signature_invalid" };

type Answer = { status: number; code: string; detail: string; retryAfterSeconds?: number; pointer?: string };

/** The status, the code and what to do, for each refusal: a refusal without an entry does not compile. */
const answers = {
  amount_not_a_decimal: {
    status: 400,
    code: "invalid_request",
    pointer: "/amount",
    detail: "amount must be plain decimal digits, such as 1000.00.",
  },
  amount_has_too_many_decimals: {
    status: 400,
    code: "invalid_request",
    pointer: "/amount",
    detail: "amount has more decimals than its currency has. Round it first.",
  },
  amount_must_be_positive: {
    status: 400,
    code: "invalid_request",
    pointer: "/amount",
    detail: "amount must be greater than zero.",
  },
  amount_over_limit: {
    status: 400,
    code: "invalid_request",
    pointer: "/amount",
    detail: "amount is over the limit of 9999999999 in the major unit. Split the payment.",
  },
  currency_unknown: {
    status: 400,
    code: "invalid_request",
    pointer: "/currency",
    detail: "currency must be an ISO 4217 code in capitals, such as USD.",
  },
  idempotency_key_missing: {
    status: 400,
    code: "invalid_request",
    pointer: "/idempotency_key",
    detail: "idempotency_key is missing. Send one, in the body or as the Idempotency-Key header, with every retry.",
  },
  idempotency_key_malformed: {
    status: 400,
    code: "invalid_request",
    pointer: "/idempotency_key",
    detail: "idempotency_key must be 1 to 255 visible ASCII characters without spaces.",
  },
  idempotency_keys_differ: {
    status: 400,
    code: "invalid_request",
    pointer: "/idempotency_key",
    detail: "idempotency_key and the Idempotency-Key header differ. Send one of them, or the same in both.",
  },
  metadata_too_large: {
    status: 400,
    code: "invalid_request",
    pointer: "/metadata",
    detail: "metadata may have 50 keys of 40 characters and values of 500 characters.",
  },
  text_not_storable: {
    status: 400,
    code: "invalid_request",
    detail: "A text contains the character U+0000 or half of a surrogate pair. Take it out.",
  },
  cursor_malformed: {
    status: 400,
    code: "invalid_request",
    pointer: "cursor",
    detail: "cursor must be a next_cursor of this list.",
  },
  created_after_malformed: {
    status: 400,
    code: "invalid_request",
    pointer: "created_after",
    detail: "created_after must be an RFC 3339 time, such as 2026-01-31T12:00:00Z.",
  },
  event_malformed: {
    status: 400,
    code: "invalid_request",
    detail: "The event lacks what its type needs. Send it as the gateway made it.",
  },
  signature_invalid: {
    status: 401,
    code: "signature_invalid",
    detail: "The Stripe-Signature header is missing, too old or does not sign this body. Check the endpoint's secret.",
  },
  payment_not_found: {
    status: 404,
    code: "payment_not_found",
    detail: "There is no payment with this id. Check the id.",
  },
  payment_not_cancellable: {
    status: 409,
    code: "payment_not_cancellable",
    detail: "Only a pending payment can be cancelled. A payment that succeeded can be refunded.",
  },
  payment_under_way: {
    status: 409,
    code: "payment_under_way",
    detail: "The gateway is being asked about this payment. Try again after a moment.",
    retryAfterSeconds: 1,
  },
  payment_not_capturable: {
    status: 409,
    code: "payment_not_capturable",
    detail: "Only a pending payment that was made with capture: false, and that its buyer has paid, can be captured.",
  },
  capture_exceeds_payment: {
    status: 409,
    code: "capture_exceeds_payment",
    pointer: "/amount",
    detail: "A capture takes at most what was authorized. Ask for less.",
  },
  payment_not_refundable: {
    status: 409,
    code: "payment_not_refundable",
    detail: "Only a payment that has succeeded can be refunded. A pending one can be cancelled.",
  },
  refund_exceeds_payment: {
    status: 409,
    code: "refund_exceeds_payment",
    pointer: "/amount",
    detail: "That is more than is left of the payment. GET the payment to see what was refunded, and ask for less.",
  },
  seller_balance_insufficient: {
    status: 409,
    code: "seller_balance_insufficient",
    detail:
      "The seller's available balance does not cover their share of the refund. Refund less, wait for their next " +
      "sales, or let their account go below zero (marketflow floor).",
  },
  idempotency_key_in_use: {
    status: 409,
    code: "idempotency_key_in_use",
    detail: "The first request with this idempotency key is still under way. Repeat the request after a moment.",
    retryAfterSeconds: 1,
  },
  idempotency_key_reused: {
    status: 422,
    code: "idempotency_key_reused",
    detail: "This idempotency key was used for another request. Use a new key for a new payment.",
  },
  gateway_unavailable: {
    status: 503,
    code: "gateway_unavailable",
    detail:
      "The payment gateway cannot be reached. The payment is kept and will be tried again; " +
      "repeat the request with the same idempotency key to see it.",
    retryAfterSeconds: 2,
  },
  gateway_outcome_unknown: {
    status: 504,
    code: "gateway_outcome_unknown",
    detail:
      "The payment gateway has not answered. The payment is kept and nothing is charged twice; " +
      "repeat the request with the same idempotency key to see what became of it.",
    retryAfterSeconds: 2,
  },
} as const satisfies Record<HttpRefusal["type"], Answer>;

/** The problem that answers a refusal. */
export function problemFor(refusal: HttpRefusal) {
  const { pointer, ...answer }: Answer = answers[refusal.type];
  const field = "field" in refusal ? `/${refusal.field}` : pointer;
  const errors = field === undefined ? {} : { errors: [{ pointer: field, detail: answer.detail }] };
  const members = "paymentId" in refusal ? { members: { payment_id: refusal.paymentId } } : {};
  return { ...answer, ...errors, ...members };
}
