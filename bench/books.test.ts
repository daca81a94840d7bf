import assert from "node:assert/strict";
import { test } from "node:test";
import { paidOf, unlike } from "./books.ts";

test("a payment that is twice in one book and once in the other is found", () => {
  const once = paidOf([
    ["a", 100n],
    ["b", 100n],
  ]);
  assert.deepEqual(unlike(once, paidOf(Object.entries({ a: 100n, b: 100n }))), []);
  const twice = paidOf([
    ["a", 100n],
    ["a", 100n],
  ]);
  assert.match(unlike(once, twice)[0] ?? "", /2 payments of 200 minor units.*not each one once/);
  assert.equal(unlike(once, paidOf([["a", 200n]])).length, 1);
});
