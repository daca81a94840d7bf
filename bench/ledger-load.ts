import { randomUUIDv7 } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createDedicatedConnection, createPool } from "../src/infrastructure/postgres/connections.ts";
import { type Currency, parseCurrency } from "../src/kernel/currency.ts";
import { createPostingLane, postTransaction, type TransactionDraft } from "../src/modules/ledger/index.ts";
import type { BenchArguments } from "./arguments.ts";
import { type BenchCluster, type BenchDatabase, queryAsOwner } from "./cluster.ts";
import { Histogram, type LatencySummary } from "./histogram.ts";
import { cpuSecondsOf, machineCpuSeconds } from "./processes.ts";

/** Something that posts one payment and resolves when it is committed; throws where it is not. */
export type Poster = { post(draft: TransactionDraft): Promise<void>; close(): Promise<void> };

/** One contender posting for a while into a database. */
export type PostingRound = {
  readonly contender: string;
  /** Committed inside the measured stretch, for each second of it. */
  readonly perSecond: number;
  /** Committed from the first to the last. */
  readonly posted: number;
  readonly latency: LatencySummary;
  /** Cores that were busy on average, as in the rounds of the HTTP scenarios; the load is in this process, too. */
  readonly cores: Readonly<Record<"process" | "postgres" | "others", number>>;
  readonly cpuUsEach: { readonly process: number; readonly postgres: number };
  readonly problems: readonly string[];
};

export const tenant = "bench";
export const sellers = 1_000;
/** A payment of 1000.00 with a commission of 2.5 %: a debit and two credits, of which two are on hot accounts. */
export const sale = { clearing: 100_000n, seller: -97_500n, commission: -2_500n } as const;

export const clearingCode = "gateway:stripe:clearing";
export const commissionCode = "platform:commission";
export const sellerCode = (number: number) => `seller:${number}:available`;

/** As the composition root has them. */
const laneLimits = { maxBatch: 256, maxQueued: 4_096, maxWaitMs: 5_000, sendAheadFrom: 32 };
const baselineConnections = 20;

const connection = (database: BenchDatabase) => ({
  url: database.url,
  applicationName: "ledger bench",
  statementTimeoutMs: 30_000,
  connectTimeoutMs: 5_000,
  onIdleError: () => undefined,
});

/** Posting as MarketFlow does it: one lane on a connection of its own. */
export function openLane(database: BenchDatabase): Poster {
  const session = createDedicatedConnection(connection(database));
  const lane = createPostingLane(session, tenant, laneLimits);
  return {
    async post(draft) {
      const result = await postTransaction({ database: session, tenant, lane }, draft);
      if (!result.ok || result.value.already) throw new Error(`not posted: ${JSON.stringify(result)}`);
    },
    async close() {
      await lane.drain();
      await session.close();
    },
  };
}

/** Posting row by row: a transaction for each payment, as many at once as there are connections. */
export function openBaseline(database: BenchDatabase): Poster {
  const pool = createPool({ ...connection(database), most: baselineConnections });
  const text = "select baseline.post_transaction($1, $2, $3, $4, $5, $6)";
  return {
    async post({ kind, reference, legs }) {
      const codes = legs.map(({ account }) => account);
      const currencies = legs.map(({ amount }) => amount.currency);
      const amounts = legs.map(({ amount }) => amount.amountMinor);
      await pool.query({ name: "baseline", text, values: [tenant, kind, reference, codes, currencies, amounts] });
    },
    close: () => pool.close(),
  };
}

export async function installBaseline(database: BenchDatabase): Promise<void> {
  await queryAsOwner(database, readFileSync(join(import.meta.dirname, "baseline", "ledger.sql"), "utf8"));
}

function dollars(): Currency {
  const currency = parseCurrency("USD");
  if (currency === undefined) throw new Error("no dollars");
  return currency;
}

const usd = dollars();

/** The n-th payment. References begin with the time, as those of payments do, whose ids are UUIDs of version 7. */
export function draftOf(n: number): TransactionDraft {
  const leg = (account: string, amountMinor: bigint) => ({ account, amount: { amountMinor, currency: usd } });
  return {
    kind: "sale",
    reference: `payment:${randomUUIDv7()}`,
    externalId: null,
    effectiveAt: null,
    holdId: null,
    shortfall: null,
    legs: [
      leg(clearingCode, sale.clearing),
      leg(sellerCode((n * 7_919) % sellers), sale.seller),
      leg(commissionCode, sale.commission),
    ],
  };
}

/** Opens the accounts by a payment to each seller, so that no round pays for that. Returns how many it posted. */
export async function openAccounts(database: BenchDatabase): Promise<number> {
  const lane = openLane(database);
  const drafts = Array.from({ length: sellers }, (_, n) => draftOf(n));
  await Promise.all(drafts.map((draft) => lane.post(draft)));
  await lane.close();
  return sellers;
}

/** Posts for the warm-up and the measured stretch with so many payments in flight, each followed by the next one. */
export async function runPostingRound(
  cluster: BenchCluster,
  args: BenchArguments,
  plan: { readonly contender: string; readonly poster: Poster },
): Promise<PostingRound> {
  await cluster.checkpoint();
  const { contender, poster } = plan;
  const latency = new Histogram();
  const errors = new Map<string, number>();
  let [number, posted, measured] = [0, 0, 0];
  const usage = () => ({
    process: process.cpuUsage(),
    postgres: cpuSecondsOf(cluster.postmasterPid),
    machine: machineCpuSeconds(),
    seconds: performance.now() / 1000,
  });
  const before = usage();
  const fromMs = performance.now() + args.warmupMs;
  const untilMs = fromMs + args.measureMs;
  const keepPosting = async () => {
    while (performance.now() < untilMs) {
      const sentMs = performance.now();
      number += 1;
      try {
        await poster.post(draftOf(number));
      } catch (error) {
        errors.set(String(error), (errors.get(String(error)) ?? 0) + 1);
        if (errors.size > 10) return;
        continue;
      }
      posted += 1;
      const doneMs = performance.now();
      if (doneMs < fromMs || doneMs >= untilMs) continue;
      measured += 1;
      latency.record((doneMs - sentMs) * 1000);
    }
  };
  await Promise.all(Array.from({ length: args.connections }, keepPosting));
  const after = usage();
  const seconds = after.seconds - before.seconds;
  const cpuOf = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1e6;
  const cpu = {
    process: cpuOf(after.process) - cpuOf(before.process),
    postgres: after.postgres - before.postgres,
  };
  const cores = { process: cpu.process / seconds, postgres: cpu.postgres / seconds };
  const others = Math.max(0, (after.machine - before.machine) / seconds - cores.process - cores.postgres);
  return {
    contender,
    perSecond: (measured / args.measureMs) * 1000,
    posted,
    latency: latency.summary(),
    cores: { ...cores, others },
    cpuUsEach: { process: (cpu.process * 1e6) / posted, postgres: (cpu.postgres * 1e6) / posted },
    problems: [...errors].map(([what, count]) => `${count} × ${what}`),
  };
}

/** Compares the books with what was posted, and every balance with its entries. Returns what is wrong. */
export async function wrongBooks(database: BenchDatabase, posted: number): Promise<string[]> {
  const payments = BigInt(posted);
  const rows = await queryAsOwner<{ what: string; debits: string; credits: string; entries: string; off: string }>(
    database,
    `select case when a.code like 'seller:%' then 'sellers' else a.code end as what,
            sum(b.debits)::text as debits, sum(b.credits)::text as credits, sum(b.version)::text as entries,
            count(*) filter (
              where (b.debits - b.credits, b.version, b.version) is distinct from (e.amount, e.entries, e.newest)
            )::text as off
     from ledger.accounts a
     join ledger.balances b on b.account_id = a.id
     left join (
       select account_id, sum(amount) as amount, count(*) as entries, max(version) as newest
       from ledger.entries group by account_id
     ) e on e.account_id = a.id
     group by 1 order by 1`,
  );
  const [counted] = await queryAsOwner<{ transactions: string }>(
    database,
    "select count(*)::text as transactions from ledger.transactions",
  );
  const row = (what: string, debits: bigint, credits: bigint) => ({
    what,
    debits: String(debits * payments),
    credits: String(credits * payments),
    entries: String(payments),
    off: "0",
  });
  const expected = [
    row(clearingCode, sale.clearing, 0n),
    row(commissionCode, 0n, -sale.commission),
    row("sellers", 0n, -sale.seller),
  ];
  const problems: string[] = [];
  for (const [place, wanted] of expected.entries()) {
    const [is, shouldBe] = [JSON.stringify(rows[place]), JSON.stringify(wanted)];
    if (is !== shouldBe) problems.push(`after ${posted} payments the books say ${is} instead of ${shouldBe}`);
  }
  if (counted?.transactions !== String(posted)) problems.push(`${counted?.transactions} transactions for ${posted}`);
  return problems;
}
