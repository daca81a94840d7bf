import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { signatureHeader } from "../../src/infrastructure/gateways/simulator/webhook-sender.ts";
import { type Answer, mustAsk, type Server, until } from "../support/processes.ts";
import { openSite, rowsOf, type Site, webhookSecret } from "../support/site.ts";

suite("two processes over one database and one gateway", () => {
  let site: Site;
  let servers: Server[];

  before(async () => {
    site = await openSite({ SIMULATOR_PAY_AFTER_MS: "50" });
    servers = await Promise.all([site.startApi("dev"), site.startApi("dev")]);
  });
  after(() => site.close());

  /** The same request `times` times, by turns to both processes, all at once. */
  async function askBoth(times: number, body: object, apis = servers): Promise<Answer[]> {
    return await Promise.all(
      Array.from({ length: times }, (_, n) => mustAsk(`${apis[n % apis.length]?.address}/payments`, body)),
    );
  }

  async function stored(key: string) {
    return (await site.payments()).filter((payment) => payment.key === key);
  }

  async function chargesOf(id: string): Promise<number> {
    await until(`payment ${id} is paid`, 10_000, async () => {
      return (await site.payments()).some((payment) => payment.id === id && payment.status === "succeeded");
    });
    return site.charges().filter(({ paymentId }) => paymentId === id).length;
  }

  test("200 requests with one key make one payment, one attempt, one intent and one charge", async () => {
    const body = { amount: "10.00", currency: "USD", idempotency_key: "one-of-200" };
    const intentsBefore = site.intents();
    const answers = await askBoth(200, body);

    const created = answers.filter(({ status }) => status === 201);
    assert.equal(created.length, 1, "exactly one request made it");
    const id = String(created[0]?.body["id"]);
    for (const { status, headers, body: payment } of answers) {
      assert.ok(status === 200 || status === 201, `${status} ${JSON.stringify(payment)}`);
      assert.equal(payment["id"], id);
      assert.equal(headers.get("idempotency-replayed"), status === 200 ? "true" : null);
    }
    const payments = await stored("one-of-200");
    assert.deepEqual(
      payments.map((payment) => [payment.id, payment.attempts]),
      [[id, 1]],
    );
    assert.equal(site.intents() - intentsBefore, 1);
    assert.equal(await chargesOf(id), 1);
  });

  test("another body with a key that is taken is refused by both", async () => {
    const body = { amount: "10.00", currency: "USD", idempotency_key: "taken" };
    await mustAsk(`${servers[0]?.address}/payments`, body);
    for (const other of await askBoth(20, { ...body, amount: "10.01" })) {
      assert.equal(other.status, 422);
      assert.equal(other.body["code"], "idempotency_key_reused");
    }
    assert.equal((await stored("taken")).length, 1);
  });

  test("a key whose first request takes long is answered 409 with Retry-After, then with the payment", async (t) => {
    // The buyer pays late, because the webhook of a payment ends the waiting as well as the gateway's answer does.
    const slow = await openSite({ SIMULATOR_LATENCY_MS: "4000", SIMULATOR_PAY_AFTER_MS: "20000" });
    t.after(() => slow.close());
    const apis = await Promise.all([slow.startApi("dev"), slow.startApi("dev")]);
    const body = { amount: "10.00", currency: "USD", idempotency_key: "slow" };
    const answers = await askBoth(200, body, apis);

    const created = answers.filter(({ status }) => status === 201);
    assert.equal(created.length, 1);
    const busy = answers.filter(({ status }) => status === 409);
    assert.equal(busy.length, 199);
    for (const { body: problem, headers } of busy) {
      assert.equal(problem["code"], "idempotency_key_in_use");
      assert.match(headers.get("retry-after") ?? "", /^\d+$/);
    }
    for (const again of await askBoth(20, body, apis)) {
      assert.equal(again.status, 200);
      assert.equal(again.body["id"], created[0]?.body["id"]);
    }
    assert.equal(slow.intents(), 1);
  });

  test("one webhook event that both receive at once has one effect", async (t) => {
    const quiet = await openSite({ SIMULATOR_BUYER: "absent" });
    t.after(() => quiet.close());
    const apis = await Promise.all([quiet.startApi("dev"), quiet.startApi("dev")]);
    const body = { amount: "10.00", currency: "USD", idempotency_key: "twice-told" };
    const { body: payment } = await mustAsk(`${apis[0]?.address}/payments`, body);

    const event = JSON.stringify({
      id: "evt_twice_told",
      object: "event",
      type: "payment_intent.succeeded",
      data: {
        object: {
          id: payment["stripe_payment_intent_id"],
          object: "payment_intent",
          amount: 1000,
          currency: "usd",
          metadata: { marketflow_payment_id: payment["id"] },
        },
      },
    });
    const signature = { "stripe-signature": signatureHeader(event, webhookSecret, Date.now()) };
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => mustAsk(`${apis[n % 2]?.address}/webhooks/stripe`, event, signature)),
    );
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    const inbox = await rowsOf(quiet.ownerUrl, "select event_id, disposition from payments.webhook_inbox");
    assert.deepEqual(inbox, [{ event_id: "evt_twice_told", disposition: "applied" }]);
    const events = await rowsOf(
      quiet.ownerUrl,
      "select stream_version, type from events.log where category = 'payment' order by position",
    );
    assert.deepEqual(events, [
      { stream_version: 1, type: "payment.created" },
      { stream_version: 2, type: "payment.succeeded" },
    ]);
  });
});
