import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import Stripe from "stripe";
import { parseCurrency } from "../../../kernel/currency.ts";
import type { GatewayOutcome } from "../../../movements/ports.ts";
import { createSimulator, type Simulator, type SimulatorOptions } from "./simulator.ts";
import { retryAt } from "./webhook-delivery.ts";

const secret = "whsec_of_the_test";
const currency = parseCurrency("USD");
assert(currency !== undefined);

type Received = { id: string; type: string; intent: Record<string, unknown>; at: number };

let home: string;
let server: Server;
let received: Received[];
let statusOf: (nth: number) => number;
let running: Simulator[];
const stripe = new Stripe("sk_test_1");

/** A webhook endpoint that verifies as MarketFlow's does, with Stripe's own code. */
async function listen(port = 0): Promise<number> {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const signature = request.headers["stripe-signature"] ?? "";
    const event = stripe.webhooks.constructEvent(Buffer.concat(chunks), signature, secret);
    const intent = event.data.object as unknown as Record<string, unknown>;
    received.push({ id: event.id, type: event.type, intent, at: Date.now() });
    response.statusCode = statusOf(received.length);
    response.end("{}");
  });
  await once(server.listen(port, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

function start(change: Partial<SimulatorOptions> = {}): Simulator {
  const simulator = createSimulator({
    path: join(home, "simulator.db"),
    latencyMs: 0,
    payAfterMs: 10,
    buyer: "pays",
    webhook: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/stripe`, secret },
    ...change,
  });
  running.push(simulator);
  return simulator;
}

type Capture = "automatic" | "manual";

async function pay(simulator: Simulator, paymentId: string, amountMinor = 100_000n, capture: Capture = "automatic") {
  assert(currency !== undefined);
  const amount = { amountMinor, currency };
  const request = { attemptId: `${paymentId}-1`, paymentId, amount, capture, reference: 'r"1' };
  return simulator.createIntent(request, 1000);
}

/** What a capture or a refund of a payment has in common. */
function inPart(outcome: GatewayOutcome, amountMinor: bigint) {
  assert(outcome.type === "succeeded" && outcome.intent.paymentId !== null);
  const { id: intentId, paymentId, amount } = outcome.intent;
  return { paymentId, intentId, amount: { ...amount, amountMinor } };
}

async function until(condition: () => boolean, withinMs = 5000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!condition()) {
    assert(Date.now() < end, "it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("webhooks of the simulated gateway", () => {
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), "marketflow-webhooks-"));
    received = [];
    running = [];
    statusOf = () => 200;
    await listen();
  });
  afterEach(async () => {
    await Promise.all(running.map((simulator) => simulator.close()));
    server.closeAllConnections();
    server.close();
    rmSync(home, { recursive: true });
  });

  it("are signed as Stripe signs and say what was paid", async () => {
    const outcome = await pay(start(), "p");
    await until(() => received.length === 1);
    const [event] = received;
    assert.equal(event?.type, "payment_intent.succeeded");
    assert.match(event?.id ?? "", /^evt_/);
    assert.equal(event?.intent.id, outcome.type === "succeeded" && outcome.intent.id);
    assert.equal(event?.intent.amount, 100_000);
    assert.equal(event?.intent.amount_received, 100_000);
    assert.equal(event?.intent.currency, "usd");
    assert.equal(event?.intent.status, "succeeded");
    assert.deepEqual(event?.intent.metadata, {
      marketflow_payment_id: "p",
      marketflow_attempt_id: "p-1",
      reference: 'r"1',
    });
  });

  it("are not valid with another secret", async () => {
    const refused: unknown[] = [];
    server.removeAllListeners("request");
    server.on("request", async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const check = () =>
        stripe.webhooks.constructEvent(
          Buffer.concat(chunks),
          String(request.headers["stripe-signature"]),
          "whsec_other",
        );
      assert.throws(check, Stripe.errors.StripeSignatureVerificationError);
      refused.push(check);
      response.end();
    });
    await pay(start(), "p");
    await until(() => refused.length === 1);
  });

  it("are sent again with the same id until the endpoint takes them, later each time", async () => {
    statusOf = (nth) => (nth < 3 ? 500 : 204);
    await pay(start(), "p");
    await until(() => received.length === 3, 8000);
    assert.equal(new Set(received.map(({ id }) => id)).size, 1);
    const [first = 0, second = 0, third = 0] = received.map(({ at }) => at);
    assert(second - first >= 950 && third - second >= 1900, `after ${second - first} and ${third - second} ms`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(received.length, 3);
  });

  it("wait at most a minute between tries, and end after fifty", () => {
    assert.deepEqual(
      [1, 2, 6, 7, 49].map((tries) => retryAt(tries, 0)),
      [1000, 2000, 32_000, 60_000, 60_000],
    );
    assert.equal(retryAt(50, 0), null);
  });

  it("survive a restart: what was paid, and what was not delivered, goes on", async () => {
    const first = start({ payAfterMs: 200, webhook: null });
    await pay(first, "p");
    await pay(first, "charged", 9_990_060n);
    await first.close();
    assert.equal(received.length, 0);
    const second = start();
    await until(() => received.length === 2);
    assert.deepEqual(received.map(({ intent }) => intent.amount).sort(), [100_000, 9_990_060]);
    assert.equal(second.chargesOf("p").length, 1);
    assert.equal(second.chargesOf("charged").length, 1);
  });

  it("are delivered once each by two processes over one book, which pay each intent once", async () => {
    const both = [start(), start()] as const;
    const ids = Array.from({ length: 200 }, (_, n) => `p${n}`);
    await Promise.all(ids.map((id, n) => pay(both[n % 2 === 0 ? 0 : 1], id)));
    await until(() => received.length >= 200);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(received.length, 200);
    assert.equal(new Set(received.map(({ id }) => id)).size, 200);
    for (const id of ids) assert.equal(both[0].chargesOf(id).length, 1);
  });

  it("say first that a payment failed and then that it succeeded, where it succeeds late", async () => {
    await pay(start(), "late", 9_990_070n);
    await until(() => received.length === 2, 8000);
    assert.deepEqual(
      received.map(({ type }) => type),
      ["payment_intent.payment_failed", "payment_intent.succeeded"],
    );
    const [failed, succeeded] = received.map(({ intent }) => intent);
    assert.equal(failed?.status, "requires_payment_method");
    assert.match(JSON.stringify(failed?.last_payment_error), /"code":"card_declined"/);
    assert.equal(succeeded?.last_payment_error, null);
  });

  it("say how much was captured where that is less than what was authorized", async () => {
    const simulator = start();
    const outcome = await pay(simulator, "p", 100_000n, "manual");
    await until(() => received.length === 1);
    assert.equal(received[0]?.type, "payment_intent.amount_capturable_updated");
    await simulator.captureIntent({ ...inPart(outcome, 40_000n), attemptId: "p-2" }, 1000);
    await until(() => received.length === 2);
    const [, event] = received;
    assert.equal(event?.type, "payment_intent.succeeded");
    assert.equal(event?.intent.amount, 100_000);
    assert.equal(event?.intent.amount_received, 40_000);
    assert.equal(event?.intent.status, "succeeded");
  });

  it("say of each refund what was given back until then, also where they are delivered later", async () => {
    const silent = start({ webhook: null });
    const outcome = await pay(silent, "p");
    await until(() => silent.chargesOf("p").length === 1);
    for (const [n, amountMinor] of [30_000n, 70_000n].entries()) {
      const refund = { ...inPart(outcome, amountMinor), attemptId: `r-${n}`, refundId: `r${n}` };
      assert.equal((await silent.createRefund(refund, 1000)).type, "succeeded");
    }
    await silent.close();
    start();
    await until(() => received.length === 3);
    const charges = received.filter(({ type }) => type === "charge.refunded").map(({ intent }) => intent);
    assert.deepEqual(charges.map(({ amount_refunded, refunded }) => [amount_refunded, refunded]).sort(), [
      [100_000, true],
      [30_000, false],
    ]);
    const { intentId } = inPart(outcome, 0n);
    for (const charge of charges) {
      assert.match(String(charge.id), /^ch_/);
      assert.equal(charge.object, "charge");
      assert.equal(charge.payment_intent, intentId);
      assert.deepEqual([charge.amount, charge.amount_captured, charge.currency], [100_000, 100_000, "usd"]);
      assert.equal((charge.metadata as Record<string, string>).marketflow_payment_id, "p");
    }
  });

  for (const [outcome, amountMinor, fundsCome] of [
    ["lost", 9_990_110n, []],
    ["won", 9_990_120n, ["charge.dispute.funds_reinstated"]],
  ] as const) {
    it(`tell of a dispute, and that it is ${outcome}, each as it was then`, async () => {
      let aheadMs = 0;
      const simulator = start({ clock: () => Date.now() + aheadMs });
      const paid = await pay(simulator, "p", amountMinor);
      await until(() => received.length === 3);
      assert.deepEqual(received.map(({ type }) => type).sort(), [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "payment_intent.succeeded",
      ]);
      aheadMs = 3000;
      const closing = ["charge.dispute.closed", ...fundsCome];
      await until(() => received.length === 3 + closing.length);
      const after = received.slice(3);
      assert.deepEqual(after.map(({ type }) => type).sort(), closing);
      const disputes = received.filter(({ type }) => type.startsWith("charge.dispute"));
      const [{ intent: first } = assert.fail()] = disputes;
      assert.match(String(first.id), /^dp_/);
      for (const { type, intent } of disputes) {
        const closed = closing.includes(type);
        assert.deepEqual(intent, { ...first, status: closed ? outcome : "needs_response" });
      }
      const { object, amount, currency: code, payment_intent, metadata } = first;
      const { intentId } = inPart(paid, 0n);
      assert.deepEqual(
        { object, amount, code, payment_intent, metadata },
        { object: "dispute", amount: Number(amountMinor), code: "usd", payment_intent: intentId, metadata: {} },
      );
    });
  }

  it("give up on an endpoint that does not answer in time, and try again", async () => {
    let asked = 0;
    server.removeAllListeners("request");
    server.on("request", (_request, response) => {
      if (++asked > 1) response.end();
    });
    await pay(start({ webhookDeadlineMs: 100 }), "p");
    await until(() => asked === 2, 4000);
  });
});
