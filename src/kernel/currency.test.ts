import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { allCurrencies, type Currency, exponentOf, parseCurrency } from "./currency.ts";

describe("currencies", () => {
  test("a code of the standard is a currency", () => {
    for (const code of ["USD", "EUR", "JPY", "BHD", "COP"]) assert.equal(parseCurrency(code), code);
  });

  test("nothing else is: small letters, spaces, other lengths, funds, metals and names of object members", () => {
    const others = ["usd", "Usd", " USD", "USD ", "US", "USDD", "", "XXX", "XAU", "XDR", "CLF", "BTC", "__proto__"];
    for (const code of [...others, "constructor", "toString"]) assert.equal(parseCurrency(code), undefined, code);
  });

  test("decimals are the standard's: none, two or three", () => {
    const decimals = { JPY: 0, KRW: 0, CLP: 0, ISK: 0, UGX: 0, XAF: 0, USD: 2, EUR: 2, HUF: 2, BHD: 3, KWD: 3, TND: 3 };
    for (const [code, count] of Object.entries(decimals)) assert.equal(exponentOf(code as Currency), count, code);
  });

  test("asking for the decimals of what is not a currency throws", () => {
    assert.throws(() => exponentOf("ABC" as Currency), /not a currency: ABC/);
  });

  test("every listed code is three capitals, is listed once, in order, and is accepted", () => {
    const codes = allCurrencies();
    assert.ok(codes.length > 150, `${codes.length} currencies`);
    assert.equal(new Set(codes).size, codes.length);
    assert.deepEqual(codes, [...codes].sort());
    for (const code of codes) {
      assert.match(code, /^[A-Z]{3}$/);
      assert.equal(parseCurrency(code), code);
      assert.ok([0, 2, 3].includes(exponentOf(code)));
    }
  });

  test("agrees with the runtime's own table, but where that drops decimals nobody pays in any more", () => {
    const known = new Set(Intl.supportedValuesOf("currency"));
    const compared = allCurrencies().filter((code) => known.has(code));
    assert.ok(compared.length > 140, `${compared.length} currencies to compare`);
    const differing = compared.filter((currency) => {
      const options = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions();
      const decimals = options.maximumFractionDigits ?? 0;
      return decimals === 0 ? false : decimals !== exponentOf(currency);
    });
    assert.deepEqual(differing, []);
  });
});
