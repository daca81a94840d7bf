import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { bill, overLimit, type ServedBills, serveBills } from "./served-bills.ts";

let served: ServedBills;
before(async () => {
  served = await serveBills({ random: () => 0.9 });
});
after(() => served.close());

/** What the audit finds after a change behind the API, which is undone afterwards. */
async function findingsAfter(change: string, undo: string, id: string): Promise<string[]> {
  await served.look(change, [id]);
  const { findings } = await served.audit();
  await served.look(undo, [id]);
  return findings.map(({ check, where, what }) => `${check}: ${where} ${what}`);
}

describe("the audit of bills", () => {
  it("finds nothing wrong where nothing is, and looks at all of them", async () => {
    await served.create(bill, randomUUID());
    const { body } = await served.create(overLimit, randomUUID());
    for (let retry = 0; retry < 3; retry++) await served.retry(body.payment_id);
    const { findings, checks } = await served.audit();
    assert.deepEqual(findings, []);
    const checked = checks.find(({ name }) => name === "bills")?.checked;
    assert.deepEqual(checked, { bills: 2 });
    assert.deepEqual(checks.find(({ name }) => name === "bills explained")?.checked, { postings: 1 });
  });

  it("finds a paid bill that is posted otherwise, and one that is not paid and has a posting", async () => {
    const { body } = await served.create(bill, randomUUID());
    const id = body.payment_id;
    const otherwise = await findingsAfter(
      "update bills.payments set amount_minor = 1 where id = $1",
      "update bills.payments set amount_minor = 50000 where id = $1",
      id,
    );
    assert.equal(otherwise.length, 1);
    assert.match(otherwise[0] ?? "", /^bills: bill payment .* has another posting than it should/);
    const unpaid = await findingsAfter(
      `update bills.payments
       set status = 'EXHAUSTED', last_error = gateway_reference, gateway_reference = null where id = $1`,
      "update bills.payments set status = 'SUCCESS', gateway_reference = last_error, last_error = null where id = $1",
      id,
    );
    assert.ok(unpaid.some((finding) => finding.startsWith(`bills explained: transaction bill:${id}`)));
    assert.ok(
      unpaid.some((finding) => /EXHAUSTED bill payments of default are 2, and the tallies say 1/.test(finding)),
    );
    assert.ok(unpaid.some((finding) => finding.includes("has other retries than its attempts add up to")));
  });

  it("finds a paid bill that has no posting, and one whose attempts do not add up", async () => {
    const { body } = await served.create(overLimit, randomUUID());
    const id = body.payment_id;
    const invented = await findingsAfter(
      "update bills.payments set status = 'SUCCESS', gateway_reference = 'x' where id = $1",
      "update bills.payments set status = 'FAILED', gateway_reference = null where id = $1",
      id,
    );
    assert.ok(invented.includes(`bills: bill payment ${id} has no posting bill:${id}`), invented.join("\n"));
    const skipped = await findingsAfter(
      "update bills.payments set version = 7 where id = $1",
      "update bills.payments set version = 2 where id = $1",
      id,
    );
    assert.deepEqual(skipped, [`bills: bill payment ${id} has another version than its attempts add up to`]);
  });
});
