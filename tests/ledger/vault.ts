import { Client, types } from "pg";
import { type ClosableDatabase, createPool } from "../../src/infrastructure/postgres/connections.ts";
import type { Database } from "../../src/kernel/statement.ts";
import { postTransactions } from "../../src/modules/ledger/persistence/posting.queries.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

/** One leg: debits are positive, in minor units; dollars unless said otherwise. */
export type Leg = readonly [account: string, amount: bigint, currency?: string];

/** One transaction of a batch, as the tests write it. */
export type Item = {
  readonly reference: string;
  readonly legs: readonly Leg[];
  readonly kind?: string;
  readonly externalId?: string;
  readonly effectiveAt?: string;
  readonly holdId?: string | undefined;
  /** The account that bears what a floor refuses. */
  readonly shortfall?: string | undefined;
};

/** What became of an item: `posted` with its id, or what the vault answered instead. */
export type Answer = { readonly result: string; readonly id?: string; readonly resolution?: string };

export type Balance = {
  readonly debits: bigint;
  readonly credits: bigint;
  readonly held: bigint;
  readonly version: bigint;
};

export type Entry = { leg: number; code: string; currency: string; version: bigint; amount: bigint; balance: bigint };

/** A migrated database, the application's connections to it, and a superuser who looks behind them. */
export type Vault = {
  readonly database: TestDatabase;
  /** As the application's role. */
  readonly pool: ClosableDatabase;
  /** As the superuser. */
  readonly admin: Client;
  /** Runs a query as the superuser; int8 comes as bigint. */
  look<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Posts a batch in one call, as the application. */
  post(items: readonly Item[], tenant?: string): Promise<Answer[]>;
  /** Makes one hold, as the application, and returns its id; throws where it is refused. */
  hold(reference: string, account: string, amount: bigint): Promise<string>;
  balances(tenant?: string): Promise<Record<string, Balance>>;
  entriesOf(transactionId: string | undefined): Promise<Entry[]>;
  /** Every row of every table of the ledger, as text. */
  dump(): Promise<Record<string, string>>;
  close(): Promise<void>;
};

export const tenant = "test";
export const clearing = "gateway:stripe:clearing";
export const commission = "platform:commission";
export const available = (seller: string) => `seller:${seller}:available`;
export const receivable = (seller: string) => `seller:${seller}:receivable`;

/** A sale of so many minor units, of which the marketplace keeps a fee. */
export function sale(reference: string, seller: string, amount: bigint, fee = 0n, currency = "USD"): Item {
  const legs: Leg[] = [
    [clearing, amount, currency],
    [available(seller), fee - amount, currency],
  ];
  if (fee !== 0n) legs.push([commission, -fee, currency]);
  return { reference, kind: "sale", legs };
}

/** Money that goes back out of what a seller has. */
export function refund(reference: string, seller: string, amount: bigint, more: Partial<Item> = {}): Item {
  const legs: Leg[] = [
    [available(seller), amount],
    [clearing, -amount],
  ];
  return { reference, kind: "refund", legs, ...more };
}

const int8AsBigint = {
  getTypeParser: (oid: number, format?: "text" | "binary") =>
    oid === types.builtins.INT8 ? BigInt : types.getTypeParser(oid, format ?? "text"),
} as typeof types;

/** A client of a test's own, whose int8 comes as bigint and whose lost connection ends no test by itself. */
export async function connectAs(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, types: int8AsBigint });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** The columns of a batch; a leg of zero names the account that bears a shortfall. */
function columnsOf(items: readonly Item[]) {
  const legs = items.flatMap(({ legs: own, shortfall }, place) => {
    const bearer: Leg[] = shortfall === undefined ? [] : [[shortfall, 0n, own[0]?.[2] ?? "USD"]];
    return [...own, ...bearer].map((leg) => [place + 1, ...leg] as const);
  });
  return {
    kinds: items.map(({ kind = "adjustment" }) => kind),
    references: items.map(({ reference }) => reference),
    externalIds: items.map(({ externalId = null }) => externalId),
    effectiveAts: items.map(({ effectiveAt = null }) => effectiveAt),
    holdIds: items.some(({ holdId }) => holdId !== undefined)
      ? items.map(({ holdId }) => (holdId === undefined ? null : BigInt(holdId)))
      : null,
    legItems: legs.map(([item]) => item),
    legAccounts: legs.map(([, account]) => account),
    legCurrencies: legs.map(([, , , currency = "USD"]) => currency),
    legAmounts: legs.map(([, , amount]) => amount),
  };
}

/** Posts a batch on any connection: one answer for each item. */
export async function postOn(database: Database, items: readonly Item[], books = tenant): Promise<Answer[]> {
  const [row] = await postTransactions.run({ tenant: books, ...columnsOf(items) }, database);
  const exceptions = (row?.exceptions ?? {}) as Record<string, Answer>;
  return items.map((_item, place) => {
    const id = (BigInt(row?.firstId ?? 0) + BigInt(place)).toString();
    return exceptions[place + 1] ?? { result: "posted", id };
  });
}

async function dumpOf(look: Vault["look"]): Promise<Record<string, string>> {
  const tables = await look<{ name: string }>(
    "select relname as name from pg_class where relnamespace = 'ledger'::regnamespace and relkind = 'r' order by 1",
  );
  const dump: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await look<{ text: string }>(
      `select coalesce(string_agg(t::text, E'\\n' order by t::text), '') as text from ledger.${name} t`,
    );
    dump[name] = row?.text ?? "";
  }
  return dump;
}

/** Opens a vault of a test file's own. */
export async function openVault(): Promise<Vault> {
  const database = await createTestDatabase();
  const admin = await connectAs(database.adminUrl);
  const pool = createPool({
    url: database.appUrl,
    applicationName: "ledger tests",
    statementTimeoutMs: 20_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
    most: 4,
  });
  const look = async <Row>(text: string, values: unknown[] = []) => (await admin.query(text, values)).rows as Row[];
  return {
    database,
    pool,
    admin,
    look,
    post: (items, books = tenant) => postOn(pool, items, books),
    async hold(reference, account, amount) {
      const [row] = await look<{ id: string; exceptions: unknown }>(
        `select first_id::text as id, exceptions
         from ledger.hold($1, array[$2], array[$3], array['USD'], array[$4::bigint], array[null::timestamptz], false)`,
        [tenant, reference, account, amount],
      );
      if (row === undefined || row.exceptions !== null) throw new Error(`not held: ${JSON.stringify(row?.exceptions)}`);
      return row.id;
    },
    async balances(books = tenant) {
      const rows = await look<Balance & { code: string; currency: string }>(
        `select a.code, a.currency, b.debits, b.credits, b.held, b.version
         from ledger.accounts a join ledger.balances b on b.account_id = a.id where a.tenant = $1`,
        [books],
      );
      return Object.fromEntries(rows.map(({ code, currency, ...balance }) => [`${code} ${currency}`, balance]));
    },
    entriesOf: (transactionId) =>
      look<Entry>(
        `select e.leg, a.code, e.currency, e.version, e.amount, e.balance
         from ledger.entries e join ledger.accounts a on a.id = e.account_id
         where e.transaction_id = $1 order by e.leg`,
        [transactionId],
      ),
    dump: () => dumpOf(look),
    async close() {
      await pool.close();
      await admin.end();
      await database.drop();
    },
  };
}
