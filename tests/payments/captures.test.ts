import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Fault } from "../../src/infrastructure/gateways/simulator/magic-amounts.ts";
import type { SimulatedCall } from "../../src/infrastructure/gateways/simulator/simulator.ts";
import { type Answer, eventually, get, post, startTestApp, type TestApp } from "../support/app.ts";

let running: TestApp;
/** What goes wrong with the next captures, in order. */
const faults: (Fault | undefined)[] = [];
before(async () => {
  running = await startTestApp({
    environment: { GATEWAY_TIMEOUT_MS: "200", ACCEPT_LEASE_MS: "600", SIMULATOR_BUYER: "pays" },
    faults: ({ operation }: SimulatedCall) => (operation === "capture" ? faults.shift() : undefined),
  });
});
after(() => running.close());

let keys = 0;

/** A payment that its buyer has paid and that waits for its capture. */
async function authorized(more: object = {}): Promise<{ id: string; seller: string }> {
  keys += 1;
  const seller = `captured_${keys}`;
  const request = { amount: 1000, currency: "USD", capture: false, seller_id: seller, idempotency_key: seller };
  const { body } = await post(running.address, "/payments", { ...request, ...more });
  const told = () =>
    running.look("select from payments.webhook_inbox where payload #>> '{data,object,id}' = $1", [
      body.stripe_payment_intent_id,
    ]);
  await eventually(told, (rows) => rows.length > 0);
  return { id: body.id, seller };
}

const capture = (id: string, body?: object): Promise<Answer> => post(running.address, `/payments/${id}/capture`, body);
const balance = async (seller: string): Promise<number> => {
  const [row] = await running.look<{ balance: number }>(
    `select (b.credits - b.debits)::float8 as balance from ledger.accounts a
     join ledger.balances b on b.account_id = a.id where a.code = $1`,
    [`seller:${seller}:available`],
  );
  return row?.balance ?? 0;
};

async function salesOf(id: string): Promise<number> {
  const rows = await running.look("select from ledger.transactions where reference = $1", [`payment:${id}`]);
  return rows.length;
}

describe("a capture", () => {
  it("takes all of an authorized payment, which posts the sale", async () => {
    const { id, seller } = await authorized();
    assert.equal((await get(running.address, `/payments/${id}`)).body.status, "pending");
    assert.equal(await balance(seller), 0);
    const { status, body } = await capture(id);
    assert.deepEqual([status, body.status, body.amount_captured, body.commission], [200, "succeeded", 1000, 25]);
    assert.equal(await balance(seller), 97_500);
    assert.equal(running.simulator.chargesOf(id)[0]?.amountMinor, 100_000n);
  });

  it("of a part takes that, posts that, and leaves that to be refunded", async () => {
    const { id, seller } = await authorized();
    const { status, body } = await capture(id, { amount: "400.10" });
    assert.deepEqual([status, body.amount, body.amount_captured, body.commission], [200, 1000, 400.1, 10]);
    assert.equal(await balance(seller), 39_010);
    const more = { amount: "400.11", idempotency_key: `more-${id}` };
    assert.equal((await post(running.address, `/payments/${id}/refunds`, more)).body.code, "refund_exceeds_payment");
    const all = await post(running.address, `/payments/${id}/refunds`, { idempotency_key: `all-${id}` });
    assert.deepEqual([all.status, all.body.amount], [201, 400.1]);
    assert.equal(await balance(seller), 0);
  });

  it("twice of the same amount changes nothing, and of another one is refused", async () => {
    const { id, seller } = await authorized();
    assert.equal((await capture(id, { amount: 500 })).status, 200);
    const again = await capture(id, { amount: "500.00" });
    assert.deepEqual([again.status, again.body.amount_captured], [200, 500]);
    for (const other of [undefined, { amount: 400 }, { amount: 500.01 }]) {
      const { status, body } = await capture(id, other);
      assert.deepEqual([status, body.code], [409, "payment_not_capturable"]);
    }
    assert.equal(await balance(seller), 48_750);
    assert.equal(running.simulator.chargesOf(id).length, 1);
  });

  it("of more than was authorized, or of no amount, is refused before the gateway hears of it", async () => {
    const { id } = await authorized();
    const more = await capture(id, { amount: "1000.01" });
    assert.deepEqual([more.status, more.body.code], [409, "capture_exceeds_payment"]);
    for (const amount of [0, -1, "1.001", "all"]) {
      assert.deepEqual([(await capture(id, { amount })).status, amount], [400, amount]);
    }
    assert.equal((await capture(id, { sum: 1 })).status, 400);
    const { body } = await get(running.address, `/payments/${id}/timeline`);
    assert.equal(body.data.filter(({ kind }: { kind: string }) => kind === "attempt").length, 1);
  });

  it("of a payment that is captured by itself, cancelled or unknown is refused", async () => {
    keys += 1;
    const request = { amount: 5, currency: "USD", idempotency_key: `automatic_${keys}` };
    const { body: automatic } = await post(running.address, "/payments", request);
    assert.equal((await capture(automatic.id)).body.code, "payment_not_capturable");
    const { id } = await authorized();
    assert.equal((await post(running.address, `/payments/${id}/cancel`)).status, 200);
    const cancelled = await capture(id);
    assert.deepEqual([cancelled.status, cancelled.body.code], [409, "payment_not_capturable"]);
    for (const unknown of ["01a20000-0000-7000-8000-000000000000", "x"]) {
      assert.equal((await capture(unknown)).status, 404);
    }
  });

  it("before the buyer has paid is refused, and can be asked for again", async () => {
    keys += 1;
    const request = { amount: "99900.90", currency: "USD", capture: false, idempotency_key: `unpaid_${keys}` };
    const { body } = await post(running.address, "/payments", request);
    for (let times = 0; times < 2; times++) {
      const { status, body: problem } = await capture(body.id);
      assert.deepEqual([status, problem.code], [409, "payment_not_capturable"]);
    }
    assert.equal((await get(running.address, `/payments/${body.id}`)).body.status, "pending");
  });

  it("that the gateway made and did not answer is settled once, by the webhook or by recovery", async () => {
    const { id, seller } = await authorized();
    faults.push("timeout_after");
    const { status, body } = await capture(id, { amount: 700 });
    assert.deepEqual([status, body.code, body.payment_id], [504, "gateway_outcome_unknown", id]);
    const ask = () => get(running.address, `/payments/${id}`);
    const { body: payment } = await eventually(ask, (answer) => answer.body.status === "succeeded");
    assert.equal(payment.amount_captured, 700);
    const open = () => running.look("select from payments.attempts where payment_id = $1 and state = 'open'", [id]);
    await eventually(open, (rows) => rows.length === 0);
    assert.equal(await balance(seller), 68_250);
    assert.equal(await salesOf(id), 1);
    assert.equal(running.simulator.chargesOf(id).length, 1);
    assert.equal((await capture(id, { amount: 700 })).status, 200);
  });

  it("that never reached the gateway is made by recovery, for the amount that was asked for", async () => {
    const { id, seller } = await authorized();
    faults.push("not_sent");
    const { status, body } = await capture(id, { amount: 300 });
    assert.deepEqual([status, body.code], [503, "gateway_unavailable"]);
    assert.equal((await capture(id)).body.code, "payment_under_way");
    const ask = () => get(running.address, `/payments/${id}`);
    const { body: payment } = await eventually(ask, (answer) => answer.body.status === "succeeded");
    assert.equal(payment.amount_captured, 300);
    assert.equal(await balance(seller), 29_250);
    assert.equal(running.simulator.chargesOf(id)[0]?.amountMinor, 30_000n);
  });

  it("asked for by many at once is made once", async () => {
    const { id, seller } = await authorized();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => capture(id, { amount: 100 + (n % 2) })));
    for (const { status, body } of answers) {
      assert.ok(status === 200 || /^payment_(under_way|not_capturable)$/.test(body.code), JSON.stringify(body));
    }
    assert.ok(answers.some(({ status }) => status === 200));
    assert.equal(running.simulator.chargesOf(id).length, 1);
    const { body: payment } = await get(running.address, `/payments/${id}`);
    const taken = payment.amount_captured * 100;
    assert.equal(await balance(seller), taken - Math.floor(taken * 0.025 + 0.5));
  });

  it("and a cancellation at once end in one of the two", async () => {
    for (let round = 0; round < 10; round++) {
      const { id, seller } = await authorized();
      const both = [capture(id), post(running.address, `/payments/${id}/cancel`)];
      const answers = await Promise.all(round % 2 === 0 ? both : both.toReversed());
      const { body: payment } = await get(running.address, `/payments/${id}`);
      assert.equal(answers.filter(({ status }) => status === 200).length, 1);
      const charged = running.simulator.chargesOf(id).length;
      assert.equal(payment.status, charged === 1 ? "succeeded" : "cancelled");
      assert.equal(await balance(seller), charged * 97_500);
    }
  });
});
