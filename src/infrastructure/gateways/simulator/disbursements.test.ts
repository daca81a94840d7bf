import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Currency } from "../../../kernel/currency.ts";
import type { CreatePayoutRequest, DisbursementOutcome, PayBillRequest } from "../../../movements/ports.ts";
import { readSimulatorJournal } from "./journal.ts";
import { magicAmounts } from "./magic-amounts.ts";
import { seededRandom } from "./random.ts";
import { createSimulator, type Simulator, type SimulatorOptions } from "./simulator.ts";

let home: string;
let path: string;
let simulator: Simulator | undefined;

function start(change: Partial<SimulatorOptions> = {}): Simulator {
  simulator = createSimulator({ path, latencyMs: 0, payAfterMs: 0, buyer: "absent", webhook: null, ...change });
  return simulator;
}

function money(amountMinor: bigint, currency = "USD") {
  return { amountMinor, currency: currency as Currency };
}

function aBill(paymentId: string, amountMinor: bigint, retry = 0, currency = "USD"): PayBillRequest {
  const amount = money(amountMinor, currency);
  return { attemptId: `${paymentId}-${retry + 1}`, paymentId, reference: "FAC-12345", amount, retry };
}

function aPayout(payoutId: string, amountMinor = 10_050n): CreatePayoutRequest {
  const amount = money(amountMinor);
  return { attemptId: `${payoutId}-1`, payoutId, recipient: "afiliado_123", amount, reference: `ref_${payoutId}` };
}

const codeOf = (outcome: DisbursementOutcome) => (outcome.type === "succeeded" ? "succeeded" : outcome.code);

/** What the amounts that are told to fail come to, and how many lines the journal then has. */
const expectedOfMagic: Record<string, readonly [string, number]> = {
  error_before: ["gateway_error", 0],
  error_after: ["gateway_error", 1],
  timeout_before: ["gateway_timeout", 0],
  timeout_after_charge: ["gateway_timeout", 1],
  not_sent: ["gateway_unreachable", 0],
};

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "marketflow-disbursements-"));
  path = join(home, "simulator.db");
});
afterEach(async () => {
  await simulator?.close();
  rmSync(home, { recursive: true });
});

describe("bills at the simulated gateway", () => {
  it("are paid up to 1,000 whole units of any currency, and declined above", async () => {
    const { bills } = start();
    for (const [currency, most] of [
      ["MXN", 100_000n],
      ["JPY", 1000n],
      ["BHD", 1_000_000n],
    ] as const) {
      assert.equal(codeOf(await bills.payBill(aBill(`at-${currency}`, most, 0, currency), 1000)), "succeeded");
      const over = await bills.payBill(aBill(`over-${currency}`, most + 1n, 0, currency), 1000);
      assert.equal(codeOf(over), "amount_over_limit");
      assert.match(over.type === "declined" ? over.message : "", new RegExp(`more than 1000 ${currency}`));
    }
  });

  it("succeed at a retry with the probability that was set, whatever their amount", async () => {
    for (const [retrySuccessProbability, expected] of [
      [0, "retry_declined"],
      [1, "succeeded"],
    ] as const) {
      const { bills } = start({ retrySuccessProbability });
      for (let retry = 1; retry <= 3; retry++) {
        const id = `p-${retrySuccessProbability}-${retry}`;
        assert.equal(codeOf(await bills.payBill(aBill(id, 150_000n, retry), 1000)), expected);
      }
      await simulator?.close();
    }
  });

  it("are retried with the same luck under the same seed, about half of the time", async () => {
    const runs: string[] = [];
    for (const [name, seed] of [
      ["one.db", 7],
      ["two.db", 7],
      ["three.db", 8],
    ] as const) {
      const { bills } = start({ path: join(home, name), random: seededRandom(seed) });
      const outcomes = await Promise.all(
        Array.from({ length: 400 }, (_, n) => bills.payBill(aBill(`p-${n}`, 150_000n, 1), 1000)),
      );
      runs.push(outcomes.map(({ type }) => (type === "succeeded" ? "+" : "-")).join(""));
      await simulator?.close();
    }
    assert.equal(runs[0], runs[1]);
    assert.notEqual(runs[0], runs[2]);
    const successes = [...(runs[0] ?? "")].filter((sign) => sign === "+").length;
    assert(successes > 160 && successes < 240, `${successes} of 400`);
  });

  it("are decided once for each attempt: chance is asked for new ones only", async () => {
    const luck = [0.1, 0.9];
    const { bills } = start({ random: () => luck.pop() ?? 0.9 });
    const first = await bills.payBill(aBill("p", 150_000n, 1), 1000);
    for (let time = 0; time < 5; time++) assert.deepEqual(await bills.payBill(aBill("p", 150_000n, 1), 1000), first);
    assert.equal(codeOf(first), "retry_declined");
    assert.equal(luck.length, 1);
    assert.deepEqual(await bills.findBillPayment(aBill("p", 150_000n, 1), 1000), first);
    assert.equal(codeOf(await bills.payBill(aBill("p", 150_000n, 2), 1000)), "succeeded");
  });

  it("fail as their magic amount says, though it is above the limit", async () => {
    const gateway = start({ retrySuccessProbability: 1 });
    for (const { amountMinor, fault, meaning } of magicAmounts) {
      const [code, lines] = expectedOfMagic[fault] ?? [fault === "declined" ? "bill_declined" : "amount_over_limit", 0];
      const outcome = await gateway.bills.payBill(aBill(fault, amountMinor), 50);
      assert.deepEqual([codeOf(outcome), gateway.billPaymentsOf(fault).length], [code, lines], meaning);
    }
    assert.equal(codeOf(await gateway.bills.payBill(aBill("declined", 9_990_010n, 1), 1000)), "bill_declined");
    assert.equal(codeOf(await gateway.bills.payBill(aBill("disputed_won", 9_990_120n, 1), 1000)), "succeeded");
  });
});

describe("payouts at the simulated gateway", () => {
  it("fail as often as was set, in the words of the contract", async () => {
    const gateway = start({ payoutFailureRate: 0.25, random: seededRandom(11) });
    const outcomes = await Promise.all(
      Array.from({ length: 400 }, (_, n) => gateway.payouts.createPayout(aPayout(`p-${n}`), 1000)),
    );
    const failed = outcomes.filter((outcome) => outcome.type === "declined");
    assert(failed.length > 70 && failed.length < 130, `${failed.length} of 400`);
    for (const outcome of failed) {
      assert.deepEqual(outcome, { type: "declined", code: "insufficient_funds", message: "Fondos insuficientes" });
    }
    assert.equal(readSimulatorJournal(path).length, 400 - failed.length);
  });

  it("never fail where nothing was set, and always where it is certain", async () => {
    assert.equal(codeOf(await start({ random: () => 0 }).payouts.createPayout(aPayout("p"), 1000)), "succeeded");
    await simulator?.close();
    const always = start({ payoutFailureRate: 1, random: () => 0.999 });
    assert.equal(codeOf(await always.payouts.createPayout(aPayout("q"), 1000)), "insufficient_funds");
  });

  it("fail as their magic amount says", async () => {
    const gateway = start();
    for (const { amountMinor, fault, meaning } of magicAmounts) {
      const ordinary = fault === "declined" ? ["insufficient_funds", 0] : ["succeeded", 1];
      const outcome = await gateway.payouts.createPayout(aPayout(fault, amountMinor), 50);
      const [code, lines] = expectedOfMagic[fault] ?? ordinary;
      assert.deepEqual([codeOf(outcome), gateway.payoutsOf(fault).length], [code, lines], meaning);
    }
  });

  it("take a latency of their own, and no longer than the deadline", async () => {
    const gateway = start({ payoutLatencyMs: 60_000 });
    // Within a deadline shorter than that, so that it would not be answered.
    assert.equal(codeOf(await gateway.bills.payBill(aBill("b", 100n), 5000)), "succeeded");
    gateway.setPayoutLatency(60);
    const beganAt = performance.now();
    assert.equal(codeOf(await gateway.payouts.createPayout(aPayout("p"), 5000)), "succeeded");
    assert(performance.now() - beganAt >= 55);
    gateway.setPayoutLatency(60_000);
    assert.equal(codeOf(await gateway.payouts.createPayout(aPayout("q"), 30)), "gateway_timeout");
    gateway.setPayoutLatency(0);
    assert.equal(codeOf(await gateway.payouts.createPayout(aPayout("q"), 1000)), "succeeded");
    assert.equal(gateway.payoutsOf("q").length, 1);
  });

  it("are answered when the gateway is closed, and sent nowhere after", async () => {
    const gateway = start();
    const waiting = gateway.payouts.createPayout(aPayout("p", 9_990_050n), 60_000);
    await gateway.close();
    assert.equal(codeOf(await waiting), "gateway_timeout");
    assert.equal(codeOf(await gateway.payouts.createPayout(aPayout("q"), 1000)), "gateway_closed");
    assert.equal((await gateway.bills.findBillPayment(aBill("b", 1n), 1000)).type, "unreachable");
  });
});

describe("what is paid out by the simulated gateway", () => {
  it("stands in the journal with its subject and its recipient, and in no settlement report", async () => {
    const gateway = start();
    await gateway.bills.payBill(aBill("bill", 50_000n), 1000);
    await gateway.payouts.createPayout(aPayout("payout"), 1000);
    await gateway.payouts.createPayout({ ...aPayout("payout"), attemptId: "payout-2" }, 1000);
    assert.deepEqual(
      readSimulatorJournal(path).map(({ kind, paymentId, recipient, amountMinor, currency, intent, source }) => {
        return [kind, paymentId, recipient, amountMinor, currency, intent, source];
      }),
      [
        ["bill_payment", "bill", null, 50_000n, "USD", null, 1],
        ["payout", "payout", "afiliado_123", 10_050n, "USD", null, 2],
        ["payout", "payout", "afiliado_123", 10_050n, "USD", null, 3],
      ],
    );
    assert.equal(gateway.payoutsOf("payout").length, 2);
    const report = await gateway.listSettlements({ from: new Date(0), to: new Date(2e12), cursor: null }, 1000);
    assert.deepEqual(report, { type: "page", lines: [], nextCursor: null });
  });

  it("is one request for each attempt, also between bills and payouts", async () => {
    const gateway = start();
    const bill = aBill("p", 1000n);
    await gateway.bills.payBill(bill, 1000);
    const payout = { ...aPayout("p", 1000n), attemptId: bill.attemptId };
    assert.equal(codeOf(await gateway.payouts.createPayout(payout, 1000)), "idempotency_error");
    assert.deepEqual(await gateway.payouts.findPayout(payout, 1000), { type: "absent" });
    const other = { ...aPayout("q"), recipient: "afiliado_124" };
    await gateway.payouts.createPayout(aPayout("q"), 1000);
    assert.equal(codeOf(await gateway.payouts.createPayout(other, 1000)), "idempotency_error");
  });

  it("is shown to the hook that makes it fail", async () => {
    const seen: string[] = [];
    const gateway = start({
      faults(call) {
        seen.push(`${call.operation} ${"attemptId" in call.request && call.request.attemptId}`);
        return "not_sent";
      },
    });
    await gateway.bills.payBill(aBill("b", 1n), 1000);
    await gateway.bills.findBillPayment(aBill("b", 1n), 1000);
    await gateway.payouts.createPayout(aPayout("p"), 1000);
    await gateway.payouts.findPayout(aPayout("p"), 1000);
    assert.deepEqual(seen, ["pay_bill b-1", "find_bill b-1", "payout p-1", "find_payout p-1"]);
  });
});
