import type { Currency } from "../../../kernel/currency.ts";
import { exponentOf } from "../../../kernel/currency.ts";
import type { Money } from "../../../kernel/money.ts";

/**
 * Where Stripe's units are not the minor units of ISO 4217. Source: https://docs.stripe.com/currencies
 * - ISK and UGX have no decimals, but "backward compatibility requires you to represent it as a two-decimal value,
 *   where the decimal amount is always 00": 5 UGX is 500 (#special-cases; UGX is on the zero-decimal list above as
 *   well, but what is not divisible by 100 is refused, so the special case is what holds).
 * - MGA has two decimals in ISO 4217 and none at Stripe (#zero-decimal).
 * HUF and TWD are zero-decimal for payouts only; payments take their two decimals.
 */
const unitsAreHundredths: ReadonlySet<string> = new Set(["ISK", "UGX"]);
const unitsAreWhole: ReadonlySet<string> = new Set(["MGA"]);

/** The three-decimal currencies that Stripe takes (#three-decimal); IQD and LYD are not among them. */
const threeDecimals: ReadonlySet<string> = new Set(["BHD", "JOD", "KWD", "OMR", "TND"]);

/**
 * An amount as Stripe's API takes it; undefined where it cannot: three-decimal currencies count in tens ("the
 * least-significant digit must be 0"), MGA in whole ariary, and nothing that a double cannot carry exactly.
 */
export function toStripeUnits({ amountMinor, currency }: Money): number | undefined {
  if (exponentOf(currency) === 3 && !(threeDecimals.has(currency) && amountMinor % 10n === 0n)) return undefined;
  if (unitsAreWhole.has(currency) && amountMinor % 100n !== 0n) return undefined;
  let units = amountMinor;
  if (unitsAreHundredths.has(currency)) units *= 100n;
  if (unitsAreWhole.has(currency)) units /= 100n;
  return units > 0n && units <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(units) : undefined;
}

/**
 * An amount that Stripe wrote, in ISO 4217's minor units. Throws a RangeError for a fraction of an ISK or UGX, which
 * Stripe has refused to charge since they became zero-decimal: no payment of ours can have one.
 */
export function fromStripeUnits(units: bigint, currency: Currency): Money {
  if (unitsAreWhole.has(currency)) return { amountMinor: units * 100n, currency };
  if (!unitsAreHundredths.has(currency)) return { amountMinor: units, currency };
  if (units % 100n !== 0n) throw new RangeError(`${currency} has no decimals, and ${units} hundredths are not whole`);
  return { amountMinor: units / 100n, currency };
}
