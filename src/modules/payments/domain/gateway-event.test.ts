import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { propertySeed } from "../../../../tests/support/property-seed.ts";
import { allCurrencies, type Currency } from "../../../kernel/currency.ts";
import { type GatewayEvent, readGatewayEvent } from "./gateway-event.ts";

const readAmount = (amountMinor: bigint, currency: Currency) => ({ amountMinor, currency });
const malformed = { ok: false, refusal: { type: "event_malformed" } };
const usd = (amountMinor: bigint) => ({ amountMinor, currency: "USD" });
const paymentId = "01a20000-0000-7000-8000-000000000000";

/** Reads an event about this object. */
function readOf(type: string, object: object) {
  return readGatewayEvent({ id: "evt_1", type, data: { object } }, readAmount);
}

/** Reads one that must be good. */
function read(type: string, object: object): GatewayEvent {
  const result = readOf(type, object);
  assert.ok(result.ok, type);
  return result.value;
}

describe("a gateway's event", () => {
  test("is read or refused, whatever it is, and never throws", () => {
    const mostly = (usual: fc.Arbitrary<unknown>) =>
      fc.oneof({ weight: 1, arbitrary: fc.anything() }, { weight: 4, arbitrary: usual });
    const units = fc.oneof(fc.oneof(fc.integer(), fc.double(), fc.string()), fc.integer({ min: 1, max: 1_000 }));
    const shaped = fc.record({
      id: fc.oneof(fc.string(), fc.constant("evt_1")),
      type: fc.constantFrom(
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "charge.refunded",
        "charge.dispute.created",
        "charge.dispute.closed",
        "refund.updated",
        "refund.failed",
        "",
      ),
      data: mostly(
        fc.record({
          object: fc.record({
            object: fc.constantFrom("payment_intent", "charge", "dispute", "refund"),
            id: fc.oneof(fc.string(), fc.constant("pi_1")),
            payment_intent: mostly(fc.constant("pi_1")),
            amount: units,
            amount_received: units,
            amount_refunded: units,
            status: fc.oneof(fc.anything(), fc.constantFrom("won", "lost", "succeeded", "failed", "warning_closed")),
            currency: mostly(fc.constantFrom(...allCurrencies().map((code) => code.toLowerCase()))),
            metadata: fc.oneof(fc.anything(), fc.constant({ marketflow_refund_id: paymentId })),
            last_payment_error: fc.anything(),
          }),
        }),
      ),
    });
    const about = new Map<string, number>();
    fc.assert(
      fc.property(mostly(shaped), (event) => {
        const result = readGatewayEvent(event, readAmount);
        if (!result.ok) return;
        about.set(result.value.about, (about.get(result.value.about) ?? 0) + 1);
        if (result.value.about === "refund_status") return;
        if (result.value.about !== "payment" || result.value.effect !== null) assert.ok(result.value.intentId !== null);
      }),
      { seed: propertySeed, numRuns: 5_000 },
    );
    assert.deepEqual([...about.keys()].sort(), ["dispute", "payment", "refund", "refund_status"]);
  });

  test("whose amount is none of its currency is refused", () => {
    const object = { object: "payment_intent", id: "pi_1", amount: 5, currency: "isk" };
    const event = { id: "evt_1", type: "payment_intent.succeeded", data: { object } };
    const refusing = () => {
      throw new RangeError("not whole");
    };
    assert.deepEqual(readGatewayEvent(event, refusing), malformed);
  });

  test("that a payment succeeded says what was taken, which is at most its amount", () => {
    const intent = { object: "payment_intent", id: "pi_1", amount: 1_000, currency: "usd" };
    const type = "payment_intent.succeeded";
    for (const [received, captured] of [
      [undefined, 1_000n],
      [1_000, 1_000n],
      [1, 1n],
    ] as const) {
      const event = read(type, {
        ...intent,
        amount_received: received,
        metadata: { marketflow_payment_id: paymentId },
      });
      assert.ok(event.about === "payment");
      assert.equal(event.paymentId, paymentId);
      assert.deepEqual([event.effect?.amount, event.effect?.captured], [usd(1_000n), usd(captured)]);
    }
    for (const amount_received of [0, -1, 1_001, 1.5, "1000"]) {
      assert.deepEqual(readOf(type, { ...intent, amount_received }), malformed, String(amount_received));
    }
  });

  test("of any other status took nothing", () => {
    const intent = { object: "payment_intent", id: "pi_1", amount: 1_000, amount_received: 0, currency: "usd" };
    for (const type of ["payment_intent.payment_failed", "payment_intent.canceled"]) {
      const event = read(type, intent);
      assert.ok(event.about === "payment" && event.effect !== null);
      assert.equal(event.effect.captured, null);
    }
  });

  test("charge.refunded says how much went back in all", () => {
    const charge = { object: "charge", payment_intent: "pi_1", amount_refunded: 300, currency: "usd" };
    assert.deepEqual(read("charge.refunded", charge), {
      id: "evt_1",
      type: "charge.refunded",
      intentId: "pi_1",
      about: "refund",
      refundedInAll: usd(300n),
    });
    for (const amount_refunded of [0, -1, 0.5, undefined]) {
      assert.deepEqual(readOf("charge.refunded", { ...charge, amount_refunded }), malformed);
    }
    const { payment_intent: _, ...without } = charge;
    const foreign = read("charge.refunded", without);
    assert.ok(foreign.about === "payment" && foreign.effect === null, "a charge without an intent is not ours");
  });

  test("of a refund of ours says how it ended, under each of its names", () => {
    const refund = {
      object: "refund",
      id: "re_1",
      payment_intent: "pi_1",
      metadata: { marketflow_refund_id: paymentId },
    };
    for (const type of ["refund.updated", "charge.refund.updated", "refund.failed"]) {
      for (const [said, status] of [
        ["succeeded", "succeeded"],
        ["failed", "failed"],
        ["canceled", "failed"],
      ] as const) {
        const event = read(type, { ...refund, status: said, failure_reason: "lost_or_stolen_card" });
        assert.ok(event.about === "refund_status");
        assert.deepEqual([event.refundId, event.gatewayRefundId, event.status], [paymentId, "re_1", status]);
        assert.equal(event.failureCode, status === "failed" ? "lost_or_stolen_card" : null);
      }
    }
    for (const other of [{ status: "pending" }, { status: "requires_action" }, { status: "succeeded", metadata: {} }]) {
      const event = read("refund.updated", { ...refund, ...other });
      assert.ok(event.about === "payment" && event.effect === null, JSON.stringify(other));
    }
  });

  test("of a dispute says where it stands, but one that only asks says nothing", () => {
    const dispute = { object: "dispute", id: "dp_1", payment_intent: "pi_1", amount: 1_000, currency: "usd" };
    const cases = [
      ["charge.dispute.created", "needs_response", "open"],
      ["charge.dispute.closed", "won", "won"],
      ["charge.dispute.closed", "lost", "lost"],
    ] as const;
    for (const [type, said, status] of cases) {
      const event = read(type, { ...dispute, status: said });
      assert.ok(event.about === "dispute");
      assert.deepEqual([event.disputeId, event.intentId, event.status], ["dp_1", "pi_1", status]);
      assert.deepEqual(event.amount, usd(1_000n));
    }
    for (const [type, said] of [
      ["charge.dispute.created", "warning_needs_response"],
      ["charge.dispute.closed", "warning_closed"],
      ["charge.dispute.closed", "prevented"],
      ["charge.dispute.updated", "under_review"],
      ["charge.dispute.funds_withdrawn", "needs_response"],
    ] as const) {
      const event = read(type, { ...dispute, status: said });
      assert.ok(event.about === "payment" && event.effect === null, `${type} ${said}`);
    }
    assert.deepEqual(readOf("charge.dispute.created", { ...dispute, amount: 0 }), malformed);
  });
});
