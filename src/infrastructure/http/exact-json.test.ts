import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseExactJson, UnusableJson } from "./exact-json.ts";

function refusalOf(text: string): UnusableJson {
  try {
    parseExactJson(text);
  } catch (error) {
    assert.ok(error instanceof UnusableJson, `${text.slice(0, 60)}: ${error}`);
    return error;
  }
  assert.fail(`accepted ${text.slice(0, 60)}`);
}

describe("exact JSON", () => {
  test("parses what JSON.parse parses", () => {
    const value = { amount: 1000.5, none: null, yes: true, list: [1, "two", { three: 3 }], text: "1e3", "": {} };
    assert.deepEqual(parseExactJson(JSON.stringify(value)), value);
    for (const text of ["1", '"x"', "null", "[]", " {} ", "-0.5", "1000.00", "0"]) {
      assert.deepEqual(parseExactJson(text), JSON.parse(text));
    }
  });

  test("keeps every decimal of up to 15 significant digits as it was written", () => {
    const scaled = fc.tuple(fc.bigInt(-(10n ** 15n - 1n), 10n ** 15n - 1n), fc.integer({ min: 0, max: 6 }));
    fc.assert(
      fc.property(scaled, ([digits, decimals]) => {
        const text = decimal(digits, decimals);
        const value = parseExactJson(text) as number;
        assert.equal(typeof value, "number");
        assert.equal(value.toFixed(decimals), text);
      }),
      { numRuns: 1_000 },
    );
  });

  test("accepts a number only where it says exactly what was written", () => {
    const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(digits, fc.nat(29), (figures, place) => {
        const whole = figures.slice(0, place).join("").replace(/^0+/, "") || "0";
        const fraction = figures.slice(place).join("");
        const text = fraction === "" ? whole : `${whole}.${fraction}`;
        let value: unknown;
        try {
          value = parseExactJson(text);
        } catch (error) {
          assert.ok(error instanceof UnusableJson);
          return;
        }
        const written = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
        const said = (value as number).toFixed(Math.min(fraction.length, 100));
        assert.equal(said.includes(".") ? said.replace(/\.?0+$/, "") : said, written);
      }),
      { numRuns: 2_000 },
    );
  });

  test("refuses numbers that a double would change, and says to send them as a string", () => {
    const changed = ["9007199254740993", "1000.000000000000000001", "0.1000000000000000055", "12345678901234567890"];
    for (const number of changed) {
      const refusal = refusalOf(`{"amount": ${number}}`);
      assert.equal(refusal.key, "amount");
      assert.match(refusal.message, /as a string/);
    }
    assert.equal(parseExactJson("9007199254740992"), 9007199254740992);
    assert.equal(parseExactJson("1000.00000000000000000000"), 1000);
    assert.deepEqual(parseExactJson('{"amount": "9007199254740993"}'), { amount: "9007199254740993" });
  });

  test("refuses exponents, wherever the number stands", () => {
    for (const number of ["1e3", "1E3", "1e-3", "-1.5e+2", "0e0", "1e400", "123456789012345678e2"]) {
      assert.match(refusalOf(`{"amount": ${number}}`).message, /without an exponent/, number);
    }
    assert.equal(refusalOf('{"list": [{"deep": 1e3}]}').key, "deep");
  });

  test("refuses keys that reach for an object's prototype, at any depth", () => {
    for (const key of ["__proto__", "constructor"]) {
      assert.equal(refusalOf(`{"${key}": {"admin": true}}`).key, key);
      assert.equal(refusalOf(`{"list": [{"deep": {"${key}": 1}}]}`).key, key);
    }
    assert.equal(refusalOf('{"\\u005f_proto__": 1}').key, "__proto__");
    assert.equal(({} as Record<string, unknown>)["admin"], undefined);
    assert.deepEqual(parseExactJson('{"text": "__proto__"}'), { text: "__proto__" });
  });

  test("refuses what is not JSON, in one sentence that shows nothing of the body", () => {
    const broken = ["{", '{"a": }', '{"a": NaN}', "Infinity", "{'a': 1}", '{"a": 1,}', "01", ".5", "1.", "+1", "a=1"];
    for (const text of [...broken, "undefined", '{"secret": "x}', "\u0000", "\ufeff{}", "   "]) {
      const { message, key } = refusalOf(text);
      assert.match(message, /^The body is not valid JSON\./);
      assert.equal(key, undefined);
    }
  });

  test("says of an empty body that it is empty", () => {
    assert.match(refusalOf("").message, /^The body is empty\./);
  });

  test("refuses a body that is nested too deeply instead of failing on it", () => {
    for (const depth of [5_000, 100_000]) {
      refusalOf("[".repeat(depth) + "]".repeat(depth));
      refusalOf(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`);
    }
  });

  test("whatever the text, it is parsed or refused", () => {
    const jsonish = fc.string({ unit: fc.constantFrom(...'{}[]",:.-+eE019 \\u', "true", "null"), maxLength: 30 });
    fc.assert(
      fc.property(fc.oneof(jsonish, fc.json(), fc.string()), (text) => {
        try {
          assert.deepEqual(parseExactJson(text), JSON.parse(text));
        } catch (error) {
          assert.ok(error instanceof UnusableJson, String(error));
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

function decimal(digits: bigint, decimals: number): string {
  const text = (digits < 0n ? -digits : digits).toString().padStart(decimals + 1, "0");
  const sign = digits < 0n ? "-" : "";
  if (decimals === 0) return sign + text;
  return `${sign}${text.slice(0, -decimals)}.${text.slice(-decimals)}`;
}
