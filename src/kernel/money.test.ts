import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Currency, parseCurrency } from "./currency.ts";
import { fromStoredDecimal, type Money, parseAmount, toDecimal, toJsonAmount } from "./money.ts";

const usd = currency("USD");
const jpy = currency("JPY");
const bhd = currency("BHD");
const anyCurrency = fc.constantFrom(
  { currency: jpy, decimals: 0 },
  { currency: usd, decimals: 2 },
  { currency: bhd, decimals: 3 },
);
const limitMajor = 9_999_999_999n;

function currency(code: string): Currency {
  const parsed = parseCurrency(code);
  assert(parsed !== undefined);
  return parsed;
}

function minorOf(text: string, of: Currency): bigint {
  const parsed = parseAmount(text, of);
  assert(parsed.ok, `${text} ${of} was refused`);
  assert.equal(parsed.value.currency, of);
  return parsed.value.amountMinor;
}

function refusalOf(text: string, of: Currency): unknown {
  const parsed = parseAmount(text, of);
  assert(!parsed.ok, `${text} ${of} was accepted`);
  return parsed.refusal;
}

describe("reading an amount", () => {
  test("gives exact minor units of the currency", () => {
    assert.equal(minorOf("1000.00", usd), 100_000n);
    assert.equal(minorOf("1000", usd), 100_000n);
    assert.equal(minorOf("1000.5", usd), 100_050n);
    assert.equal(minorOf("0.01", usd), 1n);
    assert.equal(minorOf("0.07", usd), 7n);
    assert.equal(minorOf("1.15", usd), 115n);
    assert.equal(minorOf("1000", jpy), 1_000n);
    assert.equal(minorOf("1.234", bhd), 1_234n);
    assert.equal(minorOf("0.001", bhd), 1n);
    assert.equal(minorOf("007.10", usd), 710n);
  });

  test("passes over zeros beyond the currency's decimals, because they change nothing", () => {
    assert.equal(minorOf("5.000", usd), 500n);
    assert.equal(minorOf("5.0", jpy), 5n);
    assert.equal(minorOf("1.2340000", bhd), 1_234n);
  });

  test("refuses more decimals than the currency has, and says how many it has", () => {
    const tooMany = (decimals: number) => ({ type: "amount_has_too_many_decimals", decimals });
    assert.deepEqual(refusalOf("1000.005", usd), tooMany(2));
    assert.deepEqual(refusalOf(String(0.1 + 0.2), usd), tooMany(2));
    assert.deepEqual(refusalOf("1.5", jpy), tooMany(0));
    assert.deepEqual(refusalOf("1.2345", bhd), tooMany(3));
    assert.deepEqual(refusalOf("0.001", usd), tooMany(2));
  });

  test("refuses zero and less, however it is written", () => {
    for (const text of ["0", "0.00", "-0", "-0.00", "-1", "-1000.00", "000"]) {
      assert.deepEqual(refusalOf(text, usd), { type: "amount_must_be_positive" }, text);
    }
  });

  test("refuses everything that is not plain decimal digits", () => {
    const notDecimals = ["", " ", "1e3", "1E3", "1e-3", "NaN", "Infinity", "-Infinity", "+1", "--1", "- 1", "1-"];
    const separated = [" 1", "1 ", "1\n", "\t1", "1 000", "1,000", "1,5", "1_000", "1.", ".5", "1.2.3", ".", "-", "-."];
    const disguised = [
      "0x10",
      "0b1",
      "1n",
      "$1",
      "1USD",
      "١٢",
      "１",
      "½",
      "1\u0000",
      "null",
      "true",
      "[object Object]",
    ];
    for (const text of [...notDecimals, ...separated, ...disguised]) {
      assert.deepEqual(refusalOf(text, usd), { type: "amount_not_a_decimal" }, JSON.stringify(text));
    }
  });

  test("refuses more than 32 digits on either side, so that nobody makes us compute with a megabyte of them", () => {
    assert.deepEqual(refusalOf("9".repeat(33), usd), { type: "amount_not_a_decimal" });
    assert.deepEqual(refusalOf(`1.${"0".repeat(33)}`, usd), { type: "amount_not_a_decimal" });
    assert.equal(minorOf(`1.${"0".repeat(32)}`, usd), 100n);
    assert.equal(minorOf(`${"0".repeat(31)}1`, usd), 100n);
    assert.deepEqual(refusalOf("9".repeat(32), usd), { type: "amount_over_limit", limit: "9999999999" });
  });

  test("takes the limit itself and refuses the smallest amount beyond it, in every currency", () => {
    const beyond = { type: "amount_over_limit", limit: "9999999999" };
    assert.equal(minorOf("9999999999.00", usd), 999_999_999_900n);
    assert.deepEqual(refusalOf("9999999999.01", usd), beyond);
    assert.equal(minorOf("9999999999", jpy), 9_999_999_999n);
    assert.deepEqual(refusalOf("10000000000", jpy), beyond);
    assert.equal(minorOf("9999999999", bhd), 9_999_999_999_000n);
    assert.deepEqual(refusalOf("9999999999.001", bhd), beyond);
  });

  test("any text is either refused or an amount within the limit; it never throws", () => {
    const digitish = fc.string({ unit: fc.constantFrom("0", "1", "9", ".", "-", "+", "e", " ", ","), maxLength: 40 });
    fc.assert(
      fc.property(fc.oneof(fc.string(), digitish), anyCurrency, (text, { currency: of, decimals }) => {
        const parsed = parseAmount(text, of);
        if (!parsed.ok) return;
        assert.match(text, /^\d+(\.\d+)?$/);
        const { amountMinor } = parsed.value;
        assert.ok(amountMinor > 0n && amountMinor <= limitMajor * 10n ** BigInt(decimals));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("writing an amount", () => {
  test("shows all decimals of the currency, and no more", () => {
    const written = (amountMinor: bigint, of: Currency) => toDecimal({ amountMinor, currency: of });
    assert.equal(written(100_000n, usd), "1000.00");
    assert.equal(written(5n, usd), "0.05");
    assert.equal(written(0n, usd), "0.00");
    assert.equal(written(-5n, usd), "-0.05");
    assert.equal(written(-12_345n, usd), "-123.45");
    assert.equal(written(1_000n, jpy), "1000");
    assert.equal(written(-7n, jpy), "-7");
    assert.equal(written(1n, bhd), "0.001");
  });

  test("what is written is read back as the same money", () => {
    fc.assert(
      fc.property(anyCurrency, fc.bigInt(1n, limitMajor), ({ currency: of }, amountMinor) => {
        assert.deepEqual(parseAmount(toDecimal({ amountMinor, currency: of }), of), {
          ok: true,
          value: { amountMinor, currency: of },
        });
      }),
    );
  });

  test("any stored amount is read back as the same money, signs and a database's trailing zeros included", () => {
    fc.assert(
      fc.property(anyCurrency, fc.bigInt(), fc.nat(6), ({ currency: of, decimals }, amountMinor, zeros) => {
        const money: Money = { amountMinor, currency: of };
        const point = decimals === 0 && zeros > 0 ? "." : "";
        const text = `${toDecimal(money)}${point}${"0".repeat(zeros)}`;
        assert.deepEqual(fromStoredDecimal(text, of), money);
      }),
    );
  });
});

describe("a stored amount", () => {
  test("may be zero or negative", () => {
    assert.equal(fromStoredDecimal("1000.0000", usd).amountMinor, 100_000n);
    assert.equal(fromStoredDecimal("-0.5000", usd).amountMinor, -50n);
    assert.equal(fromStoredDecimal("0", usd).amountMinor, 0n);
    assert.equal(fromStoredDecimal("1000.0000", jpy).amountMinor, 1_000n);
    assert.equal(fromStoredDecimal("0.0010", bhd).amountMinor, 1n);
  });

  test("that is not an amount of its currency throws, because then a row is corrupt", () => {
    for (const text of ["", "NaN", "1e3", "1000.0050", "1.", ".5", "+1", " 1", "1,000.00"]) {
      assert.throws(() => fromStoredDecimal(text, usd), /not an amount of USD/, text);
    }
    assert.throws(() => fromStoredDecimal("1.5000", jpy), /not an amount of JPY/);
  });
});

describe("an amount in JSON", () => {
  const json = (amountMinor: bigint, of: Currency) => toJsonAmount({ amountMinor, currency: of });

  test("is a number while a double carries it exactly", () => {
    assert.equal(json(100_000n, usd), 1000);
    assert.equal(json(100_050n, usd), 1000.5);
    assert.equal(json(999_999_999_999_999n, usd), 9999999999999.99);
    assert.equal(json(-999_999_999_999_999n, usd), -9999999999999.99);
    assert.equal(json(999_999_999_999_999n, jpy), 999999999999999);
  });

  test("is a string from 16 digits on", () => {
    assert.equal(json(1_000_000_000_000_000n, usd), "10000000000000.00");
    assert.equal(json(-1_000_000_000_000_000n, usd), "-10000000000000.00");
    assert.equal(json(10n ** 15n, bhd), "1000000000000.000");
  });

  test("always says the same amount when it is read again", () => {
    const near = fc.bigInt(-(10n ** 16n), 10n ** 16n);
    fc.assert(
      fc.property(anyCurrency, fc.oneof(near, fc.bigInt()), ({ currency: of }, amountMinor) => {
        const parsed = JSON.parse(JSON.stringify(toJsonAmount({ amountMinor, currency: of }))) as number | string;
        const text = typeof parsed === "number" ? parsed.toFixed(of === jpy ? 0 : of === usd ? 2 : 3) : parsed;
        assert.equal(fromStoredDecimal(text === "-0" ? "0" : text, of).amountMinor, amountMinor);
      }),
      { numRuns: 1_000 },
    );
  });
});
