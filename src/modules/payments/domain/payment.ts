import { parseCurrency } from "../../../kernel/currency.ts";
import { isIdempotencyKey } from "../../../kernel/identifiers.ts";
import { type AmountRefusal, type Money, parseAmount, toDecimal } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";

export const paymentStatuses = ["pending", "succeeded", "failed", "cancelled"] as const;
export type PaymentStatus = (typeof paymentStatuses)[number];

/**
 * A gateway's events come in any order, so a status only ever moves up this order: a late payment_failed does not undo
 * a success, and a success after a failure is the truth, because then money has moved. `payments.status_rank` in the
 * database is the same order.
 */
const statusRank: Readonly<Record<PaymentStatus, number>> = { pending: 0, failed: 1, cancelled: 2, succeeded: 3 };

/** The status after learning another one, whatever the order in which they are learned. */
export function statusAfter(current: PaymentStatus, learned: PaymentStatus): PaymentStatus {
  return statusRank[learned] > statusRank[current] ? learned : current;
}

/** What every payment has, whatever became of it. */
type PaymentFacts = {
  readonly id: string;
  /** The gateway's id; null until the gateway has answered. */
  readonly intentId: string | null;
  readonly clientSecret: string | null;
  readonly idempotencyKey: string;
  readonly amount: Money;
  readonly capture: "automatic" | "manual";
  readonly sellerId: string | null;
  readonly reference: string | null;
  readonly metadata: Metadata;
  /** What was taken; null until the payment has succeeded. */
  readonly captured: Money | null;
  /** The marketplace's commission on it; null until then. */
  readonly commission: Money | null;
  /** What went back to the buyer by refunds that the gateway has confirmed. */
  readonly refunded: Money;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

export type Payment = PaymentFacts &
  (
    | { readonly status: "pending" | "succeeded" | "cancelled" }
    | { readonly status: "failed"; readonly failure: { readonly code: string; readonly message: string } }
  );

export type Metadata = { readonly [key: string]: string | number | boolean | null };

/** A payment request as it came: read, but not yet judged. */
export type PaymentRequest = {
  readonly amount: string;
  readonly currency: string;
  readonly idempotencyKey: string;
  readonly metadata: Metadata;
  readonly reference: string | null;
  readonly sellerId: string | null;
  readonly capture: "automatic" | "manual";
};

/** A payment request that can be accepted. */
export type PaymentIntent = Omit<PaymentRequest, "amount" | "currency"> & { readonly amount: Money };

export type RequestRefusal =
  | AmountRefusal
  | { type: "currency_unknown" }
  | { type: "idempotency_key_malformed" }
  | { type: "metadata_too_large"; limit: string }
  | { type: "text_not_storable"; field: "reference" | "seller_id" | "metadata" };

/** Stripe's limits on metadata, so that what we accept fits into a payment intent (docs.stripe.com/api/metadata). */
const mostMetadataKeys = 50;
const longestMetadataKey = 40;
const longestMetadataValue = 500;

/** Judges a request: everything that could go wrong with it later in the database or at the gateway is refused here. */
export function judgeRequest(request: PaymentRequest): Result<PaymentIntent, RequestRefusal> {
  const currency = parseCurrency(request.currency);
  if (currency === undefined) return refuse({ type: "currency_unknown" });
  const amount = parseAmount(request.amount, currency);
  if (!amount.ok) return amount;
  if (!isIdempotencyKey(request.idempotencyKey)) return refuse({ type: "idempotency_key_malformed" });
  if (!isStorable(request.reference ?? "")) return refuse({ type: "text_not_storable", field: "reference" });
  if (!isStorable(request.sellerId ?? "")) return refuse({ type: "text_not_storable", field: "seller_id" });
  const refusal = judgeMetadata(request.metadata);
  if (refusal !== undefined) return refuse(refusal);
  return accept({ ...request, amount: amount.value });
}

function judgeMetadata(metadata: Metadata): RequestRefusal | undefined {
  const entries = Object.entries(metadata);
  if (entries.length > mostMetadataKeys) return { type: "metadata_too_large", limit: `${mostMetadataKeys} keys` };
  for (const [key, value] of entries) {
    if (key.length > longestMetadataKey) {
      return { type: "metadata_too_large", limit: `keys of ${longestMetadataKey} characters` };
    }
    if (typeof value === "string" && value.length > longestMetadataValue) {
      return { type: "metadata_too_large", limit: `values of ${longestMetadataValue} characters` };
    }
    if (!isStorable(key) || (typeof value === "string" && !isStorable(value))) {
      return { type: "text_not_storable", field: "metadata" };
    }
  }
  return undefined;
}

/** PostgreSQL stores neither the character U+0000 nor half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes("\u0000") && text.isWellFormed();
}

/**
 * The request in one canonical form, of which the fingerprint is made: two requests are the same when they ask for the
 * same thing, however they wrote it ("5" and 5.00, metadata in another order).
 */
export function canonicalRequest(intent: PaymentIntent): string {
  const metadata = Object.entries(intent.metadata).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([
    toDecimal(intent.amount),
    intent.amount.currency,
    intent.reference,
    intent.sellerId,
    intent.capture,
    metadata,
  ]);
}

/** Attempt ids are `<payment id>-<number>`: the same attempt has the same id, and so the same key, in every process. */
export function attemptIdOf(paymentId: string, number: number): string {
  return `${paymentId}-${number}`;
}

/** A uuidv7 has 48 bits for its milliseconds, which ends in the year 10889 (RFC 9562, section 5.7). */
const mostMilliseconds = 2 ** 48 - 1;

/** The lowest uuidv7 of a moment: with its milliseconds and zeros. Bounds a walk over ids by time. */
export function lowestIdAt(moment: Date): string {
  const milliseconds = Math.min(Math.max(0, moment.getTime()), mostMilliseconds).toString(16).padStart(12, "0");
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-7000-8000-000000000000`;
}
