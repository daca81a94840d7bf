import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { accountCodes, chart, kindOf } from "./chart.ts";

describe("the chart of accounts", () => {
  test("knows an account by its pattern, whatever the id in it is", () => {
    const expected: Readonly<Record<string, string>> = {
      "gateway:stripe:clearing": "gateway:%:clearing",
      "seller:s_1:available": "seller:%:available",
      "seller:s:1:available": "seller:%:available",
      "seller:available:available": "seller:%:available",
      "seller:s_1:pending": "seller:%:pending",
      "seller:s_1:receivable": "seller:%:receivable",
      "platform:commission": "platform:commission",
      "platform:funding": "platform:funding",
      "gateway:stripe:bills": "gateway:%:bills",
      "gateway:stripe:funding": "gateway:%:funding",
      "gateway:stripe:payouts": "gateway:%:payouts",
      "affiliate:a:paid": "affiliate:%:paid",
      "affiliate:a:b:paid": "affiliate:%:paid",
      "bills:payable": "bills:%",
      "bills:power:2026": "bills:%",
    };
    for (const [code, pattern] of Object.entries(expected)) assert.equal(kindOf(code)?.pattern, pattern, code);
  });

  test("knows nothing else", () => {
    const strangers = [
      "",
      "cash",
      "seller",
      "seller:available",
      "seller:s_1",
      "seller:s_1:available2",
      "xseller:s_1:available",
      "Seller:s_1:available",
      "platform:commission:x",
      "platform:%",
      "gateway:clearing",
      "affiliate:a",
      "affiliate:paid",
    ];
    for (const code of strangers) assert.equal(kindOf(code), undefined, code);
  });

  test("has the codes that modules post to, and a meaning for each kind", () => {
    const codes = [
      accountCodes.clearing("stripe"),
      accountCodes.sellerAvailable("s_1"),
      accountCodes.sellerReceivable("s_1"),
      accountCodes.commission,
      accountCodes.losses,
      accountCodes.suspense,
      accountCodes.platformFunding,
      accountCodes.bills("stripe"),
      accountCodes.billsPayable,
      accountCodes.funding("stripe"),
      accountCodes.payouts("stripe"),
      accountCodes.affiliatePaid("a:1"),
    ];
    for (const code of codes) assert.ok(kindOf(code), code);
    for (const { meaning, pattern } of chart) assert.ok(meaning.length > 10, pattern);
  });

  test("lets no account be of two kinds: the database would not know which", () => {
    for (const { pattern } of chart) {
      const code = pattern.replace("%", "x");
      const kinds = chart.filter((kind) => {
        const [before = "", after] = kind.pattern.split("%");
        return after === undefined ? code === kind.pattern : code.startsWith(before) && code.endsWith(after);
      });
      assert.deepEqual(
        kinds.map((kind) => kind.pattern),
        [pattern],
      );
    }
  });

  test("puts a floor only where money of somebody else's is, or where money was set apart", () => {
    const floored = chart.filter(({ floorMinor }) => floorMinor !== null);
    assert.deepEqual(floored.map(({ pattern, normalSide }) => [pattern, normalSide]).sort(), [
      ["gateway:%:funding", "debit"],
      ["seller:%:available", "credit"],
      ["seller:%:pending", "credit"],
    ]);
    for (const { floorMinor } of floored) assert.equal(floorMinor, 0n);
  });
});
