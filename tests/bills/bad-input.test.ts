import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Answer } from "../support/app.ts";
import { bill, type ServedBills, serveBills } from "./served-bills.ts";

let served: ServedBills;
before(async () => {
  served = await serveBills();
});
after(() => served.close());

function isRefused({ status, body }: Answer, message: string | RegExp): void {
  assert.equal(status, 400);
  assert.deepEqual(Object.keys(body), ["success", "error"]);
  assert.equal(body.success, false);
  assert.deepEqual(Object.keys(body.error), ["code", "message"]);
  assert.equal(body.error.code, "VALIDATION_ERROR");
  if (typeof message === "string") assert.equal(body.error.message, message);
  else assert.match(body.error.message, message);
}

describe("a request to pay a bill is refused", () => {
  const notPositive = "Amount must be greater than zero";
  const threeCharacters = "Currency must be exactly 3 characters";
  const cases: [string, unknown, string | RegExp][] = [
    ["an amount of zero", { ...bill, amount: 0 }, notPositive],
    ["a zero with decimals", { ...bill, amount: "0.00" }, notPositive],
    ["a negative amount", { ...bill, amount: -500 }, notPositive],
    ["an amount that is no number", { ...bill, amount: "abc" }, /plain decimal digits/],
    ["an amount of another type", { ...bill, amount: [500] }, /amount must be of type number or string/],
    ["two letters of currency", { ...bill, currency: "MX" }, threeCharacters],
    ["four letters of currency", { ...bill, currency: "MXNN" }, threeCharacters],
    ["no letter of currency", { ...bill, currency: "" }, threeCharacters],
    ["an amount before a currency", { ...bill, amount: 0, currency: "MX" }, notPositive],
    ["a currency that does not exist", { ...bill, currency: "XXX" }, /ISO 4217/],
    ["a currency in small letters", { ...bill, currency: "mxn" }, /ISO 4217/],
    ["more decimals than the currency has", { ...bill, amount: 0.001 }, /more decimals/],
    ["decimals of yen", { ...bill, amount: 1.5, currency: "JPY" }, /more decimals/],
    ["more than the most", { ...bill, amount: 10_000_000_000 }, /not be greater than 9999999999/],
    ["a number that JSON does not carry", '{"reference":"a","amount":0.12345678901234567,"currency":"MXN"}', /digits/],
    ["a number beyond doubles", '{"reference":"a","amount":9007199254740993,"currency":"MXN"}', /digits/],
    ["NaN", '{"reference":"a","amount":NaN,"currency":"MXN"}', /NaN/],
    ["an exponent", '{"reference":"a","amount":1e3,"currency":"MXN"}', /exponent/],
    ["an empty reference", { ...bill, reference: "" }, "Reference must not be empty"],
    ["a reference of 101 characters", { ...bill, reference: "x".repeat(101) }, /100 characters/],
    ["a reference with U+0000", { ...bill, reference: "a\u0000b" }, /U\+0000/],
    ["half of a surrogate pair", '{"reference":"\\ud800","amount":1,"currency":"MXN"}', /surrogate/],
    ["an unknown field", { ...bill, status: "SUCCESS" }, /status is not a field/],
    ["no reference", { amount: 1, currency: "MXN" }, /reference is missing/],
    ["a body that is no object", "[]", /must be of type object/],
    ["a body that is no JSON", "{", /not valid JSON/],
    ["an empty body", "", /./],
  ];
  for (const [what, body, message] of cases) {
    it(`for ${what}`, async () => isRefused(await served.create(body, randomUUID()), message));
  }

  it("for a key of 256 characters, an empty one, and one with a space", async () => {
    for (const key of ["k".repeat(256), "", '""', "a b"]) {
      isRefused(await served.create(bill, key), /^Idempotency-Key must be 1 to 255 visible ASCII characters/);
    }
    const { status } = await served.create(bill, "k".repeat(255));
    assert.equal(status, 201);
  });

  it("without a key in the contract's form, whatever else is wrong with it", async () => {
    const missing = { detail: [{ type: "missing", loc: ["header", "idempotency-key"], msg: "Field required" }] };
    for (const body of [bill, { ...bill, amount: 0 }, {}]) {
      const answer = await served.create(body);
      assert.deepEqual([answer.status, answer.body], [422, missing]);
    }
  });

  it("and nothing of any of them was committed", async () => {
    const [count] = await served.look<{ payments: string }>("select count(*) as payments from bills.payments");
    assert.equal(count?.payments, "1");
  });
});

describe("what is at the limits is taken", () => {
  it("a reference of 100 characters, each of two units", async () => {
    const reference = "🧾".repeat(100);
    const { status, body } = await served.create({ ...bill, reference }, randomUUID());
    assert.deepEqual([status, body.reference], [201, reference]);
  });

  it("the largest amount, as a number that is exact", async () => {
    const { body } = await served.create({ ...bill, amount: 9_999_999_999 }, randomUUID());
    assert.equal(body.amount, 9_999_999_999);
  });

  it("currencies without decimals and with three", async () => {
    assert.equal((await served.create({ ...bill, amount: 7, currency: "JPY" }, randomUUID())).body.amount, 7);
    assert.equal((await served.create({ ...bill, amount: 1.005, currency: "BHD" }, randomUUID())).body.amount, 1.005);
  });
});

describe("a list is refused", () => {
  const cases: [string, string][] = [
    ["status=PAID", "Status must be one of PENDING, SUCCESS, FAILED, EXHAUSTED"],
    ["status=failed", "Status must be one of PENDING, SUCCESS, FAILED, EXHAUSTED"],
    ["status=", "Status must be one of PENDING, SUCCESS, FAILED, EXHAUSTED"],
    ...["0", "101", "-1", "ten", "", "1.5"].map((limit): [string, string] => [
      `limit=${limit}`,
      "Limit must be a whole number from 1 to 100",
    ]),
    ...["-1", "x", "1e3", ""].map((offset): [string, string] => [
      `offset=${offset}`,
      "Offset must be a whole number, 0 or greater",
    ]),
    ["cursor=nonsense", "Cursor must be empty or a next_cursor of this list"],
    ["cursor=&offset=0", "Cursor and offset are two ways to page: send one of them"],
  ];
  for (const [query, message] of cases) {
    it(`for ${query}`, async () => isRefused(await served.read(`/payments?${query}`), message));
  }

  it("for a parameter that is none", async () => {
    isRefused(await served.read("/payments?page=2"), /page is not a field/);
    isRefused(await served.read("/payments?limit=1&limit=2"), /limit must be of type string/);
  });
});
