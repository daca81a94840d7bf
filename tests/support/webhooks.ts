import Stripe from "stripe";
import { type Answer, post, webhookSecret } from "./app.ts";

let events = 0;

/** Any key will do: signing needs none. */
const stripe = new Stripe("sk_test_unused");

type IntentEvent = {
  readonly type: string;
  readonly intentId: string;
  readonly paymentId?: string;
  readonly amount?: number;
  /** What was taken, where that is not the whole amount. */
  readonly amountReceived?: number;
  readonly currency?: string;
  readonly id?: string;
};

/** An event of any kind as Stripe sends it, as the text that is signed. */
function eventOf(type: string, object: object, id?: string): string {
  events += 1;
  return JSON.stringify({
    id: id ?? `evt_test_${process.pid}_${events}`,
    object: "event",
    created: 1_700_000_000,
    type,
    livemode: false,
    data: { object },
  });
}

/** An event about a payment intent. */
export function intentEvent({
  type,
  intentId,
  paymentId,
  amount = 100_000,
  amountReceived,
  currency = "usd",
  id,
}: IntentEvent): string {
  const failed = type === "payment_intent.payment_failed";
  const object = {
    id: intentId,
    object: "payment_intent",
    amount,
    ...(amountReceived === undefined ? {} : { amount_received: amountReceived }),
    currency,
    metadata: paymentId === undefined ? {} : { marketflow_payment_id: paymentId },
    last_payment_error: failed ? { code: "card_declined", message: "Your card was declined." } : null,
  };
  return eventOf(type, object, id);
}

/** charge.refunded: so much of a payment went back in all, in the gateway's units. */
export function refundedEvent(event: {
  readonly intentId: string;
  readonly refundedInAll: number;
  readonly amount?: number;
  readonly currency?: string;
  readonly id?: string;
}): string {
  const { intentId, refundedInAll, amount = 100_000, currency = "usd", id } = event;
  const charge = { id: `ch_of_${intentId}`, object: "charge", amount, amount_captured: amount, currency };
  return eventOf(
    "charge.refunded",
    { ...charge, amount_refunded: refundedInAll, payment_intent: intentId, metadata: {} },
    id,
  );
}

/** What became of one refund: `refund.updated`, or `refund.failed` where it says so. */
export function refundStatusEvent(event: {
  readonly type?: "refund.updated" | "refund.failed" | "charge.refund.updated";
  readonly intentId: string;
  readonly gatewayRefundId: string;
  /** Ours; without it the refund was not made through us. */
  readonly refundId?: string;
  readonly status: "pending" | "succeeded" | "failed" | "canceled";
  readonly id?: string;
}): string {
  const { type = "refund.updated", intentId, gatewayRefundId, refundId, status, id } = event;
  const metadata = refundId === undefined ? {} : { marketflow_refund_id: refundId };
  const refund = { id: gatewayRefundId, object: "refund", payment_intent: intentId, status, metadata };
  return eventOf(type, status === "failed" ? { ...refund, failure_reason: "expired_or_canceled_card" } : refund, id);
}

/** charge.dispute.created, closed and the others, in the gateway's units. */
export function disputeEvent(event: {
  readonly type?: "created" | "updated" | "closed" | "funds_withdrawn" | "funds_reinstated";
  readonly intentId: string;
  readonly disputeId: string;
  readonly amount?: number;
  readonly currency?: string;
  readonly status?: string;
  readonly id?: string;
}): string {
  const { type = "created", intentId, disputeId, amount = 100_000, currency = "usd", id } = event;
  const status = event.status ?? "needs_response";
  const dispute = { id: disputeId, object: "dispute", amount, currency, payment_intent: intentId, status };
  return eventOf(`charge.dispute.${type}`, { ...dispute, metadata: {} }, id);
}

/** A Stripe-Signature header made by the official package. */
export function sign(payload: string, options: { secret?: string; timestamp?: number } = {}): string {
  return stripe.webhooks.generateTestHeaderString({ payload, secret: options.secret ?? webhookSecret, ...options });
}

/** Delivers an event with a good signature. */
export async function deliver(address: string, payload: string): Promise<Answer> {
  return await post(address, "/webhooks/stripe", payload, { "stripe-signature": sign(payload) });
}
