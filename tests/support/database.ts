import { randomBytes } from "node:crypto";
import { Client, escapeIdentifier } from "pg";

/** The environment variable by which `tests/run.ts` hands its PostgreSQL to the test files, as JSON. */
export const testPostgresVariable = "MARKETFLOW_TEST_POSTGRES";

/** The server that the test files share. Its database `marketflow` is the migrated template and takes no sessions. */
export type TestPostgres = {
  readonly adminUrl: string;
  readonly ownerUrl: string;
  readonly appUrl: string;
};

/** A database of one test's own, migrated and empty. */
export type TestDatabase = {
  /** As the application's role, which owns nothing. */
  readonly appUrl: string;
  /** As the owner of the schemas. */
  readonly ownerUrl: string;
  /** As the superuser, in this database. */
  readonly adminUrl: string;
  readonly name: string;
  /** Ends every session in the database and removes it. */
  drop(): Promise<void>;
};

/**
 * Makes a database by copying the migrated template, which takes some 40 ms. The server does not flush to the disk,
 * so what a test needs to survive a crash of PostgreSQL belongs on a server of its own.
 * Throws where the test file was not started by `npm test`.
 */
export function createTestDatabase(): Promise<TestDatabase> {
  return createDatabase("marketflow");
}

/** Like {@link createTestDatabase}, with nothing in it: for what makes the schema itself. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return createDatabase("template0");
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const server = testPostgres();
  const name = `test_${process.pid}_${randomBytes(4).toString("hex")}`;
  await asAdmin(server, `create database ${escapeIdentifier(name)} template ${template} owner marketflow_owner`);
  return {
    name,
    appUrl: inDatabase(server.appUrl, name),
    ownerUrl: inDatabase(server.ownerUrl, name),
    adminUrl: inDatabase(server.adminUrl, name),
    drop: () => asAdmin(server, `drop database if exists ${escapeIdentifier(name)} with (force)`),
  };
}

/** The shared server. Throws a sentence that says how to start a test file where there is none. */
function testPostgres(): TestPostgres {
  const text = process.env[testPostgresVariable];
  if (text === undefined) {
    throw new Error("This test needs the PostgreSQL that `npm test` starts: run `npm test -- path/to/file.test.ts`.");
  }
  return JSON.parse(text) as TestPostgres;
}

/** The same login in another database of the server. */
export function inDatabase(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.href;
}

async function asAdmin(server: TestPostgres, statement: string): Promise<void> {
  const client = new Client({ connectionString: server.adminUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
