import { type Currency, exponentOf } from "./currency.ts";
import { accept, type Result, refuse } from "./result.ts";

/** An amount of money: whole minor units (cents, yen, fils) of one currency. Never a float. */
export type Money = { readonly amountMinor: bigint; readonly currency: Currency };

export type AmountRefusal =
  | { type: "amount_not_a_decimal" }
  | { type: "amount_has_too_many_decimals"; decimals: number }
  | { type: "amount_must_be_positive" }
  | { type: "amount_over_limit"; limit: string };

/**
 * The largest amount one movement may carry, in major units. Stripe takes twelve digits of minor units at most (IDR;
 * eight in other currencies, docs.stripe.com/currencies), which this covers; every such amount is exact as a double.
 */
const largestMajor = 9_999_999_999n;

const firstInexact = 10n ** 15n;

/**
 * Reads a positive decimal in major units ("1000.00") into minor units, exactly. Refuses everything that is not plain
 * decimal digits: exponents, signs other than a minus that is refused as not positive, spaces, separators.
 * Trailing zeros beyond the currency's decimals do not change the amount and are accepted ("5.000" USD is 5.00).
 */
export function parseAmount(text: string, currency: Currency): Result<Money, AmountRefusal> {
  const parts = /^(-?)(\d{1,32})(?:\.(\d{1,32}))?$/.exec(text);
  if (parts === null) return refuse({ type: "amount_not_a_decimal" });
  const [, sign, whole = "", fraction = ""] = parts;
  const decimals = exponentOf(currency);
  const significant = fraction.replace(/0+$/, "");
  if (significant.length > decimals) return refuse({ type: "amount_has_too_many_decimals", decimals });
  const amountMinor = BigInt(whole + significant.padEnd(decimals, "0"));
  if (sign === "-" || amountMinor === 0n) return refuse({ type: "amount_must_be_positive" });
  if (amountMinor > largestMajor * 10n ** BigInt(decimals)) {
    return refuse({ type: "amount_over_limit", limit: largestMajor.toString() });
  }
  return accept({ amountMinor, currency });
}

/** Writes money as a decimal in major units with all of its currency's decimals: "1000.00", "1000", "1000.000". */
export function toDecimal(money: Money): string {
  return minorToDecimal(money.amountMinor, exponentOf(money.currency));
}

function minorToDecimal(amountMinor: bigint, decimals: number): string {
  if (decimals === 0) return amountMinor.toString();
  const negative = amountMinor < 0n;
  const digits = (negative ? -amountMinor : amountMinor).toString().padStart(decimals + 1, "0");
  return `${negative ? "-" : ""}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/**
 * Money from a decimal that our own database or a gateway wrote ("1000.0000"), which may be zero or negative.
 * Throws where the text is not such a decimal: that is a bug or a corrupt row, not somebody's input.
 */
export function fromStoredDecimal(text: string, currency: Currency): Money {
  const decimals = exponentOf(currency);
  const parts = /^(-?\d+)(?:\.(\d+))?$/.exec(text);
  const fraction = (parts?.[2] ?? "").replace(/0+$/, "");
  if (parts === null || fraction.length > decimals) throw new Error(`not an amount of ${currency}: ${text}`);
  return { amountMinor: BigInt(parts[1] + fraction.padEnd(decimals, "0")), currency };
}

/**
 * The amount as a JSON value: a number, or a string where a double could not carry it exactly (more than 15
 * significant digits).
 */
export function toJsonAmount(money: Money): number | string {
  const decimal = toDecimal(money);
  return money.amountMinor < firstInexact && money.amountMinor > -firstInexact ? Number(decimal) : decimal;
}

/**
 * A JSON number as plain decimal digits: what was written, but for zeros at its end, where the exact JSON parser let it
 * pass. Never an exponent.
 */
export function decimalText(number: number): string {
  return number !== 0 && Math.abs(number) < 1e-6 ? number.toFixed(20) : String(number);
}
