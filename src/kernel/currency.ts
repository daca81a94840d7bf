/**
 * The active currencies of ISO 4217 and how many decimals each has (its "minor unit"), from the standard's list one
 * of 2025. Funds codes and precious metals (XAU, XDR, …) are left out: nobody pays a seller in them.
 */
const codesByExponent = {
  0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
  2:
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC " +
    "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD " +
    "KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO " +
    "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL " +
    "THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
  3: "BHD IQD JOD KWD LYD OMR TND",
} as const;

/** An ISO 4217 alphabetic code that MarketFlow knows, in capitals. */
export type Currency = string & { readonly __currency: unique symbol };

const exponents: ReadonlyMap<string, number> = new Map(
  Object.entries(codesByExponent).flatMap(([exponent, codes]) =>
    codes.split(" ").map((code) => [code, Number(exponent)] as const),
  ),
);

/** Reads a currency code; only the capitals of the standard are a currency, so "usd" is not. */
export function parseCurrency(code: string): Currency | undefined {
  return exponents.has(code) ? (code as Currency) : undefined;
}

/** How many decimals amounts in this currency have: 0 for JPY, 2 for USD, 3 for BHD. */
export function exponentOf(currency: Currency): number {
  const exponent = exponents.get(currency);
  if (exponent === undefined) throw new Error(`not a currency: ${currency}`);
  return exponent;
}

/** Every code that {@link parseCurrency} accepts, in alphabetical order. */
export function allCurrencies(): Currency[] {
  return [...exponents.keys()].sort() as Currency[];
}
