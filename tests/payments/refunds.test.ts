import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { Currency } from "../../src/kernel/currency.ts";
import { eventually, get, post, startTestApp } from "../support/app.ts";
import { deliver, intentEvent, refundedEvent, refundStatusEvent } from "../support/webhooks.ts";
import { type Books, gatewayIdOf, newSeller, openBooks, refundDeclined, refundMade } from "./books.ts";

let books: Books;
before(async () => {
  books = await openBooks({ GATEWAY_TIMEOUT_MS: "200", ACCEPT_LEASE_MS: "600" });
});
afterEach(() => books.bank(() => undefined));
after(() => books.close());

const clearing = "gateway:simulator:clearing";
const available = (seller: string) => `seller:${seller}:available`;

async function paid(more: object = {}): Promise<{ id: string; intentId: string; seller: string }> {
  const seller = newSeller();
  return { ...(await books.pay({ seller_id: seller, ...more })), seller };
}

describe("a refund", () => {
  it("gives a part back, out of the seller's share and the commission", async () => {
    const { id, seller } = await paid();
    const { status, body, headers } = await books.refund(id, { amount: "10.00", reason: "torn" });
    assert.equal(status, 201);
    assert.deepEqual(body, {
      id: body.id,
      payment_id: id,
      amount: 10,
      currency: "USD",
      status: "succeeded",
      reason: "torn",
      failure: null,
      created_at: body.created_at,
    });
    assert.match(body.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    assert.equal(new Date(body.created_at).toISOString(), body.created_at);
    assert.equal(headers.get("idempotency-replayed"), null);
    assert.deepEqual(await books.legs(`refund:${body.id}`), [
      [available(seller), 975],
      ["platform:commission", 25],
      [clearing, -1_000],
    ]);
    assert.deepEqual(await books.account(available(seller)), { balance: 96_525, held: 0 });
    const payment = await books.payment(id);
    assert.deepEqual([payment.status, payment.amount_refunded], ["succeeded", 10]);
  });

  it("without an amount gives all that is left, also where the request has no body at all", async () => {
    for (const send of [
      (id: string) => books.refund(id, {}, { "idempotency-key": `all-${id}` }),
      (id: string) => post(books.address, `/payments/${id}/refunds`, undefined, { "idempotency-key": `none-${id}` }),
    ]) {
      const { id } = await paid();
      assert.equal((await books.refund(id, { amount: 999.99 })).status, 201);
      const { status, body } = await send(id);
      assert.deepEqual([status, body.amount], [201, 0.01], JSON.stringify(body));
      assert.deepEqual(await books.left(id), {});
    }
    const { id } = await paid();
    const empty = await post(books.address, `/payments/${id}/refunds`, "", { "idempotency-key": `empty-${id}` });
    assert.equal(empty.status, 400, "a body that says that it is JSON must be some");
  });

  it("needs a key, in the body or in the header, and only one", async () => {
    const { id } = await paid();
    const path = `/payments/${id}/refunds`;
    const missing = await post(books.address, path, { amount: 1 });
    assert.deepEqual([missing.status, missing.body.code], [400, "invalid_request"]);
    assert.equal(missing.body.errors[0].pointer, "/idempotency_key");
    assert.equal((await post(books.address, path)).status, 400);
    const quoted = await books.refund(id, { amount: 1 }, { "idempotency-key": `"quoted-${id}"` });
    assert.equal(quoted.status, 201);
    const bare = await books.refund(id, { amount: 1 }, { "idempotency-key": `quoted-${id}` });
    assert.deepEqual([bare.status, bare.body.id], [200, quoted.body.id]);
    const both = await post(books.address, path, { amount: 1, idempotency_key: "a" }, { "idempotency-key": "b" });
    assert.equal(both.status, 400);
    assert.equal((await books.refund(id, { amount: 1, idempotency_key: "with space" })).status, 400);
  });

  it("under the same key is the same refund, and for another request the key is refused", async () => {
    const { id } = await paid();
    const request = { amount: 400, reason: "torn", idempotency_key: `again-${id}` };
    const first = await books.refund(id, request);
    const again = await books.refund(id, { ...request, amount: "400.00" });
    assert.deepEqual([again.status, again.body], [200, first.body]);
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    const { id: other } = await paid();
    for (const [payment, change] of [
      [id, { amount: 400.01 }],
      [id, { reason: "lost" }],
      [id, { amount: undefined }],
      [other, {}],
    ] as const) {
      const reused = await books.refund(payment, { ...request, ...change });
      assert.deepEqual([reused.status, reused.body.code], [422, "idempotency_key_reused"]);
    }
    assert.equal((await books.payment(id)).amount_refunded, 400);
  });

  it("asked for by many at once with one key is made once, and everybody gets it", async () => {
    for (const amount of [undefined, 600]) {
      const { id } = await paid();
      const request = { amount, idempotency_key: `at-once-${id}` };
      const answers = await Promise.all(Array.from({ length: 20 }, () => books.refund(id, request)));
      const statuses = answers.map(({ status }) => status).sort();
      assert.deepEqual(statuses, [...Array(19).fill(200), 201]);
      assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
      assert.equal(books.asked.filter(({ paymentId }) => paymentId === id).length, 1);
    }
  });

  it("of more than is left is refused and changes nothing", async () => {
    const { id } = await paid();
    assert.equal((await books.refund(id, { amount: 600 })).status, 201);
    const before = await books.balances();
    const more = await books.refund(id, { amount: 400.01 });
    assert.deepEqual([more.status, more.body.code], [409, "refund_exceeds_payment"]);
    assert.equal(await books.balances(), before);
    assert.equal((await books.refund(id)).status, 201);
    const nothing = await books.refund(id);
    assert.deepEqual([nothing.status, nothing.body.code], [409, "refund_exceeds_payment"]);
  });

  it("of a payment that has not succeeded is refused", async () => {
    const [pending, failed, cancelled] = [await books.make(), await books.make(), await books.make()];
    await deliver(books.address, intentEvent({ type: "payment_intent.payment_failed", intentId: failed.intentId }));
    assert.equal((await post(books.address, `/payments/${cancelled.id}/cancel`)).status, 200);
    for (const { id } of [pending, failed, cancelled]) {
      const { status, body } = await books.refund(id, { amount: 1 });
      assert.deepEqual([status, body.code], [409, "payment_not_refundable"]);
    }
  });

  it("of a payment that is unknown, or another account's, is not found", async () => {
    const { id } = await paid();
    await books.look("update payments.payments set scope = 'somebody else' where id = $1", [id]);
    for (const unknown of [id, "01a20000-0000-7000-8000-000000000000", "x", "%00"]) {
      const { status, body } = await books.refund(unknown, { amount: 1 });
      assert.deepEqual([status, body.code], [404, "payment_not_found"], unknown);
      assert.equal((await get(books.address, `/payments/${unknown}/refunds`)).status, 404);
    }
  });

  it("of an amount that is none is refused", async () => {
    const { id } = await paid();
    const bad = [0, -1, "0.001", "1e2", "", "ten", null, true, 1e21];
    for (const amount of bad) {
      const { status, body } = await books.refund(id, { amount });
      assert.deepEqual([status, body.code], [400, "invalid_request"], String(amount));
    }
    for (const other of [{ reason: "" }, { reason: "x".repeat(501) }, { reason: "a\u0000" }, { sum: 1 }]) {
      assert.equal((await books.refund(id, { amount: 1, ...other })).status, 400, JSON.stringify(other));
    }
    assert.equal((await books.payment(id)).amount_refunded, 0);
  });

  it("in any number of parts ends at zero in every account, for awkward amounts", async () => {
    const cases = [
      ["0.03", "USD", ["0.01", "0.01", "0.01"]],
      ["0.20", "USD", ["0.01", "0.18", "0.01"]],
      ["10.01", "USD", ["3.33", "3.33", "3.34", "0.01"]],
      ["99.99", "USD", Array(9).fill("11.11")],
      ["100", "JPY", ["33", "33", "33", "1"]],
      ["1.001", "BHD", Array(7).fill("0.143")],
    ] as const;
    for (const [amount, currency, parts] of cases) {
      const { id, seller } = await paid({ amount, currency });
      for (const part of parts) {
        const { status, body } = await books.refund(id, { amount: part });
        assert.equal(status, 201, `${part} ${currency}: ${JSON.stringify(body)}`);
      }
      assert.deepEqual(await books.left(id), {}, `${amount} ${currency}`);
      assert.deepEqual(await books.account(available(seller), currency), { balance: 0, held: 0 });
    }
  });

  it("that the bank declines has failed, and its money can be refunded again", async () => {
    const { id, seller } = await paid();
    books.bank(() => refundDeclined);
    const before = await books.account(available(seller));
    const { status, body } = await books.refund(id, { amount: 600 });
    assert.deepEqual([status, body.status, body.failure.code], [201, "failed", "refund_declined"]);
    assert.deepEqual(await books.account(available(seller)), before);
    assert.deepEqual(await books.legs(`refund:${body.id}`), []);
    assert.equal((await books.payment(id)).amount_refunded, 0);
    books.bank(() => undefined);
    assert.equal((await books.refund(id)).body.amount, 1000);
    assert.deepEqual(await books.left(id), {});
  });

  it("that the bank has only taken is pending, held, and ends by its event", async () => {
    for (const [status, end, left, refunded] of [
      ["succeeded", 0, {}, 1000],
      ["failed", 97_500, undefined, 0],
      ["canceled", 97_500, undefined, 0],
    ] as const) {
      const { id, intentId, seller } = await paid();
      books.bank((request) => refundMade(request, "pending"));
      const { body } = await books.refund(id);
      assert.equal(body.status, "pending");
      assert.deepEqual(await books.account(available(seller)), { balance: 97_500, held: 97_500 });
      assert.equal((await books.payment(id)).amount_refunded, 0);
      assert.equal((await books.refund(id, { amount: 1 })).body.code, "refund_exceeds_payment");

      const event = refundStatusEvent({ intentId, refundId: body.id, gatewayRefundId: gatewayIdOf(body.id), status });
      assert.equal((await deliver(books.address, event)).status, 200);
      assert.equal((await deliver(books.address, event)).status, 200);
      assert.deepEqual(await books.account(available(seller)), { balance: end, held: 0 });
      if (left !== undefined) assert.deepEqual(await books.left(id), left);
      assert.equal((await books.payment(id)).amount_refunded, refunded);
      const { body: list } = await get(books.address, `/payments/${id}/refunds`);
      assert.deepEqual(
        list.data.map((refund: { status: string }) => refund.status),
        [status === "succeeded" ? "succeeded" : "failed"],
      );
    }
  });

  it("whose event was lost is asked about after an hour, and ends as the bank says", async () => {
    for (const [status, end] of [
      ["succeeded", 0],
      ["failed", 97_500],
    ] as const) {
      const { id, intentId, seller } = await paid();
      books.bank((request) => refundMade(request, "pending"));
      const { body } = await books.refund(id);
      const amount = { amountMinor: 100_000n, currency: "USD" as Currency };
      books.bankFinds(({ gatewayRefundId }) => {
        assert.equal(gatewayRefundId, gatewayIdOf(body.id));
        return { type: "found", refund: { id: gatewayIdOf(body.id), status, amount, intentId } };
      });
      await books.look("update payments.refunds set updated_at = now() - interval '61 minutes' where id = $1", [
        body.id,
      ]);
      const list = () => get(books.address, `/payments/${id}/refunds`);
      await eventually(list, (answer) => answer.body.data[0].status === status);
      assert.deepEqual(await books.account(available(seller)), { balance: end, held: 0 });
      books.bankFinds(() => undefined);
    }
  });

  it("is refused where the seller has not enough, and changes nothing", async () => {
    const { id, seller } = await paid();
    await spend(seller, 97_000);
    const before = await books.balances();
    const { status, body } = await books.refund(id, { amount: 10 });
    assert.deepEqual([status, body.code], [409, "seller_balance_insufficient"]);
    assert.equal(await books.balances(), before);
    assert.equal((await books.payment(id)).amount_refunded, 0);
    assert.deepEqual((await get(books.address, `/payments/${id}/refunds`)).body.data, []);
    assert.equal((await books.refund(id, { amount: 5.12 })).status, 201, "what the seller has is enough for less");
  });

  it("takes the seller below zero where policy lets it, and the next sales net that off", async () => {
    const { id, seller } = await paid();
    await spend(seller, 97_500);
    await books.look("select ledger.set_floor('default', $1, 'USD', -100000, 'trusted')", [available(seller)]);
    assert.equal((await books.refund(id)).status, 201);
    assert.deepEqual(await books.account(available(seller)), { balance: -97_500, held: 0 });
    await books.pay({ amount: "1500.00", seller_id: seller });
    assert.deepEqual(await books.account(available(seller)), { balance: 146_250 - 97_500, held: 0 });
  });

  it("is listed, oldest first, and stands in the timeline with its attempt, events and posting", async () => {
    const { id } = await paid();
    const first = await books.refund(id, { amount: 1 });
    books.bank(() => refundDeclined);
    const second = await books.refund(id, { amount: 2 });
    const { body: list } = await get(books.address, `/payments/${id}/refunds`);
    assert.deepEqual(list.data, [first.body, second.body]);

    const { body } = await get(books.address, `/payments/${id}/timeline`);
    const told = body.data.map(
      ({ kind, type, operation, state }: Record<string, string>) => `${kind} ${type ?? `${operation} ${state}`}`,
    );
    assert.deepEqual(told.sort(), [
      "attempt create succeeded",
      "attempt refund declined",
      "attempt refund succeeded",
      "event payment.created",
      "event payment.refund_created",
      "event payment.refund_created",
      "event payment.refund_failed",
      "event payment.refunded",
      "event payment.succeeded",
      "posting refund",
      "posting sale",
      "webhook payment_intent.succeeded",
    ]);
  });

  it("leaves the payment's events without a gap", async () => {
    const { id, intentId } = await paid();
    const { body } = await books.refund(id, { amount: 1 });
    const told = { intentId, refundId: body.id, gatewayRefundId: gatewayIdOf(body.id) };
    for (const status of ["succeeded", "succeeded", "failed"] as const) {
      await deliver(books.address, refundStatusEvent({ ...told, status }));
    }
    const [row] = await books.look<{ versions: number[]; version: number }>(
      `select array_agg(stream_version order by stream_version) as versions,
         (select version from payments.payments where id = $1) as version
       from events.log where stream = $1`,
      [id],
    );
    assert.deepEqual(
      row?.versions,
      Array.from({ length: row?.version ?? 0 }, (_, n) => n + 1),
    );
  });
});

/** The seller is paid out: what they had has gone elsewhere. */
async function spend(seller: string, amountMinor: number): Promise<void> {
  await books.look(
    `select ledger.post_all('default', array['payout'], array['payout:' || $1::text], array[null::text], null, null,
       array[1, 1], array['seller:' || $1::text || ':available', 'bills:payouts'], array['USD', 'USD'],
       array[$2::bigint, -$2::bigint])`,
    [seller, amountMinor],
  );
}

describe("a refund that was made at the gateway", () => {
  /** Tells that so much went back in all; returns what became of the telling. */
  async function tell(intentId: string, refundedInAll: number, more: object = {}): Promise<string | undefined> {
    const event = refundedEvent({ intentId, refundedInAll, ...more });
    assert.equal((await deliver(books.address, event)).status, 200);
    return await books.inbox(JSON.parse(event).id);
  }

  it("is posted, listed and counted, once", async () => {
    const { id, intentId, seller } = await paid();
    const event = refundedEvent({ intentId, refundedInAll: 20_000 });
    await Promise.all(Array.from({ length: 10 }, () => deliver(books.address, event)));
    assert.equal(await tell(intentId, 20_000), "superseded");
    const { body } = await get(books.address, `/payments/${id}/refunds`);
    assert.deepEqual(
      body.data.map(({ amount, status }: { amount: number; status: string }) => [amount, status]),
      [[200, "succeeded"]],
    );
    assert.deepEqual(await books.legs(`refund:${body.data[0].id}`), [
      [available(seller), 19_500],
      ["platform:commission", 500],
      [clearing, -20_000],
    ]);
    assert.equal((await books.payment(id)).amount_refunded, 200);
  });

  it("is told by sums, which may come in any order and beside our own refunds", async () => {
    const { id, intentId } = await paid();
    assert.equal(await tell(intentId, 10_000), "applied");
    assert.equal(await tell(intentId, 30_000), "applied");
    assert.equal(await tell(intentId, 20_000), "superseded");
    assert.equal((await books.refund(id, { amount: 500 })).status, 201);
    assert.equal(await tell(intentId, 80_000), "superseded", "that is ours");
    assert.equal((await books.refund(id, { amount: "200.01" })).body.code, "refund_exceeds_payment");
    assert.equal(await tell(intentId, 100_000), "applied");
    assert.deepEqual(await books.left(id), {});
    assert.equal((await books.payment(id)).amount_refunded, 1000);
  });

  it("cannot be told from ours while that is under way, so it waits", async () => {
    for (const [status, inAll, refunded] of [
      ["succeeded", 40_000, 400],
      ["failed", 10_000, 100],
    ] as const) {
      const { id, intentId } = await paid();
      books.bank((request) => refundMade(request, "pending"));
      const { body: refund } = await books.refund(id, { amount: 300 });
      assert.equal(await tell(intentId, inAll), "waiting");
      const told = { intentId, refundId: refund.id, gatewayRefundId: gatewayIdOf(refund.id) };
      await deliver(books.address, refundStatusEvent({ ...told, status }));
      const ask = () => books.payment(id);
      await eventually(ask, ({ amount_refunded }) => amount_refunded === refunded);
    }
  });

  it("waits for its payment to succeed", async () => {
    const { id, intentId } = await books.make();
    assert.equal(await tell(intentId, 40_000), "waiting");
    await deliver(books.address, intentEvent({ type: "payment_intent.succeeded", intentId }));
    const ask = () => books.payment(id);
    await eventually(ask, ({ amount_refunded }) => amount_refunded === 400);
  });

  it("of another currency, or of more than was taken, moves nothing", async () => {
    const { intentId } = await paid();
    const before = await books.balances();
    assert.equal(await tell(intentId, 40_000, { currency: "eur" }), "mismatched");
    assert.equal(await tell(intentId, 100_001), "mismatched");
    assert.equal(await books.balances(), before);
  });

  it("of a seller who was paid out becomes their debt, which their next sales net off", async () => {
    const { intentId, seller } = await paid();
    await spend(seller, 97_500);
    assert.equal(await tell(intentId, 100_000), "applied");
    const debt = () => books.account(`seller:${seller}:receivable`);
    assert.deepEqual(await debt(), { balance: 97_500, held: 0 });
    assert.deepEqual(await books.account(available(seller)), { balance: 0, held: 0 });
    await books.pay({ seller_id: seller, amount: "2000.00" });
    await eventually(debt, ({ balance }) => balance === 0);
    assert.deepEqual(await books.account(available(seller)), { balance: 97_500, held: 0 });
  });

  it("and fails after all, or one of ours does, brings the money back", async () => {
    const { id, intentId, seller } = await paid();
    const { body } = await books.refund(id, { amount: 400 });
    const told = { intentId, refundId: body.id, gatewayRefundId: gatewayIdOf(body.id) };
    await deliver(books.address, refundStatusEvent({ ...told, type: "refund.failed", status: "failed" }));
    const again = refundStatusEvent({ ...told, type: "refund.updated", status: "failed" });
    await deliver(books.address, again);
    assert.equal(await books.inbox(JSON.parse(again).id), "superseded");
    assert.deepEqual(await books.legs(`refund_reversal:${body.id}`), [
      [available(seller), -39_000],
      ["platform:commission", -1_000],
      [clearing, 40_000],
    ]);
    assert.deepEqual(await books.account(available(seller)), { balance: 97_500, held: 0 });
    assert.equal((await books.payment(id)).amount_refunded, 0);
    assert.equal((await books.refund(id)).status, 201);
    assert.deepEqual(await books.left(id), {});
  });

  it("told of a refund that is not ours is kept and does not wait for ever", async () => {
    const { intentId } = await paid();
    const refundId = "01a20000-0000-7000-8000-000000000000";
    for (const other of [{ refundId }, {}]) {
      const told = { intentId, gatewayRefundId: "re_other", status: "succeeded" as const, ...other };
      const event = refundStatusEvent(told);
      await deliver(books.address, event);
      assert.equal(await books.inbox(JSON.parse(event).id), "recorded");
    }
  });

  it("that waits for long does not keep others from being applied", async () => {
    books.bank((request) => refundMade(request, "pending"));
    const { id, intentId } = await paid();
    await books.refund(id, { amount: 1 });
    await Promise.all(Array.from({ length: 120 }, (_, n) => tell(intentId, 200 + n)));
    const { id: other, intentId: later } = await books.make();
    assert.equal(await tell(later, 40_000), "waiting");
    await deliver(books.address, intentEvent({ type: "payment_intent.succeeded", intentId: later }));
    await eventually(
      () => books.payment(other),
      ({ amount_refunded }) => amount_refunded === 400,
      5_000,
    );
  });
});

describe("a refund at the simulated gateway", () => {
  const environment = { SIMULATOR_BUYER: "pays", GATEWAY_TIMEOUT_MS: "200", ACCEPT_LEASE_MS: "600" };

  it("that timed out after it happened is pending, and recovery settles it with one refund", async () => {
    const running = await startTestApp({ environment });
    try {
      const id = await payOf(running.address, "99901.40");
      const asked = { idempotency_key: "slow" };
      const { status, body } = await post(running.address, `/payments/${id}/refunds`, asked);
      assert.deepEqual([status, body.status, body.amount], [201, "pending", 99901.4]);
      const ask = () => post(running.address, `/payments/${id}/refunds`, asked);
      const { body: after } = await eventually(ask, ({ body: refund }) => refund.status === "succeeded");
      assert.equal(after.id, body.id);
      assert.equal(running.simulator.refundsOf(id).length, 1);
      const [sum] = await running.look("select count(*)::integer as n from ledger.transactions where kind = 'refund'");
      assert.deepEqual(sum, { n: 1 });
      const waiting = () => running.look("select from payments.webhook_inbox where disposition = 'waiting'");
      await eventually(waiting, (rows) => rows.length === 0);
      assert.equal((await get(running.address, `/payments/${id}`)).body.amount_refunded, 99901.4);
    } finally {
      await running.close();
    }
  });

  it("that is declined by its amount has failed, and one that never reached it is made once it can", async () => {
    let away = true;
    const faults = ({ operation }: { operation: string }) =>
      operation === "refund" && away ? ("not_sent" as const) : undefined;
    const running = await startTestApp({ environment, faults });
    try {
      const id = await payOf(running.address, "99901.40");
      const asked = { amount: 5, idempotency_key: "away" };
      const { body } = await post(running.address, `/payments/${id}/refunds`, asked);
      assert.equal(body.status, "pending");
      assert.deepEqual(running.simulator.refundsOf(id), []);
      away = false;
      const ask = () => post(running.address, `/payments/${id}/refunds`, asked);
      await eventually(ask, ({ body: refund }) => refund.status === "succeeded");
      assert.equal(running.simulator.refundsOf(id).length, 1);
      const declined = await post(running.address, `/payments/${id}/refunds`, {
        amount: "99901.30",
        idempotency_key: "declined",
      });
      assert.deepEqual([declined.body.code, declined.status], ["refund_exceeds_payment", 409]);
      const other = await payOf(running.address, "99901.30");
      const { body: failed } = await post(running.address, `/payments/${other}/refunds`, { idempotency_key: "magic" });
      assert.deepEqual([failed.status, failed.failure.code], ["failed", "refund_declined"]);
      assert.deepEqual(running.simulator.refundsOf(other), []);
    } finally {
      await running.close();
    }
  });
});

/** Makes a payment that the simulated buyer pays. */
async function payOf(address: string, amount: string): Promise<string> {
  const { body } = await post(address, "/payments", {
    amount,
    currency: "USD",
    idempotency_key: `paid ${amount}`.replace(" ", "-"),
  });
  await eventually(
    () => get(address, `/payments/${body.id}`),
    ({ body: payment }) => payment.status === "succeeded",
  );
  return body.id;
}
