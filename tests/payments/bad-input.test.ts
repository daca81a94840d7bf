import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { post, startTestApp, type TestApp } from "../support/app.ts";

let running: TestApp;
before(async () => {
  running = await startTestApp();
});
after(() => running.close());

/** A body as text, because what matters here is how it is written. */
function body(amount: string, more = '"currency": "USD", "idempotency_key": "bad_1"'): string {
  return `{"amount": ${amount}, ${more}}`;
}

type Refused = readonly [name: string, body: string, pointer: string | null, sentence: RegExp];

const refused: readonly Refused[] = [
  ["zero", body("0"), "/amount", /greater than zero/],
  ["negative", body("-1"), "/amount", /greater than zero/],
  ["negative zero", body("-0"), "/amount", /greater than zero/],
  ["negative zero with decimals", body("-0.00"), "/amount", /greater than zero/],
  ["an exponent", body("1e3"), "/amount", /without an exponent/],
  ["an exponent that is a fraction", body("1E-2"), "/amount", /without an exponent/],
  ["too many decimals", body("1000.005"), "/amount", /more decimals/],
  ["a sum of floats", body("0.30000000000000004"), "/amount", /more decimals/],
  ["a sum that is not JSON", body("0.1+0.2"), null, /not valid JSON/],
  ["an integer that a double cannot carry", body("9007199254740993"), "/amount", /more digits/],
  ["decimals that a double drops", body("1000.000000000000000001"), "/amount", /more digits/],
  ["the same integer as a string", body('"9007199254740993"'), "/amount", /over the limit/],
  ["over the limit", body("10000000000"), "/amount", /over the limit/],
  ["NaN", body("NaN"), null, /not valid JSON/],
  ["NaN as a string", body('"NaN"'), "/amount", /plain decimal digits/],
  ["Infinity as a string", body('"Infinity"'), "/amount", /plain decimal digits/],
  ["an exponent in a string", body('"1e3"'), "/amount", /plain decimal digits/],
  ["hexadecimal in a string", body('"0x10"'), "/amount", /plain decimal digits/],
  ["a plus sign", body('"+5"'), "/amount", /plain decimal digits/],
  ["a space", body('" 5"'), "/amount", /plain decimal digits/],
  ["a thousands separator", body('"1,000.00"'), "/amount", /plain decimal digits/],
  ["an empty string", body('""'), "/amount", /plain decimal digits/],
  ["a point without digits", body('"5."'), "/amount", /plain decimal digits/],
  ["other digits than ASCII's", body('"١٠"'), "/amount", /plain decimal digits/],
  ["null", body("null"), "/amount", /type/],
  ["true", body("true"), "/amount", /type/],
  ["a list", body("[1]"), "/amount", /type/],
  ["decimals of a yen", body("1.5", '"currency": "JPY", "idempotency_key": "bad_1"'), "/amount", /more decimals/],
  [
    "a fourth decimal of a dinar",
    body("1.2345", '"currency": "BHD", "idempotency_key": "bad_1"'),
    "/amount",
    /more decimals/,
  ],
  ["no amount", '{"currency": "USD", "idempotency_key": "bad_1"}', "/amount", /missing/],
  ["an unknown currency", body("1", '"currency": "XXX", "idempotency_key": "bad_1"'), "/currency", /ISO 4217/],
  ["a currency in small letters", body("1", '"currency": "usd", "idempotency_key": "bad_1"'), "/currency", /ISO 4217/],
  ["no currency", body("1", '"idempotency_key": "bad_1"'), "/currency", /missing/],
  ["no key", body("1", '"currency": "USD"'), "/idempotency_key", /missing/],
  ["an empty key", body("1", '"currency": "USD", "idempotency_key": ""'), "/idempotency_key", /1 to 255/],
  ["a key with a space", body("1", '"currency": "USD", "idempotency_key": "a b"'), "/idempotency_key", /1 to 255/],
  [
    "a key of 256",
    body("1", `"currency": "USD", "idempotency_key": "${"k".repeat(256)}"`),
    "/idempotency_key",
    /1 to 255/,
  ],
  [
    "an unknown field",
    body("1", '"currency": "USD", "idempotency_key": "bad_1", "amuont": 1'),
    "/amuont",
    /not a field/,
  ],
  [
    "metadata that is a list",
    body("1", '"currency": "USD", "idempotency_key": "bad_1", "metadata": []'),
    "/metadata",
    /object/,
  ],
  [
    "metadata with depth",
    body("1", '"currency": "USD", "idempotency_key": "bad_1", "metadata": {"a": {}}'),
    "/metadata/a",
    /type/,
  ],
  [
    "a NUL in metadata",
    body("1", '"currency": "USD", "idempotency_key": "bad_1", "metadata": {"a": "\\u0000"}'),
    "/metadata",
    /U\+0000/,
  ],
  [
    "half a surrogate pair",
    body("1", '"currency": "USD", "idempotency_key": "bad_1", "reference": "\\ud800"'),
    "/reference",
    /surrogate/,
  ],
  [
    "metadata that is too long",
    body("1", `"currency": "USD", "idempotency_key": "bad_1", "metadata": {"a": "${"x".repeat(501)}"}`),
    "/metadata",
    /500/,
  ],
  [
    "a reach for the prototype",
    '{"__proto__": {"amount": 1}, "currency": "USD", "idempotency_key": "bad_1"}',
    "/__proto__",
    /not allowed/,
  ],
  ["a list for a body", "[]", "/", /object/],
  ["a text for a body", '"hello"', "/", /object/],
  ["nothing for a body", "", null, /empty/],
  ["half a body", '{"amount": 1', null, /not valid JSON/],
];

describe("bad input", () => {
  for (const [name, text, pointer, sentence] of refused) {
    it(`${name} is refused with 400 and a sentence`, async () => {
      const { status, headers, body: problem } = await post(running.address, "/payments", text);
      assert.equal(status, 400);
      assert.equal(headers.get("content-type"), "application/problem+json; charset=utf-8");
      assert.equal(problem.code, "invalid_request");
      assert.equal(problem.status, 400);
      assert.match(problem.trace_id, /^[0-9a-f]{32}$/);
      assert.match(problem.detail, sentence);
      assert.match(problem.detail, /\.$/);
      const pointers = (problem.errors ?? []).map((fault: { pointer: string }) => fault.pointer);
      if (pointer === null) assert.deepEqual(pointers, []);
      else assert.ok(pointers.includes(pointer), `${pointer} in ${pointers}`);
    });
  }

  it("names every fault of the body at once", async () => {
    const { body: problem } = await post(running.address, "/payments", '{"currency": 5, "x": 1}');
    const pointers = problem.errors.map((fault: { pointer: string }) => fault.pointer).sort();
    assert.deepEqual(pointers, ["/amount", "/currency", "/x"]);
  });

  it("other media types are refused with 415 and too much with 413", async () => {
    const form = await post(running.address, "/payments", "amount=1", {
      "content-type": "application/x-www-form-urlencoded",
    });
    assert.deepEqual([form.status, form.body.code], [415, "unsupported_media_type"]);
    const large = body("1", `"currency": "USD", "idempotency_key": "bad_1", "reference": "${"x".repeat(1_048_576)}"`);
    const refusedForSize = await post(running.address, "/payments", large);
    assert.deepEqual([refusedForSize.status, refusedForSize.body.code], [413, "body_too_large"]);
  });

  it("an unknown address is 404 with a problem", async () => {
    const { status, body: problem } = await post(running.address, "/paiments", "{}");
    assert.deepEqual([status, problem.code], [404, "not_found"]);
  });

  it("nothing of all this was stored or sent to the gateway", async () => {
    const rows = await running.look("select from payments.payments union all select from payments.attempts");
    assert.equal(rows.length, 0);
    const [count] = await running.look<{ count: bigint }>("select count(*) from events.log");
    assert.equal(Number(count?.count), 0);
  });
});

describe("amounts that are exact", () => {
  const accepted: readonly [written: string, currency: string, stored: string, shown: number][] = [
    ["1000.00", "USD", "1000.0000", 1000],
    ["0.01", "USD", "0.0100", 0.01],
    ['"19.99"', "USD", "19.9900", 19.99],
    ["5.000", "USD", "5.0000", 5],
    ["1000", "JPY", "1000.0000", 1000],
    ["1000.0", "JPY", "1000.0000", 1000],
    ["1.234", "BHD", "1.2340", 1.234],
    ["9999999999", "USD", "9999999999.0000", 9_999_999_999],
    ['"9999999999.99"', "EUR", "", 0],
  ];
  for (const [written, currency, stored, shown] of accepted) {
    it(`${written} ${currency} is ${stored === "" ? "over the limit" : `stored as ${stored}`}`, async () => {
      const key = `exact_${currency}_${written.replaceAll(/[".]/g, "_")}`;
      const text = body(written, `"currency": "${currency}", "idempotency_key": "${key}"`);
      const { status, body: payment } = await post(running.address, "/payments", text);
      assert.equal(status, stored === "" ? 400 : 201);
      if (stored === "") return;
      assert.equal(payment.amount, shown);
      const rows = await running.look<{ amount: string }>("select amount from payments.payments where id = $1", [
        payment.id,
      ]);
      assert.deepEqual(rows, [{ amount: stored }]);
    });
  }
});
