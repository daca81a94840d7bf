import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allCurrencies, parseCurrency } from "../../../kernel/currency.ts";
import { fromStripeUnits, toStripeUnits } from "./amounts.ts";

function currencyOf(code: string) {
  const currency = parseCurrency(code);
  assert(currency !== undefined);
  return currency;
}

const units = (amountMinor: bigint, code: string) => toStripeUnits({ amountMinor, currency: currencyOf(code) });

describe("amounts in Stripe's units", () => {
  it("are minor units for currencies with two decimals and with none", () => {
    assert.equal(units(12_345n, "USD"), 12_345);
    assert.equal(units(500n, "JPY"), 500);
    assert.equal(units(12_345n, "HUF"), 12_345);
  });

  it("are hundredths for ISK and UGX, and whole ariary for MGA", () => {
    assert.equal(units(5n, "ISK"), 500);
    assert.equal(units(5n, "UGX"), 500);
    assert.equal(units(500n, "MGA"), 5);
    assert.equal(units(550n, "MGA"), undefined);
  });

  it("are tens of thousandths at the least for three decimals, and IQD and LYD are not taken", () => {
    assert.equal(units(1000n, "BHD"), 1000);
    assert.equal(units(1005n, "BHD"), undefined);
    assert.equal(units(1000n, "IQD"), undefined);
    assert.equal(units(1000n, "LYD"), undefined);
  });

  it("are not taken where a number cannot carry them exactly, or where there is nothing to pay", () => {
    assert.equal(units(9_007_199_254_740_991n, "USD"), 9_007_199_254_740_991);
    assert.equal(units(9_007_199_254_740_992n, "USD"), undefined);
    assert.equal(units(9_007_199_254_740_991n, "ISK"), undefined);
    assert.equal(units(0n, "USD"), undefined);
    assert.equal(units(-100n, "USD"), undefined);
  });

  it("come back as what was sent, in every currency that is taken", () => {
    let taken = 0;
    for (const currency of allCurrencies()) {
      const money = { amountMinor: 123_400n, currency };
      const sent = toStripeUnits(money);
      if (sent === undefined) continue;
      taken++;
      assert.deepEqual(fromStripeUnits(BigInt(sent), currency), money);
    }
    assert(taken > 100);
  });

  it("cannot be a fraction of an ISK", () => {
    assert.throws(() => fromStripeUnits(550n, currencyOf("ISK")), RangeError);
  });
});
