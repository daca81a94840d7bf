import assert from "node:assert/strict";
import { test } from "node:test";
import { markdown, median } from "./report.ts";

test("the median of an even number of rounds is between the two in the middle", () => {
  assert.equal(median([30, 10, 20]), 20);
  assert.equal(median([40, 10, 20, 30]), 25);
  assert.throws(() => median([]));
});

test("a table reads as Markdown and as text", () => {
  const text = markdown({
    columns: ["", "requests/s"],
    rows: [
      ["MarketFlow", "9,900"],
      ["baseline", "524"],
    ],
  });
  assert.deepEqual(text.split("\n"), [
    "|            | requests/s |",
    "| ---------- | ---------: |",
    "| MarketFlow |      9,900 |",
    "| baseline   |        524 |",
  ]);
});
