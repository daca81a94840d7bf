import type Stripe from "stripe";
import { type Currency, parseCurrency } from "../../../kernel/currency.ts";
import type { GatewayIntent, GatewayRefund, IntentStatus } from "../../../movements/ports.ts";
import { fromStripeUnits } from "./amounts.ts";

/** A currency as Stripe writes it ("usd"). Throws a RangeError where we do not know it. */
export function readCurrency(code: string): Currency {
  const currency = parseCurrency(code.toUpperCase());
  if (currency === undefined) throw new RangeError(`Stripe answered in an unknown currency: ${code}`);
  return currency;
}

/** The id of what Stripe wrote as an id or, where that was expanded, as the whole object. */
export function idOf(reference: string | { readonly id: string } | null): string | null {
  return typeof reference === "object" ? (reference?.id ?? null) : reference;
}

/**
 * Our word for the state of an intent. Stripe has no failed state: an intent whose payment was declined waits for
 * another payment method and says why (https://docs.stripe.com/payments/paymentintents/lifecycle).
 */
function statusOf(intent: Stripe.PaymentIntent): IntentStatus {
  if (intent.status === "succeeded") return "succeeded";
  if (intent.status === "canceled") return "cancelled";
  return intent.status === "requires_payment_method" && intent.last_payment_error ? "failed" : "pending";
}

/** Throws where the intent is in a currency that we do not know, or in units that its currency does not have. */
export function readIntent(intent: Stripe.PaymentIntent): GatewayIntent {
  const currency = readCurrency(intent.currency);
  const status = statusOf(intent);
  return {
    id: intent.id,
    status,
    amount: fromStripeUnits(BigInt(intent.amount), currency),
    captured: fromStripeUnits(status === "succeeded" ? BigInt(intent.amount_received) : 0n, currency),
    clientSecret: intent.client_secret,
    paymentId: intent.metadata.marketflow_payment_id ?? null,
  };
}

/** The intent that Stripe attaches to an error where its state forbids what was asked; null where it cannot be read. */
export function intentInError(error: unknown): GatewayIntent | null {
  const { payment_intent } = error as { payment_intent?: Stripe.PaymentIntent };
  try {
    return payment_intent === undefined ? null : readIntent(payment_intent);
  } catch {
    return null;
  }
}

/** Our word for the state of a refund; one that waits for the buyer's bank details (`requires_action`) is pending. */
function refundStatusOf({ status }: Stripe.Refund): GatewayRefund["status"] {
  if (status === "succeeded") return "succeeded";
  return status === "failed" || status === "canceled" ? "failed" : "pending";
}

/** Throws as {@link readIntent} does. The intent is the one that was asked about, where Stripe does not name it. */
export function readRefund(refund: Stripe.Refund, intentId: string): GatewayRefund {
  return {
    id: refund.id,
    status: refundStatusOf(refund),
    amount: fromStripeUnits(BigInt(refund.amount), readCurrency(refund.currency)),
    intentId: idOf(refund.payment_intent) ?? intentId,
  };
}
