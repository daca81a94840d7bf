import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, it } from "node:test";
import type {
  CreateIntentRequest,
  CreateRefundRequest,
  FindRefundRequest,
  GatewayRefund,
  PaymentGateway,
} from "../../src/movements/ports.ts";
import {
  aRequest,
  created,
  deadlineMs,
  type GatewaySetup,
  type GatewayUnderTest,
  money,
  paid,
} from "./gateway-under-test.ts";

function aRefund(intentId: string, { paymentId, amount }: CreateIntentRequest, amountMinor: bigint) {
  const refundId = randomUUID();
  return { attemptId: `${refundId}-1`, paymentId, refundId, intentId, amount: { ...amount, amountMinor } };
}

function lookForRefund(refund: CreateRefundRequest, gatewayRefundId: string | null = null): FindRefundRequest {
  return { attemptId: refund.attemptId, intentId: refund.intentId, gatewayRefundId };
}

async function refunded(gateway: PaymentGateway, request: CreateRefundRequest): Promise<GatewayRefund> {
  const outcome = await gateway.createRefund(request, deadlineMs);
  assert(outcome.type === "succeeded", JSON.stringify({ ...outcome, refund: undefined }));
  return outcome.refund;
}

/** What a gateway promises about giving money back. */
export function describeRefunding(setup: GatewaySetup): void {
  describe("refunding", () => {
    let under: GatewayUnderTest;
    beforeEach(async () => {
      under = await setup({ payAfterMs: 10 });
    });
    afterEach(() => under.close());

    it("gives all of a payment back, and then no more", async () => {
      const request = aRequest();
      const { id: intentId } = await paid(under.gateway, request);
      const refund = await refunded(under.gateway, aRefund(intentId, request, 100_000n));
      assert.equal(refund.status, "succeeded");
      assert.equal(refund.intentId, intentId);
      assert.deepEqual(refund.amount, request.amount);
      const more = await under.gateway.createRefund(aRefund(intentId, request, 1n), deadlineMs);
      assert.equal(more.type === "declined" && more.code, "charge_already_refunded");
      assert.deepEqual(refundsOf(under, request), [100_000n]);
    });

    it("gives it back in parts, and declines more than is left", async () => {
      const request = aRequest();
      const { id: intentId } = await paid(under.gateway, request);
      await refunded(under.gateway, aRefund(intentId, request, 30_000n));
      const tooMuch = await under.gateway.createRefund(aRefund(intentId, request, 70_001n), deadlineMs);
      assert.equal(tooMuch.type, "declined");
      await refunded(under.gateway, aRefund(intentId, request, 70_000n));
      assert.deepEqual(refundsOf(under, request), [30_000n, 70_000n]);
    });

    it("gives no more back than there is of twenty refunds at once", async () => {
      const request = aRequest();
      const { id: intentId } = await paid(under.gateway, request);
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, () => under.gateway.createRefund(aRefund(intentId, request, 30_000n), deadlineMs)),
      );
      assert.equal(outcomes.filter(({ type }) => type === "succeeded").length, 3);
      assert.equal(outcomes.filter(({ type }) => type === "declined").length, 17);
      assert.equal(refundsOf(under, request).length, 3);
    });

    it("gives the same refund to the same attempt, also of fifty calls at once", async () => {
      const request = aRequest();
      const { id: intentId } = await paid(under.gateway, request);
      const refund = aRefund(intentId, request, 40_000n);
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, () => under.gateway.createRefund(refund, deadlineMs)),
      );
      const { id } = await refunded(under.gateway, refund);
      const succeeded = outcomes.filter((outcome) => outcome.type === "succeeded");
      assert(succeeded.length >= 1);
      for (const outcome of succeeded) assert.equal(outcome.refund.id, id);
      // A gateway may refuse to answer while the first call runs; it may not say that nothing happened.
      for (const { type } of outcomes) assert(type === "succeeded" || type === "unknown", type);
      assert.deepEqual(refundsOf(under, request), [40_000n]);
    });

    it("declines another amount for an attempt that it knows, and keeps the first", async () => {
      const request = aRequest();
      const { id: intentId } = await paid(under.gateway, request);
      const refund = aRefund(intentId, request, 40_000n);
      await refunded(under.gateway, refund);
      const other = await under.gateway.createRefund({ ...refund, amount: money(40_001n, "USD") }, deadlineMs);
      assert.equal(other.type === "declined" && other.code, "idempotency_error");
      assert.deepEqual(refundsOf(under, request), [40_000n]);
    });

    it("carries amounts of other units exactly", async () => {
      const request = aRequest({ amount: money(500n, "ISK") });
      const { id: intentId } = await paid(under.gateway, request);
      const refund = aRefund(intentId, request, 5n);
      assert.deepEqual((await refunded(under.gateway, refund)).amount, money(5n, "ISK"));
    });

    it("is declined where nothing was paid, and where there is no such intent", async () => {
      const absent = await setup("absent");
      try {
        const request = aRequest();
        const { id: intentId } = await created(absent.gateway, request);
        for (const [id, code] of [
          [intentId, "payment_intent_unexpected_state"],
          ["pi_none", "resource_missing"],
        ] as const) {
          const outcome = await absent.gateway.createRefund(aRefund(id, request, 1000n), deadlineMs);
          assert.equal(outcome.type === "declined" && outcome.code, code);
        }
        assert.equal(absent.refundsOf(request.paymentId).length, 0);
      } finally {
        await absent.close();
      }
    });

    it("is declined, and nothing is given back, where the refund is declined", async () => {
      const request = aRequest({ amount: money(20_000_000n, "USD") });
      const { id: intentId } = await paid(under.gateway, request);
      const outcome = await under.gateway.createRefund(aRefund(intentId, request, 9_990_130n), deadlineMs);
      assert.equal(outcome.type === "declined" && outcome.code, "refund_declined");
      assert.deepEqual(refundsOf(under, request), []);
    });

    it("is unknown where the magic amount says so, and asking finds it", async () => {
      const request = aRequest({ amount: money(20_000_000n, "USD") });
      const { id: intentId } = await paid(under.gateway, request);
      const refund = aRefund(intentId, request, 9_990_140n);
      assert.equal((await under.gateway.createRefund(refund, 300)).type, "unknown");
      const finding = await under.gateway.findRefund(lookForRefund(refund), deadlineMs);
      assert.deepEqual(finding.type === "found" && finding.refund.amount, refund.amount);
      assert.deepEqual(refundsOf(under, request), [9_990_140n]);
    });

    for (const [fault, happened] of [
      ["error_before", false],
      ["error_after", true],
      ["timeout_before", false],
      ["timeout_after", true],
    ] as const) {
      it(`is unknown after ${fault}, and asking tells that it ${happened ? "happened" : "did not"}`, async () => {
        const request = aRequest();
        const { id: intentId } = await paid(under.gateway, request);
        const refund = aRefund(intentId, request, 40_000n);
        under.fail("refund", fault);
        assert.equal((await under.gateway.createRefund(refund, 300)).type, "unknown");
        const finding = await under.gateway.findRefund(lookForRefund(refund), deadlineMs);
        assert.equal(finding.type, happened ? "found" : "absent");
        assert.equal(refundsOf(under, request).length, happened ? 1 : 0);
      });
    }
  });
}

/** What a gateway promises about asking for a refund whose outcome is not known. */
export function describeFindingRefunds(setup: GatewaySetup): void {
  describe("finding a refund", () => {
    let under: GatewayUnderTest;
    beforeEach(async () => {
      under = await setup({ payAfterMs: 10 });
    });
    afterEach(() => under.close());

    it("finds it with and without its id, among others of the intent", async () => {
      const request = aRequest();
      const { id: intentId } = await paid(under.gateway, request);
      const wanted = aRefund(intentId, request, 2n);
      const { id } = await refunded(under.gateway, wanted);
      await Promise.all(Array.from({ length: 120 }, () => refunded(under.gateway, aRefund(intentId, request, 1n))));
      for (const gatewayRefundId of [null, id]) {
        const finding = await under.gateway.findRefund(lookForRefund(wanted, gatewayRefundId), deadlineMs);
        assert(finding.type === "found", JSON.stringify({ ...finding, refund: undefined }));
        assert.deepEqual(finding.refund, { id, status: "succeeded", amount: wanted.amount, intentId });
      }
    });

    it("says absent of an attempt that never arrived, of an id and of an intent that are not there", async () => {
      const request = aRequest();
      const { id: intentId } = await paid(under.gateway, request);
      await refunded(under.gateway, aRefund(intentId, request, 1n));
      const never = aRefund(intentId, request, 1n);
      for (const search of [
        lookForRefund(never),
        lookForRefund(never, "re_none"),
        { ...lookForRefund(never), intentId: "pi_none" },
      ]) {
        assert.deepEqual(await under.gateway.findRefund(search, deadlineMs), { type: "absent" });
      }
    });

    it("says unreachable, and not absent, where the gateway does not tell", async () => {
      under.fail("find_refund", "error_before");
      for (const gatewayRefundId of [null, "re_1"]) {
        const search = { attemptId: "a", intentId: "pi_1", gatewayRefundId };
        assert.equal((await under.gateway.findRefund(search, deadlineMs)).type, "unreachable");
      }
    });

    it("still knows it after a restart, and the same attempt gives the same refund", async () => {
      const request = aRequest();
      const { id: intentId } = await paid(under.gateway, request);
      const refund = aRefund(intentId, request, 40_000n);
      const { id } = await refunded(under.gateway, refund);
      under = await under.restart();
      const finding = await under.gateway.findRefund(lookForRefund(refund), deadlineMs);
      assert.equal(finding.type === "found" && finding.refund.id, id);
      assert.equal((await refunded(under.gateway, refund)).id, id);
      assert.deepEqual(refundsOf(under, request), [40_000n]);
    });
  });
}

function refundsOf(under: GatewayUnderTest, { paymentId }: CreateIntentRequest): bigint[] {
  return under.refundsOf(paymentId).map(({ amountMinor }) => amountMinor);
}
