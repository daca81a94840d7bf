import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  findTransactionsByReferences,
  listMovements,
  type Movement,
} from "../../src/modules/ledger/application/read-transactions.ts";
import { type ServedLedger, serveLedger } from "./served-ledger.ts";
import { available, clearing, commission, type Item, sale, tenant } from "./vault.ts";

let served: ServedLedger;
before(async () => {
  served = await serveLedger();
});
after(() => served.close());

const read = (path: string) => served.read(path);

type Row = Record<string, unknown>;

async function accountOf(code: string, currency = "USD"): Promise<Row & { id: string }> {
  const { body } = await read(`/ledger/accounts?limit=100&code=${encodeURIComponent(code)}`);
  const account = body.data.find((row: Row) => row["code"] === code && row["currency"] === currency);
  assert.ok(account, `no account ${code} in ${currency}`);
  return account;
}

async function post(...items: Item[]): Promise<string[]> {
  const answers = await served.vault.post(items);
  return answers.map(({ result, id }) => {
    assert.equal(result, "posted");
    return id ?? "";
  });
}

/** Every page of a list. */
async function readAll(path: string): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor = "";
  do {
    const { status, body } = await read(`${path}${cursor}`);
    assert.equal(status, 200, JSON.stringify(body));
    rows.push(...body.data);
    cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
  } while (cursor !== "");
  return rows;
}

describe("accounts", () => {
  test("an account shows what went in and out, what is held and what is available", async () => {
    await post(sale("acc-1", "ann", 100_000n, 2_500n), sale("acc-2", "ann", 5_001n));
    await served.vault.hold("acc-hold", available("ann"), 1_000n);
    const account = await accountOf(available("ann"));
    const expected = {
      id: account.id,
      code: "seller:ann:available",
      currency: "USD",
      normal_side: "credit",
      debits: 0,
      credits: 1025.01,
      balance: 1025.01,
      held: 10,
      available: 1015.01,
      floor: 0,
      version: 2,
    };
    assert.deepEqual(account, expected);
    assert.deepEqual((await read(`/ledger/accounts/${account.id}`)).body, expected);
    const gateway = await accountOf(clearing);
    assert.deepEqual([gateway["normal_side"], gateway["floor"]], ["debit", null]);
  });

  test("amounts have the decimals of their currency, and are texts where a number could not carry them", async () => {
    await post(
      sale("cur-1", "cur", 1_234n, 0n, "JPY"),
      sale("cur-2", "cur", 1_234n, 0n, "BHD"),
      sale("cur-3", "cur", 9_007_199_254_740_993n, 0n, "EUR"),
    );
    const balances = [];
    for (const currency of ["JPY", "BHD", "EUR"])
      balances.push((await accountOf(available("cur"), currency))["balance"]);
    assert.deepEqual(balances, [1234, 1.234, "90071992547409.93"]);
  });

  test("a prefix lists exactly the accounts whose code begins so, in pages, by code and currency", async () => {
    const sellers = ["p%1", "p%2", "p_1", "p:a", "pé", "p\u{10ffff}\u{10ffff}z", "q"];
    await post(...sellers.flatMap((id) => [sale(`pre-${id}`, id, 1n), sale(`pre-e-${id}`, id, 1n, 0n, "EUR")]));
    const rows = await readAll(`/ledger/accounts?limit=3&code=${encodeURIComponent("seller:p")}`);
    const seen = rows.map(({ code, currency }) => `${code} ${currency}`);
    const expected = sellers
      .filter((id) => id !== "q")
      .map((id) => Buffer.from(available(id)))
      .sort(Buffer.compare)
      .flatMap((code) => [`${code} EUR`, `${code} USD`]);
    assert.deepEqual(seen, expected);
    assert.equal((await readAll("/ledger/accounts?limit=3&code=seller:p%25")).length, 4);
    assert.equal((await readAll("/ledger/accounts?limit=3&code=seller:zzz")).length, 0);
  });

  test("other books' accounts, entries and transactions are not there", async () => {
    const [answer] = await served.vault.post([sale("other", "other", 1n)], "another tenant");
    const [row] = await served.vault.look<{ id: bigint }>("select id from ledger.accounts where tenant <> $1", [
      tenant,
    ]);
    assert.equal((await read(`/ledger/transactions/${answer?.id}`)).body.code, "transaction_not_found");
    assert.equal((await read(`/ledger/accounts/${row?.id}`)).body.code, "account_not_found");
    assert.equal((await read(`/ledger/accounts/${row?.id}/entries`)).body.code, "account_not_found");
    assert.deepEqual((await read(`/ledger/accounts?code=${available("other")}`)).body.data, []);
    assert.deepEqual(await findTransactionsByReferences(served.context, ["other"]), []);
  });
});

describe("entries", () => {
  test("an account's statement has the running balance on each row, in both orders, in pages", async () => {
    for (let n = 1; n <= 7; n++) await post(sale(`st-${n}`, "stan", BigInt(n) * 100n));
    await post({
      reference: "st-back",
      kind: "refund",
      effectiveAt: "2026-01-31T12:00:00.123456Z",
      legs: [
        [available("stan"), 50n],
        [clearing, -50n],
      ],
    });
    const { id } = await accountOf(available("stan"));
    const down = await readAll(`/ledger/accounts/${id}/entries?limit=3`);
    assert.deepEqual(
      down.map(({ version, balance }) => [version, balance]),
      [8, 7, 6, 5, 4, 3, 2, 1].map((version) => [version, version === 8 ? 27.5 : (version * (version + 1)) / 2]),
    );
    const { transaction_id, posted_at, ...first } = down[0] ?? {};
    assert.deepEqual(first, {
      leg: 1,
      kind: "refund",
      reference: "st-back",
      direction: "debit",
      amount: 0.5,
      balance: 27.5,
      version: 8,
      effective_at: "2026-01-31T12:00:00.123456Z",
    });
    assert.match(String(posted_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.equal((await read(`/ledger/transactions/${transaction_id}`)).body.reference, "st-back");
    assert.deepEqual(await readAll(`/ledger/accounts/${id}/entries?order=asc&limit=2`), down.toReversed());
  });

  test("a period has what was posted at its beginning and not what was posted at its end", async () => {
    const { id } = await accountOf(available("stan"));
    const all = await readAll(`/ledger/accounts/${id}/entries?order=asc`);
    const times = all.map((row) => String(row["posted_at"]));
    for (const [from, to] of [
      [0, 7],
      [2, 5],
      [3, 3],
      [5, 6],
    ] as const) {
      for (const order of ["asc", "desc"]) {
        const path = `/ledger/accounts/${id}/entries?limit=2&order=${order}&from=${times[from]}&to=${times[to]}`;
        const expected = all.slice(from, to);
        assert.deepEqual(await readAll(path), order === "asc" ? expected : expected.toReversed());
      }
    }
    assert.deepEqual(await readAll(`/ledger/accounts/${id}/entries?from=2999-01-01T00:00:00Z`), []);
    assert.deepEqual(await readAll(`/ledger/accounts/${id}/entries?to=1999-01-01T00:00:00%2B02:00`), []);
  });
});

describe("balances as of another time", () => {
  /** What balances were at any time, by adding up every entry. */
  async function naive(accountId: string, moment: string, time: string): Promise<number> {
    const [row] = await served.vault.look<{ sum: string }>(
      `select coalesce(sum(a.sign * e.amount), 0)::text as sum
       from ledger.entries e join ledger.accounts a on a.id = e.account_id
       where e.account_id = $1 and ${time} <= $2::timestamptz`,
      [accountId, moment],
    );
    return Number(row?.sum) / 100;
  }

  test("by posted and by effective time they are what adding up every entry gives", async () => {
    const days = [3, 1, 9, 4, 27, 12, 5, 30, 2, 8];
    for (const [n, day] of days.entries()) {
      const effectiveAt = `2026-01-${String(day).padStart(2, "0")}T00:00:00Z`;
      const [ahead, backdated, plain] = ["2999-01-01T00:00:00Z", effectiveAt, undefined];
      for (const [way, at] of Object.entries({ ahead, backdated, plain })) {
        const item = sale(`as-${way}-${n}`, "asof", BigInt(1 + n * 3) * (way === "ahead" ? 1_000n : 7n));
        await post(at === undefined ? item : { ...item, effectiveAt: at });
      }
    }
    const { id } = await accountOf(available("asof"));
    const entries = await readAll(`/ledger/accounts/${id}/entries?order=asc&limit=100`);
    const moments = [
      "1999-01-01T00:00:00.000000Z",
      ...entries.flatMap((row) => [String(row["posted_at"]), String(row["effective_at"] ?? row["posted_at"])]),
      "2026-01-10T00:00:00.000001Z",
      "2999-12-31T00:00:00.000000Z",
    ];
    for (const moment of moments) {
      const posted = (await read(`/ledger/accounts/${id}?as_of=${moment}`)).body;
      assert.equal(posted.balance, await naive(id, moment, "e.posted_at"), `posted ${moment}`);
      assert.equal(posted.version, entries.filter((row) => String(row["posted_at"]) <= moment).length);
      const effective = (await read(`/ledger/accounts/${id}?as_of=${moment}&as_of_kind=effective`)).body;
      const expected = await naive(id, moment, "coalesce(e.effective_at, e.posted_at)");
      assert.equal(effective.balance, expected, `effective ${moment}`);
      assert.equal(effective.version, null);
    }
  });

  test("what is known of now only is null, in lists as well", async () => {
    const { id } = await accountOf(available("asof"));
    const { body } = await read(`/ledger/accounts?code=${available("asof")}&as_of=1999-01-01T00:00:00Z`);
    assert.deepEqual(body.data, [
      {
        id,
        code: available("asof"),
        currency: "USD",
        normal_side: "credit",
        debits: null,
        credits: null,
        balance: 0,
        held: null,
        available: null,
        floor: null,
        version: 0,
      },
    ]);
  });
});

describe("transactions", () => {
  test("a transaction shows every leg with its side, its amount and the balance after it", async () => {
    const [id] = await post({ ...sale("tx-1", "tess", 100_000n, 2_500n), externalId: "pi_1" });
    const { body } = await read(`/ledger/transactions/${id}`);
    const { posted_at, entries, ...facts } = body;
    assert.deepEqual(facts, {
      id,
      kind: "sale",
      reference: "tx-1",
      external_id: "pi_1",
      effective_at: null,
      sealed: false,
    });
    assert.ok(Math.abs(Date.parse(posted_at) - Date.now()) < 60_000);
    const legs = entries.map((entry: Row) => [entry["leg"], entry["code"], entry["direction"], entry["amount"]]);
    assert.deepEqual(legs, [
      [1, clearing, "debit", 1000],
      [2, available("tess"), "credit", 975],
      [3, commission, "credit", 25],
    ]);
    assert.deepEqual([entries[1].balance, entries[1].version], [975, 1]);
    await served.vault.look("select from ledger.seal(1000)");
    assert.equal((await read(`/ledger/transactions/${id}`)).body.sealed, true);
  });

  test("transactions are found by the references of whoever posted them, oldest first", async () => {
    const found = await findTransactionsByReferences(served.context, ["tx-1", "acc-1", "never posted", "x'{}\"\\,"]);
    assert.deepEqual(
      found.map(({ reference, entries }) => [reference, entries.length]),
      [
        ["acc-1", 3],
        ["tx-1", 3],
      ],
    );
    assert.deepEqual(found[1]?.entries[1]?.amount, { amountMinor: -97_500n, currency: "USD" });
    assert.deepEqual(await findTransactionsByReferences(served.context, []), []);
  });

  test("the movements of one code come in pages over all its currencies, for a period", async () => {
    const code = "gateway:paged:clearing";
    const moved = (n: number, currency: string): Item => ({
      reference: `mv-${n}-${currency}`,
      externalId: `pi_${n}`,
      legs: [
        [code, BigInt(n), currency],
        [available("mv"), BigInt(-n), currency],
      ],
    });
    for (let n = 1; n <= 5; n++) await post(moved(n, "USD"), moved(n, "JPY"));
    const { id } = await accountOf(code);
    const entries = await readAll(`/ledger/accounts/${id}/entries?order=asc`);
    // Dates have milliseconds only: a bound between two entries is made by waiting.
    const from = new Date(Date.parse(String(entries.at(-1)?.["posted_at"])) + 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (let n = 6; n <= 9; n++) await post(moved(n, "USD"), moved(n, "JPY"));
    const to = new Date(Date.now() + 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await post(moved(10, "USD"));
    const movements: Movement[] = [];
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof listMovements>> = await listMovements(served.context, {
        code,
        from,
        to,
        after,
        limit: 3,
      });
      movements.push(...page.movements);
      after = page.next;
    } while (after !== null);
    const seen = movements.map(({ amount, externalId }) => `${amount.currency} ${amount.amountMinor} ${externalId}`);
    const expected = ["JPY", "USD"].flatMap((currency) => [6, 7, 8, 9].map((n) => `${currency} ${n} pi_${n}`));
    assert.deepEqual(seen.sort(), expected);
    await assert.rejects(listMovements(served.context, { code, from, to, after: "x", limit: 3 }), /no position/);
  });
});

test("the trial balance has equal debits and credits in every currency, and says so when they are not", async () => {
  const { body } = await read("/ledger/trial-balance");
  assert.equal(body.balanced, true);
  assert.equal(body.accounts_truncated, false);
  assert.deepEqual(
    body.totals.map(({ currency }: Row) => currency),
    ["BHD", "EUR", "JPY", "USD"],
  );
  for (const { currency, debits, credits } of body.totals) {
    assert.deepEqual(debits, credits, currency);
  }
  const dollars = body.accounts.filter(({ currency }: Row) => currency === "USD");
  const turnover = dollars.reduce((sum: number, { debits }: { debits: number }) => sum + Math.round(debits * 100), 0);
  assert.equal(turnover, Math.round(body.totals.at(-1).debits * 100));
  const raise =
    "update ledger.balances set debits = debits + $1 where account_id = (select min(id) from ledger.accounts)";
  await served.vault.look(raise, [1]);
  assert.equal((await read("/ledger/trial-balance")).body.balanced, false);
  await served.vault.look(raise, [-1]);
});

describe("what cannot be answered is refused by name", () => {
  const cases: [string, number, string][] = [
    ["/ledger/accounts/0", 404, "account_not_found"],
    ["/ledger/accounts/1", 404, "account_not_found"],
    ["/ledger/accounts/9223372036854775808", 404, "account_not_found"],
    ["/ledger/accounts/x'--/entries", 404, "account_not_found"],
    ["/ledger/transactions/99999999999999999999", 404, "transaction_not_found"],
    ["/ledger/transactions/7", 404, "transaction_not_found"],
    ["/ledger/accounts/1?as_of=yesterday", 400, "invalid_request"],
    ["/ledger/accounts/1?as_of=2026-02-30T00:00:00Z", 400, "invalid_request"],
    ["/ledger/accounts/1?as_of=0001-01-01T00:00:00%2B23:00", 400, "invalid_request"],
    ["/ledger/accounts/1?as_of=2026-01-01T00:00:00.1234567Z", 400, "invalid_request"],
    ["/ledger/accounts?as_of_kind=effective", 400, "invalid_request"],
    ["/ledger/accounts?as_of_kind=best&as_of=2026-01-01T00:00:00Z", 400, "invalid_request"],
    ["/ledger/accounts?limit=101", 400, "invalid_request"],
    ["/ledger/accounts?code=a%00", 400, "invalid_request"],
    ["/ledger/accounts?cursor=nonsense", 400, "invalid_request"],
    ["/ledger/accounts/1/entries?from=2026-01-01", 400, "invalid_request"],
    ["/ledger/accounts/1/entries?to=2026-13-01T00:00:00Z", 400, "invalid_request"],
    ["/ledger/accounts/1/entries?cursor=LTE", 400, "invalid_request"],
    ["/ledger/export?format=xml", 400, "invalid_request"],
    ["/ledger/export?from=x", 400, "invalid_request"],
  ];
  for (const [path, status, code] of cases) {
    test(`${path} is ${status} ${code}`, async () => {
      const answer = await read(path);
      assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
    });
  }

  test("a cursor is for the filter that it came from", async () => {
    const { body } = await read("/ledger/accounts?limit=1");
    assert.equal((await read(`/ledger/accounts?code=zzz&cursor=${body.next_cursor}`)).status, 400);
  });
});
