import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually, get, post, startTestApp, type TestApp } from "../support/app.ts";
import { deliver, intentEvent, sign } from "../support/webhooks.ts";

let running: TestApp;
before(async () => {
  running = await startTestApp();
});
after(() => running.close());

let keys = 0;
function order(more: object = {}): Record<string, unknown> {
  keys += 1;
  return { amount: 1000.0, currency: "USD", idempotency_key: `order_${keys}_attempt_1`, ...more };
}

describe("payments", () => {
  it("create payment success", async () => {
    const { status, body, headers } = await post(running.address, "/payments", order());
    assert.equal(status, 201);
    assert.deepEqual(Object.keys(body), [
      "id",
      "stripe_payment_intent_id",
      "amount",
      "currency",
      "status",
      "created_at",
    ]);
    assert.match(body.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.match(body.stripe_payment_intent_id, /^pi_/);
    assert.equal(body.amount, 1000);
    assert.equal(body.currency, "USD");
    assert.equal(body.status, "pending");
    assert.equal(new Date(body.created_at).toISOString(), body.created_at);
    assert.equal(headers.get("idempotency-replayed"), null);
  });

  it("same key returns same payment", async () => {
    const request = order({ metadata: { a: 1, b: "two" }, reference: "ORDER-1" });
    const first = await post(running.address, "/payments", request);
    const again = await post(running.address, "/payments", {
      ...request,
      amount: "1000",
      metadata: { b: "two", a: 1 },
    });
    assert.equal(again.status, 200);
    assert.deepEqual(again.body, first.body);
    assert.equal(again.headers.get("idempotency-replayed"), "true");
  });

  it("different keys create different payments", async () => {
    const first = await post(running.address, "/payments", order());
    const second = await post(running.address, "/payments", order());
    assert.equal(second.status, 201);
    assert.notEqual(second.body.id, first.body.id);
    assert.notEqual(second.body.stripe_payment_intent_id, first.body.stripe_payment_intent_id);
  });

  it("webhook signature valid", async () => {
    const payload = intentEvent({ type: "payment_intent.processing", intentId: "pi_none" });
    const { status, body } = await deliver(running.address, payload);
    assert.equal(status, 200);
    assert.deepEqual(body, { status: "ok" });
  });

  it("webhook signature invalid (401)", async () => {
    const payload = intentEvent({ type: "payment_intent.succeeded", intentId: "pi_none" });
    const now = Math.floor(Date.now() / 1000);
    const bad: Record<string, string | undefined> = {
      missing: undefined,
      empty: "",
      "of another secret": sign(payload, { secret: "whsec_other" }),
      "of another body": sign(`${payload} `),
      "too old": sign(payload, { timestamp: now - 301 }),
      "from the future": sign(payload, { timestamp: now + 302 }),
      "without a time": sign(payload).replace(/t=\d+,/, ""),
      "of another scheme": sign(payload).replace("v1=", "v0="),
      "cut short": sign(payload).slice(0, -2),
    };
    for (const [name, signature] of Object.entries(bad)) {
      const headers = signature === undefined ? {} : { "stripe-signature": signature };
      const { status, body } = await post(
        running.address,
        "/webhooks/stripe",
        payload,
        headers as Record<string, string>,
      );
      assert.equal(status, 401, name);
      assert.equal(body.code, "signature_invalid", name);
    }
    const { id } = JSON.parse(payload);
    assert.deepEqual(await running.look("select from payments.webhook_inbox where event_id = $1", [id]), []);
  });

  it("`payment_intent.succeeded` updates the status", async () => {
    const { body: created } = await post(running.address, "/payments", order());
    const intentId = created.stripe_payment_intent_id;
    const delivered = await deliver(running.address, intentEvent({ type: "payment_intent.succeeded", intentId }));
    assert.equal(delivered.status, 200);
    const { body: payment } = await get(running.address, `/payments/${created.id}`);
    assert.equal(payment.status, "succeeded");
    assert.ok(payment.updated_at > created.created_at);
  });

  it("get payment by id", async () => {
    const request = order({ metadata: { order: "123" }, reference: "R-1", seller_id: "seller_1", capture: false });
    const { body: created } = await post(running.address, "/payments", request);
    const { status, body } = await get(running.address, `/payments/${created.id}`);
    assert.equal(status, 200);
    assert.deepEqual(body, {
      ...created,
      idempotency_key: request["idempotency_key"],
      metadata: { order: "123" },
      reference: "R-1",
      seller_id: "seller_1",
      capture: false,
      amount_captured: null,
      amount_refunded: 0,
      commission: null,
      client_secret: null,
      failure: null,
      updated_at: body.updated_at,
    });
    for (const id of ["01a20000-0000-7000-8000-000000000000", "not-a-uuid", "%00"]) {
      const missing = await get(running.address, `/payments/${id}`);
      assert.equal(missing.status, 404, id);
      assert.equal(missing.body.code, "payment_not_found", id);
    }
  });

  it("health check", async () => {
    const { status, body } = await get(running.address, "/health");
    assert.equal(status, 200);
    assert.deepEqual(body, {
      status: "healthy",
      database: "connected",
      redis: "in-memory",
      gateway: { name: "simulator", circuit: "closed" },
    });
    assert.equal((await get(running.address, "/health/live")).status, 200);
    assert.equal((await get(running.address, "/health/ready")).status, 200);
  });

  it("the key may come in the header, quoted or bare", async () => {
    const { idempotency_key: key, ...request } = order();
    const first = await post(running.address, "/payments", request, { "idempotency-key": String(key) });
    assert.equal(first.status, 201);
    const quoted = await post(running.address, "/payments", request, { "idempotency-key": `"${key}"` });
    assert.deepEqual([quoted.status, quoted.body], [200, first.body]);
    const both = await post(
      running.address,
      "/payments",
      { ...request, idempotency_key: key },
      { "idempotency-key": String(key) },
    );
    assert.equal(both.status, 200);
    const differing = await post(
      running.address,
      "/payments",
      { ...request, idempotency_key: key },
      { "idempotency-key": "x" },
    );
    assert.deepEqual([differing.status, differing.body.code], [400, "invalid_request"]);
  });

  it("a key that was used for another request is refused, and the payment stays as it was", async () => {
    const request = order();
    const { body: first } = await post(running.address, "/payments", request);
    for (const change of [
      { amount: 1000.01 },
      { currency: "EUR" },
      { metadata: { a: 1 } },
      { reference: "r" },
      { capture: false },
    ]) {
      const reused = await post(running.address, "/payments", { ...request, ...change });
      assert.deepEqual([reused.status, reused.body.code], [422, "idempotency_key_reused"]);
    }
    const { body: payment } = await get(running.address, `/payments/${first.id}`);
    assert.equal(payment.amount, 1000);
  });

  it("payments are listed newest first, in pages, by filter", async () => {
    const created: string[] = [];
    for (let place = 0; place < 5; place++) {
      created.unshift((await post(running.address, "/payments", order({ currency: "JPY" }))).body.id);
    }
    const seen: string[] = [];
    let cursor = "";
    do {
      const { status, body } = await get(running.address, `/payments?currency=JPY&limit=2${cursor}`);
      assert.equal(status, 200);
      assert.ok(body.data.length <= 2);
      seen.push(...body.data.map((payment: { id: string }) => payment.id));
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    assert.deepEqual(seen, created);

    const succeeded = await get(running.address, "/payments?status=succeeded&limit=100");
    assert.ok(succeeded.body.data.every((payment: { status: string }) => payment.status === "succeeded"));
    const soon = new Date(Date.now() + 60_000).toISOString();
    assert.deepEqual((await get(running.address, `/payments?created_after=${soon}`)).body.data, []);
    const recent = new Date(Date.now() - 60_000).toISOString();
    assert.ok((await get(running.address, `/payments?created_after=${recent}&limit=100`)).body.data.length >= 5);
  });

  it("a bad filter is refused and says what it should be", async () => {
    for (const query of [
      "status=paid",
      "limit=0",
      "limit=101",
      "limit=x",
      "cursor=abc",
      "created_after=yesterday",
      "sort=asc",
    ]) {
      const { status, body } = await get(running.address, `/payments?${query}`);
      assert.deepEqual([status, body.code], [400, "invalid_request"], query);
      assert.equal(body.errors.length, 1, query);
    }
  });

  it("a pending payment is cancelled at its gateway, once", async () => {
    const { body: created } = await post(running.address, "/payments", order());
    const cancelled = await post(running.address, `/payments/${created.id}/cancel`);
    assert.deepEqual([cancelled.status, cancelled.body.status], [200, "cancelled"]);
    assert.equal((await post(running.address, `/payments/${created.id}/cancel`)).status, 200);
    const { body: timeline } = await get(running.address, `/payments/${created.id}/timeline`);
    const attempts = timeline.data.filter((entry: { kind: string }) => entry.kind === "attempt");
    assert.deepEqual(
      attempts.map((attempt: { operation: string; state: string }) => [attempt.operation, attempt.state]),
      [
        ["create", "succeeded"],
        ["cancel", "succeeded"],
      ],
    );
    assert.equal((await post(running.address, "/payments/01a20000-0000-7000-8000-000000000000/cancel")).status, 404);
  });

  it("a payment that succeeded is not cancelled", async () => {
    const { body: created } = await post(running.address, "/payments", order());
    const intentId = created.stripe_payment_intent_id;
    await deliver(running.address, intentEvent({ type: "payment_intent.succeeded", intentId }));
    const { status, body } = await post(running.address, `/payments/${created.id}/cancel`);
    assert.deepEqual([status, body.code], [409, "payment_not_cancellable"]);
  });

  it("the timeline shows every attempt, webhook, state change and posting in order", async () => {
    const { body: created } = await post(running.address, "/payments", order());
    const intentId = created.stripe_payment_intent_id;
    await deliver(running.address, intentEvent({ type: "payment_intent.payment_failed", intentId }));
    await deliver(running.address, intentEvent({ type: "payment_intent.succeeded", intentId }));
    const { body } = await get(running.address, `/payments/${created.id}/timeline`);
    const told = body.data.map(
      (entry: { kind: string; type?: string; operation?: string }) => `${entry.kind} ${entry.type ?? entry.operation}`,
    );
    assert.deepEqual(told, [
      "attempt create",
      "event payment.created",
      "webhook payment_intent.payment_failed",
      "event payment.failed",
      "webhook payment_intent.succeeded",
      "event payment.succeeded",
      "posting sale",
    ]);
  });

  it("a payment the gateway declines is kept as failed, with the reason", async () => {
    const { status, body } = await post(running.address, "/payments", order({ amount: "99900.10" }));
    assert.deepEqual([status, body.status], [201, "failed"]);
    const { body: payment } = await get(running.address, `/payments/${body.id}`);
    assert.equal(payment.status, "failed");
    assert.equal(typeof payment.failure.code, "string");
    assert.equal(running.simulator.chargesOf(body.id).length, 0);
  });

  it("the reference is served with its own assets and the document describes the routes", async () => {
    const page = await fetch(`${running.address}/docs`);
    assert.equal(page.status, 200);
    const html = await page.text();
    const script = /<script[^>]+src="([^"]+)"/.exec(html)?.[1] ?? "";
    assert.doesNotMatch(script, /^https?:/);
    const asset = await fetch(new URL(script, page.url));
    assert.equal(asset.status, 200);
    assert.ok((await asset.text()).length > 1_000_000);
    const { body: document } = await get(running.address, "/openapi.json");
    assert.match(document.openapi, /^3\.1/);
    assert.ok("/payments/{id}/timeline" in document.paths);
  });

  it("metrics tell of requests, lanes, gateway calls and payments", async () => {
    await post(running.address, "/payments", order());
    const { body } = await get(running.address, "/metrics");
    const labels = 'listener="marketplace",method="POST",route="/payments",status="2xx"';
    const count = body.split(`marketflow_http_request_duration_seconds_count{${labels}} `)[1];
    assert.ok(Number.parseInt(count, 10) >= 1);
    assert.match(body, /marketflow_lane_batch_size_count\{lane="accept_payment"\} [1-9]/);
    assert.match(
      body,
      /gateway_call_duration_seconds_count\{gateway="simulator",operation="create",outcome="succeeded"\} [1-9]/,
    );
    assert.match(body, /marketflow_circuit_breaker_state\{gateway="simulator",state="closed"\} 1/);
    assert.doesNotMatch(body, /NaN/);
  });
});

describe("the simulated buyer", () => {
  it("pays, and the signed webhook makes the payment succeed", async () => {
    const paying = await startTestApp({ environment: { SIMULATOR_BUYER: "pays" } });
    try {
      const { body: created } = await post(paying.address, "/payments", order());
      const ask = () => get(paying.address, `/payments/${created.id}`);
      await eventually(ask, ({ body }) => body.status === "succeeded");
      assert.equal(paying.simulator.chargesOf(created.id).length, 1);
    } finally {
      await paying.close();
    }
  });
});
