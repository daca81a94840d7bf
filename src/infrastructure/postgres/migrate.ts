import { Client, DatabaseError } from "pg";
import { type Migration, MigrationFailure, migrationsDirectory, readMigrations } from "./migrations.ts";

export type MigrateOptions = {
  /** A login that owns the database or may create schemas in it. */
  readonly url: string;
  /** Forward (the default) applies what is missing; back takes back what is above the target. */
  readonly direction?: "forward" | "back";
  /** The number of the last migration that shall be applied; the newest when going forward, one less when back. */
  readonly target?: number;
  /** Where the migrations are; the project's own by default. */
  readonly directory?: string;
  /** How long to wait for another process that is migrating, in milliseconds. */
  readonly lockTimeoutMs?: number;
};

/** What a run did: the names of the migrations in the order in which they ran, and the number the schema is at. */
export type MigrateReport = { readonly applied: string[]; readonly undone: string[]; readonly version: number };

type AppliedRow = { number: number; name: string; sha256: string };

/** Advisory locks belong to one database, so any constant does; this one spells "mflow". */
const lockKey = 0x6d_66_6c_6f_77;

/**
 * A statement of a migration waits this long for a lock of the running application: while it waits, whatever asks
 * for that table afterwards waits behind it.
 */
const statementLockTimeoutMs = 15_000;

/**
 * Brings the schema to the target. Any number of processes may call this at once: one works, the others wait and find
 * nothing to do. Each migration commits together with its row in `marketflow.migrations`, or leaves nothing.
 * Throws {@link MigrationFailure} when an applied file was edited, the database is ahead of the code, the wait for
 * another process took too long, or a migration's SQL failed.
 */
export async function migrate(options: MigrateOptions): Promise<MigrateReport> {
  const migrations = await readMigrations(options.directory ?? migrationsDirectory());
  const client = new Client({
    connectionString: options.url,
    connectionTimeoutMillis: 10_000,
    application_name: "marketflow migrate",
  });
  // A connection that breaks also fails the query under way, which is what the caller hears.
  client.on("error", () => {});
  await client.connect();
  try {
    await takeLock(client, options.lockTimeoutMs ?? 60_000);
    await client.query(`set lock_timeout = ${statementLockTimeoutMs}`);
    const applied = await readApplied(client, migrations);
    return options.direction === "back"
      ? await goBack(client, migrations, applied, options.target ?? Math.max(applied.length - 1, 0))
      : await goForward(client, migrations, applied, options.target ?? migrations.length);
  } finally {
    // Ending the session gives the lock up.
    await client.end();
  }
}

async function takeLock(client: Client, timeoutMs: number): Promise<void> {
  try {
    await client.query(`set lock_timeout = ${Math.ceil(timeoutMs)}`);
    await client.query("select pg_advisory_lock($1)", [lockKey]);
  } catch (error) {
    if (!(error instanceof DatabaseError && error.code === "55P03")) throw error;
    const message = `Another process has been migrating this database for more than ${timeoutMs / 1000} s.`;
    throw new MigrationFailure("locked", message, { cause: error });
  }
}

async function readApplied(client: Client, migrations: readonly Migration[]): Promise<AppliedRow[]> {
  const { rows: tables } = await client.query("select to_regclass('marketflow.migrations') as found");
  // Asked first, because `create … if not exists` needs rights that an up-to-date database need not give.
  if (tables[0]?.found === null) {
    await client.query(`
      begin;
      create schema if not exists marketflow;
      create table marketflow.migrations (
        number     integer     primary key,
        name       text        not null,
        sha256     text        not null,
        applied_at timestamptz not null default now()
      );
      grant usage on schema marketflow to public;
      grant select on marketflow.migrations to public;
      commit`);
  }
  const { rows } = await client.query<AppliedRow>(
    "select number, name, sha256 from marketflow.migrations order by number",
  );
  for (const [index, row] of rows.entries()) checkApplied(row, migrations[index]);
  return rows;
}

function checkApplied(row: AppliedRow, migration: Migration | undefined): void {
  if (migration === undefined) {
    const message = `The database has the migration ${row.name}, which this version of MarketFlow does not know.`;
    throw new MigrationFailure("ahead", `${message} Start the newer version that applied it.`);
  }
  if (row.number === migration.number && row.sha256 === migration.sha256) return;
  const message = `The migration ${migration.name} was edited after it was applied (as ${row.name}).`;
  throw new MigrationFailure("edited", `${message} Restore the file, and put the change into a new migration.`);
}

async function goForward(
  client: Client,
  migrations: readonly Migration[],
  rows: readonly AppliedRow[],
  target: number,
): Promise<MigrateReport> {
  const applied: string[] = [];
  for (const migration of migrations.slice(rows.length, Math.max(target, 0))) {
    const { number, name, sha256 } = migration;
    await inTransaction(client, `${name}.sql`, migration.forward, () =>
      client.query("insert into marketflow.migrations (number, name, sha256) values ($1, $2, $3)", [
        number,
        name,
        sha256,
      ]),
    );
    applied.push(name);
  }
  return { applied, undone: [], version: rows.length + applied.length };
}

async function goBack(
  client: Client,
  migrations: readonly Migration[],
  rows: readonly AppliedRow[],
  target: number,
): Promise<MigrateReport> {
  const undone: string[] = [];
  for (const migration of migrations.slice(Math.max(target, 0), rows.length).reverse()) {
    await inTransaction(client, `${migration.name}.back.sql`, migration.back, () =>
      client.query("delete from marketflow.migrations where number = $1", [migration.number]),
    );
    undone.push(migration.name);
  }
  return { applied: [], undone, version: rows.length - undone.length };
}

async function inTransaction(client: Client, file: string, sql: string, record: () => Promise<unknown>): Promise<void> {
  try {
    await client.query("begin");
    await client.query(sql);
    await record();
    await client.query("commit");
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    await client.query("rollback");
    const place = error.position === undefined ? "" : ` (line ${lineOf(sql, Number(error.position))})`;
    const details = [error.detail, error.hint].filter((text) => text !== undefined).join(" ");
    const message = `The migration ${file} failed${place}: ${error.message}. ${details}`.trimEnd();
    throw new MigrationFailure("failed", message, { cause: error });
  }
}

/** PostgreSQL counts characters from 1. */
function lineOf(sql: string, position: number): number {
  return sql.slice(0, position - 1).split("\n").length;
}
