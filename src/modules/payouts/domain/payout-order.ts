import { parseCurrency } from "../../../kernel/currency.ts";
import { isIdempotencyKey } from "../../../kernel/identifiers.ts";
import { type AmountRefusal, type Money, parseAmount, toDecimal } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { type DineroRefusal, parseDinero } from "./dinero.ts";
import type { Recipient } from "./payout.ts";

/** A payout that can be accepted. */
export type PayoutOrder = {
  readonly recipient: Recipient;
  readonly amount: Money;
  /** Null where none was given: then every request is a payout of its own. */
  readonly idempotencyKey: string | null;
};

/** A request for a payout as it came: read, but not yet judged. The amount is decimal digits in major units. */
export type PayoutRequest = {
  readonly recipientId: string;
  readonly amount: string;
  readonly currency: string;
  readonly idempotencyKey: string | null;
};

type CommonRefusal = { type: "recipient_malformed" } | { type: "idempotency_key_malformed" };
export type AffiliateOrderRefusal = DineroRefusal | CommonRefusal;
export type SellerOrderRefusal = AmountRefusal | { type: "currency_unknown" } | CommonRefusal;

/** Judges a request to pay an affiliate, in one of the monedas. */
export function judgeAffiliateOrder(request: PayoutRequest): Result<PayoutOrder, AffiliateOrderRefusal> {
  const amount = parseDinero(request.amount, request.currency);
  return amount.ok ? orderOf("affiliate", request, amount.value) : amount;
}

/** Judges a request to pay a seller out, in any currency. */
export function judgeSellerOrder(request: PayoutRequest): Result<PayoutOrder, SellerOrderRefusal> {
  const currency = parseCurrency(request.currency);
  if (currency === undefined) return refuse({ type: "currency_unknown" });
  const amount = parseAmount(request.amount, currency);
  return amount.ok ? orderOf("seller", request, amount.value) : amount;
}

function orderOf(
  kind: Recipient["kind"],
  { recipientId, idempotencyKey }: PayoutRequest,
  amount: Money,
): Result<PayoutOrder, CommonRefusal> {
  if (!isRecipientId(recipientId)) return refuse({ type: "recipient_malformed" });
  if (idempotencyKey !== null && !isIdempotencyKey(idempotencyKey)) {
    return refuse({ type: "idempotency_key_malformed" });
  }
  return accept({ recipient: { kind, id: recipientId }, amount, idempotencyKey });
}

/** 1 to 255 characters that PostgreSQL can store: neither U+0000 nor half of a surrogate pair. */
export function isRecipientId(id: string): boolean {
  return id.length >= 1 && id.length <= 255 && !id.includes("\u0000") && id.isWellFormed();
}

/** The order in one canonical form, of which the fingerprint is made, however its request was written. */
export function canonicalOrder({ recipient, amount }: PayoutOrder): string {
  return JSON.stringify([recipient.kind, recipient.id, toDecimal(amount), amount.currency]);
}
