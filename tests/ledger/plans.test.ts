import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type ClosableDatabase,
  createDedicatedConnection,
  createPool,
} from "../../src/infrastructure/postgres/connections.ts";
import type { Database } from "../../src/kernel/statement.ts";
import { available, type Item, openVault, postOn, refund, sale, tenant, type Vault } from "./vault.ts";

const accounts = 5_000;
const transactions = 10_000;
const batch = 128;

type Sessions = Readonly<Record<string, ClosableDatabase>>;
let vault: Vault;
/** One session of each kind, so that what is measured is what has planned. */
let oldSessions: Sessions = {};
let newSessions: Sessions = {};
let number = 0;

function openSessions(): Sessions {
  const settings = {
    url: vault.database.appUrl,
    applicationName: "plans",
    statementTimeoutMs: 10_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
  };
  return { "a pool": createPool({ ...settings, most: 1 }), "a lane": createDedicatedConnection(settings) };
}

const seller = (n: number) => `${(n * 37) % accounts}`;

type Run = (session: Database) => Promise<void>;

/** Prepares a batch; what it returns posts it and looks at every answer; none named: of both kinds. */
function posting(result: string, itemOf: (n: number) => Item): Run {
  number += 1;
  const items = Array.from({ length: batch }, (_, n) => itemOf(n));
  return async (session) => {
    const answers = await postOn(session, items);
    const results = new Set(answers.map((answer) => answer.result));
    assert.deepEqual([...results].sort(), result === "" ? ["already_posted", "posted"] : [result]);
  };
}

/** Payments out of holds, which are made beforehand by the superuser. */
async function payouts(): Promise<Run> {
  const holdIds: string[] = [];
  const round = number;
  await posting("posted", (n) => sale(`earned-${round}-${n}`, seller(n), 2n))(vault.pool);
  for (let n = 0; n < batch; n++) holdIds.push(await vault.hold(`held-${round}-${n}`, available(seller(n)), 2n));
  return posting("posted", (n) => refund(`payout-${round}-${n}`, seller(n), 2n, { holdId: holdIds[n] }));
}

const ask = async (session: Database, name: string, text: string, values: unknown[]) =>
  (await session.query({ name, text, values })).rows as Record<string, unknown>[];

/** A hold that is made and voided, and one that is made and expires. */
async function holdAndFree(): Promise<Run> {
  number += 1;
  const values = [tenant, `hold-${number}`, `expiring-${number}`, available(seller(number))];
  return async (session) => {
    const [made] = await ask(
      session,
      "hold",
      `select first_id as id, exceptions
       from ledger.hold($1, array[$2, $3], array[$4, $4], '{USD,USD}', '{1,1}', '{null,2026-01-01}', false)`,
      values,
    );
    assert.equal(made?.["exceptions"], null);
    await ask(session, "void", "select ledger.void_holds($1, array[$2::bigint])", [tenant, made?.["id"]]);
    const [freed] = await ask(session, "expire", "select ledger.expire_holds($1, 10) as holds", [tenant]);
    assert.equal(freed?.["holds"], 1);
  };
}

/** How many index entries may be found for each item, dead ones too; reading one index whole finds thousands. */
const mostFound = 100;
/** What is done, and how many pages of tables and indexes it may read for each item. */
const cases: readonly [what: string, prepare: () => Promise<Run>, items: number, mostPages: number][] = [
  [
    "posting sales",
    async () => posting("posted", (n) => sale(`sale-${number}-${n}`, seller(n + number), 1_000n, 25n)),
    batch,
    90,
  ],
  [
    "posting refunds, for which floors are watched",
    async () => posting("posted", (n) => refund(`refund-${number}-${n}`, seller(n), 1n)),
    batch,
    50,
  ],
  [
    "posting sales of which half stand already",
    async () => posting("", (n) => sale(n % 2 === 0 ? `old-${n}` : `half-${number}-${n}`, seller(n), 1_000n, 25n)),
    batch,
    90,
  ],
  [
    "posting what stands already",
    async () => posting("already_posted", (n) => sale(`old-${n}`, seller(n), 1_000n, 25n)),
    batch,
    45,
  ],
  ["posting holds", payouts, batch, 100],
  ["holding and freeing", holdAndFree, 1, 250],
];

before(async () => {
  vault = await openVault();
  oldSessions = openSessions();
  // The harshest: what has planned while the ledger was empty, and does not hear how it grows.
  for (const table of ["accounts", "balances", "transactions", "entries", "holds", "hold_resolutions", "open_holds"]) {
    await vault.look(`alter table ledger.${table} set (autovacuum_enabled = false)`);
  }
  await posting("posted", (n) => sale(`old-${n}`, seller(n), 1_000n, 25n))(vault.pool);
  for (const session of Object.values(oldSessions)) await warmUp(session);
  for (let from = batch; from < transactions; from += 1_000) {
    const items = Array.from({ length: 1_000 }, (_, n) => sale(`old-${from + n}`, seller(from + n), 1_000n, 25n));
    await vault.post(items);
  }
  const [made] = await vault.look<{ first: bigint; exceptions: unknown }>(
    `select h.first_id as first, h.exceptions
     from (
       select array_agg('old-' || n) as refs, array_agg('seller:' || n || ':available') as codes,
              array_agg('USD'::text) as currencies, array_agg(1::bigint) as amounts,
              array_agg(null::timestamptz) as expires_ats
       from generate_series(1, $2) n
     ) a, ledger.hold($1, refs, codes, currencies, amounts, expires_ats, false) h`,
    [tenant, accounts - 1],
  );
  assert.equal(made?.exceptions, null);
  const voiding = "select ledger.void_holds($1, array_agg(id)) from generate_series($2::bigint, $2 + $3 - 1) id";
  await vault.look(voiding, [tenant, made?.first, accounts - 1]);
  newSessions = openSessions();
  for (const session of Object.values(newSessions)) await warmUp(session);
});
after(async () => {
  for (const session of [...Object.values(oldSessions), ...Object.values(newSessions)]) await session.close();
  await vault.close();
});

/** PostgreSQL plans with the first calls, which reads its own catalogs. */
async function warmUp(session: Database): Promise<void> {
  for (const [, prepare] of cases) {
    for (let time = 0; time < 2; time++) await (await prepare())(session);
  }
}

type Figures = Readonly<Record<string, { readonly scans: bigint; readonly found: bigint; readonly pages: bigint }>>;

/**
 * For each table: how often it was read from its beginning to its end so far, how many entries of its indexes were
 * read (an index can be read from its beginning to its end, too), and how many pages of both.
 */
async function figures(session: Database): Promise<Figures> {
  // A session hands its figures in once a second otherwise, and then with the end of a statement.
  for (let time = 0; time < 2; time++) {
    await ask(session, "", "select pg_stat_force_next_flush()", []);
    await vault.look("select pg_stat_force_next_flush()");
    await ask(vault.pool, "", "select pg_stat_force_next_flush()", []);
  }
  const rows = await vault.look<{ name: string; scans: bigint; found: bigint; pages: bigint }>(
    `select s.relname as name, s.seq_scan as scans,
            heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0) as pages,
            (
              select coalesce(sum(i.idx_tup_read), 0)::bigint from pg_stat_user_indexes i where i.relid = s.relid
            ) as found
     from pg_stat_user_tables s join pg_statio_user_tables using (relid)
     where s.schemaname = 'ledger' order by 1`,
  );
  return Object.fromEntries(rows.map(({ name, ...counted }) => [name, counted]));
}

/** The tables that were read as a whole, and how many pages and entries of indexes were read in each. */
async function readsOf(session: Database, run: Run) {
  const before = await figures(session);
  await run(session);
  const after = await figures(session);
  const read = (what: "scans" | "found" | "pages") =>
    Object.keys(after)
      .map((name) => ({ name, count: Number((after[name]?.[what] ?? 0n) - (before[name]?.[what] ?? 0n)) }))
      .filter(({ count }) => count > 0);
  const pages = read("pages");
  return {
    scanned: read("scans").map(({ name }) => name),
    found: read("found"),
    pages,
    total: pages.reduce((sum, { count }) => sum + count, 0),
  };
}

/**
 * The least that was read in three runs. Dead versions of rows that are not pruned yet make one run read more than
 * another, by chance; a plan that walks a table walks it every time.
 */
async function leastReadsOf(session: Database, prepare: () => Promise<Run>) {
  let least = await readsOf(session, await prepare());
  for (let run = 2; run <= 3; run++) {
    const reads = await readsOf(session, await prepare());
    if (reads.total < least.total) least = reads;
  }
  return least;
}

const situations: readonly [string, () => Sessions][] = [
  ["that planned while the ledger was empty", () => oldSessions],
  ["that planned for it", () => newSessions],
];

for (const [situation, sessions] of situations) {
  describe(`with ${accounts} accounts and ${transactions} transactions, sessions ${situation}`, () => {
    for (const kind of ["a pool", "a lane"]) {
      for (const [what, prepare, items, mostPages] of cases) {
        test(`of ${kind} read every table by key when ${what}`, async () => {
          const session = sessions()[kind];
          assert.ok(session);
          const { scanned, found, pages, total } = await leastReadsOf(session, prepare);
          assert.deepEqual(scanned, []);
          assert.deepEqual(
            found.filter(({ count }) => count > mostFound * items),
            [],
          );
          assert.ok(total > items, "the pages were counted");
          assert.ok(total / items <= mostPages, `${total} pages for ${items}: ${JSON.stringify(pages)}`);
        });
      }
    }
  });
}

test("a table that is read as a whole is seen", async () => {
  const { scanned, total } = await readsOf(vault.pool, async (session) => {
    await ask(session, "", "select count(*) from ledger.transactions where kind = 'x'", []);
  });
  assert.deepEqual(scanned, ["transactions"]);
  assert.ok(total > 100);
});
