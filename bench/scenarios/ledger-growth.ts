import { Client } from "pg";
import { createPool } from "../../src/infrastructure/postgres/connections.ts";
import { getAccount, listEntries } from "../../src/modules/ledger/application/read-accounts.ts";
import type { LedgerContext } from "../../src/modules/ledger/index.ts";
import type { BenchArguments } from "../arguments.ts";
import { type BenchCluster, type BenchDatabase, queryAsOwner } from "../cluster.ts";
import { Histogram, type LatencySummary } from "../histogram.ts";
import {
  clearingCode,
  commissionCode,
  openLane,
  type PostingRound,
  runPostingRound,
  sale,
  sellerCode,
  sellers,
  tenant,
  wrongBooks,
} from "../ledger-load.ts";
import { median, type Table, whole } from "../report.ts";
import { postingDisturbance, postingGroups, postingMedians, postingProblems, postingRounds } from "./ledger-posting.ts";
import type { Outcome } from "./outcome.ts";

const sizes = [100_000, 10_000_000] as const;
const filledAtOnce = 100_000;
const batchOf = 128;
/** The batches that are filled in begin here, above those that opening the accounts takes. */
const firstBatch = 100_000;
const pageLength = 100;
const readsOfEach = 500;

/**
 * What posting costs when many entries are stored, and what reading the books of such a ledger takes. The small ledger
 * is copied for every round, because a round itself posts more than it holds; the large one grows by some percent.
 */
export async function ledgerGrowthScenario(cluster: BenchCluster, args: BenchArguments): Promise<Outcome> {
  const filled: { entries: number; payments: number; database: BenchDatabase }[] = [];
  for (const entries of sizes) {
    const database = await cluster.createDatabase(`bench_ledger_${entries}`);
    filled.push({ entries, payments: await fill(database, entries), database });
  }
  const rounds: PostingRound[] = [];
  for (let turn = 1; turn <= args.rounds; turn += 1) {
    for (const ledger of filled) rounds.push(await growthRound(cluster, args, ledger, turn));
  }
  const groups = postingGroups(rounds);
  const [small = 0, large = 1] = [...groups.values()].map((group) => median(group.map((round) => round.perSecond)));
  const [cheap = 0, dear = 1] = [...groups.values()].map((group) =>
    median(group.map((round) => round.cpuUsEach.postgres)),
  );
  const largest = filled.at(-1);
  const reads = largest === undefined ? [] : await readBooks(largest.database);
  return {
    tables: [postingMedians(groups), postingRounds(rounds), readTable(reads)],
    notes: [
      `With ${whole(sizes[1])} entries posting takes ${(small / large).toFixed(2)} times as long as with ` +
        `${whole(sizes[0])}, and ${(dear / cheap).toFixed(2)} times PostgreSQL's processor time.`,
      ...postingDisturbance(rounds),
    ],
    problems: postingProblems(rounds),
    figures: { rounds, reads },
  };
}

async function growthRound(
  cluster: BenchCluster,
  args: BenchArguments,
  ledger: { entries: number; payments: number; database: BenchDatabase },
  turn: number,
): Promise<PostingRound> {
  const isSmall = ledger.entries === sizes[0];
  const database = isSmall
    ? await cluster.createDatabase(`bench_ledger_copy_${turn}`, ledger.database)
    : ledger.database;
  const poster = openLane(database);
  const contender = `${whole(ledger.entries)} entries`;
  const round = await runPostingRound(cluster, args, { contender, poster });
  await poster.close();
  const problems = [...round.problems, ...(await wrongBooks(database, ledger.payments + round.posted))];
  if (isSmall) await cluster.dropDatabase(database);
  else ledger.payments += round.posted;
  return { ...round, problems };
}

/**
 * Fills a ledger as posting would have, a payment after the other, but set by set and by the owner of its tables.
 * Returns how many payments that are: three entries each.
 */
async function fill(database: BenchDatabase, entries: number): Promise<number> {
  const payments = Math.floor(entries / 3);
  const client = new Client({ connectionString: database.ownerUrl });
  await client.connect();
  try {
    await client.query("set role marketflow_ledger");
    const codes = [clearingCode, commissionCode, ...Array.from({ length: sellers }, (_, n) => sellerCode(n))];
    await client.query("select ledger.open_accounts($1, $2, array_fill('USD'::text, array[$3::integer]))", [
      tenant,
      codes,
      codes.length,
    ]);
    // What is filled in is checked as a whole afterwards; the trigger would sort each set once more.
    await client.query("alter table ledger.entries disable trigger entries_zero_sum");
    for (let from = 1; from <= payments; from += filledAtOnce) {
      await fillSome(client, from, Math.min(from + filledAtOnce - 1, payments));
    }
    await client.query("alter table ledger.entries enable trigger entries_zero_sum");
    await client.query(
      `update ledger.balances b
       set debits = e.debits, credits = e.credits, version = e.entries, posted_at = e.newest
       from (
         select account_id, coalesce(sum(amount) filter (where amount > 0), 0)::bigint as debits, count(*) as entries,
                coalesce(-sum(amount) filter (where amount < 0), 0)::bigint as credits, max(posted_at) as newest
         from ledger.entries group by account_id
       ) e
       where e.account_id = b.account_id`,
    );
    await client.query("select setval('ledger.batch_numbers', $1)", [firstBatch + Math.ceil(payments / batchOf)]);
    for (const table of ["accounts", "balances", "batches", "transactions", "entries"]) {
      await client.query(`vacuum (analyze) ledger.${table}`);
    }
  } finally {
    await client.end();
  }
  const problems = await wrongBooks(database, payments);
  if (problems.length > 0) throw new Error(`the filled ledger is wrong: ${problems.join("; ")}`);
  return payments;
}

/** The payments of some numbers, in batches of 128, a second apart, with what each leaves in its three accounts. */
async function fillSome(client: Client, from: number, to: number): Promise<void> {
  const payment = `
    select n, b.batch, b.batch * 65536 + (n - 1) % ${batchOf} + 1 as id,
           timestamptz '2026-01-01' + (n - 1) / ${batchOf} * interval '1 second' as posted_at,
           (n - 1) % ${sellers} as seller, (n - 1) / ${sellers} + 1 as nth
    from generate_series($1::bigint, $2::bigint) n
    cross join lateral (values ($3::bigint + (n - 1) / ${batchOf})) b (batch)`;
  const values = [from, to, firstBatch];
  await client.query(
    `insert into ledger.batches (id, posted_at)
     select batch, min(posted_at) from (${payment}) p group by batch on conflict do nothing`,
    values,
  );
  await client.query(
    `insert into ledger.transactions (id, tenant, kind, reference, posted_at)
     select id, $4, 'sale', 'payment:' || uuidv7(posted_at - now()), posted_at from (${payment}) p order by n`,
    [...values, tenant],
  );
  await client.query(
    `insert into ledger.entries (transaction_id, leg, account_id, version, amount, balance, currency, posted_at)
     select p.id, l.leg, a.id, l.version, l.amount, abs(l.amount) * l.version, 'USD', p.posted_at
     from (${payment}) p
     cross join lateral (
       values (1, $5, $8::bigint, p.n), (2, 'seller:' || p.seller || ':available', $9::bigint, p.nth),
              (3, $6, $10::bigint, p.n)
     ) l (leg, code, amount, version)
     join ledger.accounts a on a.code = l.code and a.tenant = $4 and a.currency = $7
     order by p.n, l.leg`,
    [...values, tenant, clearingCode, commissionCode, "USD", sale.clearing, sale.seller, sale.commission],
  );
}

type Read = { readonly what: string; readonly latency: LatencySummary };

/** Balances as of moments all over the history, and pages of entries that begin there, through the module's reading. */
async function readBooks(database: BenchDatabase): Promise<Read[]> {
  const pool = createPool({
    url: database.url,
    applicationName: "ledger bench",
    statementTimeoutMs: 30_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
    most: 1,
  });
  const context: LedgerContext = { database: pool, tenant };
  const accounts = await queryAsOwner<{ id: string; code: string }>(
    database,
    "select id::text, code from ledger.accounts where code = $1 or code = $2",
    [clearingCode, sellerCode(7)],
  );
  const [span] = await queryAsOwner<{ first: Date; last: Date }>(
    database,
    "select min(posted_at) as first, max(posted_at) as last from ledger.batches where id >= $1",
    [firstBatch],
  );
  if (span === undefined || accounts.length !== 2) throw new Error("the filled ledger cannot be read");
  const reads: Read[] = [];
  for (const { id, code } of accounts) {
    const whose = code === clearingCode ? "of the hot account" : "of a seller";
    const measure = async (what: string, read: (moment: string) => Promise<boolean>) => {
      const latency = new Histogram();
      for (let n = 0; n < readsOfEach; n += 1) {
        const share = ((n * 7_919) % readsOfEach) / readsOfEach;
        const atMs = span.first.getTime() + share * (span.last.getTime() - span.first.getTime());
        const moment = new Date(atMs).toISOString().replace("Z", "000Z");
        const sentMs = performance.now();
        if (!(await read(moment))) throw new Error(`${what} ${whose} was not found`);
        latency.record((performance.now() - sentMs) * 1000);
      }
      reads.push({ what: `${what} ${whose}`, latency: latency.summary() });
    };
    await measure("balance as of a posted time", async (moment) => {
      return (await getAccount(context, id, { moment, kind: "posted" })).ok;
    });
    await measure("balance as of an effective time", async (moment) => {
      return (await getAccount(context, id, { moment, kind: "effective" })).ok;
    });
    await measure(`page of ${pageLength} entries`, async (from) => {
      const filter = { from, to: null, after: null, order: "asc", limit: pageLength } as const;
      const page = await listEntries(context, id, filter);
      return page.ok && page.value.entries.length > 0;
    });
  }
  await pool.close();
  return reads;
}

function readTable(reads: readonly Read[]): Table {
  const rows = reads.map(({ what, latency }) => [
    what,
    latency.p50Ms.toFixed(2),
    latency.p99Ms.toFixed(2),
    latency.maxMs.toFixed(2),
  ]);
  return { columns: [`reading at ${whole(sizes[1])} entries`, "P50 ms", "P99 ms", "max ms"], rows };
}
