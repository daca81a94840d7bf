import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Currency } from "../../../kernel/currency.ts";
import { monedas, parseDinero } from "./dinero.ts";
import {
  beginPayout,
  lackOfFunds,
  type Payout,
  payoutReference,
  requestPayout,
  settlePayout,
  type Verdict,
} from "./payout.ts";
import { canonicalOrder, judgeAffiliateOrder, judgeSellerOrder, type PayoutRequest } from "./payout-order.ts";

const at = new Date("2026-01-31T12:00:00Z");
const wanted = requestPayout({
  id: "0198f000-0000-7000-8000-000000000000",
  recipient: { kind: "affiliate", id: "afiliado_123" },
  amount: { amountMinor: 100_50n, currency: "USD" as Currency },
  createdAt: at,
});
const verdicts = fc.constantFrom<Verdict>(
  { type: "succeeded", gatewayReference: "po_1" },
  { type: "declined", code: "account_closed", message: "Cuenta cerrada" },
);

describe("a payout", () => {
  test("is wanted, then under way, then made or failed", () => {
    const begun = beginPayout(wanted);
    assert.ok(begun.ok);
    const made = settlePayout(begun.value, { type: "succeeded", gatewayReference: "po_1" }, at);
    assert.deepEqual(made, {
      ok: true,
      value: { ...wanted, status: "EXITOSO", gatewayReference: "po_1", processedAt: at },
    });
    const failed = settlePayout(begun.value, { type: "declined", code: "c", message: "m" }, at);
    assert.deepEqual(failed, {
      ok: true,
      value: { ...wanted, status: "FALLIDO", failure: { code: "c", message: "m" }, processedAt: at },
    });
  });

  test("moves only forward, whatever is tried: one that has been processed is never processed again", () => {
    const moves = fc.array(fc.oneof(fc.constant("begin" as const), verdicts), { maxLength: 12 });
    fc.assert(
      fc.property(moves, (tried) => {
        let payout: Payout = wanted;
        for (const move of tried) {
          const moved: ReturnType<typeof beginPayout> | ReturnType<typeof settlePayout> =
            move === "begin" ? beginPayout(payout) : settlePayout(payout, move, at);
          const expected = move === "begin" ? "PENDIENTE" : "PROCESANDO";
          assert.equal(moved.ok, payout.status === expected);
          if (moved.ok) payout = moved.value;
          else assert.equal(moved.refusal.status, payout.status);
        }
      }),
    );
  });

  test("has a reference that is known from its id", () => {
    assert.equal(payoutReference(wanted.id), "ref_0198f000000070008000000000000000");
  });

  test("without money behind it fails in its recipient's words", () => {
    assert.deepEqual(lackOfFunds({ kind: "affiliate", id: "a" }), {
      code: "insufficient_funds",
      message: "Fondos insuficientes",
    });
    assert.equal(lackOfFunds({ kind: "seller", id: "s" }).code, "seller_balance_insufficient");
  });
});

describe("a Dinero", () => {
  test("is an amount in one of three monedas, with their decimals", () => {
    for (const moneda of monedas) {
      assert.deepEqual(parseDinero("100.5", moneda), { ok: true, value: { amountMinor: 100_50n, currency: moneda } });
      const read = parseDinero("1.005", moneda);
      assert.equal(read.ok ? "" : read.refusal.type, "amount_has_too_many_decimals");
    }
    for (const moneda of ["MXN", "usd", "", "USD "]) {
      assert.deepEqual(parseDinero("1", moneda), { ok: false, refusal: { type: "moneda_unknown" } });
    }
  });
});

describe("a request for a payout", () => {
  const request: PayoutRequest = { recipientId: "r", amount: "5.00", currency: "USD", idempotencyKey: "key" };

  test("for a seller is in any currency, for an affiliate in a moneda", () => {
    assert.ok(judgeSellerOrder({ ...request, currency: "KWD", amount: "1.001" }).ok);
    assert.ok(!judgeAffiliateOrder({ ...request, currency: "KWD" }).ok);
    assert.ok(judgeAffiliateOrder({ ...request, currency: "COP" }).ok);
  });

  const bad: [Partial<PayoutRequest>, string][] = [
    [{ recipientId: "" }, "recipient_malformed"],
    [{ recipientId: "x".repeat(256) }, "recipient_malformed"],
    [{ recipientId: "a\u0000" }, "recipient_malformed"],
    [{ recipientId: "a\ud800" }, "recipient_malformed"],
    [{ idempotencyKey: "" }, "idempotency_key_malformed"],
    [{ idempotencyKey: "a b" }, "idempotency_key_malformed"],
    [{ idempotencyKey: "x".repeat(256) }, "idempotency_key_malformed"],
    [{ amount: "0" }, "amount_must_be_positive"],
    [{ amount: "1e3" }, "amount_not_a_decimal"],
  ];
  for (const [change, type] of bad) {
    test(`is refused as ${type} for ${JSON.stringify(change).slice(0, 40)}`, () => {
      for (const judge of [judgeAffiliateOrder, judgeSellerOrder]) {
        const judged = judge({ ...request, ...change });
        assert.equal(judged.ok ? "accepted" : judged.refusal.type, type);
      }
    });
  }

  test("is the same however its amount is written, and another for another recipient, kind, amount or currency", () => {
    const canonical = (change: Partial<PayoutRequest>, judge: typeof judgeSellerOrder = judgeSellerOrder) => {
      const judged = judge({ ...request, ...change });
      assert.ok(judged.ok);
      return canonicalOrder(judged.value);
    };
    assert.equal(canonical({ amount: "5" }), canonical({}));
    assert.equal(canonical({ idempotencyKey: null }), canonical({}));
    const others = [{ recipientId: "q" }, { amount: "5.01" }, { currency: "EUR" }].map((change) => canonical(change));
    const affiliate = judgeAffiliateOrder(request);
    assert.ok(affiliate.ok);
    assert.equal(new Set([canonical({}), canonicalOrder(affiliate.value), ...others]).size, 5);
  });
});
