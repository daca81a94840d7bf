import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import Stripe from "stripe";
import type { Currency } from "../../../kernel/currency.ts";
import { createStripeGateway } from "./adapter.ts";
import { type StandInFault, type StripeStandIn, startStripeStandIn } from "./stand-in.ts";

let home: string;
let standIn: StripeStandIn;
let stripe: Stripe;
let fault: StandInFault | undefined;
let latencyMs: number;

async function start(): Promise<void> {
  standIn = await startStripeStandIn({
    port: 0,
    path: join(home, "stand-in.db"),
    payAfterMs: 0,
    buyer: "absent",
    webhook: null,
    latencyMs,
    faults: () => fault,
  });
  const { hostname, port } = new URL(standIn.url);
  stripe = new Stripe("sk_test_1", { host: hostname, port, protocol: "http", maxNetworkRetries: 0, telemetry: false });
}

const intent = { amount: 1000, currency: "usd", metadata: { marketflow_payment_id: "p", note: "a&b=[c]" } };

/** Asks without the SDK, to see what it does not show: headers and repeated answers. */
function post(path: string, body: string, key?: string): Promise<Response> {
  const headers: Record<string, string> = { authorization: "Bearer sk_test_1" };
  if (key !== undefined) headers["idempotency-key"] = key;
  const init = { method: "POST", headers: { ...headers, "content-type": "application/x-www-form-urlencoded" }, body };
  return fetch(`${standIn.url}${path}`, init);
}

describe("the stand-in for Stripe's HTTP API", () => {
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), "marketflow-stand-in-"));
    fault = undefined;
    latencyMs = 0;
    await start();
  });
  afterEach(async () => {
    await standIn.close();
    rmSync(home, { recursive: true });
  });

  it("creates, retrieves and confirms an intent through the SDK", async () => {
    const created = await stripe.paymentIntents.create(intent);
    assert.match(created.id, /^pi_/);
    assert.equal(created.status, "requires_payment_method");
    assert.deepEqual(created.metadata, intent.metadata);
    assert.match(created.lastResponse.requestId, /^req_/);
    const confirmed = await stripe.paymentIntents.confirm(created.id, { payment_method: "pm_card_visa" });
    assert.equal(confirmed.status, "succeeded");
    assert.equal(confirmed.amount_received, 1000);
    assert.deepEqual(await stripe.paymentIntents.retrieve(created.id), confirmed);
    assert.equal(standIn.chargesOf("p").length, 1);
  });

  it("declines a card at confirmation, with the intent in the error", async () => {
    const { id } = await stripe.paymentIntents.create(intent);
    const declined = stripe.paymentIntents.confirm(id, { payment_method: "pm_card_chargeDeclined" });
    await assert.rejects(declined, (error: Stripe.errors.StripeCardError) => {
      assert.equal(error.code, "card_declined");
      assert.equal(error.payment_intent?.id, id);
      return true;
    });
    assert.equal((await stripe.paymentIntents.retrieve(id)).last_payment_error?.code, "card_declined");
  });

  it("captures what was held, in part, and refuses to capture twice", async () => {
    const created = await stripe.paymentIntents.create({ ...intent, capture_method: "manual", confirm: true });
    assert.equal(created.status, "requires_capture");
    assert.equal(standIn.chargesOf("p").length, 0);
    const captured = await stripe.paymentIntents.capture(created.id, { amount_to_capture: 400 });
    assert.equal(captured.amount_received, 400);
    await assert.rejects(stripe.paymentIntents.capture(created.id), { code: "payment_intent_unexpected_state" });
  });

  it("refunds in parts, never more than was paid, and lists the refunds", async () => {
    const { id } = await stripe.paymentIntents.create({ ...intent, confirm: true });
    const first = await stripe.refunds.create({ payment_intent: id, amount: 300, reason: "requested_by_customer" });
    assert.equal(first.status, "succeeded");
    await assert.rejects(stripe.refunds.create({ payment_intent: id, amount: 701 }), /greater than unrefunded amount/);
    const rest = await stripe.refunds.create({ payment_intent: id, metadata: { n: "2" } });
    assert.equal(rest.amount, 700);
    await assert.rejects(stripe.refunds.create({ payment_intent: id }), { code: "charge_already_refunded" });
    const { data } = await stripe.refunds.list({ payment_intent: id });
    assert.deepEqual(
      data.map(({ amount }) => amount),
      [700, 300],
    );
    assert.deepEqual(await stripe.refunds.retrieve(rest.id), rest);
  });

  it("lets the adapter refund once where the connection closes, and find what a stored 500 hides", async () => {
    const { id: intentId } = await stripe.paymentIntents.create({ ...intent, confirm: true });
    const amount = { amountMinor: 100n, currency: "USD" as Currency };
    const refund = { attemptId: "p-2", paymentId: "p", refundId: "r", intentId, amount };
    const gateway = createStripeGateway({ secretKey: "sk_test_1", apiBase: standIn.url });
    try {
      fault = "closed_after";
      assert.equal((await gateway.createRefund(refund, 2000)).type, "succeeded");
      fault = "closed_before";
      const lost = await gateway.createRefund({ ...refund, attemptId: "p-3" }, 2000);
      assert.equal(lost.type === "unknown" && lost.code, "gateway_connection_lost");
      fault = "error_after";
      for (let time = 0; time < 2; time++) {
        assert.equal((await gateway.createRefund({ ...refund, attemptId: "p-4" }, 2000)).type, "unknown");
        fault = undefined;
      }
      const found = await gateway.findRefund({ attemptId: "p-4", intentId, gatewayRefundId: null }, 2000);
      assert.equal(found.type, "found");
      assert.equal(standIn.refundsOf("p").length, 2);
    } finally {
      await gateway.close();
    }
  });

  it("lists balance transactions as Stripe does: newest first, and expanded only where asked", async () => {
    const { id } = await stripe.paymentIntents.create({ ...intent, confirm: true });
    const refund = await stripe.refunds.create({ payment_intent: id, amount: 300 });
    const [back, charge] = (await stripe.balanceTransactions.list()).data;
    assert.deepEqual([back?.amount, back?.type, back?.reporting_category], [-300, "refund", "refund"]);
    assert.equal(back?.source, refund.id);
    assert.deepEqual([charge?.amount, charge?.type, charge?.reporting_category], [1000, "charge", "charge"]);
    const next = await stripe.balanceTransactions.list({ starting_after: back?.id ?? "", expand: ["data.source"] });
    const source = next.data[0]?.source;
    assert(typeof source === "object" && source?.object === "charge");
    assert.deepEqual([source.payment_intent, source.amount_refunded, source.refunded], [id, 300, false]);
  });

  it("lists in pages, newest first, from a time on", async () => {
    for (let amount = 1; amount <= 25; amount++) await stripe.paymentIntents.create({ amount, currency: "usd" });
    const amounts: number[] = [];
    for await (const { amount } of stripe.paymentIntents.list({ limit: 10 })) amounts.push(amount);
    assert.deepEqual(
      amounts,
      Array.from({ length: 25 }, (_, n) => 25 - n),
    );
    const gte = Math.floor(Date.now() / 1000) + 60;
    assert.deepEqual((await stripe.paymentIntents.list({ created: { gte } })).data, []);
  });

  it("refuses what Stripe would not take", async () => {
    const create = (amount: number, currency: string) => stripe.paymentIntents.create({ amount, currency });
    await assert.rejects(create(100_000_000, "usd"), { code: "amount_too_large" });
    await assert.rejects(create(1005, "bhd"), /last digit/);
    await assert.rejects(create(550, "isk"), /divisible by 100/);
    await assert.rejects(create(0, "usd"), { type: "StripeInvalidRequestError" });
    await assert.rejects(stripe.paymentIntents.retrieve("pi_none"), { code: "resource_missing", statusCode: 404 });
    const stranger = await fetch(`${standIn.url}/v1/payment_intents`);
    assert.equal(stranger.status, 401);
  });

  it("replays a stored answer to the same key, and says so", async () => {
    const first = await post("/v1/payment_intents", "amount=1000&currency=usd", "k");
    const second = await post("/v1/payment_intents", "amount=1000&currency=usd", "k");
    assert.equal(first.headers.get("idempotent-replayed"), null);
    assert.equal(second.headers.get("idempotent-replayed"), "true");
    assert.equal(await second.text(), await first.text());
    assert.equal((await stripe.paymentIntents.list()).data.length, 1);
  });

  it("replays after a restart, and a stored 500 as well, although the intent was made", async () => {
    fault = "error_after";
    assert.equal((await post("/v1/payment_intents", "amount=1000&currency=usd", "k")).status, 500);
    fault = undefined;
    await standIn.close();
    await start();
    const again = await post("/v1/payment_intents", "amount=1000&currency=usd", "k");
    assert.equal(again.status, 500);
    assert.equal(again.headers.get("idempotent-replayed"), "true");
    assert.equal((await stripe.paymentIntents.list()).data.length, 1);
  });

  it("refuses a key with other parameters or another endpoint", async () => {
    await post("/v1/payment_intents", "amount=1000&currency=usd", "k");
    for (const [path, body] of [
      ["/v1/payment_intents", "amount=1001&currency=usd"],
      ["/v1/refunds", "amount=1000"],
    ] as const) {
      const other = await post(path, body, "k");
      assert.equal(other.status, 400);
      assert.equal(((await other.json()) as { error: { type: string } }).error.type, "idempotency_error");
    }
  });

  it("does not store what failed validation, so that the key can be used again", async () => {
    assert.equal((await post("/v1/payment_intents", "amount=x&currency=usd", "k")).status, 400);
    assert.equal((await post("/v1/payment_intents", "amount=1000&currency=usd", "k")).status, 200);
  });

  it("answers 409 to a key that is in use", async () => {
    await standIn.close();
    latencyMs = 100;
    await start();
    const statuses = await Promise.all(
      [1, 2].map(async () => (await post("/v1/payment_intents", "amount=1000&currency=usd", "k")).status),
    );
    assert.deepEqual(statuses.sort(), [200, 409]);
  });

  it("closes the connection before or after it did what was asked", async () => {
    fault = "closed_before";
    await assert.rejects(post("/v1/payment_intents", "amount=1000&currency=usd", "before"));
    fault = "closed_after";
    await assert.rejects(post("/v1/payment_intents", "amount=2000&currency=usd", "after"));
    fault = undefined;
    const { data } = await stripe.paymentIntents.list();
    assert.deepEqual(
      data.map(({ amount }) => amount),
      [2000],
    );
    assert.equal((await post("/v1/payment_intents", "amount=2000&currency=usd", "after")).status, 200);
    assert.equal((await stripe.paymentIntents.list()).data.length, 1);
  });
});
