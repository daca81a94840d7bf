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
