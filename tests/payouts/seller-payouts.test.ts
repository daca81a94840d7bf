import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { paySellerOut } from "../../src/modules/payouts/application/commands/pay-seller-out.ts";
import { untraced } from "../../src/movements/index.ts";
import { type Answer, get, post } from "../support/app.ts";
import { type ServedPayouts, servePayouts, startPayoutProcess } from "./served-payouts.ts";

let served: ServedPayouts;
before(async () => {
  served = await servePayouts();
});
after(() => served.close());
beforeEach(() => {
  served.gateway.plan = () => "pay";
});

let keys = 0;
function payOut(more: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
  keys += 1;
  const body = { seller_id: "s_1", amount: 10, currency: "USD", idempotency_key: `key_${keys}`, ...more };
  return post(served.marketplace, "/payouts", body, headers);
}

const available = (seller: string) => `seller:${seller}:available`;

describe("POST /payouts", () => {
  it("pays a seller out of what is available to them", async () => {
    await served.earn("s_1", 100_00n);
    const { status, body } = await payOut({ amount: 30.25 });
    assert.equal(status, 201);
    const { id, reference, created_at, processed_at, ...rest } = body;
    assert.deepEqual(rest, { seller_id: "s_1", amount: 30.25, currency: "USD", status: "succeeded", failure: null });
    assert.equal(reference, `ref_${id.replaceAll("-", "")}`);
    assert.ok(Date.parse(created_at) <= Date.parse(processed_at));
    assert.deepEqual(await served.balanceOf(available("s_1")), { balance: 69_75n, held: 0n });
    assert.deepEqual(await served.balanceOf("gateway:fake:payouts"), { balance: -30_25n, held: 0n });
    assert.deepEqual((await get(served.marketplace, `/payouts/${id}`)).body, body);
    const events = await served.look("select category, type, data from events.log where stream = $1", [id]);
    assert.deepEqual(events, [
      {
        category: "payout",
        type: "payout.succeeded",
        data: { seller_id: "s_1", amount: "30.25", currency: "USD", gateway_reference: `po_${id}` },
      },
    ]);
  });

  it("takes any currency, with its own decimals", async () => {
    await served.earn("s_yen", 5000n, "JPY");
    await served.earn("s_dinar", 5000n, "KWD");
    const yen = await payOut({ seller_id: "s_yen", amount: 5000, currency: "JPY" });
    const dinar = await payOut({ seller_id: "s_dinar", amount: "4.999", currency: "KWD" });
    assert.deepEqual([yen.status, yen.body.amount, dinar.status, dinar.body.amount], [201, 5000, 201, 4.999]);
    assert.deepEqual(await served.balanceOf(available("s_dinar"), "KWD"), { balance: 1n, held: 0n });
  });

  it("answers 409 where the balance does not cover it, keeps it as failed, and says the same again", async () => {
    await served.earn("s_poor", 5_00n);
    const wanted = { seller_id: "s_poor", amount: 5.01, idempotency_key: "poor" };
    const asked = served.gateway.asked.pay;
    const first = await payOut(wanted);
    await served.earn("s_poor", 100_00n);
    const again = await payOut(wanted);
    for (const { status, body } of [first, again]) {
      assert.deepEqual([status, body.code, body.payout_id], [409, "seller_balance_insufficient", first.body.payout_id]);
    }
    assert.equal(served.gateway.asked.pay, asked);
    const { body } = await get(served.marketplace, `/payouts/${first.body.payout_id}`);
    assert.deepEqual([body.status, body.failure.code], ["failed", "seller_balance_insufficient"]);
    assert.equal((await payOut({ ...wanted, idempotency_key: "rich" })).status, 201);
  });

  it("answers 201 with the failure where the gateway declines, and the money is available again", async () => {
    await served.earn("s_declined", 10_00n);
    served.gateway.plan = () => ({ decline: "The account is closed.", code: "account_closed" });
    const { status, body } = await payOut({ seller_id: "s_declined" });
    assert.deepEqual([status, body.status], [201, "failed"]);
    assert.deepEqual(body.failure, { code: "account_closed", message: "The account is closed." });
    assert.deepEqual(await served.balanceOf(available("s_declined")), { balance: 10_00n, held: 0n });
  });

  it("answers 202 where the outcome is not known, and recovery ends it", async () => {
    await served.earn("s_unknown", 10_00n);
    served.gateway.plan = () => "times out after paying";
    const wanted = { seller_id: "s_unknown", idempotency_key: "unknown" };
    const { status, body } = await payOut(wanted);
    assert.deepEqual([status, body.status, body.processed_at], [202, "processing", null]);
    assert.deepEqual(await served.balanceOf(available("s_unknown")), { balance: 10_00n, held: 10_00n });
    const again = await payOut(wanted);
    assert.deepEqual([again.status, again.headers.get("idempotency-replayed")], [202, "true"]);
    await served.letLeasesPass();
    await served.recover();
    const ended = await payOut(wanted);
    assert.deepEqual([ended.status, ended.body.status, ended.body.id], [200, "succeeded", body.id]);
    assert.deepEqual(await served.balanceOf(available("s_unknown")), { balance: 0n, held: 0n });
  });

  it("gives the same payout for the same key, in body or header, and refuses another request", async () => {
    await served.earn("s_key", 100_00n);
    const wanted = { seller_id: "s_key", amount: 1, currency: "USD" };
    const first = await post(served.marketplace, "/payouts", wanted, { "idempotency-key": '"k-1"' });
    const again = await post(served.marketplace, "/payouts", { ...wanted, amount: "1.00", idempotency_key: "k-1" });
    assert.deepEqual([first.status, again.status, again.body], [201, 200, first.body]);
    const other = await post(served.marketplace, "/payouts", { ...wanted, amount: 2, idempotency_key: "k-1" });
    assert.deepEqual([other.status, other.body.code], [422, "idempotency_key_reused"]);
  });

  const bad: [string, object, string][] = [
    ["no key", { idempotency_key: undefined }, "/idempotency_key"],
    ["a key with a space", { idempotency_key: "a b" }, "/idempotency_key"],
    ["an amount of zero", { amount: 0 }, "/amount"],
    ["an amount below zero", { amount: -1 }, "/amount"],
    ["too many decimals", { amount: "1.001" }, "/amount"],
    ["an amount in words", { amount: "ten" }, "/amount"],
    ["an amount beyond the limit", { amount: 10_000_000_000 }, "/amount"],
    ["an unknown currency", { currency: "ZZZ" }, "/currency"],
    ["no seller", { seller_id: undefined }, "/seller_id"],
    ["an unknown field", { extra: 1 }, "/extra"],
  ];
  for (const [name, more, pointer] of bad) {
    it(`refuses ${name}`, async () => {
      const { status, body } = await payOut(more);
      assert.deepEqual([status, body.code, body.errors[0].pointer], [400, "invalid_request", pointer]);
    });
  }

  it("refuses two keys that differ", async () => {
    const { status, body } = await payOut({ idempotency_key: "one" }, { "idempotency-key": "two" });
    assert.deepEqual([status, body.code], [400, "invalid_request"]);
  });
});

describe("GET /payouts", () => {
  it("lists newest first, page after page, of all sellers or of one, in one status or in all", async () => {
    await served.earn("s_list", 3_00n);
    const made: string[] = [];
    for (let count = 0; count < 5; count++) {
      const { body } = await payOut({ seller_id: "s_list", amount: 1 });
      made.unshift(body.id ?? body.payout_id);
    }
    const ids: string[] = [];
    let cursor: string | null = "";
    for (let pages = 0; cursor !== null; pages++) {
      const more: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const { status, body } = await get(served.marketplace, `/payouts?seller_id=s_list&limit=2${more}`);
      assert.equal(status, 200);
      ids.push(...body.data.map(({ id }: { id: string }) => id));
      cursor = body.next_cursor;
      assert.ok(pages < 4);
    }
    assert.deepEqual(ids, made);
    const failed = await get(served.marketplace, "/payouts?seller_id=s_list&status=failed");
    assert.deepEqual(
      failed.body.data.map(({ id }: { id: string }) => id),
      made.slice(0, 2),
    );
    const all = await get(served.marketplace, "/payouts?limit=100");
    const every = all.body.data.map(({ id }: { id: string }) => id);
    assert.deepEqual(every.slice(0, 5), made);
    assert.deepEqual(every, every.toSorted().reverse());
    assert.equal((await get(served.marketplace, "/payouts?limit=1&status=succeeded")).body.data[0].status, "succeeded");
  });

  it("shows no pago of an affiliate", async () => {
    await served.fund(1_00n);
    const { body } = await post(served.partner, "/pagos", { id_afiliado: "s_1", monto: 1, moneda: "USD" });
    assert.equal((await get(served.marketplace, `/payouts/${body.id_pago}`)).status, 404);
    const { body: list } = await get(served.marketplace, "/payouts?limit=100");
    assert.ok(!list.data.some(({ id }: { id: string }) => id === body.id_pago));
  });

  it("refuses what is no cursor, no status and no limit, and is 404 for what is no payout", async () => {
    for (const query of ["cursor=nothing", "status=EXITOSO", "limit=0", "limit=101", "other=1"]) {
      assert.equal((await get(served.marketplace, `/payouts?${query}`)).status, 400, query);
    }
    const { status, body } = await get(served.marketplace, "/payouts/nothing");
    assert.deepEqual([status, body.code], [404, "payout_not_found"]);
  });
});

describe("a seller's floor", () => {
  it("100 payouts at once, over two processes, pay out exactly what there is", async () => {
    await served.earn("s_race", 37_00n);
    const other = startPayoutProcess(served.database.appUrl, served.gateway);
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_none, place) =>
        paySellerOut(
          (place % 2 === 0 ? served : other).context,
          "default",
          { recipientId: "s_race", amount: "1.00", currency: "USD", idempotencyKey: `race_${place}` },
          untraced,
        ),
      ),
    );
    await other.close();
    assert.equal(outcomes.filter(({ ok }) => ok).length, 37);
    const refusals = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.refusal.type]));
    assert.deepEqual([...new Set(refusals)], ["seller_balance_insufficient"]);
    assert.equal(served.gateway.payments.filter(({ recipient }) => recipient === "s_race").length, 37);
    assert.deepEqual(await served.balanceOf(available("s_race")), { balance: 0n, held: 0n });
    assert.deepEqual(await served.audit(), []);
  });
});
