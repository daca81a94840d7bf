import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createDedicatedConnection } from "../src/infrastructure/postgres/connections.ts";
import type { Money } from "../src/kernel/money.ts";
import { createPostingLane, fundGateway, ownBooks } from "../src/modules/ledger/index.ts";
import { type BenchDatabase, queryAsOwner } from "./cluster.ts";
import { installBaseline } from "./ledger-load.ts";

/** Gives the baseline its posting function, which leaves the opening of accounts to whoever installs it. */
export async function prepareBaselineBooks(
  database: BenchDatabase,
  codes: readonly string[],
  currency: string,
): Promise<void> {
  await installBaseline(database);
  const currencies = codes.map(() => currency);
  await queryAsOwner(database, "select ledger.open_accounts($1, $2, $3)", [ownBooks, codes, currencies]);
}

/** Sets money apart at the simulator for payouts to affiliates. Throws where it could not be posted. */
export async function fundSimulator(database: BenchDatabase, amount: Money): Promise<void> {
  const session = createDedicatedConnection({
    url: database.url,
    applicationName: "bench funding",
    statementTimeoutMs: 30_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
  });
  const lane = createPostingLane(session, ownBooks, { maxBatch: 1, maxQueued: 1, maxWaitMs: 5_000, sendAheadFrom: 1 });
  try {
    const funded = await fundGateway({ database: session, tenant: ownBooks, lane }, "simulator", amount, "bench");
    if (!funded.ok) throw new Error(`the books were not funded: ${JSON.stringify(funded)}`);
  } finally {
    await lane.drain();
    await session.close();
  }
}

/** What the accounts of codes like a pattern hold together, in minor units. */
export type Sums = {
  readonly debits: bigint;
  readonly credits: bigint;
  readonly held: bigint;
  /** Accounts whose balance is not what their entries add up to. */
  readonly off: number;
};

export async function sumsOf(database: BenchDatabase, pattern: string): Promise<Sums> {
  const [row] = await queryAsOwner<{ debits: string; credits: string; held: string; off: number }>(
    database,
    `select coalesce(sum(b.debits), 0)::text as debits, coalesce(sum(b.credits), 0)::text as credits,
            coalesce(sum(b.held), 0)::text as held,
            (count(*) filter (
              where (b.debits - b.credits, b.version)
                is distinct from (coalesce(e.amount, 0), e.entries)
            ))::integer as off
     from ledger.accounts a
     join ledger.balances b on b.account_id = a.id
     cross join lateral (
       select sum(l.amount) as amount, count(*) as entries from ledger.entries l where l.account_id = a.id
     ) e
     where a.code like $1`,
    [pattern],
  );
  if (row === undefined) throw new Error("no sums");
  return { debits: BigInt(row.debits), credits: BigInt(row.credits), held: BigInt(row.held), off: row.off };
}

/** What somebody says was paid: how often and how much, with a digest of each id and its amount. */
export type Paid = { readonly times: number; readonly amountMinor: bigint; readonly digest: string };

/** What our tables say was paid, by a query of `id` and `amount_minor` in the order of the ids. */
export async function paidByTables(database: BenchDatabase, query: string): Promise<Paid> {
  const rows = await queryAsOwner<{ id: string; amount_minor: string }>(database, query);
  return paidOf(rows.map(({ id, amount_minor }) => [id, BigInt(amount_minor)]));
}

/** What the simulator's journal, the independent witness, says was paid; the server may still run. */
export function paidByJournal(home: string, kind: "bill_payment" | "payout"): Paid {
  const journal = new DatabaseSync(join(home, "simulator.db"), { readOnly: true, timeout: 5_000 });
  try {
    const lines = journal.prepare("select payment_id as id, amount from journal where kind = ? order by payment_id");
    return paidOf(lines.iterate(kind).map(({ id, amount }) => [String(id), BigInt(Number(amount))]));
  } finally {
    journal.close();
  }
}

/** The ids come in order: two lines of one id, or one line that the other has not, make another digest. */
export function paidOf(lines: Iterable<readonly [id: string, amountMinor: bigint]>): Paid {
  const hash = createHash("sha256");
  let [times, amountMinor] = [0, 0n];
  for (const [id, minor] of lines) {
    times += 1;
    amountMinor += minor;
    hash.update(`${id} ${minor}\n`);
  }
  return { times, amountMinor, digest: hash.digest("hex") };
}

/** Whether the journal and our tables say the same. Returns problems. */
export function unlike(tables: Paid, journal: Paid): string[] {
  if (tables.digest === journal.digest) return [];
  const say = ({ times, amountMinor }: Paid) => `${times} payments of ${amountMinor} minor units`;
  return [`the tables say ${say(tables)}, the simulator's journal ${say(journal)}, not each one once in both`];
}
