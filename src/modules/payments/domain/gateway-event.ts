import { type Currency, parseCurrency } from "../../../kernel/currency.ts";
import { isUuid } from "../../../kernel/identifiers.ts";
import type { Money } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { isStorable, type PaymentStatus } from "./payment.ts";

type EventNames = {
  readonly id: string;
  readonly type: string;
  /** The payment intent that it is about; null where it is about none. */
  readonly intentId: string | null;
};

/** An event about a payment intent, or about nothing of ours; without `effect` it is only recorded. */
export type StatusEvent = EventNames & {
  readonly about: "payment";
  readonly paymentId: string | null;
  readonly effect: EventEffect | null;
};

export type EventEffect = {
  readonly status: Exclude<PaymentStatus, "pending">;
  readonly amount: Money;
  /** What was taken; null unless the status is succeeded. */
  readonly captured: Money | null;
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
};

/** Money of a payment went back: so much of it all in all, whoever asked for it. */
export type RefundedEvent = EventNames & {
  readonly about: "refund";
  readonly intentId: string;
  readonly refundedInAll: Money;
};

/** What became of one refund that the gateway could not confirm at once. */
export type RefundStatusEvent = EventNames & {
  readonly about: "refund_status";
  readonly refundId: string;
  readonly gatewayRefundId: string;
  readonly status: "succeeded" | "failed";
  readonly failureCode: string | null;
};

/** A buyer disputes a payment with their bank, or the bank has decided. */
export type DisputeEvent = EventNames & {
  readonly about: "dispute";
  readonly intentId: string;
  readonly disputeId: string;
  readonly amount: Money;
  readonly status: "open" | "won" | "lost";
};

export type GatewayEvent = StatusEvent | RefundedEvent | RefundStatusEvent | DisputeEvent;

export type EventRefusal = { type: "event_malformed" };

type ReadAmount = (units: bigint, currency: Currency) => Money;
type Fields = Record<string, unknown>;

const statusByEventType: Readonly<Record<string, EventEffect["status"]>> = {
  "payment_intent.succeeded": "succeeded",
  "payment_intent.payment_failed": "failed",
  "payment_intent.canceled": "cancelled",
};

/**
 * Reads an event in the shape of Stripe's API (docs.stripe.com/api/events/object). Types that have no effect are read
 * as events to record; one that should have an effect and lacks what it needs is refused.
 * `readAmount` turns the gateway's units of a currency into money: Stripe's are not always those of ISO 4217.
 */
export function readGatewayEvent(event: unknown, readAmount: ReadAmount): Result<GatewayEvent, EventRefusal> {
  const { id, type, data } = asRecord(event);
  const object = asRecord(asRecord(data)["object"]);
  if (typeof id !== "string" || typeof type !== "string" || !isName(id) || !isName(type)) {
    return refuse({ type: "event_malformed" });
  }
  const isIntent = object["object"] === "payment_intent";
  const names = { id, type, intentId: textOrNull(isIntent ? object["id"] : object["payment_intent"]) };
  const paymentId = uuidOrNull(asRecord(object["metadata"])["marketflow_payment_id"]);
  const recorded: StatusEvent = { ...names, about: "payment", paymentId, effect: null };
  const read = readerOf(type, object)?.(names, object, readAmount, recorded);
  if (read === null) return refuse({ type: "event_malformed" });
  return accept(read ?? recorded);
}

/** Null where the event lacks what it needs. */
type Reader = (names: EventNames, object: Fields, readAmount: ReadAmount, recorded: StatusEvent) => GatewayEvent | null;

function readerOf(type: string, object: Fields): Reader | undefined {
  if (statusByEventType[type] !== undefined) return readStatus;
  if (type === "charge.refunded") return readRefunded;
  // The event has had both names (docs.stripe.com/api/events/types); refund.failed exists for itself.
  if (/^(charge\.refund\.updated|refund\.updated|refund\.failed)$/.test(type)) return readRefundStatus;
  // An inquiry (warning_…) takes no money (docs.stripe.com/disputes/how-disputes-work#inquiries).
  const isInquiry = (textOrNull(object["status"]) ?? "").startsWith("warning_");
  return /^charge\.dispute\.(created|closed)$/.test(type) && !isInquiry ? readDispute : undefined;
}

const readStatus: Reader = (names, object, readAmount, recorded) => {
  const status = statusByEventType[names.type];
  const amount = readMoney(object["amount"], object, readAmount);
  if (status === undefined || names.intentId === null || amount === undefined) return null;
  const captured = readMoney(object["amount_received"] ?? object["amount"], object, readAmount);
  if (status === "succeeded" && !isWithin(captured, amount)) return null;
  const failure = asRecord(object["last_payment_error"]);
  const failed = status === "failed";
  const effect = {
    status,
    amount,
    captured: status === "succeeded" ? (captured ?? null) : null,
    failureCode: failed ? (textOrNull(failure["code"]) ?? "payment_failed") : null,
    failureMessage: failed ? (textOrNull(failure["message"]) ?? "The payment failed at the gateway.") : null,
  };
  return { ...recorded, effect };
};

const readRefunded: Reader = (names, object, readAmount, recorded) => {
  // A charge without an intent was not made by us.
  if (names.intentId === null) return recorded;
  const refundedInAll = readMoney(object["amount_refunded"], object, readAmount);
  if (refundedInAll === undefined || refundedInAll.amountMinor <= 0n) return null;
  return { ...names, intentId: names.intentId, about: "refund", refundedInAll };
};

const readRefundStatus: Reader = (names, object, _readAmount, recorded) => {
  const refundId = uuidOrNull(asRecord(object["metadata"])["marketflow_refund_id"]);
  const gatewayRefundId = textOrNull(object["id"]);
  const succeeded = object["status"] === "succeeded";
  // A refund that is not ours, or still under way, is seen by charge.refunded and by the event that ends it.
  if (refundId === null || (!succeeded && !/^(failed|canceled)$/.test(textOrNull(object["status"]) ?? "")))
    return recorded;
  if (gatewayRefundId === null) return null;
  const failureCode = succeeded ? null : (textOrNull(object["failure_reason"]) ?? "refund_failed");
  const status = succeeded ? "succeeded" : "failed";
  return { ...names, about: "refund_status", refundId, gatewayRefundId, status, failureCode };
};

const readDispute: Reader = (names, object, readAmount, recorded) => {
  if (names.intentId === null) return recorded;
  const disputeId = textOrNull(object["id"]);
  const amount = readMoney(object["amount"], object, readAmount);
  if (disputeId === null || amount === undefined || amount.amountMinor <= 0n) return null;
  const closed = names.type === "charge.dispute.closed";
  // Another end than these two has moved no money that we know of; reconciliation would show it.
  if (closed && object["status"] !== "won" && object["status"] !== "lost") return recorded;
  const status = closed ? (object["status"] as "won" | "lost") : "open";
  return { ...names, intentId: names.intentId, about: "dispute", disputeId, amount, status };
};

/** An amount of the object's currency; undefined where it is none. */
function readMoney(units: unknown, object: Fields, readAmount: ReadAmount): Money | undefined {
  const currency = parseCurrency((textOrNull(object["currency"]) ?? "").toUpperCase());
  if (currency === undefined || !Number.isSafeInteger(units)) return undefined;
  try {
    return readAmount(BigInt(units as number), currency);
  } catch (error) {
    // The gateway's amount is none of this currency, such as a fraction of a yen.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function isWithin(captured: Money | undefined, amount: Money): boolean {
  return captured !== undefined && captured.amountMinor > 0n && captured.amountMinor <= amount.amountMinor;
}

/** Ids and types are names of the gateway's; whatever is empty, endless or not storable is none. */
function isName(text: string): boolean {
  return text.length > 0 && text.length <= 255 && isStorable(text);
}

function asRecord(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

/** A text of a gateway's, made storable: its words are for people, and losing a NUL is better than losing the event. */
function textOrNull(value: unknown): string | null {
  if (typeof value !== "string" || value.length === 0) return null;
  return value.replaceAll("\u0000", "").toWellFormed().slice(0, 500);
}

function uuidOrNull(value: unknown): string | null {
  return typeof value === "string" && isUuid(value) ? value : null;
}
