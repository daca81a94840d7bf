import assert from "node:assert/strict";
import { describe, test } from "node:test";
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
import { lanePlans, scansOf } from "../support/plans.ts";

const plans = lanePlans();
const scansOfText = async (text: string) => scansOf(await plans.nodesOf(text));

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
    test(name, async () => assert.deepEqual(await scansOfText(statement.text), scans));
  }

  test("receiving events", async () => {
    const scans = await scansOfText(receiveEvents.text);
    assert.ok(scans.length >= 5);
    assert.deepEqual(
      scans.filter((scan) => !scan.endsWith("by key")),
      [],
    );
  });

  test("what is by id is not found by a scope or a number alone", async () => {
    for (const { text } of [commitChange, readFunds, acceptMove, postponeAttempt, getPayment, listWaitingEvents]) {
      const plan = await plans.textOf(text);
      assert.match(plan, /Index Cond/);
      assert.doesNotMatch(plan, /Index Cond: \((scope|number) = \$\d+\)/);
    }
  });

  test("a plan that walks a whole table is seen", async () => {
    const [scan, ...others] = await scansOfText("select from payments.payments where amount > 1");
    assert.match(scan ?? "", /payments whole$/);
    assert.deepEqual(others, []);
  });
});
