import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Client, escapeIdentifier } from "pg";
import { startEmbeddedPostgres } from "../src/infrastructure/postgres/embedded.ts";
import { migrate } from "../src/infrastructure/postgres/migrate.ts";

/** A database with MarketFlow's migrations. */
export type BenchDatabase = {
  readonly name: string;
  /** As the application, which owns nothing. */
  readonly url: string;
  readonly ownerUrl: string;
};

/** The embedded PostgreSQL of one run, as durable as in production, with as many databases as the run needs. */
export type BenchCluster = {
  /** A folder for what a server keeps beside its database. */
  makeHome(name: string): string;
  /** A new database, empty or a copy of another one that nobody is connected to. */
  createDatabase(name: string, template?: BenchDatabase): Promise<BenchDatabase>;
  dropDatabase(database: BenchDatabase): Promise<void>;
  /** Writes out what earlier rounds left to write, so that the next round does not pay for it. */
  checkpoint(): Promise<void>;
  readonly version: string;
  readonly postmasterPid: number;
  stop(): Promise<void>;
};

const cacheFolder = join(import.meta.dirname, "..", ".cache");
const folderPrefix = "bench-";

/** Starts a fresh cluster in a folder of its own, which `stop` removes again. */
export async function startBenchCluster(): Promise<BenchCluster> {
  removeLeftovers();
  const folder = join(cacheFolder, `${folderPrefix}${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const postgres = await startEmbeddedPostgres({ home: join(folder, "database") });
  const admin = new Client({ connectionString: postgres.adminUrl });
  await admin.connect();
  const { rows } = await admin.query<{ version: string }>("select current_setting('server_version') as version");

  return {
    makeHome(name) {
      const home = join(folder, name);
      mkdirSync(home, { recursive: true });
      return home;
    },
    async createDatabase(name, template) {
      // Copying files and not pages: a copy of a million payments goes through neither the log nor the cache.
      const source = template === undefined ? "" : `template ${escapeIdentifier(template.name)} strategy file_copy`;
      await admin.query(`create database ${escapeIdentifier(name)} owner marketflow_owner ${source}`);
      const database = {
        name,
        url: withDatabase(postgres.appUrl, name),
        ownerUrl: withDatabase(postgres.ownerUrl, name),
      };
      if (template === undefined) await migrate({ url: database.ownerUrl });
      return database;
    },
    async dropDatabase({ name }) {
      await admin.query(`drop database ${escapeIdentifier(name)} with (force)`);
    },
    async checkpoint() {
      await admin.query("checkpoint");
    },
    version: rows[0]?.version ?? "unknown",
    postmasterPid: Number(readFileSync(join(postgres.dataDir, "postmaster.pid"), "utf8").split("\n")[0]),
    async stop() {
      await admin.end();
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs one query as the owner on a connection of its own. */
export async function queryAsOwner<Row>(database: BenchDatabase, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: database.ownerUrl });
  await client.connect();
  try {
    const { rows } = await client.query(text, values);
    return rows as Row[];
  } finally {
    await client.end();
  }
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

/** A run that was killed could not remove its folder; its database has ended with it. */
function removeLeftovers(): void {
  mkdirSync(cacheFolder, { recursive: true });
  for (const name of readdirSync(cacheFolder).filter((entry) => entry.startsWith(folderPrefix))) {
    if (!isAlive(Number(name.slice(folderPrefix.length))))
      rmSync(join(cacheFolder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
