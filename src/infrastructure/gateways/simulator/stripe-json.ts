import type { BookDisbursement, BookDispute, BookEvent, BookIntent, BookLine, BookRefund, BookStatus } from "./book.ts";

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
  return objectId(tag, "pi", n);
}

type Prefix = "pi" | "ch" | "re" | "dp" | "txn" | "bp" | "po" | "tr";

/**
 * The id of anything in the book: an intent or its charge (by the intent's number), a refund, a dispute, a line, a
 * bill's payment, a payout, or a transfer.
 */
export function objectId(tag: string, prefix: Prefix, n: number): string {
  return `${prefix}_sim_${tag}${n.toString(36)}`;
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
  const object = event.object ?? intentJson(tag, event.intent);
  return (
    `{"id":"evt_sim_${tag}${event.n.toString(36)}","object":"event","api_version":"${apiVersion}",` +
    `"created":${seconds(event.occurredAt)},"data":{"object":${object}},"livemode":false,` +
    `"pending_webhooks":1,"request":{"id":null,"idempotency_key":null},"type":"${event.type}"}`
  );
}

/** A refund as Stripe's API writes it. */
export function refundJson(tag: string, refund: BookRefund, currency: string): string {
  const reason = refund.reason === null ? "null" : JSON.stringify(refund.reason);
  return (
    `{"id":"${objectId(tag, "re", refund.n)}","object":"refund","amount":${refund.amount},` +
    `"charge":"${objectId(tag, "ch", refund.intent)}","created":${seconds(refund.createdAt)},` +
    `"currency":"${currency.toLowerCase()}","metadata":${refund.metadata},` +
    `"payment_intent":"${intentId(tag, refund.intent)}","reason":${reason},"status":"succeeded"}`
  );
}

/** The charge of an intent that has succeeded, as Stripe's API writes it; `refunded` is all that went back of it. */
export function chargeJson(tag: string, intent: BookIntent, refunded: number): string {
  return (
    `{"id":"${objectId(tag, "ch", intent.n)}","object":"charge","amount":${intent.amount},` +
    `"amount_captured":${intent.received},"amount_refunded":${refunded},"captured":true,` +
    `"created":${seconds(intent.createdAt)},"currency":"${intent.currency.toLowerCase()}","livemode":false,` +
    `"metadata":${metadataJson(intent)},"paid":true,"payment_intent":"${intentId(tag, intent.n)}",` +
    `"refunded":${refunded >= intent.received},"status":"succeeded"}`
  );
}

/** A dispute as Stripe's API writes it. */
export function disputeJson(tag: string, dispute: BookDispute, currency: string): string {
  return (
    `{"id":"${objectId(tag, "dp", dispute.n)}","object":"dispute","amount":${dispute.amount},` +
    `"charge":"${objectId(tag, "ch", dispute.intent)}","created":${seconds(dispute.createdAt)},` +
    `"currency":"${currency.toLowerCase()}","is_charge_refundable":false,"livemode":false,"metadata":{},` +
    `"payment_intent":"${intentId(tag, dispute.intent)}","reason":"fraudulent","status":"${dispute.status}"}`
  );
}

/** What Stripe calls each kind of line: `type` is the older word, `reporting_category` the one to go by. */
const transactionTypes = {
  charge: { type: "charge", sign: 1 },
  refund: { type: "refund", sign: -1 },
  dispute: { type: "adjustment", sign: -1 },
  dispute_reversal: { type: "adjustment", sign: 1 },
} as const satisfies Record<BookLine["kind"], object>;

/** A line of the journal as Stripe's API writes it; `source` is the JSON of the object it is about, or of its id. */
export function transactionJson(tag: string, line: BookLine, source: string): string {
  const { type, sign } = transactionTypes[line.kind];
  return (
    `{"id":"${objectId(tag, "txn", line.n)}","object":"balance_transaction","amount":${sign * line.amount},` +
    `"created":${seconds(line.at)},"currency":"${line.currency.toLowerCase()}","exchange_rate":null,"fee":0,` +
    `"net":${sign * line.amount},"reporting_category":"${line.kind}","source":${source},"status":"available",` +
    `"type":"${type}"}`
  );
}

/** A transfer to a connected account, as Stripe's API writes it. Nothing here reverses one. */
export function transferJson(tag: string, transfer: BookDisbursement): string {
  const id = objectId(tag, "tr", transfer.n);
  const group = transfer.subject === "" ? "null" : JSON.stringify(transfer.subject);
  return (
    `{"id":"${id}","object":"transfer","amount":${transfer.amount},"amount_reversed":0,"balance_transaction":null,` +
    `"created":${seconds(transfer.createdAt)},"currency":"${transfer.currency.toLowerCase()}",` +
    `"description":${JSON.stringify(transfer.reference)},"destination":${JSON.stringify(transfer.recipient)},` +
    `"livemode":false,"metadata":${transfer.metadata ?? "{}"},` +
    `"reversals":{"object":"list","data":[],"has_more":false,"total_count":0,"url":"/v1/transfers/${id}/reversals"},` +
    `"reversed":false,"source_transaction":null,"source_type":"card","transfer_group":${group}}`
  );
}
