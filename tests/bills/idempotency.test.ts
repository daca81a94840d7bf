import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it, mock } from "node:test";
import type { SimulatedCall } from "../../src/infrastructure/gateways/simulator/simulator.ts";
import type { Answer } from "../support/app.ts";
import { bill, overLimit, type ServedBills, serveBills } from "./served-bills.ts";

let served: ServedBills;
const calls: string[] = [];
const countCalls = (call: SimulatedCall) => {
  if (call.operation === "pay_bill") calls.push(call.request.paymentId);
  return undefined;
};
before(async () => {
  served = await serveBills({ faults: countCalls, random: () => 0 });
});
after(() => served.close());

/** The same as a key that was used before, whose time is over. */
async function expire(key: string): Promise<void> {
  await served.look("update bills.idempotency_keys set expires_at = now() - interval '1 second' where key = $1", [key]);
}

function isReplayOf(first: Answer, { status, headers, body }: Answer): void {
  assert.deepEqual([status, headers.get("idempotency-replayed")], [200, "true"]);
  assert.equal(body.payment_id, first.body.payment_id);
}

describe("one idempotency key", () => {
  it("500 requests at once make one payment and one gateway call, and all see it", async () => {
    served.simulator.setLatency(200);
    const key = randomUUID();
    const accepted = mock.method(served.context.lanes.accept, "submit");
    const answers = await Promise.all(Array.from({ length: 500 }, () => served.create(bill, key)));
    served.simulator.setLatency(0);
    accepted.mock.restore();
    assert.ok(accepted.mock.callCount() <= 2, "those that wait do not try to take the key");
    const ids = new Set(answers.map(({ body }) => body.payment_id));
    assert.equal(ids.size, 1);
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    const replayed = answers.filter(({ status, headers }) => status === 200 && headers.get("idempotency-replayed"));
    assert.equal(replayed.length, 499);
    assert.ok(answers.every(({ body }) => body.status === "SUCCESS"));
    const [id = ""] = ids;
    assert.equal(calls.filter((call) => call === id).length, 1);
    assert.equal(served.simulator.billPaymentsOf(id).length, 1);
  });

  it("500 requests at once to two processes make one payment and one gateway call", async (t) => {
    const other = await serveBills({ beside: served });
    t.after(() => other.close());
    served.simulator.setLatency(100);
    const key = randomUUID();
    const send = (_: unknown, place: number) => (place % 2 === 0 ? served : other).create(bill, key);
    const answers = await Promise.all(Array.from({ length: 500 }, send));
    served.simulator.setLatency(0);
    assert.deepEqual(new Set(answers.map(({ body }) => body.payment_id)).size, 1);
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    assert.equal(calls.filter((call) => call === answers[0]?.body.payment_id).length, 1);
  });

  it("gets the original with another body, and the payment as it stands now", async () => {
    const key = randomUUID();
    const first = await served.create(overLimit, key);
    const again = await served.create({ reference: "other", amount: 1, currency: "USD" }, key);
    isReplayOf(first, again);
    assert.deepEqual(again.body, first.body);
    assert.equal((await served.retry(first.body.payment_id)).body.status, "SUCCESS");
    const later = await served.create(bill, key);
    isReplayOf(first, later);
    assert.equal(later.body.status, "SUCCESS");
  });

  it("does not save a body that is wrong in itself", async () => {
    const key = randomUUID();
    await served.create(bill, key);
    assert.equal((await served.create({ ...bill, amount: 0 }, key)).status, 400);
  });

  it("bare and quoted is one key; others that look alike are others", async () => {
    const quoted = await served.create(bill, '"quoted"');
    isReplayOf(quoted, await served.create(bill, "quoted"));
    const keys = ["Key", "key", "key%20", "key\\", "key{}", 'key"', "key,", "null", "NULL", "a:b"];
    const answers = await Promise.all(keys.map((key) => served.create(bill, key)));
    assert.equal(new Set(answers.map(({ body }) => body.payment_id)).size, keys.length);
    assert.ok(answers.every(({ status }) => status === 201));
  });

  it("whose first request runs too long is 409 with when to come back, and then the payment", async () => {
    const slow = await serveBills({
      beside: served,
      context: { replayWaitMs: 100, pipeline: { callDeadlineMs: 5_000 } },
    });
    served.simulator.setLatency(600);
    const key = randomUUID();
    const first = slow.create(bill, key);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const second = await slow.create(bill, key);
    // In another process there is nothing to wake up, and it asks the database.
    const third = await served.create(bill, key);
    served.simulator.setLatency(0);
    assert.deepEqual([second.status, second.body.error.code], [409, "IDEMPOTENCY_KEY_IN_USE"]);
    assert.match(second.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    const made = await first;
    assert.equal(made.status, 201);
    isReplayOf(made, third);
    isReplayOf(made, await slow.create(bill, key));
    await slow.close();
  });
});

describe("a key that is forgotten", () => {
  it("makes a new payment after its time, before the reaper came and after it", async () => {
    const key = randomUUID();
    const first = await served.create(bill, key);
    isReplayOf(first, await served.create(bill, key));
    await served.context.cache.set(`bills:default:${key}`, "", 1);
    await expire(key);
    const second = await served.create(overLimit, key);
    assert.equal(second.status, 201);
    assert.notEqual(second.body.payment_id, first.body.payment_id);
    isReplayOf(second, await served.create(bill, key));
    await expire(key);
    assert.deepEqual(await served.runJob("forget idempotency keys of bills"), []);
    assert.deepEqual(await served.look("select from bills.idempotency_keys where key = $1", [key]), []);
    const third = await served.create(bill, key);
    assert.equal(third.status, 201);
    assert.equal((await served.read(`/payments/${first.body.payment_id}`)).body.status, "SUCCESS");
  });

  it("is taken anew by one of 200 requests", async () => {
    const key = randomUUID();
    const first = await served.create(overLimit, key);
    isReplayOf(first, await served.create(bill, key));
    await expire(key);
    const answers = await Promise.all(Array.from({ length: 200 }, () => served.create(bill, key)));
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    assert.equal(new Set(answers.map(({ body }) => body.payment_id)).size, 1);
  });

  it("is kept until its time, which is what the setting says", async (t) => {
    const brief = await serveBills({ beside: served, idempotencyTtlMs: 300 });
    t.after(() => brief.close());
    const key = randomUUID();
    const first = await brief.create(bill, key);
    await brief.runJob("forget idempotency keys of bills");
    isReplayOf(first, await brief.create(bill, key));
    await new Promise((resolve) => setTimeout(resolve, 350));
    assert.equal((await brief.create(bill, key)).status, 201);
  });
});

describe("a final payment", () => {
  it("is answered from the cache on later replays, without the database", async () => {
    const key = randomUUID();
    const first = await served.create(bill, key);
    isReplayOf(first, await served.create(bill, key));
    await served.look("update bills.payments set reference = 'changed' where id = $1", [first.body.payment_id]);
    const again = await served.create(bill, key);
    assert.deepEqual(again.body, first.body);
  });

  it("is read from the database where the cache has nothing or nonsense", async () => {
    const key = randomUUID();
    const first = await served.create(bill, key);
    isReplayOf(first, await served.create(bill, key));
    for (const text of ["", "{}", "null", '{"status":"SUCCESS"}', '{"status":"FAILED","amountMinor":"1"}']) {
      await served.context.cache.set(`bills:default:${key}`, text, 60_000);
      const again = await served.create(bill, key);
      assert.deepEqual(again.body, first.body);
    }
  });

  it("is what is kept: a FAILED one is not, because it may be retried", async () => {
    const key = randomUUID();
    const first = await served.create(overLimit, key);
    isReplayOf(first, await served.create(bill, key));
    assert.equal(await served.context.cache.get(`bills:default:${key}`), undefined);
  });
});
