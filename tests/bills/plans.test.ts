import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  acceptBills,
  claimDueBills,
  countDueBills,
  forgetBillKeys,
  postponeBill,
  retryBills,
  settleBills,
} from "../../src/modules/bills/persistence/movements.queries.ts";
import { findBillsByKey, getBill } from "../../src/modules/bills/persistence/reading.queries.ts";
import { lanePlans } from "../support/plans.ts";

const plans = lanePlans();

/** How a lane's session reaches tables: each scan with its index and what of it is a condition on the index. */
async function scansOf(text: string): Promise<string[]> {
  const nodes = await plans.nodesOf(text);
  return nodes
    .filter((node) => node["Index Name"] !== undefined || /^(?:Seq|Tid) Scan$/.test(String(node["Node Type"])))
    .map((node) => `${node["Node Type"]} ${node["Index Name"] ?? node["Relation Name"]}: ${node["Index Cond"] ?? ""}`)
    .sort();
}

describe("hot statements reach tables by key, also while their statistics know nothing", () => {
  test("accepting reads no table and joins nothing", async () => {
    assert.deepEqual(await scansOf(acceptBills.text), []);
    const types = (await plans.nodesOf(acceptBills.text)).map((node) => String(node["Node Type"]));
    assert.ok(types.length > 8);
    assert.deepEqual(
      types.filter((type) => /Join|Nested Loop/.test(type)),
      [],
    );
  });

  test("settling", async () => {
    assert.deepEqual(await scansOf(settleBills.text), ["Index Scan payments_pkey: (id = i.id)"]);
  });

  test("retrying", async () => {
    assert.deepEqual(await scansOf(retryBills.text), [
      "Index Scan payments_pkey: (id = i.id)",
      "Index Scan payments_pkey: (id = s.id)",
    ]);
  });

  test("finding by key", async () => {
    const scans = await scansOf(findBillsByKey.text);
    assert.equal(scans.length, 2);
    assert.match(scans[0] ?? "", /idempotency_keys_pkey: \(\(scope = i.scope\) AND \(key = i.key\)\)/);
    assert.match(scans[1] ?? "", /payments_pkey: \(id = /);
  });

  test("what is under way is found by when it is due, and what is forgotten by when it expires", async () => {
    assert.match((await scansOf(claimDueBills.text)).join("\n"), /payments_due: \(due_at <= now\(\)\)/);
    assert.match((await scansOf(countDueBills.text)).join("\n"), /payments_due: \(due_at <= now\(\)\)/);
    assert.match(
      (await scansOf(forgetBillKeys.text)).join("\n"),
      /idempotency_keys_expiring: \(expires_at <= now\(\)\)/,
    );
  });

  test("one payment is found by its id and not by its scope", async () => {
    for (const { text } of [getBill, postponeBill]) {
      assert.match((await scansOf(text)).join("\n"), /^Index Scan payments_pkey: \(id = \$\d\)$/);
    }
  });

  test("a plan that walks a whole table is seen", async () => {
    const [scan] = await scansOf("select from bills.payments where amount_minor > 1");
    assert.match(scan ?? "", /: $/);
  });
});
