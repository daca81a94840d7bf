import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Fault } from "../../src/infrastructure/gateways/simulator/magic-amounts.ts";
import type { SimulatedCall } from "../../src/infrastructure/gateways/simulator/simulator.ts";
import type { Step } from "../../src/movements/index.ts";
import { bill, overLimit, type ServedBills, serveBills } from "./served-bills.ts";

let served: ServedBills;
/** What goes wrong with the next calls about payments of a reference, in order. */
const faults = new Map<string, (Fault | undefined)[]>();
const finds = new Map<string, Fault>();
const calls: string[] = [];

const leaseMs = 400;
const misbehave = (call: SimulatedCall): Fault | undefined => {
  if (call.operation === "find_bill") return finds.get(call.request.paymentId);
  if (call.operation !== "pay_bill") return undefined;
  calls.push(call.request.attemptId);
  return faults.get(call.request.reference)?.shift();
};

beforeEach(async () => {
  served = await serveBills({ leaseMs, faults: misbehave, random: () => 0.9, context: { maxRetries: 3 } });
});
afterEach(async () => {
  // Whatever happened, the books are right.
  const { findings } = await served.audit();
  await served.close();
  assert.deepEqual(findings, []);
});

/** Lets what was postponed come due, and recovers it. */
async function recover(): Promise<void> {
  await served.look("update bills.payments set due_at = now() where due_at is not null");
  assert.deepEqual(await served.runJob("recover bills"), []);
}

async function statusOf(id: string): Promise<[string, number]> {
  const { body } = await served.read(`/payments/${id}`);
  return [body.status, body.retries];
}

async function send(reference: string, ...wrong: (Fault | undefined)[]) {
  faults.set(reference, wrong);
  return await served.create({ ...bill, reference }, reference);
}

describe("a gateway whose outcome is not known", () => {
  it("leaves the payment PENDING, and paid once where it had paid", async () => {
    const { status, body } = await send("timeout_after", "timeout_after");
    assert.deepEqual([status, body.status, body.retries], [201, "PENDING", 0]);
    const again = await served.create(bill, "timeout_after");
    assert.deepEqual([again.status, again.body], [200, body]);
    const retried = await served.retry(body.payment_id);
    assert.match(retried.body.error.message, /Current status: PENDING\.\.\./);
    await recover();
    assert.deepEqual(await statusOf(body.payment_id), ["SUCCESS", 0]);
    assert.equal(served.simulator.billPaymentsOf(body.payment_id).length, 1);
    assert.equal(calls.filter((call) => call.startsWith(body.payment_id)).length, 1);
  });

  it("is asked and called again, with the same key, where it never heard of it", async () => {
    const { body } = await send("timeout_before", "timeout_before");
    assert.equal(body.status, "PENDING");
    await recover();
    assert.deepEqual(await statusOf(body.payment_id), ["SUCCESS", 0]);
    assert.equal(new Set(calls.filter((call) => call.startsWith(body.payment_id))).size, 1);
    assert.equal(served.simulator.billPaymentsOf(body.payment_id).length, 1);
  });

  it("may decline what it is asked again, which then is FAILED", async () => {
    const { body } = await send("declined_later", "timeout_before", "declined");
    await recover();
    assert.deepEqual(await statusOf(body.payment_id), ["FAILED", 0]);
    assert.equal((await served.retry(body.payment_id)).body.retries, 1);
  });

  it("is never taken for a failure, however often it never heard of the payment", async () => {
    const { body } = await send("never", ...Array.from({ length: 8 }, () => "timeout_before" as const));
    for (let round = 0; round < 6; round++) {
      await recover();
      assert.deepEqual(await statusOf(body.payment_id), ["PENDING", 0]);
    }
    faults.set("never", []);
    await recover();
    assert.deepEqual(await statusOf(body.payment_id), ["SUCCESS", 0]);
  });

  it("that refuses the connection is called again", async () => {
    const { status, body } = await send("not_sent", "not_sent", "not_sent");
    assert.deepEqual([status, body.status], [201, "PENDING"]);
    finds.set(body.payment_id, "not_sent");
    await recover();
    assert.deepEqual(await statusOf(body.payment_id), ["PENDING", 0]);
    finds.delete(body.payment_id);
    await recover();
    await recover();
    assert.deepEqual(await statusOf(body.payment_id), ["SUCCESS", 0]);
  });

  it("does not count towards EXHAUSTED in a retry", async () => {
    const { body } = await served.create({ ...overLimit, reference: "retries" }, randomUUID());
    const id = body.payment_id;
    await served.retry(id);
    await served.retry(id);
    assert.deepEqual(await statusOf(id), ["FAILED", 2]);
    faults.set("retries", ["timeout_before", "timeout_before"]);
    const { status, body: unknown } = await served.retry(id);
    assert.deepEqual([status, unknown.status, unknown.retries], [200, "PENDING", 2]);
    await recover();
    assert.deepEqual(await statusOf(id), ["PENDING", 2]);
    await recover();
    assert.deepEqual(await statusOf(id), ["EXHAUSTED", 3]);
  });

  it("is left to a person after a day of asking, and the payment stays PENDING", async () => {
    const { body } = await send("parked", "timeout_before", "timeout_before", "timeout_before");
    await served.look("update bills.payments set tries = 299 where id = $1", [body.payment_id]);
    await recover();
    const [row] = await served.look("select status, due_at, tries from bills.payments where id = $1", [
      body.payment_id,
    ]);
    assert.deepEqual(row, { status: "PENDING", due_at: null, tries: 300 });
    const { body: list } = await served.read("/payments?status=PENDING");
    assert.equal(list.total, 1);
  });
});

describe("a process that dies", () => {
  const steps: [Step, number][] = [
    ["accepted", 0],
    ["called", 1],
    ["settled", 1],
  ];
  for (const [dies, paidBefore] of steps) {
    it(`when a payment is ${dies} leaves it to be paid once`, async () => {
      const dying = await serveBills({
        beside: served,
        leaseMs,
        context: { pipeline: { callDeadlineMs: 500, onStep: (step) => diesAt(step, dies) } },
      });
      const { status } = await dying.create({ ...bill, reference: dies }, dies);
      assert.equal(status, 500);
      const [row] = await served.look<{ id: string; status: string }>(
        "select id, status from bills.payments where reference = $1",
        [dies],
      );
      const id = row?.id ?? "";
      assert.equal(row?.status, dies === "settled" ? "SUCCESS" : "PENDING");
      assert.equal(served.simulator.billPaymentsOf(id).length, paidBefore);
      await dying.close();
      await new Promise((resolve) => setTimeout(resolve, leaseMs));
      assert.deepEqual(await served.runJob("recover bills"), []);
      const again = await served.create(bill, dies);
      assert.deepEqual([again.status, again.body.payment_id, again.body.status], [200, id, "SUCCESS"]);
      assert.equal(served.simulator.billPaymentsOf(id).length, 1);
    });
  }

  it("during a retry leaves it to one of two that recover", async () => {
    const { body } = await served.create({ ...overLimit, reference: "died" }, randomUUID());
    const dying = await serveBills({
      beside: served,
      leaseMs,
      context: { pipeline: { callDeadlineMs: 500, onStep: (step) => diesAt(step, "accepted") } },
    });
    assert.equal((await dying.retry(body.payment_id)).status, 500);
    await dying.close();
    const other = await serveBills({ beside: served, leaseMs });
    await served.look("update bills.payments set due_at = now() where due_at is not null");
    await Promise.all([served.runJob("recover bills"), other.runJob("recover bills")]);
    await other.close();
    assert.deepEqual(await statusOf(body.payment_id), ["FAILED", 1]);
    assert.deepEqual(
      calls.filter((call) => call.startsWith(body.payment_id)),
      [`${body.payment_id}-1`, `${body.payment_id}-2`],
    );
  });
});

function diesAt(step: Step, dies: Step): void {
  if (step === dies) throw new Error("the process died here");
}

describe("two settlements", () => {
  const settled = {
    reference: "twice",
    amount: { amountMinor: 50_000n, currency: "MXN" as never },
    status: "SUCCESS",
    retries: 0,
    gatewayReference: "bill_1",
    createdAt: new Date(),
    updatedAt: new Date(),
  } as const;

  it("of one attempt have one effect, whichever comes first", async () => {
    const { body } = await send("twice", "timeout_after");
    const other = await serveBills({ beside: served, leaseMs });
    const item = { bill: { ...settled, id: body.payment_id, attempt: 1 }, message: null };
    const outcomes = await Promise.all([served, other].map(({ context }) => context.lanes.settle.submit(item)));
    await other.close();
    assert.equal(outcomes.filter((at) => at !== null).length, 1);
    const events = await served.look("select from events.log where stream = $1", [body.payment_id]);
    assert.equal(events.length, 2);
  });

  it("of which one is about an earlier attempt end the later one by its own outcome", async () => {
    const { body } = await send("later", "declined", "timeout_after");
    assert.equal((await served.retry(body.payment_id)).body.status, "PENDING");
    const late = { ...settled, id: body.payment_id, attempt: 1, status: "FAILED", failureCode: "late" } as const;
    assert.equal(await served.context.lanes.settle.submit({ bill: late, message: "late" }), null);
    await recover();
    assert.deepEqual(await statusOf(body.payment_id), ["SUCCESS", 0]);
  });
});
