import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { CreateIntentRequest } from "../../src/movements/ports.ts";
import {
  aRequest,
  created,
  deadlineMs,
  found,
  type GatewaySetup,
  type GatewayUnderTest,
  money,
} from "./gateway-under-test.ts";

function capturing({ paymentId, amount }: CreateIntentRequest, intentId: string, amountMinor = amount.amountMinor) {
  return { attemptId: `${paymentId}-2`, paymentId, intentId, amount: { ...amount, amountMinor } };
}

/** What a gateway promises about taking the money of an intent that was authorized. */
export function describeCapturing(setup: GatewaySetup): void {
  describe("capturing an intent", () => {
    let under: GatewayUnderTest;
    beforeEach(async () => {
      under = await setup({ payAfterMs: 10 });
    });
    afterEach(() => under.close());

    /** An intent whose money the buyer has authorized. */
    async function held(): Promise<{ request: CreateIntentRequest; intentId: string }> {
      const request = aRequest({ capture: "manual" });
      const { id: intentId } = await created(under.gateway, request);
      await new Promise((resolve) => setTimeout(resolve, 200));
      return { request, intentId };
    }

    const chargesOf = ({ paymentId }: CreateIntentRequest) =>
      under.chargesOf(paymentId).map(({ amountMinor }) => amountMinor);

    it("takes all that was authorized", async () => {
      const { request, intentId } = await held();
      const outcome = await under.gateway.captureIntent(capturing(request, intentId), deadlineMs);
      assert(outcome.type === "succeeded", JSON.stringify({ ...outcome, intent: undefined }));
      assert.equal(outcome.intent.id, intentId);
      assert.equal(outcome.intent.status, "succeeded");
      assert.deepEqual(outcome.intent.captured, request.amount);
      assert.deepEqual(chargesOf(request), [100_000n]);
    });

    it("takes a part and says how much, though the intent is still for all of it", async () => {
      const { request, intentId } = await held();
      const outcome = await under.gateway.captureIntent(capturing(request, intentId, 40_000n), deadlineMs);
      assert.equal(outcome.type, "succeeded");
      const intent = await found(under.gateway, request);
      assert.equal(intent.status, "succeeded");
      assert.deepEqual(intent.amount, request.amount);
      assert.deepEqual(intent.captured, money(40_000n, "USD"));
      assert.deepEqual(chargesOf(request), [40_000n]);
    });

    it("is declined where it was captured before, and shows what was taken", async () => {
      const { request, intentId } = await held();
      const capture = capturing(request, intentId, 40_000n);
      assert.equal((await under.gateway.captureIntent(capture, deadlineMs)).type, "succeeded");
      for (const again of [capture, { ...capture, attemptId: `${request.paymentId}-3` }]) {
        const outcome = await under.gateway.captureIntent(again, deadlineMs);
        assert(outcome.type === "declined");
        assert.equal(outcome.intent?.status, "succeeded");
        assert.deepEqual(outcome.intent?.captured, money(40_000n, "USD"));
      }
      assert.deepEqual(chargesOf(request), [40_000n]);
    });

    it("takes the money once of twenty calls at once", async () => {
      const { request, intentId } = await held();
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, () => under.gateway.captureIntent(capturing(request, intentId), deadlineMs)),
      );
      assert.equal(outcomes.filter(({ type }) => type === "succeeded").length, 1);
      assert.deepEqual(chargesOf(request), [100_000n]);
    });

    it("is declined where the intent is cancelled, and shows it", async () => {
      const { request, intentId } = await held();
      const { attemptId, paymentId } = request;
      const cancelled = await under.gateway.cancelIntent({ attemptId, paymentId, intentId }, deadlineMs);
      assert.equal(cancelled.type, "succeeded");
      const outcome = await under.gateway.captureIntent(capturing(request, intentId), deadlineMs);
      assert(outcome.type === "declined");
      assert.equal(outcome.intent?.status, "cancelled");
      assert.deepEqual(outcome.intent?.captured, money(0n, "USD"));
      assert.deepEqual(chargesOf(request), []);
    });

    it("is declined for more than was authorized, and for what is not there", async () => {
      const { request, intentId } = await held();
      for (const capture of [capturing(request, intentId, 100_001n), capturing(request, "pi_none")]) {
        assert.equal((await under.gateway.captureIntent(capture, deadlineMs)).type, "declined");
      }
      assert.deepEqual(chargesOf(request), []);
    });

    it("is declined where the buyer has not paid, and shows the intent", async () => {
      const absent = await setup("absent");
      try {
        const request = aRequest({ capture: "manual" });
        const { id: intentId } = await created(absent.gateway, request);
        const outcome = await absent.gateway.captureIntent(capturing(request, intentId), deadlineMs);
        assert(outcome.type === "declined");
        assert.equal(outcome.code, "payment_intent_unexpected_state");
        assert.equal(outcome.intent?.status, "pending");
        assert.equal(absent.chargesOf(request.paymentId).length, 0);
      } finally {
        await absent.close();
      }
    });

    for (const [fault, happened] of [
      ["error_before", false],
      ["error_after", true],
      ["timeout_before", false],
      ["timeout_after", true],
    ] as const) {
      it(`is unknown after ${fault}, and the same attempt then ${happened ? "learns of it" : "captures"}`, async () => {
        const { request, intentId } = await held();
        under.fail("capture", fault);
        const lost = await under.gateway.captureIntent(capturing(request, intentId), 300);
        assert.equal(lost.type, "unknown");
        assert.equal(chargesOf(request).length, happened ? 1 : 0);
        under.fail("capture", undefined);
        const outcome = await under.gateway.captureIntent(capturing(request, intentId), deadlineMs);
        assert(outcome.type === "succeeded" || outcome.type === "declined");
        assert.equal(outcome.type, happened ? "declined" : "succeeded");
        assert.equal(outcome.intent?.status, "succeeded");
        assert.deepEqual(chargesOf(request), [100_000n]);
      });
    }
  });
}
