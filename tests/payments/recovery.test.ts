import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Fault } from "../../src/infrastructure/gateways/simulator/magic-amounts.ts";
import type { SimulatedCall } from "../../src/infrastructure/gateways/simulator/simulator.ts";
import { type Answer, eventually, get, post, startTestApp, type TestApp } from "../support/app.ts";

let running: TestApp;
/** What goes wrong with the next calls about payments of a reference, in order. */
const faults = new Map<string, (Fault | undefined)[]>();
const calls = new Map<string, string[]>();

/** An application for each test: the faults of one would open the circuit breaker for the next. */
beforeEach(async () => {
  running = await startTestApp({
    environment: { GATEWAY_TIMEOUT_MS: "200", ACCEPT_LEASE_MS: "800", SIMULATOR_BUYER: "pays" },
    faults(call: SimulatedCall) {
      if (call.operation !== "create") return undefined;
      const { reference, attemptId } = call.request;
      calls.set(reference ?? "", [...(calls.get(reference ?? "") ?? []), attemptId]);
      return faults.get(reference ?? "")?.shift();
    },
  });
});
afterEach(() => running.close());

function send(reference: string): Promise<Answer> {
  return post(running.address, "/payments", { amount: 7, currency: "USD", idempotency_key: reference, reference });
}

async function settled(id: string, status: string): Promise<Answer> {
  return await eventually(
    () => get(running.address, `/payments/${id}`),
    ({ body }) => body.status === status,
    20_000,
  );
}

describe("recovery", () => {
  it("a gateway that timed out before anything happened is asked, then called again with the same key", async () => {
    faults.set("timeout_before", ["timeout_before"]);
    const { status, body, headers } = await send("timeout_before");
    assert.deepEqual([status, body.code], [504, "gateway_outcome_unknown"]);
    assert.match(headers.get("retry-after") ?? "", /^\d+$/);
    await settled(body.payment_id, "succeeded");
    assert.deepEqual(new Set(calls.get("timeout_before")).size, 1);
    assert.equal(running.simulator.chargesOf(body.payment_id).length, 1);
    const again = await send("timeout_before");
    assert.deepEqual([again.status, again.body.id], [200, body.payment_id]);
  });

  it("a gateway that timed out after the charge charged once", async () => {
    faults.set("timeout_after", ["timeout_after_charge"]);
    const { status, body } = await send("timeout_after");
    assert.equal(status, 504);
    await settled(body.payment_id, "succeeded");
    // The webhook told of the success first; what the attempt made is settled by recovery.
    const ask = () => get(running.address, `/payments/${body.payment_id}`);
    await eventually(ask, ({ body: payment }) => /^pi_/.test(payment.stripe_payment_intent_id));
    assert.equal(running.simulator.chargesOf(body.payment_id).length, 1);
    assert.equal(calls.get("timeout_after")?.length, 1);
  });

  it("a gateway that refused the connection is called again, and the payment is kept meanwhile", async () => {
    faults.set("refused", ["not_sent", "not_sent"]);
    const { status, body } = await send("refused");
    assert.deepEqual([status, body.code], [503, "gateway_unavailable"]);
    assert.equal((await get(running.address, `/payments/${body.payment_id}`)).body.status, "pending");
    await settled(body.payment_id, "succeeded");
    assert.equal(running.simulator.chargesOf(body.payment_id).length, 1);
  });

  it("a gateway that keeps answering 500 and never heard of the payment has decided: it failed", async () => {
    faults.set(
      "errors",
      Array.from({ length: 10 }, () => "error_before" as const),
    );
    const { status, body } = await send("errors");
    assert.deepEqual([status, body.code], [504, "gateway_outcome_unknown"]);
    const { body: payment } = await settled(body.payment_id, "failed");
    assert.equal(payment.failure.code, "gateway_never_received");
    assert.equal(running.simulator.chargesOf(body.payment_id).length, 0);
  });

  it("an attempt that nobody works on any more is taken up after its lease", async () => {
    const { body } = await send("abandoned");
    await settled(body.id, "succeeded");
    // As a process that died between accept and call leaves it.
    await running.look(
      "update payments.payments set status = 'pending', captured_minor = null, fee_minor = null where id = $1",
      [body.id],
    );
    await running.look(
      `update payments.attempts set state = 'open', stripe_payment_intent_id = null, settled_at = null, due_at = now()
       where payment_id = $1`,
      [body.id],
    );
    const { body: payment } = await settled(body.id, "succeeded");
    assert.equal(payment.stripe_payment_intent_id, body.stripe_payment_intent_id);
    assert.equal(running.simulator.chargesOf(body.id).length, 1);
  });
});
