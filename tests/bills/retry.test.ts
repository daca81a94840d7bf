import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { seededRandom } from "../../src/infrastructure/gateways/simulator/random.ts";
import type { SimulatedCall } from "../../src/infrastructure/gateways/simulator/simulator.ts";
import type { Answer } from "../support/app.ts";
import { bill, overLimit, type ServedBills, serveBills } from "./served-bills.ts";

let served: ServedBills;
/** Below 0.5 a retry succeeds. */
let chance = (): number => 0;
const attempts: string[] = [];
before(async () => {
  served = await serveBills({
    random: () => chance(),
    faults(call: SimulatedCall) {
      if (call.operation === "pay_bill") attempts.push(call.request.attemptId);
      return undefined;
    },
  });
});
after(() => served.close());

async function failed(): Promise<string> {
  const { body } = await served.create(overLimit, randomUUID());
  assert.equal(body.status, "FAILED");
  return body.payment_id;
}

function isRefused({ status, body }: Answer, id: string, standing: string): void {
  assert.deepEqual([status, body.success, body.error.code], [409, false, "CANNOT_RETRY_PAYMENT"]);
  const expected = `Payment '${id}' cannot be retried. Current status: ${standing}...`;
  assert.equal(body.error.message.slice(0, expected.length), expected);
}

describe("a retry", () => {
  it("that succeeds pays the bill, and there is none after it", async () => {
    chance = () => 0;
    const id = await failed();
    const { status, body } = await served.retry(id);
    assert.deepEqual([status, body.status, body.retries, body.payment_id], [200, "SUCCESS", 0, id]);
    assert.ok(body.updated_at >= body.created_at);
    assert.deepEqual((await served.read(`/payments/${id}`)).body, body);
    isRefused(await served.retry(id), id, "SUCCESS");
    assert.equal(served.simulator.billPaymentsOf(id).length, 1);
  });

  it("that fails counts, and the third one exhausts the payment", async () => {
    chance = () => 0.9;
    const id = await failed();
    const seen = [];
    for (let retry = 0; retry < 3; retry++) {
      const { status, body } = await served.retry(id);
      seen.push([status, body.status, body.retries]);
    }
    assert.deepEqual(seen, [
      [200, "FAILED", 1],
      [200, "FAILED", 2],
      [200, "EXHAUSTED", 3],
    ]);
    isRefused(await served.retry(id), id, "EXHAUSTED");
    const events = await served.look<{ type: string }>(
      "select type from events.log where stream = $1 order by stream_version",
      [id],
    );
    const retried = ["bill.retrying", "bill.failed"];
    assert.deepEqual(
      events.map(({ type }) => type),
      ["bill.created", "bill.failed", ...retried, ...retried, "bill.retrying", "bill.exhausted"],
    );
  });

  it("may succeed after one that failed", async () => {
    const id = await failed();
    chance = () => 0.9;
    await served.retry(id);
    chance = () => 0;
    const { body } = await served.retry(id);
    assert.deepEqual([body.status, body.retries], ["SUCCESS", 1]);
  });

  it("of a payment that is not there is 404", async () => {
    for (const id of [randomUUID(), "nothing"]) {
      const { status, body } = await served.retry(id);
      assert.deepEqual([status, body.error.code], [404, "PAYMENT_NOT_FOUND"]);
    }
  });

  it("succeeds half of the time with the seeded chance", async () => {
    chance = seededRandom(7);
    const answers = await Promise.all(Array.from({ length: 40 }, async () => await served.retry(await failed())));
    const paid = answers.filter(({ body }) => body.status === "SUCCESS").length;
    assert.ok(paid > 8 && paid < 32, `${paid} of 40`);
  });
});

describe("retries at the same time", () => {
  it("500 of one payment make one attempt, and the others are refused, however fast the gateway is", async () => {
    chance = () => 0.9;
    for (const latencyMs of [200, 0]) {
      const id = await failed();
      served.simulator.setLatency(latencyMs);
      const answers = await Promise.all(Array.from({ length: 500 }, () => served.retry(id)));
      served.simulator.setLatency(0);
      const made = answers.filter(({ status }) => status === 200);
      assert.deepEqual(
        made.map(({ body }) => [body.status, body.retries]),
        [["FAILED", 1]],
      );
      const refused = answers.filter(({ status }) => status === 409);
      assert.equal(refused.length, 499);
      for (const answer of refused) isRefused(answer, id, /PENDING|FAILED/.exec(answer.body.error.message)?.[0] ?? "");
      assert.deepEqual(
        attempts.filter((attempt) => attempt.startsWith(id)),
        [`${id}-1`, `${id}-2`],
      );
    }
  });

  it("are told that one of them is under way", async () => {
    const id = await failed();
    chance = () => 0.9;
    served.simulator.setLatency(300);
    const first = served.retry(id);
    await new Promise((resolve) => setTimeout(resolve, 100));
    isRefused(await served.retry(id), id, "PENDING");
    served.simulator.setLatency(0);
    assert.equal((await first).body.retries, 1);
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal((await served.retry(id)).body.retries, 2);
  });

  it("to two processes make one attempt, also where it is over at once", async (t) => {
    const other = await serveBills({ beside: served });
    t.after(() => other.close());
    chance = () => 0;
    const id = await failed();
    const send = (_: unknown, place: number) => (place % 2 === 0 ? served : other).retry(id);
    const answers = await Promise.all(Array.from({ length: 100 }, send));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ status }) => status === 409).length, 99);
    assert.equal(served.simulator.billPaymentsOf(id).length, 1);
  });

  it("that looked at the same attempt make one after it, even if that one has failed by then", async () => {
    const id = await failed();
    const item = { id, scope: "default", attempt: 2, traceparent: null };
    const { retry, settle } = served.context.lanes;
    assert.equal((await retry.submit(item)).type, "started");
    assert.deepEqual(await retry.submit(item), { type: "refused", status: "PENDING" });
    assert.deepEqual(await retry.submit({ ...item, attempt: 3 }), { type: "refused", status: "PENDING" });
    const { amountMinor, currency } = { amountMinor: 150_000n, currency: "MXN" as never };
    const now = new Date();
    const facts = { id, reference: "a", amount: { amountMinor, currency }, createdAt: now, updatedAt: now };
    const declined = { ...facts, status: "FAILED", attempt: 2, retries: 1, failureCode: "x" } as const;
    assert.ok(await settle.submit({ bill: declined, message: "no" }));
    assert.equal(await settle.submit({ bill: declined, message: "no" }), null);
    assert.deepEqual(await retry.submit(item), { type: "refused", status: "FAILED" });
    const elsewhere = { ...item, scope: "other", attempt: 3 };
    assert.deepEqual(await retry.submit(elsewhere), { type: "absent" });
  });

  it("of many payments each make their own", async () => {
    chance = () => 0;
    const ids = await Promise.all(Array.from({ length: 60 }, failed));
    const answers = await Promise.all([...ids, ...ids].map((id) => served.retry(id)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 60);
    for (const id of ids) assert.equal(served.simulator.billPaymentsOf(id).length, 1);
  });
});

describe("the books of all of it", () => {
  it("agree with the payments, and the tallies count them", async () => {
    await served.create(bill, randomUUID());
    const { findings } = await served.audit();
    assert.deepEqual(findings, []);
  });
});
