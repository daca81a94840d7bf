import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ClosableDatabase, createDedicatedConnection } from "../../src/infrastructure/postgres/connections.ts";
import {
  acceptMove,
  acceptPayments,
  listWaitingEvents,
  postponeAttempt,
  receiveEvents,
  settleAttempts,
} from "../../src/modules/payments/persistence/movements.queries.ts";
import { findPaymentsByKey, getPayment } from "../../src/modules/payments/persistence/reading.queries.ts";
import { commitChange, readFunds } from "../../src/modules/payments/persistence/returns.queries.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;
let connection: ClosableDatabase;
before(async () => {
  database = await createTestDatabase();
  connection = createDedicatedConnection({
    url: database.appUrl,
    applicationName: "plans",
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
  });
});
after(async () => {
  await connection.close();
  await database.drop();
});

type Node = { readonly [key: string]: unknown; readonly Plans?: readonly Node[] };

/** How a lane's session reaches tables in a statement: each scan with its table and its condition on an index. */
async function scansOf(text: string): Promise<string[]> {
  const explained = await connection.query({
    name: "",
    text: `explain (generic_plan, format json) ${text}`,
    values: [],
  });
  const [row] = explained.rows as { "QUERY PLAN": [{ Plan: Node }] }[];
  const scans: string[] = [];
  const walk = (node: Node): void => {
    if (node["Relation Name"] !== undefined && String(node["Node Type"]).endsWith("Scan")) {
      scans.push(
        `${node["Node Type"]} ${node["Relation Name"]} ${node["Index Cond"] === undefined ? "whole" : "by key"}`,
      );
    }
    for (const inner of node.Plans ?? []) walk(inner);
  };
  assert.ok(row);
  walk(row["QUERY PLAN"][0].Plan);
  return scans.sort();
}

describe("hot statements reach tables by key, also while their statistics know nothing", () => {
  const expected: [string, { text: string }, string[]][] = [
    ["accepting looks for particular rates once", acceptPayments, ["Index Only Scan commission_rates whole"]],
    [
      "settling",
      settleAttempts,
      ["Index Scan attempts by key", "Index Scan payments by key", "Index Scan payments by key"],
    ],
    ["finding by key", findPaymentsByKey, ["Index Scan attempts by key", "Index Scan payments by key"]],
  ];
  for (const [name, statement, scans] of expected) {
    test(name, async () => assert.deepEqual(await scansOf(statement.text), scans));
  }

  test("receiving events", async () => {
    const scans = await scansOf(receiveEvents.text);
    assert.ok(scans.length >= 5);
    assert.deepEqual(
      scans.filter((scan) => !scan.endsWith("by key")),
      [],
    );
  });

  test("what is by id is not found by a scope or a number alone", async () => {
    for (const { text } of [commitChange, readFunds, acceptMove, postponeAttempt, getPayment, listWaitingEvents]) {
      const { rows } = await connection.query({
        name: "",
        text: `explain (generic_plan, costs off) ${text}`,
        values: [],
      });
      const plan = (rows as { "QUERY PLAN": string }[]).map((row) => row["QUERY PLAN"]).join("\n");
      assert.match(plan, /Index Cond/);
      assert.doesNotMatch(plan, /Index Cond: \((scope|number) = \$\d+\)/);
    }
  });

  test("a plan that walks a whole table is seen", async () => {
    const [scan, ...others] = await scansOf("select from payments.payments where amount > 1");
    assert.match(scan ?? "", /payments whole$/);
    assert.deepEqual(others, []);
  });
});
