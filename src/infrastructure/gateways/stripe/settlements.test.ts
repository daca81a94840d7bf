import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type Stripe from "stripe";
import { rangeOf, readSettlementPage } from "./settlements.ts";

const charge = {
  id: "ch_1",
  object: "charge",
  amount: 1000,
  amount_captured: 1000,
  currency: "eur",
  payment_intent: "pi_1",
};
const refund = { id: "re_1", object: "refund", amount: 300, currency: "eur", payment_intent: "pi_1" };
const dispute = { id: "dp_1", object: "dispute", amount: 700, currency: "eur", payment_intent: { id: "pi_1" } };

function transaction(reporting_category: string, source: object | string | null, fields: object = {}) {
  const object = "balance_transaction";
  return {
    id: "txn_1",
    object,
    amount: 1000,
    currency: "eur",
    created: 1_700_000_000,
    reporting_category,
    source,
    ...fields,
  };
}

function page(transactions: object[], has_more = false) {
  const read = readSettlementPage({ data: transactions as Stripe.BalanceTransaction[], has_more });
  assert(read.type === "page");
  return read;
}

const facts = (transactions: object[]) =>
  page(transactions).lines.map(({ kind, sourceId, amount }) => [kind, sourceId, amount.amountMinor, amount.currency]);

describe("Stripe's balance transactions as settlement lines", () => {
  it("are charges, refunds and disputes, whatever they were paid with", () => {
    const lines = [
      transaction("charge", charge, { type: "charge" }),
      transaction("charge", charge, { type: "payment" }),
      transaction("refund", refund, { type: "payment_refund", amount: -300 }),
      transaction("dispute", dispute, { type: "adjustment", amount: -700 }),
      transaction("dispute_reversal", dispute, { type: "adjustment", amount: 700 }),
    ];
    assert.deepEqual(facts(lines), [
      ["charge", null, 1000n, "EUR"],
      ["charge", null, 1000n, "EUR"],
      ["refund", "re_1", 300n, "EUR"],
      ["dispute", "dp_1", 700n, "EUR"],
      ["dispute_reversal", "dp_1", 700n, "EUR"],
    ]);
    const [line] = page(lines).lines;
    assert.equal(line?.intentId, "pi_1");
    assert.deepEqual(line?.occurredAt, new Date("2023-11-14T22:13:20Z"));
  });

  it("say what was captured of a charge in part, and not its release, which Stripe types as a refund", () => {
    const captured = { ...charge, amount_captured: 400 };
    const lines = [
      transaction("charge", captured),
      transaction("partial_capture_reversal", captured, { type: "refund", amount: -600 }),
    ];
    assert.deepEqual(facts(lines), [["charge", null, 400n, "EUR"]]);
  });

  it("are in the payment's currency where Stripe converted it", () => {
    const converted = { currency: "usd", amount: -330, exchange_rate: 1.1 };
    assert.deepEqual(facts([transaction("refund", refund, converted), transaction("charge", charge, converted)]), [
      ["refund", "re_1", 300n, "EUR"],
      ["charge", null, 1000n, "EUR"],
    ]);
  });

  it("leave out fees, payouts and charges without an intent, and still page on after them", () => {
    const others = [
      transaction("fee", null),
      transaction("payout", "po_1"),
      transaction("charge", { ...charge, payment_intent: null }, { id: "txn_9" }),
    ];
    assert.deepEqual(page(others, true), { type: "page", lines: [], nextCursor: "txn_9" });
    assert.equal(page(others).nextCursor, null);
  });

  it("are not read where they do not show what they are about, or in which currency", () => {
    assert.throws(() => page([transaction("charge", "ch_1")]), TypeError);
    assert.throws(() => page([transaction("charge", { ...charge, currency: "zzz" })]), RangeError);
  });

  it("are asked for by the whole seconds that begin in the range", () => {
    const range = (from: number, to: number) => rangeOf({ from: new Date(from), to: new Date(to), cursor: null });
    assert.deepEqual(range(1000, 3000), { gte: 1, lt: 3 });
    assert.deepEqual(range(1001, 2999), { gte: 2, lt: 3 });
  });
});
