import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Client } from "pg";
import { allCurrencies, exponentOf, parseCurrency } from "../../src/kernel/currency.ts";
import { chart } from "../../src/modules/ledger/domain/chart.ts";
import { createPostingLane, postTransaction, type TransactionDraft } from "../../src/modules/ledger/index.ts";
import {
  available,
  clearing,
  commission,
  connectAs,
  openVault,
  postOn,
  receivable,
  refund,
  sale,
  tenant,
  type Vault,
} from "./vault.ts";

let vault: Vault;
before(async () => {
  vault = await openVault();
});
after(() => vault.close());

const results = (answers: readonly { result: string }[]) => answers.map(({ result }) => result);
const balanceOf = async (account: string, currency = "USD") => (await vault.balances())[`${account} ${currency}`];

/** Posts one item and returns its answer. */
async function postOne(...[item, books]: [Parameters<Vault["post"]>[0][number], string?]) {
  const [answer] = await vault.post([item], books);
  assert.ok(answer);
  return answer;
}

describe("posting a transaction", () => {
  test("writes an entry for each leg, with the account's version and its running balance", async () => {
    const first = await postOne(sale("entry-1", "entry", 1_000n));
    const second = await postOne(sale("entry-2", "entry", 500n));
    assert.deepEqual(results([first, second]), ["posted", "posted"]);
    const currency = "USD";
    const clearingNow = await balanceOf(clearing);
    assert.ok(clearingNow);
    assert.deepEqual(await vault.entriesOf(second.id), [
      {
        leg: 1,
        code: clearing,
        currency,
        version: clearingNow.version,
        amount: 500n,
        balance: clearingNow.debits - clearingNow.credits,
      },
      { leg: 2, code: available("entry"), currency, version: 2n, amount: -500n, balance: 1_500n },
    ]);
    assert.deepEqual(await balanceOf(available("entry")), { debits: 0n, credits: 1_500n, held: 0n, version: 2n });
  });

  test("of several legs gives each its place, and one account may have two of them", async () => {
    const { id } = await postOne({
      reference: "legs",
      legs: [
        [clearing, 1_000n],
        [available("legs"), -600n],
        [commission, -25n],
        [available("legs"), -375n],
      ],
    });
    const entries = (await vault.entriesOf(id)).filter(({ code }) => code === available("legs"));
    assert.deepEqual(
      entries.map(({ leg, version, amount, balance }) => ({ leg, version, amount, balance })),
      [
        { leg: 2, version: 1n, amount: -600n, balance: 600n },
        { leg: 4, version: 2n, amount: -375n, balance: 975n },
      ],
    );
  });

  test("in several currencies balances each of them, and keeps an account for each", async () => {
    const { id } = await postOne({
      reference: "currencies",
      legs: [
        [clearing, 1_000n, "EUR"],
        [available("currencies"), -1_000n, "EUR"],
        [clearing, 12_345n, "JPY"],
        [available("currencies"), -12_345n, "JPY"],
        [clearing, 7n, "BHD"],
        [available("currencies"), -7n, "BHD"],
      ],
    });
    assert.equal((await vault.entriesOf(id)).length, 6);
    assert.equal((await balanceOf(available("currencies"), "EUR"))?.credits, 1_000n);
    assert.equal((await balanceOf(available("currencies"), "JPY"))?.credits, 12_345n);
    assert.equal((await balanceOf(available("currencies"), "BHD"))?.credits, 7n);
  });

  test("keeps its kind, the gateway's id and the time of what happened", async () => {
    const effectiveAt = "2026-01-31T12:00:00.000Z";
    const { id } = await postOne({ ...sale("fields", "fields", 5n), externalId: "pi_1", effectiveAt });
    const [row] = await vault.look<Record<string, unknown>>(
      `select t.kind, t.reference, t.tenant, t.external_id, t.effective_at = $2 and e.effective_at = $2 as effective,
              t.posted_at = e.posted_at and t.posted_at = b.posted_at as one_time
       from ledger.transactions t join ledger.entries e on e.transaction_id = t.id and e.leg = 1
       join ledger.batches b on b.id = t.id >> 16 where t.id = $1`,
      [id, effectiveAt],
    );
    assert.deepEqual(row, {
      kind: "sale",
      reference: "fields",
      tenant,
      external_id: "pi_1",
      effective: true,
      one_time: true,
    });
  });

  test("opens accounts with the side and the floor that the chart gives them", async () => {
    const codes = chart.map(({ pattern }) => pattern.replace("%", "opened"));
    for (const [place, code] of codes.entries()) {
      // Each goes up on its own side, so that no floor is in the way.
      const up = chart[place]?.normalSide === "debit" ? 1n : -1n;
      const other = code === "bills:opened" ? "platform:suspense" : "bills:opened";
      const legs = [[code, up] as const, [other, -up] as const];
      assert.equal((await postOne({ reference: `open-${place}`, legs })).result, "posted");
    }
    const opened = await vault.look(
      `select a.code, a.normal_side as side, b.floor, a.floored from ledger.accounts a
       join ledger.balances b on b.account_id = a.id where a.code = any($1) and a.currency = 'USD' and a.tenant = $2`,
      [codes, tenant],
    );
    const wanted = chart.map(({ normalSide, floorMinor }, place) => ({
      code: codes[place],
      side: normalSide,
      floor: floorMinor,
      floored: floorMinor !== null,
    }));
    const byCode = (rows: unknown[]) => new Map((rows as { code: string }[]).map((row) => [row.code, row]));
    assert.deepEqual(byCode(opened), byCode(wanted));
  });

  test("to an account or in a currency that is not in the chart fails as a whole", async () => {
    const before = await vault.dump();
    for (const [code, currency] of [
      ["cash", "USD"],
      ["seller::", "USD"],
      ["Platform:commission", "USD"],
      [available("x"), "XXX"],
      [available("x"), "usd"],
    ] as const) {
      const item = { reference: "stranger", legs: [[code, -1n, currency] as const, [clearing, 1n, currency] as const] };
      const good = sale("beside-a-stranger", "x", 1n);
      await assert.rejects(vault.post([good, item]), { kind: "rejected", message: /not in the chart of accounts/ });
    }
    assert.deepEqual(await vault.dump(), before);
  });
});

describe("a transaction that is not balanced is refused at commit", () => {
  const unbalanced = { name: "DatabaseFailure", kind: "rejected", message: /is not balanced/ };

  test("through the posting function, and everything else in its batch with it", async () => {
    const before = await vault.dump();
    const legs = [[clearing, 100n] as const, [available("crooked"), -99n] as const];
    await assert.rejects(vault.post([sale("straight", "crooked", 5n), { reference: "crooked", legs }]), unbalanced);
    assert.deepEqual(await vault.dump(), before);
  });

  test("also where it is balanced only over two currencies, or only over two transactions", async () => {
    const before = await vault.dump();
    const mixed = [[clearing, 100n, "EUR"] as const, [available("crooked"), -100n, "USD"] as const];
    await assert.rejects(vault.post([{ reference: "mixed", legs: mixed }]), unbalanced);
    const lent = { reference: "lent", legs: [[clearing, 100n] as const] };
    const owed = { reference: "owed", legs: [[clearing, -100n] as const] };
    await assert.rejects(vault.post([lent, owed]), unbalanced);
    assert.deepEqual(await vault.dump(), before);
  });

  const insert = `insert into ledger.entries
      (transaction_id, leg, account_id, version, amount, balance, currency, posted_at)
    select 7, leg, (select min(id) from ledger.accounts), 1000000 + leg, amount, 0, currency, now()
    from (values (1, 100, 'USD'), (2, -100, $1)) l (leg, amount, currency)`;
  const roles: [string, (database: Vault["database"]) => string, string][] = [
    ["the owner of the ledger", ({ ownerUrl }) => ownerUrl, "set role marketflow_ledger"],
    ["a superuser", ({ adminUrl }) => adminUrl, "reset role"],
  ];
  for (const [who, urlOf, role] of roles) {
    test(`also for ${who} who inserts entries past the function`, async () => {
      await postOne(sale(`raw-${who}`, "raw", 5n));
      const client: Client = await connectAs(urlOf(vault.database));
      try {
        await client.query(role);
        const before = await vault.dump();
        await assert.rejects(client.query(insert, ["EUR"]), { code: "23514", constraint: "entries_zero_sum" });
        assert.deepEqual(await vault.dump(), before);
        await client.query("begin");
        assert.equal((await client.query(insert, ["USD"])).rowCount, 2);
        await client.query("rollback");
      } finally {
        await client.end();
      }
    });
  }
});

describe("a call that names its legs wrongly is refused as a whole", () => {
  const call = (legItems: string, legs: string) =>
    vault.pool.query({
      name: "",
      text: `select ledger.post('${tenant}', '{sale,sale}', '{wrong-1,wrong-2}', '{null,null}', '{null,null}', null,
        '${legItems}', array(select case l when '+' then 'bills:a' else 'bills:b' end from unnest($1::text[]) l),
        array(select 'USD' from unnest($1::text[])),
        array(select case l when '+' then 1 else -1 end from unnest($1::text[]) l)::bigint[])`,
      values: [legs.split("")],
    });
  for (const [what, legItems, legs] of [
    ["of a transaction that the batch does not have", "{1,1,2,2,3,3}", "+-+-+-"],
    ["of transaction 0", "{0,0,1,1,2,2}", "+-+-+-"],
    ["of no transaction", "{1,1,2,2,null,null}", "+-+-+-"],
    ["that leave a transaction without any", "{1,1}", "+-"],
    ["in another order than the transactions", "{2,2,1,1}", "+-+-"],
  ] as const) {
    test(what, async () => {
      const before = await vault.dump();
      await assert.rejects(call(legItems, legs), { kind: "rejected" });
      assert.deepEqual(await vault.dump(), before);
    });
  }
});

describe("a reference", () => {
  test("that is posted already answers with the original, and nothing changes", async () => {
    const item = { ...sale("twice", "twice", 1_000n, 25n), externalId: "pi_2", effectiveAt: "2026-02-01T00:00:00Z" };
    const first = await postOne(item);
    const before = await vault.dump();
    assert.deepEqual(await postOne(item), { result: "already_posted", id: first.id });
    // The same legs in another order are the same transaction.
    assert.deepEqual(await postOne({ ...item, legs: item.legs.toReversed() }), {
      result: "already_posted",
      id: first.id,
    });
    assert.deepEqual(await vault.dump(), before);
  });

  test("that stands for something else is a conflict, and nothing changes", async () => {
    const item = { ...sale("conflict", "conflict", 1_000n), externalId: "pi_3" };
    const { id } = await postOne(item);
    await postOne(sale("others", "conflict-2", 1n));
    await postOne({ ...sale("others-eur", "conflict", 1n, 0n, "EUR") });
    const before = await vault.dump();
    const variants = {
      amount: { ...sale("conflict", "conflict", 1_001n), externalId: "pi_3" },
      kind: { ...item, kind: "refund" },
      account: { ...sale("conflict", "conflict-2", 1_000n), externalId: "pi_3" },
      currency: { ...sale("conflict", "conflict", 1_000n, 0n, "EUR"), externalId: "pi_3" },
      "external id": { ...item, externalId: "pi_4" },
      "no external id": sale("conflict", "conflict", 1_000n),
      time: { ...item, effectiveAt: "2026-02-01T00:00:00Z" },
      "one leg more": { ...sale("conflict", "conflict", 1_000n, 1n), externalId: "pi_3" },
      direction: { ...refund("conflict", "conflict", 1_000n), kind: "sale", externalId: "pi_3" },
    };
    for (const [what, variant] of Object.entries(variants)) {
      assert.deepEqual(await postOne(variant), { result: "reference_conflict", id }, what);
    }
    assert.deepEqual(await vault.dump(), before);
  });

  test("that comes twice in one batch is posted once", async () => {
    const item = sale("pair", "pair", 10n);
    const [first, second] = await vault.post([item, item]);
    assert.equal(first?.result, "posted");
    assert.deepEqual(second, { result: "already_posted", id: first?.id });
    const [third, fourth] = await vault.post([sale("pair-2", "pair", 10n), sale("pair-2", "pair", 11n)]);
    assert.equal(third?.result, "posted");
    assert.deepEqual(fourth, { result: "reference_conflict", id: third?.id });
    assert.equal((await balanceOf(available("pair")))?.credits, 20n);
  });

  test("belongs to its tenant: another one may use it, and has accounts of its own", async () => {
    const mine = await postOne(sale("shared", "shared", 10n));
    const theirs = await postOne(sale("shared", "shared", 99n), "another tenant");
    assert.deepEqual(results([mine, theirs]), ["posted", "posted"]);
    assert.notEqual(mine.id, theirs.id);
    assert.equal((await balanceOf(available("shared")))?.credits, 10n);
    assert.equal((await vault.balances("another tenant"))[`${available("shared")} USD`]?.credits, 99n);
  });

  test("may hold anything but nothing", async () => {
    for (const reference of ["a,b", '{"a"}', "NULL", "\\", "ö 日本", "x".repeat(255)]) {
      assert.equal((await postOne(sale(reference, "odd", 1n))).result, "posted");
      assert.equal((await postOne(sale(reference, "odd", 1n))).result, "already_posted");
    }
    await assert.rejects(vault.post([sale("", "odd", 1n)]), { kind: "rejected" });
    await assert.rejects(vault.post([sale("x".repeat(256), "odd", 1n)]), { kind: "rejected" });
  });
});

describe("in a batch", () => {
  test("one bad item gets its own refusal, and the good ones go through", async () => {
    const standing = await postOne(sale("batch-0", "batch", 100n));
    const answers = await vault.post([
      sale("batch-1", "batch", 50n),
      refund("batch-2", "batch", 151n),
      sale("batch-0", "batch", 100n),
      sale("batch-0", "batch", 101n),
      refund("batch-3", "batch", 150n),
    ]);
    assert.deepEqual(results(answers), [
      "posted",
      "insufficient_funds",
      "already_posted",
      "reference_conflict",
      "posted",
    ]);
    assert.equal(answers[2]?.id, standing.id);
    assert.deepEqual(await balanceOf(available("batch")), { debits: 150n, credits: 150n, held: 0n, version: 3n });
    assert.deepEqual((await vault.entriesOf(answers[4]?.id)).map(({ amount, balance }) => [amount, balance])[0], [
      150n,
      0n,
    ]);
    assert.deepEqual(await vault.entriesOf(answers[1]?.id), []);
  });

  test("nothing is written for an empty one", async () => {
    const before = await vault.dump();
    assert.deepEqual(await vault.post([]), []);
    assert.deepEqual(await vault.dump(), before);
  });

  test("of 256 with hot accounts every entry has the balance that it left", async () => {
    const items = Array.from({ length: 256 }, (_, n) => sale(`hot-${n}`, `hot-${n % 10}`, BigInt(1_000 + n), 25n));
    const answers = await vault.post(items);
    assert.ok(answers.every(({ result }) => result === "posted"));
    const wrong = await vault.look(
      `select * from (
         select e.*, a.sign * sum(e.amount) over w as expected, row_number() over w as nth
         from ledger.entries e join ledger.accounts a on a.id = e.account_id
         window w as (partition by e.account_id order by e.version)
       ) e where e.balance <> e.expected or e.version <> e.nth`,
    );
    assert.deepEqual(wrong, []);
  });
});

describe("a floor", () => {
  test("is exact to the minor unit", async () => {
    await postOne(sale("floor-1", "floor", 1_000n));
    const before = await vault.dump();
    assert.deepEqual(await postOne(refund("floor-2", "floor", 1_001n)), { result: "insufficient_funds" });
    assert.deepEqual(await vault.dump(), before);
    assert.equal((await postOne(refund("floor-3", "floor", 1_000n))).result, "posted");
    assert.deepEqual(await postOne(refund("floor-4", "floor", 1n)), { result: "insufficient_funds" });
  });

  test("sees the items of a batch in their order", async () => {
    const inOrder = await vault.post([sale("order-1", "order", 10n), refund("order-2", "order", 10n)]);
    assert.deepEqual(results(inOrder), ["posted", "posted"]);
    const reversed = await vault.post([refund("order-3", "order", 10n), sale("order-4", "order", 10n)]);
    assert.deepEqual(results(reversed), ["insufficient_funds", "posted"]);
    const spent = await vault.post([refund("order-5", "order", 6n), refund("order-6", "order", 6n)]);
    assert.deepEqual(results(spent), ["posted", "insufficient_funds"]);
  });

  test("looks at what a transaction leaves, in whatever order its legs stand", async () => {
    await postOne(sale("net-1", "net", 10n));
    const legs = [[available("net"), 15n] as const, [available("net"), -5n] as const, [clearing, -10n] as const];
    assert.equal((await postOne({ reference: "net-2", legs })).result, "posted");
    assert.equal((await postOne(refund("net-3", "net", 1n))).result, "insufficient_funds");
  });

  test("is the last word also where the function does not look: the CHECK refuses it", async () => {
    await postOne(sale("check", "check", 5n));
    const drain = `update ledger.balances set debits = 6 where account_id =
      (select id from ledger.accounts where code = $1 and tenant = $2)`;
    await assert.rejects(vault.look(drain, [available("check"), tenant]), { constraint: "balances_above_floor" });
  });

  test("that refuses a seller whom nobody paid yet leaves an account that is empty, and nothing else", async () => {
    const before = await vault.dump();
    assert.equal((await postOne(refund("unpaid", "unpaid", 1n))).result, "insufficient_funds");
    const after = await vault.dump();
    for (const table of ["transactions", "entries", "holds"]) assert.equal(after[table], before[table], table);
    assert.deepEqual(await balanceOf(available("unpaid")), { debits: 0n, credits: 0n, held: 0n, version: 0n });
    const opened = (after["balances"] ?? "").split("\n").filter((row) => !before["balances"]?.includes(row));
    assert.equal(opened.length, 1);
  });

  test("does not hold back accounts that have none", async () => {
    const legs = [[clearing, -5_000_000n] as const, ["platform:losses", 5_000_000n] as const];
    assert.equal((await postOne({ reference: "no-floor", legs })).result, "posted");
  });

  test("lets an account with a shortfall account pay what it has, and the other bears the rest", async () => {
    await postOne(sale("short-1", "short", 30n));
    const chargeback = refund("short-2", "short", 100n, { kind: "chargeback", shortfall: receivable("short") });
    const { id, result } = await postOne(chargeback);
    assert.equal(result, "posted");
    assert.deepEqual(
      (await vault.entriesOf(id)).map(({ code, amount, balance }) => [code, amount, code === clearing ? "" : balance]),
      [
        [available("short"), 30n, 0n],
        [clearing, -100n, ""],
        [receivable("short"), 70n, 70n],
      ],
    );
    const before = await vault.dump();
    assert.deepEqual(await postOne(chargeback), { result: "already_posted", id });
    assert.equal((await postOne(refund("short-2", "short", 99n, { kind: "chargeback" }))).result, "reference_conflict");
    assert.deepEqual(await vault.dump(), before);
    const broke = await postOne(refund("short-3", "short", 5n, { shortfall: receivable("short") }));
    assert.deepEqual(
      (await vault.entriesOf(broke.id)).map(({ leg, code, amount }) => [leg, code, amount]),
      [
        [1, clearing, -5n],
        [2, receivable("short"), 5n],
      ],
    );
    await postOne(sale("short-4", "short", 5n));
    const covered = await postOne(refund("short-5", "short", 5n, { shortfall: receivable("short") }));
    assert.equal((await vault.entriesOf(covered.id)).length, 2);
  });

  test("refuses a shortage in a currency that the shortfall account does not bear", async () => {
    const legs = [
      [clearing, 1n, "EUR"],
      [available("foreign"), -1n, "EUR"],
      [available("foreign"), 5n, "USD"],
      [clearing, -5n, "USD"],
    ] as const;
    const item = { reference: "foreign", legs, shortfall: receivable("foreign") };
    assert.deepEqual(results(await vault.post([item, sale("native", "foreign", 1n)])), [
      "insufficient_funds",
      "posted",
    ]);
  });

  test("knows again what was borne for two accounts at once", async () => {
    const legs = [
      [available("both"), 4n],
      ["seller:both:pending", 6n],
      [clearing, -10n],
    ] as const;
    const item = { reference: "both", legs, shortfall: "platform:losses" };
    const first = await postOne(item);
    assert.equal(first.result, "posted");
    assert.deepEqual(await postOne(item), { result: "already_posted", id: first.id });
  });
});

describe("the posting lane", () => {
  const dollars = parseCurrency("USD");
  assert.ok(dollars);
  const draft = (reference: string, seller: string, minor: bigint): TransactionDraft => ({
    ...{ kind: "sale", reference, externalId: null, effectiveAt: null, holdId: null, shortfall: null },
    legs: [
      { account: clearing, amount: { amountMinor: minor, currency: dollars } },
      { account: available(seller), amount: { amountMinor: -minor, currency: dollars } },
    ],
  });
  const limits = { maxBatch: 64, maxQueued: 256, maxWaitMs: 5_000 };

  test("posts what comes at once, a repeated reference once, and refuses what is no draft", async () => {
    const lane = createPostingLane(vault.pool, tenant, limits);
    const context = { database: vault.pool, tenant, lane };
    const [first, again, other, crooked, broke] = await Promise.all([
      postTransaction(context, draft("lane-1", "lane", 10n)),
      postTransaction(context, draft("lane-1", "lane", 10n)),
      postTransaction(context, draft("lane-1", "lane", 11n)),
      postTransaction(context, { ...draft("lane-2", "lane", 10n), legs: [] }),
      postTransaction(context, draft("lane-3", "lane", -11n)),
    ]);
    assert.ok(first?.ok);
    const { transactionId } = first.value;
    assert.deepEqual(first.value, { transactionId, already: false });
    assert.deepEqual(again, { ok: true, value: { transactionId, already: true } });
    assert.deepEqual(other, { ok: false, refusal: { type: "reference_conflict", transactionId } });
    assert.deepEqual(crooked, { ok: false, refusal: { type: "too_few_legs" } });
    assert.deepEqual(broke, { ok: false, refusal: { type: "insufficient_funds" } });
    await lane.drain();
  });

  test("fails only the item that the database rejects: the others of its batch go through", async () => {
    const lane = createPostingLane(vault.pool, tenant, limits);
    // Past the judgement of drafts, an account's code that is longer than the vault takes.
    const wrong = draft("lane-wrong", "x".repeat(300), 1n);
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 9 }, (_, n) => lane.submit(draft(`lane-good-${n}`, "lane", 1n))),
      lane.submit(wrong),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      [...Array.from({ length: 9 }, () => "fulfilled"), "rejected"],
    );
    await lane.drain();
  });
});

describe("an operator's floor", () => {
  const change = `select ledger.set_floor($1, $2, 'USD', $3, 'agreed in writing')`;

  test("lets a seller owe, down to it, and later sales net that off", async () => {
    await vault.look(change, [tenant, available("trusted"), -500]);
    assert.equal((await postOne(refund("trust-1", "trusted", 500n))).result, "posted");
    assert.equal((await postOne(refund("trust-2", "trusted", 1n))).result, "insufficient_funds");
    await postOne(sale("trust-3", "trusted", 600n));
    assert.equal((await postOne(refund("trust-4", "trusted", 600n))).result, "posted");
    assert.deepEqual(
      await vault.look("select floor, reason, changed_by from ledger.floor_changes where floor = -500"),
      [{ floor: -500n, reason: "agreed in writing", changed_by: "postgres" }],
    );
  });

  test("keeps a reserve, and is refused where the account is below it already", async () => {
    await postOne(sale("reserve-1", "reserve", 100n));
    await assert.rejects(vault.look(change, [tenant, available("reserve"), 101]), {
      constraint: "balances_above_floor",
    });
    await vault.look(change, [tenant, available("reserve"), 100]);
    assert.equal((await postOne(refund("reserve-2", "reserve", 1n))).result, "insufficient_funds");
  });

  test("cannot be given to accounts without one, nor taken away", async () => {
    await assert.rejects(vault.look(change, [tenant, clearing, 0]), /have no floor/);
    await assert.rejects(vault.look(change, [tenant, available("trusted"), null]), /null value/);
  });

  test("is not the application's to change", async () => {
    const app = await connectAs(vault.database.appUrl);
    try {
      await assert.rejects(app.query(change, [tenant, available("trusted"), -501]), { code: "42501" });
    } finally {
      await app.end();
    }
  });
});

describe("the vault's lists", () => {
  test("the chart in code is the chart in the database", async () => {
    const rows = await vault.look(
      `select pattern, normal_side as "normalSide", floor as "floorMinor" from ledger.chart`,
    );
    const listed = chart.map(({ pattern, normalSide, floorMinor }) => ({ pattern, normalSide, floorMinor }));
    const sorted = (list: { pattern: string }[]) =>
      list.toSorted((left, right) => (left.pattern < right.pattern ? -1 : 1));
    assert.deepEqual(sorted(rows as typeof listed), sorted(listed));
    assert.ok(rows.length >= 9);
  });

  test("the currencies in code are those in the database", async () => {
    const rows = await vault.look<{ code: string; exponent: number }>("select code, exponent from ledger.currencies");
    assert.deepEqual(
      Object.fromEntries(rows.map(({ code, exponent }) => [code, exponent])),
      Object.fromEntries(allCurrencies().map((code) => [code, exponentOf(code)])),
    );
  });
});

test("post_all fails the whole statement where one item is refused, and takes what stands", async () => {
  const postAll = { query: (query: Parameters<Vault["pool"]["query"]>[0]) => vault.pool.query(asPostAll(query)) };
  const item = sale("all-1", "all", 10n);
  assert.deepEqual(results(await postOn(postAll, [item])), ["posted"]);
  assert.equal(results(await postOn(postAll, [item, sale("all-2", "all", 1n)])).length, 2);
  const before = await vault.dump();
  await assert.rejects(postOn(postAll, [sale("all-3", "all", 1n), refund("all-4", "all", 100n)]), {
    kind: "rejected",
    message: /refused all-4: insufficient_funds/,
  });
  assert.deepEqual(await vault.dump(), before);
});

/** The posting statement with the function that must post everything in its place. */
function asPostAll({ text, values }: { text: string; values: unknown[] }) {
  const call = text.slice(text.indexOf("ledger.post(")).replace("ledger.post(", "ledger.post_all(");
  return { name: "", text: `select ${call.trim()} as "firstId"`, values };
}
