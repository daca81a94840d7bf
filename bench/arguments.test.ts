import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBenchArguments, wordsFor } from "./arguments.ts";

test("each scenario has the load of its goal unless it is told otherwise", () => {
  const connectionsOf = (...args: string[]) => parseBenchArguments(args).connections;
  assert.equal(connectionsOf("pay-bill"), 256);
  assert.equal(connectionsOf("payouts"), 512);
  assert.equal(connectionsOf("pagos"), 512);
  assert.equal(connectionsOf("ledger-posting"), 128);
  assert.equal(connectionsOf("payouts", "--connections", "64"), 64);
});

test("the report says what was run", () => {
  const words = (...args: string[]) => wordsFor(parseBenchArguments(args));
  assert.equal(words("payouts", "--short"), "512 calls in flight, 1 rounds");
  assert.equal(words("pay-bill"), "256 connections, 3 rounds of 8 s after 3 s of warm-up");
  assert.equal(words("startup"), "3 starts of each");
});

test("what is no scenario is refused", () => {
  assert.throws(() => parseBenchArguments(["pay-bills"]), /name one scenario/);
  assert.throws(() => parseBenchArguments(["payouts", "--connections", "0"]), /--connections/);
});
