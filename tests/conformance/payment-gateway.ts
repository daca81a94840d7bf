import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { describeCapturing } from "./captures.ts";
import {
  aRequest,
  created,
  deadlineMs,
  eventually,
  found,
  type GatewaySetup,
  type GatewayUnderTest,
  lookFor,
  marginMs,
  money,
} from "./gateway-under-test.ts";
import { describeFindingRefunds, describeRefunding } from "./refunds.ts";
import { describeSettlements } from "./settlements.ts";

/** Every promise that a {@link PaymentGateway} makes, as tests of one adapter. */
export function describePaymentGateway(name: string, setup: GatewaySetup): void {
  describe(`${name} is a payment gateway`, () => {
    describeCreating(setup);
    describeFaults(setup);
    describeCancelling(setup);
    describeFinding(setup);
    describeCapturing(setup);
    describeRefunding(setup);
    describeFindingRefunds(setup);
    describeSettlements(setup);
  });
}

function describeCreating(setup: GatewaySetup): void {
  describe("creating an intent", () => {
    let under: GatewayUnderTest;
    beforeEach(async () => {
      under = await setup({ payAfterMs: 20 });
    });
    afterEach(() => under.close());

    it("answers with the intent of the payment, which the buyer then pays once", async () => {
      const request = aRequest({ reference: 'order "7" & more' });
      const intent = await created(under.gateway, request);
      assert.equal(intent.status, "pending");
      assert.deepEqual(intent.amount, request.amount);
      assert.deepEqual(intent.captured, money(0n, "USD"));
      assert.equal(intent.paymentId, request.paymentId);
      await eventually(under.gateway, request, "succeeded");
      assert.deepEqual((await found(under.gateway, request)).captured, request.amount);
      assert.deepEqual(
        under.chargesOf(request.paymentId).map(({ amountMinor }) => amountMinor),
        [100_000n],
      );
    });

    it("gives the same intent to the same attempt, before and after it is paid", async () => {
      const request = aRequest();
      const first = await created(under.gateway, request);
      assert.equal((await created(under.gateway, request)).id, first.id);
      await eventually(under.gateway, request, "succeeded");
      assert.equal((await created(under.gateway, request)).id, first.id);
      assert.equal(under.chargesOf(request.paymentId).length, 1);
    });

    it("makes one intent and one charge of fifty calls for one attempt at once", async () => {
      const request = aRequest();
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, () => under.gateway.createIntent(request, deadlineMs)),
      );
      await eventually(under.gateway, request, "succeeded");
      const { id } = await found(under.gateway, request);
      const succeeded = outcomes.filter((outcome) => outcome.type === "succeeded");
      assert(succeeded.length >= 1);
      for (const outcome of succeeded) assert.equal(outcome.intent.id, id);
      // A gateway may refuse to answer while the first call runs; it may not say that nothing happened.
      for (const outcome of outcomes) assert(outcome.type === "succeeded" || outcome.type === "unknown");
      assert.equal(under.chargesOf(request.paymentId).length, 1);
    });

    it("declines another request for an attempt that it knows, and keeps the first", async () => {
      const request = aRequest();
      const { id } = await created(under.gateway, request);
      const other = await under.gateway.createIntent({ ...request, amount: money(100_001n, "USD") }, deadlineMs);
      assert.equal(other.type, "declined");
      assert.equal(other.type === "declined" && other.code, "idempotency_error");
      const kept = await found(under.gateway, request);
      assert.equal(kept.id, id);
      assert.deepEqual(kept.amount, request.amount);
    });

    it("holds the money and does not take it where the capture is manual", async () => {
      const request = aRequest({ capture: "manual" });
      await created(under.gateway, request);
      await new Promise((resolve) => setTimeout(resolve, 120));
      assert.equal((await found(under.gateway, request)).status, "pending");
      assert.equal(under.chargesOf(request.paymentId).length, 0);
    });

    for (const [minor, code] of [
      [1000n, "JPY"],
      [1000n, "BHD"],
      [5n, "ISK"],
      [700n, "MGA"],
      [99_999_999n, "USD"],
    ] as const) {
      it(`carries ${minor} minor units of ${code} exactly`, async () => {
        const request = aRequest({ amount: money(minor, code) });
        assert.deepEqual((await created(under.gateway, request)).amount, request.amount);
        assert.deepEqual((await found(under.gateway, request)).amount, request.amount);
      });
    }

    it("carries an amount at the limit exactly, or declines it", async () => {
      const request = aRequest({ amount: money(999_999_999_999n, "USD") });
      const outcome = await under.gateway.createIntent(request, deadlineMs);
      if (outcome.type === "succeeded") assert.deepEqual(outcome.intent.amount, request.amount);
      else assert.equal(outcome.type, "declined");
      const beyond = aRequest({ amount: money(2n ** 60n, "USD") });
      assert.equal((await under.gateway.createIntent(beyond, deadlineMs)).type, "declined");
      assert.deepEqual(await under.gateway.findIntent(lookFor(beyond), deadlineMs), { type: "absent" });
    });

    it("reads amounts in its own units back into minor units", () => {
      const usd = money(12_345n, "USD");
      assert.deepEqual(under.gateway.readAmount(12_345n, usd.currency), usd);
    });
  });
}

function describeFaults(setup: GatewaySetup): void {
  describe("a call that goes wrong", () => {
    let under: GatewayUnderTest;
    beforeEach(async () => {
      under = await setup({ payAfterMs: 20 });
    });
    afterEach(() => under.close());

    it("is declined at once, and nothing is charged", async () => {
      under.fail("create", "declined");
      const request = aRequest();
      const outcome = await under.gateway.createIntent(request, deadlineMs);
      assert.equal(outcome.type, "declined");
      assert.equal(outcome.type === "declined" && outcome.code, "card_declined");
      assert.equal(under.chargesOf(request.paymentId).length, 0);
    });

    it("fails where the buyer's card is declined later, and nothing is charged", async () => {
      under.fail("create", "declined_later");
      const request = aRequest();
      await created(under.gateway, request);
      await eventually(under.gateway, request, "failed");
      assert.equal(under.chargesOf(request.paymentId).length, 0);
    });

    for (const [fault, happened] of [
      ["error_before", false],
      ["error_after", true],
      ["timeout_before", false],
      ["timeout_after_charge", true],
    ] as const) {
      it(`is unknown after ${fault}, and asking tells that it ${happened ? "happened" : "did not"}`, async () => {
        under.fail("create", fault);
        const request = aRequest();
        const outcome = await under.gateway.createIntent(request, 200);
        assert.equal(outcome.type, "unknown");
        if (happened) await eventually(under.gateway, request, "succeeded");
        else assert.deepEqual(await under.gateway.findIntent(lookFor(request), deadlineMs), { type: "absent" });
        assert.equal(under.chargesOf(request.paymentId).length, happened ? 1 : 0);
      });
    }

    it("was not sent where nobody listens, whatever was asked", async () => {
      const request = aRequest();
      assert.equal((await under.unreachable.createIntent(request, deadlineMs)).type, "not_sent");
      const { attemptId, paymentId } = request;
      const cancelled = await under.unreachable.cancelIntent({ attemptId, paymentId, intentId: "pi_1" }, deadlineMs);
      assert.equal(cancelled.type, "not_sent");
      const capture = { attemptId, paymentId, intentId: "pi_1", amount: request.amount };
      assert.equal((await under.unreachable.captureIntent(capture, deadlineMs)).type, "not_sent");
      const refund = { ...capture, refundId: "r" };
      assert.equal((await under.unreachable.createRefund(refund, deadlineMs)).type, "not_sent");
      assert.equal((await under.unreachable.findIntent(lookFor(request), deadlineMs)).type, "unreachable");
      const refundSearch = { attemptId, intentId: "pi_1", gatewayRefundId: null };
      assert.equal((await under.unreachable.findRefund(refundSearch, deadlineMs)).type, "unreachable");
      const range = { from: new Date(0), to: new Date(), cursor: null };
      assert.equal((await under.unreachable.listSettlements(range, deadlineMs)).type, "unreachable");
    });

    it("resolves within its deadline, whatever was asked", async () => {
      const request = aRequest();
      const { attemptId, paymentId } = request;
      const { id: intentId } = await created(under.gateway, request);
      const operations = ["create", "cancel", "capture", "refund", "find", "find_refund", "settlements"] as const;
      for (const operation of operations) under.fail(operation, "timeout_before");
      const startedAt = performance.now();
      const answers = await Promise.all([
        under.gateway.createIntent(aRequest(), 300),
        under.gateway.cancelIntent({ attemptId, paymentId, intentId }, 300),
        under.gateway.findIntent(lookFor(request), 300),
        under.gateway.findIntent(lookFor(request, intentId), 300),
        under.gateway.captureIntent({ attemptId, paymentId, intentId, amount: request.amount }, 300),
        under.gateway.createRefund(
          { attemptId: "r-1", paymentId, refundId: "r", intentId, amount: request.amount },
          300,
        ),
        under.gateway.findRefund({ attemptId, intentId, gatewayRefundId: null }, 300),
        under.gateway.listSettlements({ from: new Date(0), to: new Date(), cursor: null }, 300),
      ]);
      assert(performance.now() - startedAt < 300 + marginMs);
      assert.deepEqual(
        answers.map(({ type }) => type),
        ["unknown", "unknown", "unreachable", "unreachable", "unknown", "unknown", "unreachable", "unreachable"],
      );
    });
  });
}

function describeCancelling(setup: GatewaySetup): void {
  describe("cancelling an intent", () => {
    let under: GatewayUnderTest;
    afterEach(() => under.close());

    it("cancels one that is pending, for good, and once more is the same", async () => {
      under = await setup({ payAfterMs: 150 });
      const request = aRequest();
      const { attemptId, paymentId } = request;
      const { id: intentId } = await created(under.gateway, request);
      for (let time = 0; time < 2; time++) {
        const outcome = await under.gateway.cancelIntent({ attemptId, paymentId, intentId }, deadlineMs);
        assert.equal(outcome.type === "succeeded" && outcome.intent.status, "cancelled");
        assert.equal(outcome.type === "succeeded" && outcome.intent.id, intentId);
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal((await found(under.gateway, request)).status, "cancelled");
      assert.equal(under.chargesOf(paymentId).length, 0);
    });

    it("is declined where the intent has succeeded, and shows it", async () => {
      under = await setup({ payAfterMs: 10 });
      const request = aRequest();
      const { attemptId, paymentId } = request;
      const { id: intentId } = await created(under.gateway, request);
      await eventually(under.gateway, request, "succeeded");
      const outcome = await under.gateway.cancelIntent({ attemptId, paymentId, intentId }, deadlineMs);
      assert(outcome.type === "declined");
      assert.equal(outcome.intent?.status, "succeeded");
      assert.equal(outcome.intent?.id, intentId);
      assert.equal(under.chargesOf(paymentId).length, 1);
    });

    it("is declined where there is no such intent", async () => {
      under = await setup("absent");
      const { attemptId, paymentId } = aRequest();
      const outcome = await under.gateway.cancelIntent({ attemptId, paymentId, intentId: "pi_none" }, deadlineMs);
      assert.equal(outcome.type === "declined" && outcome.code, "resource_missing");
    });

    it("is unknown where the answer is a 500, and works when it is asked again", async () => {
      under = await setup("absent");
      const request = aRequest();
      const { attemptId, paymentId } = request;
      const { id: intentId } = await created(under.gateway, request);
      under.fail("cancel", "error_before");
      const lost = await under.gateway.cancelIntent({ attemptId, paymentId, intentId }, deadlineMs);
      assert.equal(lost.type, "unknown");
      under.fail("cancel", undefined);
      const outcome = await under.gateway.cancelIntent({ attemptId, paymentId, intentId }, deadlineMs);
      assert.equal(outcome.type === "succeeded" && outcome.intent.status, "cancelled");
    });
  });
}

function describeFinding(setup: GatewaySetup): void {
  describe("finding an intent", () => {
    let under: GatewayUnderTest;
    beforeEach(async () => {
      under = await setup("absent");
    });
    afterEach(() => under.close());

    it("says absent of an attempt that never arrived", async () => {
      await created(under.gateway, aRequest());
      assert.deepEqual(await under.gateway.findIntent(lookFor(aRequest()), deadlineMs), { type: "absent" });
    });

    it("finds it with and without its id, among others, and by attempt", async () => {
      const request = aRequest();
      const second = aRequest({ paymentId: request.paymentId, attemptId: `${request.paymentId}-2` });
      const { id } = await created(under.gateway, request);
      const other = await created(under.gateway, second);
      await Promise.all(Array.from({ length: 150 }, () => created(under.gateway, aRequest())));
      assert.notEqual(id, other.id);
      for (const [wanted, intentId] of [
        [request, null],
        [request, id],
        [second, null],
      ] as const) {
        const finding = await under.gateway.findIntent(lookFor(wanted, intentId), deadlineMs);
        assert.equal(finding.type === "found" && finding.intent.id, wanted === request ? id : other.id);
        assert.equal(finding.type === "found" && finding.intent.paymentId, request.paymentId);
      }
    });

    it("says unreachable, and not absent, where the gateway does not tell", async () => {
      under.fail("find", "error_before");
      assert.equal((await under.gateway.findIntent(lookFor(aRequest()), deadlineMs)).type, "unreachable");
    });

    it("still knows everything after a restart, and the same attempt gives the same intent", async () => {
      const request = aRequest();
      const { id } = await created(under.gateway, request);
      under = await under.restart();
      assert.equal((await found(under.gateway, request)).id, id);
      assert.equal((await created(under.gateway, request)).id, id);
    });
  });
}
