import assert from "node:assert/strict";
import { beforeEach, describe, it, type TestContext } from "node:test";
import { parseCurrency } from "../../kernel/currency.ts";
import type {
  CreateIntentRequest,
  GatewayOutcome,
  IntentFinding,
  PaymentGateway,
  RefundOutcome,
} from "../../movements/ports.ts";
import { type BreakerState, type GuardedGateway, withCircuitBreaker } from "./circuit-breaker.ts";

const currency = parseCurrency("USD");
assert(currency !== undefined);
const amount = { amountMinor: 100n, currency };
const request: CreateIntentRequest = {
  attemptId: "a-1",
  paymentId: "a",
  amount,
  capture: "automatic",
  reference: null,
};
const capture = { attemptId: "a-2", paymentId: "a", intentId: "pi_1", amount };
const refund = { ...capture, refundId: "r" };
const refundSearch = { attemptId: "a-2", intentId: "pi_1", gatewayRefundId: null };
const report = { from: new Date(0), to: new Date(1), cursor: null };
const search = { attemptId: "a-1", paymentId: "a", intentId: null, acceptedAt: new Date(0) };
const fault = { code: "gateway_error", message: "It failed." };
const succeeded: GatewayOutcome = {
  type: "succeeded",
  intent: {
    id: "pi_1",
    status: "pending",
    amount,
    captured: { ...amount, amountMinor: 0n },
    clientSecret: null,
    paymentId: "a",
  },
};
const unknown: GatewayOutcome = { type: "unknown", ...fault };
const notSent: GatewayOutcome = { type: "not_sent", ...fault };
const declined: GatewayOutcome = { type: "declined", ...fault, intent: null };

let answer: () => Promise<GatewayOutcome>;
let finding: IntentFinding;
let calls: number;
let states: BreakerState[];
let guarded: GuardedGateway;

function theGateway(): PaymentGateway {
  const call = () => {
    calls++;
    return answer();
  };
  return {
    name: "simulator",
    readAmount: (amountMinor, units) => ({ amountMinor, currency: units }),
    createIntent: call,
    cancelIntent: call,
    captureIntent: call,
    createRefund: async () => {
      const outcome = await call();
      return outcome.type === "declined" ? { ...outcome, refund: null } : (outcome as RefundOutcome);
    },
    findRefund: async () => {
      calls++;
      return finding.type === "unreachable" ? finding : { type: "absent" };
    },
    listSettlements: async () => {
      calls++;
      return finding.type === "unreachable" ? finding : { type: "page", lines: [], nextCursor: null };
    },
    findIntent: async () => {
      calls++;
      return finding;
    },
    close: async () => {},
  };
}

function create(): Promise<GatewayOutcome> {
  return guarded.createIntent(request, 1000);
}

async function createTimes(times: number, outcome: GatewayOutcome): Promise<void> {
  answer = async () => outcome;
  for (let time = 0; time < times; time++) await create();
}

function freezeTime(test: TestContext): (milliseconds: number) => void {
  test.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  return (milliseconds) => test.mock.timers.tick(milliseconds);
}

function assertRefused(outcome: GatewayOutcome): void {
  assert.equal(outcome.type, "not_sent");
  assert.equal(outcome.type === "not_sent" && outcome.code, "gateway_circuit_open");
}

describe("a gateway behind a circuit breaker", () => {
  beforeEach(() => {
    calls = 0;
    states = [];
    finding = { type: "absent" };
    guarded = withCircuitBreaker(theGateway(), { onStateChange: (state) => states.push(state) });
  });

  it("opens at the fifth fault within a minute and is not called any more", async (test) => {
    freezeTime(test);
    await createTimes(4, unknown);
    assert.equal(guarded.breaker.state(), "closed");
    await createTimes(1, notSent);
    assert.equal(guarded.breaker.state(), "open");
    assertRefused(await create());
    const found = await guarded.findIntent(search, 1000);
    assert.equal(found.type === "unreachable" && found.code, "gateway_circuit_open");
    assert.equal(calls, 5);
    assert.deepEqual(states, ["open"]);
  });

  it("counts faults of the last minute only, and successes do not take them back", async (test) => {
    const tick = freezeTime(test);
    await createTimes(4, unknown);
    tick(60_000);
    await createTimes(4, unknown);
    await createTimes(3, succeeded);
    assert.equal(guarded.breaker.state(), "closed");
    tick(59_999);
    await createTimes(1, unknown);
    assert.equal(guarded.breaker.state(), "open");
  });

  it("never counts a decline or an absent intent, and counts a gateway that does not tell", async () => {
    await createTimes(20, declined);
    for (let time = 0; time < 20; time++) await guarded.findIntent(search, 1000);
    assert.equal(guarded.breaker.state(), "closed");
    finding = { type: "unreachable", ...fault };
    for (let time = 0; time < 5; time++) await guarded.findIntent(search, 1000);
    assert.equal(guarded.breaker.state(), "open");
  });

  it("counts the faults of captures, refunds, searches and reports, and then refuses them all", async () => {
    answer = async () => unknown;
    finding = { type: "unreachable", ...fault };
    await guarded.captureIntent(capture, 1000);
    await guarded.createRefund(refund, 1000);
    await guarded.findRefund(refundSearch, 1000);
    await guarded.listSettlements(report, 1000);
    assert.equal(guarded.breaker.state(), "closed");
    await guarded.createRefund(refund, 1000);
    assert.equal(guarded.breaker.state(), "open");
    const refused = [
      await guarded.captureIntent(capture, 1000),
      await guarded.createRefund(refund, 1000),
      await guarded.findRefund(refundSearch, 1000),
      await guarded.listSettlements(report, 1000),
    ];
    assert.deepEqual(
      refused.map((outcome) => [outcome.type, "code" in outcome && outcome.code]),
      ["not_sent", "not_sent", "unreachable", "unreachable"].map((type) => [type, "gateway_circuit_open"]),
    );
    assert.equal(calls, 5);
  });

  it("never counts a capture or a refund that is declined, or a refund that is absent", async () => {
    answer = async () => declined;
    for (let time = 0; time < 10; time++) {
      await guarded.captureIntent(capture, 1000);
      await guarded.createRefund(refund, 1000);
      await guarded.findRefund(refundSearch, 1000);
      await guarded.listSettlements(report, 1000);
    }
    assert.equal(calls, 40);
    assert.equal(guarded.breaker.state(), "closed");
  });

  it("lets one probe through after 30 s, however many call, and nobody waits for it", async (test) => {
    const tick = freezeTime(test);
    await createTimes(5, unknown);
    tick(29_999);
    assertRefused(await create());
    tick(1);
    const probe = Promise.withResolvers<GatewayOutcome>();
    answer = () => probe.promise;
    const first = create();
    const others = await Promise.all(Array.from({ length: 100 }, create));
    for (const outcome of others) assertRefused(outcome);
    assert.equal(calls, 6);
    assert.equal(guarded.breaker.state(), "half_open");
    probe.resolve(succeeded);
    assert.equal((await first).type, "succeeded");
    assert.equal(guarded.breaker.state(), "closed");
    answer = async () => succeeded;
    assert.equal((await create()).type, "succeeded");
    assert.deepEqual(states, ["open", "half_open", "closed"]);
  });

  it("opens for another 30 s where the probe fails, and closes where it is declined", async (test) => {
    const tick = freezeTime(test);
    await createTimes(5, unknown);
    tick(30_000);
    await createTimes(1, unknown);
    assert.equal(guarded.breaker.state(), "open");
    tick(29_999);
    assertRefused(await create());
    tick(1);
    await createTimes(1, declined);
    assert.equal(guarded.breaker.state(), "closed");
  });

  it("is not reopened during the probe by calls from before, and forgets them when it closes", async (test) => {
    const tick = freezeTime(test);
    const slow = Promise.withResolvers<GatewayOutcome>();
    answer = () => slow.promise;
    const fromBefore = Array.from({ length: 10 }, create);
    await createTimes(5, unknown);
    tick(30_000);
    const probe = Promise.withResolvers<GatewayOutcome>();
    answer = () => probe.promise;
    const first = create();
    slow.resolve(unknown);
    await Promise.all(fromBefore);
    assert.equal(guarded.breaker.state(), "half_open");
    probe.resolve(succeeded);
    await first;
    await createTimes(4, unknown);
    assert.equal(guarded.breaker.state(), "closed");
  });
});
