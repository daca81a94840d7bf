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
  readonly currency?: string;
  readonly id?: string;
};

/** An event about a payment intent, as Stripe sends it, as the text that is signed. */
export function intentEvent({
  type,
  intentId,
  paymentId,
  amount = 100_000,
  currency = "usd",
  id,
}: IntentEvent): string {
  events += 1;
  const failed = type === "payment_intent.payment_failed";
  return JSON.stringify({
    id: id ?? `evt_test_${process.pid}_${events}`,
    object: "event",
    created: 1_700_000_000,
    type,
    livemode: false,
    data: {
      object: {
        id: intentId,
        object: "payment_intent",
        amount,
        currency,
        metadata: paymentId === undefined ? {} : { marketflow_payment_id: paymentId },
        last_payment_error: failed ? { code: "card_declined", message: "Your card was declined." } : null,
      },
    },
  });
}

/** A Stripe-Signature header made by the official package. */
export function sign(payload: string, options: { secret?: string; timestamp?: number } = {}): string {
  return stripe.webhooks.generateTestHeaderString({ payload, secret: options.secret ?? webhookSecret, ...options });
}

/** Delivers an event with a good signature. */
export async function deliver(address: string, payload: string): Promise<Answer> {
  return await post(address, "/webhooks/stripe", payload, { "stripe-signature": sign(payload) });
}
