import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openSite, rowsOf, type Site } from "../support/site.ts";

let site: Site;
before(async () => {
  site = await openSite();
});
after(() => site.close());

/** Runs a command of the command line to its end. */
async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const { DATABASE_URL = "", DATABASE_OWNER_URL = "" } = site.environment;
  const child = site.run(args, { DATABASE_URL, DATABASE_OWNER_URL, MARKETFLOW_HOME: site.home });
  const { code } = await child.exited;
  return { code, output: child.output() };
}

const rates = () =>
  rowsOf(site.ownerUrl, "select seller_id, category, basis_points from payments.commission_rates order by 1, 2");

describe("marketflow commission", () => {
  test("lists, sets and takes away rates", async () => {
    assert.match((await run("commission")).output, /2\.50 % {2}every seller, every category/);
    assert.equal((await run("commission", "--seller", "42", "2.9")).code, 0);
    assert.equal((await run("commission", "--category", "books", "10%")).code, 0);
    const { output } = await run("commission", "3");
    assert.match(output, /3\.00 % {2}every seller, every category\n 10\.00 % {2}every seller, category books\n/);
    assert.deepEqual(
      (await rates()).map((row) => Object.values(row)),
      [
        ["", "", 300],
        ["", "books", 1000],
        ["42", "", 290],
      ],
    );
    assert.equal((await run("commission", "--seller", "42", "default")).code, 0);
    assert.equal((await rates()).length, 2);
  });

  test("says what is wrong, and changes nothing", async () => {
    const before = await rates();
    for (const args of [["101"], ["2.555"], ["-1"], ["default"], ["--seller", "42"], ["1", "2"], ["--who", "1"]]) {
      const { code, output } = await run("commission", ...args);
      assert.equal(code, 1, args.join(" "));
      assert.match(output, /Usage|PERCENT|not removed/, args.join(" "));
    }
    assert.deepEqual(await rates(), before);
  });
});

describe("marketflow floor", () => {
  const floors = () =>
    rowsOf(
      site.ownerUrl,
      "select a.code, b.floor, c.reason from ledger.balances b join ledger.accounts a on a.id = b.account_id " +
        "left join ledger.floor_changes c on c.account_id = a.id",
    );

  test("lets a seller owe, and keeps why", async () => {
    const { code, output } = await run("floor", "seller:42:available", "USD", "-100.00", "--reason", "trusted");
    assert.equal(code, 0, output);
    assert.deepEqual(await floors(), [{ code: "seller:42:available", floor: "-10000", reason: "trusted" }]);
  });

  test("says what is wrong, and changes nothing", async () => {
    const before = await floors();
    for (const [args, says] of [
      [["seller:42:available", "USD", "-100.00"], /Usage/],
      [["seller:42:available", "XXX", "-100.00", "--reason", "x"], /Usage/],
      [["seller:42:available", "USD", "-100.001", "--reason", "x"], /more decimals than USD has/],
      [["platform:commission", "USD", "0", "--reason", "x"], /stays as it was.*no floor/],
      [["nobody:knows", "USD", "0", "--reason", "x"], /stays as it was.*not in the chart/],
      [["seller:42:available", "USD", "5", "--reason", "x"], /stays as it was.*balances_above_floor/],
    ] as const) {
      const { code, output } = await run("floor", ...args);
      assert.equal(code, 1, args.join(" "));
      assert.match(output, says, args.join(" "));
    }
    assert.deepEqual(await floors(), before);
  });
});
