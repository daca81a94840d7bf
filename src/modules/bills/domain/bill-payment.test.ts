import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { propertySeed } from "../../../../tests/support/property-seed.ts";
import type { Currency } from "../../../kernel/currency.ts";
import { acceptBill, attemptIdOf, type BillPayment, isFinal, retryBill, settleBill } from "./bill-payment.ts";

const at = new Date(0);
const asked = { reference: "FAC-1", amount: { amountMinor: 100n, currency: "MXN" as Currency } };
const paid = { type: "succeeded", gatewayReference: "b_1" } as const;
const declined = { type: "declined", code: "no" } as const;

describe("a bill payment", () => {
  test("is SUCCESS or FAILED after its first attempt, which is no retry", () => {
    const bill = acceptBill("a", asked, at);
    assert.deepEqual([bill.status, bill.retries, attemptIdOf(bill)], ["PENDING", 0, "a-1"]);
    assert.equal(settleBill(bill, paid, 3, at).status, "SUCCESS");
    const failed = settleBill(bill, declined, 3, at);
    assert.deepEqual([failed.status, failed.retries], ["FAILED", 0]);
    assert.equal(settleBill(bill, declined, 0, at).status, "FAILED");
  });

  test("is EXHAUSTED by the last retry that is declined", () => {
    let bill: BillPayment = settleBill(acceptBill("a", asked, at), declined, 3, at);
    const seen = [];
    for (;;) {
      const retried = retryBill(bill, at);
      if (!retried.ok) {
        assert.deepEqual(retried.refusal, { type: "cannot_retry_payment", paymentId: "a", status: "EXHAUSTED" });
        break;
      }
      bill = settleBill(retried.value, declined, 3, at);
      seen.push([attemptIdOf(bill), bill.status, bill.retries]);
    }
    assert.deepEqual(seen, [
      ["a-2", "FAILED", 1],
      ["a-3", "FAILED", 2],
      ["a-4", "EXHAUSTED", 3],
    ]);
  });

  test("whatever is done to it, moves as the contract says", () => {
    const steps = fc.array(fc.constantFrom<Step>("retry", "succeeded", "declined"), { maxLength: 30 });
    const property = fc.property(steps, fc.integer({ min: 1, max: 6 }), (taken, maxRetries) => {
      let bill = acceptBill("a", asked, at) as BillPayment;
      let declines = 0;
      for (const step of taken) {
        const next = after(bill, step, maxRetries);
        if (step === "declined" && next !== bill) declines += 1;
        assert.ok(!isFinal(bill) || next === bill, "what is final stays");
        assert.equal(next.attempt - bill.attempt, step === "retry" && bill.status === "FAILED" ? 1 : 0);
        assert.equal(next.retries, Math.max(0, declines - 1));
        assert.equal(next.status === "EXHAUSTED", declines === maxRetries + 1);
        assert.deepEqual([next.id, next.reference, next.amount], ["a", asked.reference, asked.amount]);
        bill = next;
      }
      assert.ok(bill.attempt <= maxRetries + 1);
    });
    fc.assert(property, { seed: propertySeed, numRuns: 500 });
  });
});

type Step = "retry" | "succeeded" | "declined";

/** The payment after a step, or as it was where the step is not possible. */
function after(bill: BillPayment, step: Step, maxRetries: number): BillPayment {
  if (step === "retry") {
    const retried = retryBill(bill, at);
    return retried.ok ? retried.value : bill;
  }
  if (bill.status !== "PENDING") return bill;
  return settleBill(bill, step === "declined" ? declined : paid, maxRetries, at);
}
