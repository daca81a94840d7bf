import type { BookEvent, BookIntent, BookRefund, BookStatus } from "./book.ts";

/** The version of Stripe's API whose shapes these are: the one that the pinned `stripe` package speaks. */
const apiVersion = "2026-10-28.endive";

/** Stripe has no failed state: an intent whose payment was declined waits for another payment method. */
const stripeStatus = {
  pending: "requires_payment_method",
  requires_capture: "requires_capture",
  succeeded: "succeeded",
  failed: "requires_payment_method",
  cancelled: "canceled",
} as const satisfies Record<BookStatus, string>;

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

/** The id of an intent: the book's tag and the intent's number, so that it needs no index of its own. */
export function intentId(tag: string, n: number): string {
  return `pi_sim_${tag}${n.toString(36)}`;
}

/** The number behind an id of this book's; undefined where it is not one. */
export function numberOfId(tag: string, prefix: string, id: string): number | undefined {
  const start = `${prefix}_sim_${tag}`;
  if (!id.startsWith(start)) return undefined;
  const digits = id.slice(start.length);
  return /^[1-9a-z][0-9a-z]{0,9}$/.test(digits) ? Number.parseInt(digits, 36) : undefined;
}

function metadataJson(intent: BookIntent): string {
  if (intent.metadata !== null) return intent.metadata;
  const reference = intent.reference === null ? "" : `,"reference":${JSON.stringify(intent.reference)}`;
  return (
    `{"marketflow_payment_id":${JSON.stringify(intent.paymentId)},` +
    `"marketflow_attempt_id":${JSON.stringify(intent.attempt ?? "")}${reference}}`
  );
}

function paymentErrorJson(failure: string | null): string {
  if (failure === null) return "null";
  const message = "Your card was declined.";
  return `{"type":"card_error","code":"${failure}","decline_code":"generic_decline","message":"${message}"}`;
}

/** A payment intent as Stripe's API writes it. Put together by hand: every webhook of a load test passes here. */
export function intentJson(tag: string, intent: BookIntent): string {
  const id = intentId(tag, intent.n);
  const { amount, received, status } = intent;
  const latestCharge = received > 0 ? `"ch_sim_${tag}${intent.n.toString(36)}"` : "null";
  return (
    `{"id":"${id}","object":"payment_intent","amount":${amount},` +
    `"amount_capturable":${status === "requires_capture" ? amount : 0},"amount_received":${received},` +
    `"capture_method":"${intent.capture}","client_secret":"${id}_secret_sim","created":${seconds(intent.createdAt)},` +
    `"currency":"${intent.currency.toLowerCase()}","last_payment_error":${paymentErrorJson(intent.failure)},` +
    `"latest_charge":${latestCharge},"livemode":false,"metadata":${metadataJson(intent)},` +
    `"status":"${stripeStatus[status]}"}`
  );
}

/** An event as Stripe posts it to a webhook endpoint. */
export function eventJson(tag: string, event: BookEvent): string {
  return (
    `{"id":"evt_sim_${tag}${event.n.toString(36)}","object":"event","api_version":"${apiVersion}",` +
    `"created":${seconds(event.occurredAt)},"data":{"object":${intentJson(tag, event.intent)}},"livemode":false,` +
    `"pending_webhooks":1,"request":{"id":null,"idempotency_key":null},"type":"${event.type}"}`
  );
}

/** A refund as Stripe's API writes it. */
export function refundJson(tag: string, refund: BookRefund, currency: string): string {
  const reason = refund.reason === null ? "null" : JSON.stringify(refund.reason);
  return (
    `{"id":"re_sim_${tag}${refund.n.toString(36)}","object":"refund","amount":${refund.amount},` +
    `"charge":"ch_sim_${tag}${refund.intent.toString(36)}","created":${seconds(refund.createdAt)},` +
    `"currency":"${currency.toLowerCase()}","metadata":${refund.metadata},` +
    `"payment_intent":"${intentId(tag, refund.intent)}","reason":${reason},"status":"succeeded"}`
  );
}
