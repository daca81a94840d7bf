import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  acceptPayouts,
  claimDuePayouts,
  postponePayout,
  settleDeclinedPayouts,
  settlePaidPayouts,
} from "../../src/modules/payouts/persistence/movements.queries.ts";
import {
  findPayoutsByKey,
  getPayout,
  listPayoutsOfSeller,
  listSellerPayouts,
} from "../../src/modules/payouts/persistence/reading.queries.ts";
import { lanePlans, scansOf } from "../support/plans.ts";

const plans = lanePlans();
const scansOfText = async (text: string) => scansOf(await plans.nodesOf(text));

describe("hot statements reach tables by key, also while their statistics know nothing", () => {
  const settling = ["Index Scan payouts by key", "Index Scan under_way by key"];
  const expected: [string, { text: string }, string[]][] = [
    ["accepting reads no table", acceptPayouts, []],
    ["settling what was paid", settlePaidPayouts, settling],
    ["settling what was declined", settleDeclinedPayouts, settling],
    ["finding by key", findPayoutsByKey, settling],
    ["postponing", postponePayout, ["Index Scan under_way by key"]],
    ["reading one", getPayout, ["Index Scan payouts by key"]],
  ];
  for (const [name, statement, scans] of expected) {
    test(name, async () => assert.deepEqual(await scansOfText(statement.text), scans));
  }

  test("claiming begins at what is due", async () => {
    const scans = await scansOfText(claimDuePayouts.text);
    assert.ok(scans.length >= 4);
    assert.deepEqual(
      scans.filter((scan) => !scan.endsWith("by key")),
      [],
    );
  });

  test("lists of sellers are read from their indexes, in their order", async () => {
    for (const [statement, index] of [
      [listSellerPayouts, "payouts_to_sellers"],
      [listPayoutsOfSeller, "payouts_of_seller"],
    ] as const) {
      const plan = await plans.textOf(statement.text);
      assert.match(plan, new RegExp(`Index Scan Backward using ${index}`));
      assert.doesNotMatch(plan, /Sort/);
    }
  });

  test("a plan that walks a whole table is seen", async () => {
    const [scan, ...others] = await scansOfText("select from payouts.payouts where amount_minor > 1");
    assert.match(scan ?? "", /payouts whole$/);
    assert.deepEqual(others, []);
  });
});

describe("a payout's row", () => {
  test("is changed where it is: no index has a column that a movement changes", async () => {
    const rows = await plans.rowsOf(
      `select distinct a.attname as "column"
       from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
       where i.indrelid = 'payouts.payouts'::regclass order by 1`,
    );
    assert.deepEqual(
      (rows as { column: string }[]).map(({ column }) => column),
      ["batch_id", "id", "idempotency_key", "line", "recipient_id", "scope"],
    );
  });
});
