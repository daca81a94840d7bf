import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Client } from "pg";
import {
  createEmptyDatabase,
  createTestDatabase,
  inDatabase,
  type TestDatabase,
} from "../../../tests/support/database.ts";
import { startEmbeddedPostgres } from "./embedded.ts";
import { type MigrateOptions, migrate } from "./migrate.ts";
import { migrationsDirectory, readMigrations } from "./migrations.ts";

const undo: (() => Promise<void>)[] = [];
after(async () => {
  for (const step of undo) await step();
});

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await createEmptyDatabase();
  undo.push(database.drop);
  return database;
}

/** A folder with the given migrations, each with a way back that drops the tables it makes. */
async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "marketflow-migrations-"));
  undo.push(() => rm(folder, { recursive: true }));
  for (const [name, sql] of Object.entries(files)) await writeFile(join(folder, name), sql);
  return folder;
}

const twoTables = {
  "0001_first.sql": "create table first (n integer); insert into first values (1);",
  "0001_first.back.sql": "drop table first;",
  "0002_second.sql": "create table second (n integer);",
  "0002_second.back.sql": "drop table second;",
};

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function tablesIn(url: string): Promise<unknown[]> {
  const rows = await query(url, "select tablename from pg_tables where schemaname = 'public' order by 1");
  return rows.map((row) => row["tablename"]);
}

test("forward, back and forward again end where each of them says", async () => {
  const { ownerUrl: url } = await emptyDatabase();
  const directory = await folderOf(twoTables);
  assert.deepEqual(await migrate({ url, directory }), {
    applied: ["0001_first", "0002_second"],
    undone: [],
    version: 2,
  });
  assert.deepEqual(await migrate({ url, directory }), { applied: [], undone: [], version: 2 });
  assert.deepEqual(await migrate({ url, directory, direction: "back" }), {
    applied: [],
    undone: ["0002_second"],
    version: 1,
  });
  assert.deepEqual(await tablesIn(url), ["first"]);
  const all = await migrate({ url, directory, direction: "back", target: 0 });
  assert.deepEqual([all.undone, await tablesIn(url)], [["0001_first"], []]);
  assert.equal((await migrate({ url, directory, target: 1 })).version, 1);
  assert.deepEqual(await tablesIn(url), ["first"]);
});

test("ten processes' migrations at once apply each migration once", async () => {
  const { ownerUrl: url } = await emptyDatabase();
  const directory = await folderOf(twoTables);
  const reports = await Promise.all(Array.from({ length: 10 }, () => migrate({ url, directory })));
  assert.deepEqual(
    reports.flatMap((report) => report.applied),
    ["0001_first", "0002_second"],
  );
  assert.deepEqual(await query(url, "select n from first"), [{ n: 1 }]);
});

test("the project's migrations make the cluster's role once when several databases are migrated at once", async () => {
  const home = await mkdtemp(join(tmpdir(), "marketflow-migrate-"));
  undo.push(() => rm(home, { recursive: true, force: true }));
  const postgres = await startEmbeddedPostgres({ home, durable: false });
  try {
    await query(postgres.adminUrl, "drop role marketflow_app");
    const names = ["marketflow", "second", "third", "fourth"];
    for (const name of names.slice(1)) {
      await query(postgres.adminUrl, `create database ${name} owner marketflow_owner strategy file_copy`);
    }
    const reports = await Promise.all(names.map((name) => migrate({ url: inDatabase(postgres.ownerUrl, name) })));
    const { length } = await readMigrations(migrationsDirectory());
    assert.ok(length > 0);
    assert.deepEqual(
      reports.map((report) => report.version),
      Array(4).fill(length),
    );
  } finally {
    await postgres.stop();
  }
});

test("the project's migrations go back to nothing and forward again", async () => {
  const database = await createTestDatabase();
  undo.push(database.drop);
  const url = database.ownerUrl;
  const schemas = () =>
    query(url, "select nspname from pg_namespace where nspname !~ '^(pg_|information_)' order by 1");
  const before = await schemas();
  await migrate({ url, direction: "back", target: 0 });
  assert.deepEqual(await schemas(), [{ nspname: "marketflow" }, { nspname: "public" }]);
  await migrate({ url });
  assert.deepEqual(await schemas(), before);
});

test("a login that may make no roles is told what a superuser has to do once, and migrates then", async () => {
  const database = await emptyDatabase();
  const login = `plain_${process.pid}`;
  await query(database.adminUrl, `create role ${login} login password 'plain'`);
  // After the database: what the login owns goes with it.
  undo.push(() => query(inDatabase(database.adminUrl, "postgres"), `drop role ${login}`).then(() => undefined));
  await query(database.adminUrl, `alter database ${database.name} owner to ${login}`);
  const address = new URL(database.adminUrl);
  address.username = login;
  address.password = "plain";
  const says = /is no member of marketflow_ledger.*grant marketflow_ledger to plain_/;
  await assert.rejects(migrate({ url: address.href }), says);
  await query(database.adminUrl, `grant marketflow_ledger to ${login}`);
  const { version } = await migrate({ url: address.href });
  assert.equal(version, (await readMigrations(migrationsDirectory())).length);
});

/** A payment as it was made before there was a ledger, with its intent. */
const paymentOfThen = (id: string, amount: string, currency: string, status: string) => `
  insert into payments.payments (
    id, scope, idempotency_key, fingerprint, amount, currency, status, capture, gateway, seller_id, version,
    created_at, updated_at
  ) values (
    '${id}', 'default', '${id}', '', ${amount}, '${currency}', '${status}', 'automatic', 'simulator', 'seller_1', 2,
    now(), now()
  );
  insert into payments.attempts (
    payment_id, number, operation, gateway, state, due_at, accepted_at, stripe_payment_intent_id
  ) values ('${id}', 1, 'create', 'simulator', 'succeeded', now(), now(), 'pi_${id}');`;

test("payments from before the ledger are posted by the migration, which goes back and forward again", async () => {
  const { ownerUrl: url } = await emptyDatabase();
  const migrations = await readMigrations(migrationsDirectory());
  const ledgered = migrations.findIndex(({ name }) => name.endsWith("payments_ledger")) + 1;
  assert.ok(ledgered > 0);
  await migrate({ url, target: ledgered - 1 });
  const id = (n: number) => `01a20000-0000-7000-8000-${String(n).padStart(12, "0")}`;
  // More than one page of them, and some that the ledger has nothing to say about.
  const statuses = ["succeeded", "failed", "pending", "cancelled"];
  const more = Array.from({ length: 1_500 }, (_, n) => [id(100 + n), "10.00", "USD", "succeeded"] as const);
  const payments: (readonly [id: string, amount: string, currency: string, status: string])[] = [
    ...statuses.map((status, n) => [id(n), "1000.00", "USD", status] as const),
    [id(10), "1001", "JPY", "succeeded"] as const,
    [id(11), "9999999999.999", "BHD", "succeeded"] as const,
    ...more,
  ];
  await query(url, payments.map((payment) => paymentOfThen(...payment)).join("\n"));
  const balances = () =>
    query(
      url,
      `select a.code, a.currency, b.debits, b.credits from ledger.accounts a
       join ledger.balances b on b.account_id = a.id order by 1, 2`,
    );
  const taken = () =>
    query(
      url,
      `select status, currency, captured_minor as captured, fee_minor as fee, count(*)::integer as payments
       from payments.payments group by 1, 2, 3, 4 order by 1, 2, 3`,
    );

  await migrate({ url, target: ledgered });
  const posted = await balances();
  assert.deepEqual(
    posted.filter(({ currency }) => currency === "USD"),
    [
      { code: "gateway:simulator:clearing", currency: "USD", debits: "1600000", credits: "0" },
      { code: "platform:commission", currency: "USD", debits: "0", credits: "40000" },
      { code: "seller:seller_1:available", currency: "USD", debits: "0", credits: "1560000" },
    ],
  );
  const rows = await taken();
  assert.deepEqual(rows, [
    { status: "cancelled", currency: "USD", captured: null, fee: null, payments: 1 },
    { status: "failed", currency: "USD", captured: null, fee: null, payments: 1 },
    { status: "pending", currency: "USD", captured: null, fee: null, payments: 1 },
    { status: "succeeded", currency: "BHD", captured: "9999999999999", fee: "250000000000", payments: 1 },
    { status: "succeeded", currency: "JPY", captured: "1001", fee: "25", payments: 1 },
    { status: "succeeded", currency: "USD", captured: "1000", fee: "25", payments: 1_500 },
    { status: "succeeded", currency: "USD", captured: "100000", fee: "2500", payments: 1 },
  ]);

  await migrate({ url, direction: "back", target: ledgered - 1 });
  assert.deepEqual(await balances(), posted, "what was posted stays");
  await migrate({ url, target: ledgered });
  assert.deepEqual([await balances(), await taken()], [posted, rows]);

  const sale = (captured: number, fee: number) =>
    query(url, `update payments.payments set captured_minor = ${captured}, fee_minor = ${fee} where id = '${id(0)}'`);
  for (const [captured, fee] of [
    [40_000, 1_000],
    [100_000, 1_000],
  ] as const) {
    await sale(captured, fee);
    const refused = await refusal({ url, direction: "back", target: ledgered - 1 });
    assert.match(refused.message, /partial captures .* would be forgotten/);
    assert.deepEqual(await balances(), posted);
  }
  await sale(100_000, 2_500);
  assert.equal((await migrate({ url, direction: "back", target: ledgered - 1 })).version, ledgered - 1);
});

async function refusal(options: MigrateOptions): Promise<{ type: string; message: string }> {
  try {
    await migrate(options);
  } catch (error) {
    return error as { type: string; message: string };
  }
  throw new Error("the migration was not refused");
}

test("an edited migration and a database ahead of the code are refused, and nothing is applied", async () => {
  const { ownerUrl: url } = await emptyDatabase();
  const directory = await folderOf(twoTables);
  await migrate({ url, directory, target: 1 });
  const edited = await folderOf({ ...twoTables, "0001_first.sql": "create table first (n bigint);" });
  const refused = await refusal({ url, directory: edited });
  assert.equal(refused.type, "edited");
  assert.match(refused.message, /0001_first was edited after it was applied/);
  assert.deepEqual(await tablesIn(url), ["first"]);
  await migrate({ url, directory });
  const older = await folderOf({
    "0001_first.sql": twoTables["0001_first.sql"],
    "0001_first.back.sql": twoTables["0001_first.back.sql"],
  });
  assert.equal((await refusal({ url, directory: older })).type, "ahead");
});

test("other line ends are not an edit", async () => {
  const { ownerUrl: url } = await emptyDatabase();
  const sql = "create table first (\n  n integer\n);\n";
  await migrate({ url, directory: await folderOf({ "0001_a.sql": sql, "0001_a.back.sql": "drop table first;" }) });
  const windows = await folderOf({
    "0001_a.sql": sql.replaceAll("\n", "\r\n"),
    "0001_a.back.sql": "drop table first;",
  });
  assert.equal((await migrate({ url, directory: windows })).version, 1);
});

test("a migration that fails names its line, leaves nothing and keeps those before it", async () => {
  const { ownerUrl: url } = await emptyDatabase();
  const broken = "create table second (n integer);\n\ninsert into secnod values (1);";
  const refused = await refusal({ url, directory: await folderOf({ ...twoTables, "0002_second.sql": broken }) });
  assert.equal(refused.type, "failed");
  assert.match(refused.message, /0002_second\.sql failed \(line 3\): relation "secnod" does not exist/);
  assert.deepEqual(await tablesIn(url), ["first"]);
  assert.deepEqual(await query(url, "select number from marketflow.migrations"), [{ number: 1 }]);
});

test("the wait for another process that migrates has an end", async () => {
  const { ownerUrl: url } = await emptyDatabase();
  const directory = await folderOf({ "0001_slow.sql": "select pg_sleep(1);", "0001_slow.back.sql": "select 1;" });
  const slow = migrate({ url, directory });
  const client = new Client({ connectionString: url });
  await client.connect();
  const isLocked = "select exists (select from pg_locks where locktype = 'advisory' and granted) as locked";
  while (!(await client.query<{ locked: boolean }>(isLocked)).rows[0]?.locked) {}
  await client.end();
  assert.equal((await refusal({ url, directory, lockTimeoutMs: 100 })).type, "locked");
  assert.equal((await slow).version, 1);
});

test("files that are out of order, without a way back or oddly named are refused", async () => {
  const { "0002_second.back.sql": _, ...withoutBack } = twoTables;
  const { "0001_first.sql": __, "0001_first.back.sql": ___, ...withoutFirst } = twoTables;
  const cases = [
    { files: withoutBack, says: /0002_second\.back\.sql is missing/ },
    { files: withoutFirst, says: /0002_second\.sql comes where number 1 should/ },
    { files: { ...twoTables, "0003_Third.sql": "" }, says: /not named like/ },
    { files: { ...twoTables, "0003_third.back.sql": "" }, says: /no forward file/ },
  ];
  for (const { files, says } of cases) {
    await assert.rejects(readMigrations(await folderOf(files)), { type: "files_invalid", message: says });
  }
});

test("the migrations are found from a bundle in dist as well", async () => {
  const project = await folderOf({ "package.json": '{"type":"module"}' });
  await cp(join(import.meta.dirname, "migrations.ts"), join(project, "dist", "bundled.ts"));
  const bundled = (await import(join(project, "dist", "bundled.ts"))) as typeof import("./migrations.ts");
  assert.equal(bundled.migrationsDirectory(), join(project, "migrations"));
  assert.match(await readFile(join(migrationsDirectory(), "0001_events.sql"), "utf8"), /create schema events/);
});
