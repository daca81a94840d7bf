import { parseCurrency } from "../../../kernel/currency.ts";
import { isIdempotencyKey } from "../../../kernel/identifiers.ts";
import { type AmountRefusal, type Money, parseAmount } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";

/** A request to pay a bill as it came: read, but not yet judged. */
export type BillRequest = {
  readonly reference: string;
  readonly amount: string;
  readonly currency: string;
  readonly idempotencyKey: string;
};

/** A request that can be accepted. */
export type BillIntent = { readonly reference: string; readonly amount: Money; readonly idempotencyKey: string };

export type BillRequestRefusal =
  | AmountRefusal
  | { type: "currency_must_have_three_characters" }
  | { type: "currency_unknown" }
  | { type: "reference_must_not_be_empty" }
  | { type: "reference_too_long" }
  | { type: "reference_not_storable" }
  | { type: "idempotency_key_malformed" };

const longestReference = 100;

/**
 * Judges a request: everything that could go wrong with it later in the database or at the gateway is refused here, in
 * the order of the contract: first that the amount is no amount, then the currency, then what depends on both.
 */
export function judgeRequest(request: BillRequest): Result<BillIntent, BillRequestRefusal> {
  const { reference, idempotencyKey } = request;
  const refusal = judgeSign(request.amount);
  if (refusal !== undefined) return refuse(refusal);
  if (charactersOf(request.currency) !== 3) return refuse({ type: "currency_must_have_three_characters" });
  const currency = parseCurrency(request.currency);
  if (currency === undefined) return refuse({ type: "currency_unknown" });
  const amount = parseAmount(request.amount, currency);
  if (!amount.ok) return amount;
  if (reference === "") return refuse({ type: "reference_must_not_be_empty" });
  if (charactersOf(reference) > longestReference) return refuse({ type: "reference_too_long" });
  if (!isStorable(reference)) return refuse({ type: "reference_not_storable" });
  if (!isIdempotencyKey(idempotencyKey)) return refuse({ type: "idempotency_key_malformed" });
  return accept({ reference, amount: amount.value, idempotencyKey });
}

/** What can be said of an amount before its currency is known. */
function judgeSign(amount: string): BillRequestRefusal | undefined {
  if (!/^-?\d{1,32}(?:\.\d{1,32})?$/.test(amount)) return { type: "amount_not_a_decimal" };
  return amount.startsWith("-") || /^[0.]+$/.test(amount) ? { type: "amount_must_be_positive" } : undefined;
}

/** Characters as the database counts them, which are not the units of a JavaScript string. */
function charactersOf(text: string): number {
  return [...text].length;
}

/** PostgreSQL stores neither the character U+0000 nor half of a surrogate pair. */
function isStorable(text: string): boolean {
  return !text.includes("\u0000") && text.isWellFormed();
}
