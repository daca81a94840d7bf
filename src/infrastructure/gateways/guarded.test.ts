import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { parseCurrency } from "../../kernel/currency.ts";
import type { BillGateway, PaymentGateway, PayoutGateway } from "../../movements/ports.ts";
import { type Circuit, createCircuit } from "./circuit.ts";
import { guardBills, guardPayouts, withCircuitBreaker } from "./guarded.ts";

const currency = parseCurrency("USD");
assert(currency !== undefined);
const amount = { amountMinor: 100n, currency };
const fault = { code: "gateway_error", message: "It failed." };

let isDown: boolean;
let calls: number;
let circuit: Circuit;

function outcome() {
  calls++;
  return isDown ? ({ type: "unknown", ...fault } as const) : ({ type: "declined", ...fault } as const);
}

function finding() {
  calls++;
  return isDown ? ({ type: "unreachable", ...fault } as const) : ({ type: "absent" } as const);
}

function payments(): PaymentGateway {
  const ofIntent = async () => ({ ...outcome(), intent: null });
  return {
    name: "simulator",
    readAmount: (amountMinor, units) => ({ amountMinor, currency: units }),
    createIntent: ofIntent,
    cancelIntent: ofIntent,
    captureIntent: ofIntent,
    createRefund: async () => ({ ...outcome(), refund: null }),
    findIntent: async () => finding(),
    findRefund: async () => finding(),
    listSettlements: async () => {
      const found = finding();
      return found.type === "absent" ? { type: "page", lines: [], nextCursor: null } : found;
    },
    close: async () => {},
  };
}

const bills: BillGateway = {
  name: "simulator",
  payBill: async () => outcome(),
  findBillPayment: async () => finding(),
};
const payouts: PayoutGateway = {
  name: "stripe",
  createPayout: async () => outcome(),
  findPayout: async () => finding(),
};

const ids = { attemptId: "a-1", paymentId: "a", intentId: "pi_1", amount };
const bill = { ...ids, reference: "FAC-1", retry: 0 };
const payout = { ...ids, payoutId: "p", recipient: "afiliado_1", reference: "ref_1" };

/** Every call that goes through a circuit, each made once. */
function everyCall(): (() => Promise<{ readonly type: string }>)[] {
  const guarded = withCircuitBreaker(payments(), circuit);
  const guardedBills = guardBills(bills, circuit);
  const guardedPayouts = guardPayouts(payouts, circuit);
  assert.deepEqual(
    [guarded, guardedBills, guardedPayouts].map(({ name }) => name),
    ["simulator", "simulator", "stripe"],
  );
  for (const { breaker } of [guarded, guardedBills, guardedPayouts]) assert.equal(breaker, circuit);
  return [
    () => guarded.createIntent({ ...ids, capture: "manual", reference: null }, 1),
    () => guarded.cancelIntent(ids, 1),
    () => guarded.captureIntent(ids, 1),
    () => guarded.createRefund({ ...ids, refundId: "r" }, 1),
    () => guardedBills.payBill(bill, 1),
    () => guardedPayouts.createPayout(payout, 1),
    () => guarded.findIntent({ ...ids, acceptedAt: new Date(0) }, 1),
    () => guarded.findRefund({ ...ids, gatewayRefundId: null }, 1),
    () => guarded.listSettlements({ from: new Date(0), to: new Date(1), cursor: null }, 1),
    () => guardedBills.findBillPayment(bill, 1),
    () => guardedPayouts.findPayout(payout, 1),
  ];
}

describe("gateways behind a circuit breaker", () => {
  beforeEach(() => {
    isDown = true;
    calls = 0;
    circuit = createCircuit();
  });

  it("count the faults of every call, and refuse all of them when the circuit is open", async () => {
    const each = everyCall();
    for (const [n, call] of each.entries()) {
      circuit = createCircuit({ failures: 1 });
      await everyCall()[n]?.();
      assert.equal(circuit.state(), "open", `a fault of ${call} counts`);
    }
    calls = 0;
    const answers = await Promise.all(everyCall().map((call) => call()));
    assert.equal(calls, 0);
    assert.deepEqual(
      answers.map((answer) => [answer.type, "code" in answer && answer.code]),
      each.map((_, n) => [n < 6 ? "not_sent" : "unreachable", "gateway_circuit_open"]),
    );
  });

  it("never count a decline, or that something is not there", async () => {
    isDown = false;
    for (let time = 0; time < 10; time++) for (const call of everyCall()) await call();
    assert.equal(calls, 110);
    assert.equal(circuit.state(), "closed");
  });

  it("share a circuit where they are given the same, and not where they are not", async () => {
    const other = guardBills(bills, createCircuit({ failures: 1 }));
    await other.payBill(bill, 1);
    assert.equal(other.breaker.state(), "open");
    for (const call of everyCall().slice(0, 5)) await call();
    assert.equal(circuit.state(), "open");
    const refused = await guardPayouts(payouts, circuit).createPayout(payout, 1);
    assert.equal(refused.type === "not_sent" && refused.code, "gateway_circuit_open");
  });
});
