import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCurrency } from "../../kernel/currency.ts";
import type { BillGateway, PaymentGateway, PayoutGateway } from "../../movements/ports.ts";
import { measureBills, measurePayouts, withMetrics } from "./measured.ts";

const currency = parseCurrency("USD");
assert(currency !== undefined);

describe("a measured gateway", () => {
  it("records every call under its operation, with what came of it", async () => {
    const fault = { code: "gateway_error", message: "It failed." };
    const gateway: PaymentGateway = {
      name: "simulator",
      readAmount: (amountMinor) => ({ amountMinor, currency }),
      createIntent: async () => ({ type: "unknown", ...fault }),
      cancelIntent: async () => ({ type: "not_sent", ...fault }),
      captureIntent: async () => ({ type: "declined", ...fault, intent: null }),
      createRefund: async () => ({ type: "declined", ...fault, refund: null }),
      findIntent: async () => ({ type: "absent" }),
      findRefund: async () => ({ type: "unreachable", ...fault }),
      listSettlements: async () => ({ type: "page", lines: [], nextCursor: null }),
      close: async () => {},
    };
    const recorded: string[] = [];
    const measured = withMetrics(gateway, (name, operation) => (outcome, durationMs) => {
      assert(durationMs >= 0);
      recorded.push(`${name} ${operation} ${outcome}`);
    });
    const ids = { attemptId: "a-1", paymentId: "a", intentId: "pi_1", amount: { amountMinor: 1n, currency } };
    await measured.createIntent({ ...ids, capture: "manual", reference: null }, 1);
    await measured.cancelIntent(ids, 1);
    await measured.captureIntent(ids, 1);
    await measured.createRefund({ ...ids, refundId: "r" }, 1);
    await measured.findIntent({ ...ids, acceptedAt: new Date() }, 1);
    await measured.findRefund({ ...ids, gatewayRefundId: null }, 1);
    await measured.listSettlements({ from: new Date(0), to: new Date(1), cursor: null }, 1);
    assert.deepEqual(recorded, [
      "simulator create unknown",
      "simulator cancel not_sent",
      "simulator capture declined",
      "simulator refund declined",
      "simulator find absent",
      "simulator find_refund unreachable",
      "simulator settlements page",
    ]);
  });

  it("records bills and payouts, and the questions about them, under operations of their own", async () => {
    const fault = { code: "gateway_error", message: "It failed." };
    const bills: BillGateway = {
      name: "simulator",
      payBill: async () => ({ type: "unknown", ...fault }),
      findBillPayment: async () => ({ type: "absent" }),
    };
    const payouts: PayoutGateway = {
      name: "stripe",
      createPayout: async () => ({ type: "succeeded", gatewayReference: "tr_1" }),
      findPayout: async () => ({ type: "unreachable", ...fault }),
    };
    const recorded: string[] = [];
    const metric = (name: string, operation: string) => (outcome: string) =>
      void recorded.push(`${name} ${operation} ${outcome}`);
    const asked = { attemptId: "a-1", reference: "r", amount: { amountMinor: 1n, currency } };
    const bill = { ...asked, paymentId: "a", retry: 0 };
    const payout = { ...asked, payoutId: "p", recipient: "afiliado_1" };
    await measureBills(bills, metric).payBill(bill, 1);
    await measureBills(bills, metric).findBillPayment(bill, 1);
    await measurePayouts(payouts, metric).createPayout(payout, 1);
    await measurePayouts(payouts, metric).findPayout(payout, 1);
    assert.deepEqual(recorded, [
      "simulator pay_bill unknown",
      "simulator find_bill absent",
      "stripe payout succeeded",
      "stripe find_payout unreachable",
    ]);
  });
});
