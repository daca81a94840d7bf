import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { bill, overLimit, type ServedBills, serveBills } from "./served-bills.ts";

let served: ServedBills;
before(async () => {
  served = await serveBills();
});
after(() => served.close());

const fields = ["payment_id", "reference", "amount", "currency", "status", "retries", "created_at", "updated_at"];

describe("a bill", () => {
  it("of up to 1,000 is paid at once", async () => {
    const { status, body, headers } = await served.create(bill, "paid at once".replaceAll(" ", "_"));
    assert.equal(status, 201);
    assert.deepEqual(Object.keys(body), fields);
    const { payment_id, created_at, updated_at, ...rest } = body;
    assert.deepEqual(rest, { ...bill, status: "SUCCESS", retries: 0 });
    assert.match(payment_id, /^[0-9a-f-]{36}$/);
    assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(updated_at >= created_at);
    assert.equal(headers.get("idempotency-replayed"), null);
    assert.deepEqual((await served.read(`/payments/${payment_id}`)).body, body);
    assert.equal(served.simulator.billPaymentsOf(payment_id).length, 1);
  });

  it("of more than 1,000 is created as FAILED", async () => {
    const { status, body } = await served.create({ ...bill, amount: 1000.01 }, randomUUID());
    assert.deepEqual([status, body.status, body.retries], [201, "FAILED", 0]);
    assert.deepEqual((await served.create({ ...bill, amount: 1000 }, randomUUID())).body.status, "SUCCESS");
  });

  it("is posted in the commit that settles it, and a failed one is not", async () => {
    const paid = await served.create({ ...bill, amount: "12.34" }, randomUUID());
    const failed = await served.create(overLimit, randomUUID());
    const entries = await served.look(
      `select t.kind, t.external_id is not null as named, a.code, e.amount::text
       from ledger.transactions t join ledger.entries e on e.transaction_id = t.id
       join ledger.accounts a on a.id = e.account_id
       where t.reference = any ($1) order by e.amount desc`,
      [[paid, failed].map(({ body }) => `bill:${body.payment_id}`)],
    );
    assert.deepEqual(entries, [
      { kind: "bill", named: true, code: "gateway:simulator:bills", amount: "1234" },
      { kind: "bill", named: true, code: "bills:payable", amount: "-1234" },
    ]);
  });

  it("leaves an event for everything that happened to it", async () => {
    const { body } = await served.create(overLimit, randomUUID());
    const events = await served.look(
      "select category, type, stream_version, data from events.log where stream = $1 order by stream_version",
      [body.payment_id],
    );
    const shown = { amount: "1500.00", currency: "MXN", reference: "FAC-12345" };
    const failure_message = "Bills of more than 1000 MXN are declined at the first attempt.";
    assert.deepEqual(events, [
      { category: "bill", type: "bill.created", stream_version: 1, data: shown },
      {
        category: "bill",
        type: "bill.failed",
        stream_version: 2,
        data: { ...shown, retries: 0, failure_code: "amount_over_limit", failure_message },
      },
    ]);
  });

  it("that is not there is 404", async () => {
    for (const id of [randomUUID(), "nothing", "%20"]) {
      const { status, body } = await served.read(`/payments/${id}`);
      assert.deepEqual([status, body.success, body.error.code], [404, false, "PAYMENT_NOT_FOUND"]);
    }
  });
});
