import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "node:test";
import { parseCurrency } from "../../../kernel/currency.ts";
import type { CreateIntentRequest, PaymentGateway } from "../../../movements/ports.ts";
import { createStripeGateway } from "./adapter.ts";

const currency = parseCurrency("USD");
assert(currency !== undefined);
const request: CreateIntentRequest = {
  attemptId: "01-1",
  paymentId: "01",
  amount: { amountMinor: 1000n, currency },
  capture: "automatic",
  reference: null,
};
const intentBody = {
  id: "pi_1",
  object: "payment_intent",
  amount: 1000,
  amount_received: 0,
  currency: "usd",
  status: "requires_payment_method",
  client_secret: "pi_1_secret_2",
  last_payment_error: null,
  metadata: { marketflow_payment_id: "01", marketflow_attempt_id: "01-1" },
};

let stop: () => Promise<void>;

const change = { attemptId: "01-2", paymentId: "01", intentId: "pi_1", amount: request.amount };
const refund = { ...change, refundId: "02" };
const refundBody = {
  id: "re_1",
  object: "refund",
  amount: 1000,
  currency: "usd",
  payment_intent: "pi_1",
  status: "succeeded",
  metadata: { marketflow_attempt_id: "01-2" },
};

type Asked = { readonly target: string; readonly form: URLSearchParams };

/** A server in Stripe's place that answers as told, and what it was asked, with which keys. */
async function against(
  listener: RequestListener,
): Promise<{ gateway: PaymentGateway; keys: unknown[]; asked: Asked[] }> {
  const keys: unknown[] = [];
  const asked: Asked[] = [];
  const server = createServer((incoming, response) => {
    keys.push(incoming.headers["idempotency-key"]);
    let body = "";
    incoming.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    incoming.on("end", () => {
      asked.push({ target: `${incoming.method} ${incoming.url}`, form: new URLSearchParams(body) });
      listener(incoming, response);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const apiBase = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gateway = createStripeGateway({ secretKey: "sk_test_1", apiBase });
  stop = async () => {
    await gateway.close();
    server.closeAllConnections();
    if (server.listening) await once(server.close(), "close");
  };
  return { gateway, keys, asked };
}

function json(response: ServerResponse, body: unknown): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(body));
}

describe("the Stripe adapter", () => {
  afterEach(() => stop());

  it("derives the idempotency key from the attempt and keeps the client's secret for the buyer", async () => {
    const { gateway, keys } = await against((_, response) => json(response, intentBody));
    const outcome = await gateway.createIntent(request, 2000);
    assert.deepEqual(outcome, {
      type: "succeeded",
      intent: {
        id: "pi_1",
        status: "pending",
        amount: request.amount,
        captured: { amountMinor: 0n, currency },
        clientSecret: "pi_1_secret_2",
        paymentId: "01",
      },
    });
    assert.deepEqual(keys, ["marketflow:01-1"]);
  });

  it("repeats a request whose connection broke, once and with the same key", async () => {
    let asked = 0;
    const { gateway, keys } = await against((incoming, response) => {
      if (++asked === 1) incoming.socket.destroy();
      else json(response, intentBody);
    });
    assert.equal((await gateway.createIntent(request, 2000)).type, "succeeded");
    assert.deepEqual(keys, ["marketflow:01-1", "marketflow:01-1"]);
  });

  it("says unknown, not not_sent, where the connection broke and then nobody listened", async () => {
    const { gateway, keys } = await against((incoming) => {
      stopListening(incoming);
    });
    const outcome = await gateway.createIntent(request, 2000);
    assert.equal(outcome.type, "unknown");
    assert.equal(outcome.type === "unknown" && outcome.code, "gateway_connection_lost");
    assert.equal(keys.length, 1);
  });

  it("says unknown where the connection broke and the repetition was refused for its credentials", async () => {
    let asked = 0;
    const { gateway } = await against((incoming, response) => {
      if (++asked === 1) return void incoming.socket.destroy();
      response.statusCode = 401;
      json(response, { error: { type: "invalid_request_error", message: "Invalid API Key" } });
    });
    assert.equal((await gateway.createIntent(request, 2000)).type, "unknown");
    assert.equal(asked, 2);
  });

  it("says unknown of a page that a proxy made up", async () => {
    const { gateway } = await against((_, response) => {
      response.statusCode = 502;
      response.end("<html>Bad gateway</html>");
    });
    assert.equal((await gateway.createIntent(request, 2000)).type, "unknown");
  });

  it("resolves within its deadline where the answer only trickles in", async () => {
    let trickle: NodeJS.Timeout | undefined;
    const { gateway } = await against((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      trickle = setInterval(() => response.write(" "), 20);
    });
    const startedAt = performance.now();
    const outcome = await gateway.createIntent(request, 200);
    clearInterval(trickle);
    assert.equal(outcome.type === "unknown" && outcome.code, "gateway_timeout");
    assert(performance.now() - startedAt < 450);
  });

  it("does not call an attempt absent that it has not looked far enough for", async () => {
    const page = Array.from({ length: 100 }, (_, n) => ({ ...intentBody, id: `pi_${n}`, metadata: {} }));
    const { gateway, keys } = await against((_, response) =>
      json(response, { object: "list", data: page, has_more: true, url: "/v1/payment_intents" }),
    );
    const finding = await gateway.findIntent({ ...request, intentId: null, acceptedAt: new Date() }, 5000);
    assert.equal(finding.type === "unreachable" && finding.code, "gateway_list_too_long");
    assert.equal(keys.length, 20);
  });

  it("captures with a key of its own for each call, and the same where the connection broke", async () => {
    let count = 0;
    const { gateway, keys, asked } = await against((incoming, response) => {
      if (++count === 1) incoming.socket.destroy();
      else json(response, { ...intentBody, status: "succeeded", amount_received: 400 });
    });
    const capture = { ...change, amount: { amountMinor: 400n, currency } };
    const outcome = await gateway.captureIntent(capture, 2000);
    assert.equal(outcome.type === "succeeded" && outcome.intent.captured.amountMinor, 400n);
    assert.equal(outcome.type === "succeeded" && outcome.intent.amount.amountMinor, 1000n);
    await gateway.captureIntent(capture, 2000);
    assert.match(String(keys[0]), /^marketflow:01-2:capture:/);
    assert.equal(keys[1], keys[0]);
    assert.notEqual(keys[2], keys[0]);
    assert.equal(asked[0]?.target, "POST /v1/payment_intents/pi_1/capture");
    assert.equal(asked[0]?.form.get("amount_to_capture"), "400");
  });

  it("refunds with the attempt's key, and says in the metadata whose refund it is", async () => {
    let count = 0;
    const { gateway, keys, asked } = await against((incoming, response) => {
      if (++count === 1) incoming.socket.destroy();
      else json(response, refundBody);
    });
    assert.deepEqual(await gateway.createRefund(refund, 2000), {
      type: "succeeded",
      refund: { id: "re_1", status: "succeeded", amount: request.amount, intentId: "pi_1" },
    });
    assert.deepEqual(keys, ["marketflow:01-2", "marketflow:01-2"]);
    assert.deepEqual(Object.fromEntries(asked[1]?.form ?? []), {
      payment_intent: "pi_1",
      amount: "1000",
      "metadata[marketflow_payment_id]": "01",
      "metadata[marketflow_refund_id]": "02",
      "metadata[marketflow_attempt_id]": "01-2",
    });
  });

  it("reads every state of a refund: what failed at once is declined, and shown", async () => {
    let status = "";
    const { gateway } = await against((_, response) => json(response, { ...refundBody, status }));
    const seen: unknown[] = [];
    for (status of ["succeeded", "pending", "requires_action", "failed", "canceled"]) {
      const outcome = await gateway.createRefund(refund, 2000);
      seen.push([outcome.type, "refund" in outcome && outcome.refund?.status]);
    }
    assert.deepEqual(seen, [
      ["succeeded", "succeeded"],
      ["succeeded", "pending"],
      ["succeeded", "pending"],
      ["declined", "failed"],
      ["declined", "failed"],
    ]);
  });

  it("declines what Stripe's units cannot carry before it asks", async () => {
    const { gateway, keys } = await against((_, response) => json(response, refundBody));
    const dinars = parseCurrency("BHD");
    assert(dinars !== undefined);
    const amount = { amountMinor: 1001n, currency: dinars };
    const outcomes = [
      await gateway.captureIntent({ ...change, amount }, 2000),
      await gateway.createRefund({ ...refund, amount }, 2000),
    ];
    for (const outcome of outcomes) assert.equal(outcome.type, "declined");
    assert.deepEqual(keys, []);
  });

  it("does not call a refund absent that it has not looked far enough for", async () => {
    const page = Array.from({ length: 100 }, (_, n) => ({ ...refundBody, id: `re_${n}`, metadata: {} }));
    const { gateway, asked } = await against((_, response) =>
      json(response, { object: "list", data: page, has_more: true, url: "/v1/refunds" }),
    );
    const finding = await gateway.findRefund({ ...refund, gatewayRefundId: null }, 5000);
    assert.equal(finding.type === "unreachable" && finding.code, "gateway_list_too_long");
    assert.equal(asked.length, 20);
    assert.match(asked[1]?.target ?? "", /payment_intent=pi_1.*starting_after=re_99/);
  });

  it("refuses an address with a path, which the SDK would leave out", async () => {
    await against(() => {});
    assert.throws(() => createStripeGateway({ secretKey: "sk_test_1", apiBase: "http://localhost/stripe" }), TypeError);
  });
});

function stopListening({ socket }: IncomingMessage): void {
  void stop();
  socket.destroy();
}
