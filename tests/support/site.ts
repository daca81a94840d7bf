import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Client } from "pg";
import { fundSandbox } from "../../src/app/funding.ts";
import { type JournalEntry, readSimulatorJournal } from "../../src/infrastructure/gateways/simulator/journal.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/infrastructure/postgres/embedded.ts";
import { migrate } from "../../src/infrastructure/postgres/migrate.ts";
import { createLogger } from "../../src/infrastructure/telemetry/logger.ts";
import { parseSettings } from "../../src/settings.ts";
import { createTestDatabase } from "./database.ts";
import { type Child, commandLine, type Environment, type Server, said, startChild, startServer } from "./processes.ts";

/** A row of payments as the fault tests look at it, with its attempts and events counted. */
export type StoredPayment = {
  readonly id: string;
  readonly key: string;
  readonly amount: string;
  readonly status: string;
  readonly attempts: number;
  readonly openAttempts: number;
  /** The versions of its events, in order; without a gap they are 1 … version. */
  readonly eventVersions: number[];
  readonly version: number;
};

/** One installation: a database, a home with the simulator's book, and the processes that share both. */
export type Site = {
  readonly home: string;
  readonly appUrl: string;
  readonly ownerUrl: string;
  readonly adminUrl: string;
  /** Settings of every process of this site. */
  readonly environment: Environment;
  /** Runs the API: as `marketflow dev` or `serve`, or as a script of a test's own. Ended with the site. */
  startApi(command: "dev" | "serve" | { readonly script: string }, settings?: Environment): Promise<Server>;
  /**
   * Runs `marketflow relay` or `consume`, and resolves once it has begun its work, which it logs at the level info.
   * Ended with the site.
   */
  startWorker(command: "relay" | "consume", settings?: Environment): Promise<Child>;
  /** Sets money apart for payouts to affiliates, as `dev` does by itself. */
  fund(): Promise<void>;
  /** Runs the command line with only these settings, whatever it is going to do. Ended with the site. */
  run(args: readonly string[], settings: Environment): Child;
  payments(): Promise<StoredPayment[]>;
  /** What the simulator charged, whoever asked it to: one entry for each charge. */
  charges(): JournalEntry[];
  /** How many intents the simulator has made. */
  intents(): number;
  /** Kills what was started, and removes the database and the home. */
  close(): Promise<void>;
};

export const webhookSecret = "whsec_of_the_fault_tests";

/** A site on a copy of the test database, which does not flush to the disk: for `dev`, because `serve` refuses it. */
export async function openSite(settings: Environment = {}): Promise<Site> {
  const database = await createTestDatabase();
  return await siteOn(database, () => database.drop(), settings);
}

/** A site with a PostgreSQL of its own that keeps what it commits, as `serve` demands. */
export async function openDurableSite(settings: Environment = {}): Promise<Site & { postgres: EmbeddedPostgres }> {
  const home = await mkdtemp(join(tmpdir(), "marketflow-durable-"));
  // PostgreSQL of a root run belongs to another account, which must be able to pass this folder.
  await chmod(home, 0o711);
  const postgres = await startEmbeddedPostgres({ home, durable: true });
  const remove = async () => {
    await postgres.stop();
    await rm(home, { recursive: true, force: true });
  };
  try {
    await migrate({ url: postgres.ownerUrl });
    return { ...(await siteOn(postgres, remove, settings)), postgres };
  } catch (error) {
    await remove();
    throw error;
  }
}

type Urls = Pick<Site, "appUrl" | "ownerUrl" | "adminUrl">;

async function siteOn(database: Urls, remove: () => Promise<void>, settings: Environment): Promise<Site> {
  const home = await mkdtemp(join(tmpdir(), "marketflow-site-"));
  const { appUrl, ownerUrl, adminUrl } = database;
  const environment = {
    MARKETFLOW_HOME: home,
    DATABASE_URL: appUrl,
    DATABASE_OWNER_URL: ownerUrl,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    PORT: "0",
    PARTNER_PORT: "0",
    ...settings,
  };
  const children: Child[] = [];
  const book = join(home, "simulator.db");
  return {
    home,
    appUrl,
    ownerUrl,
    adminUrl,
    environment,
    async startApi(command, more = {}) {
      const [script, args] = typeof command === "string" ? [commandLine, [command]] : [command.script, []];
      const server = await startServer(script, args, { ...environment, ...more }, home);
      children.push(server);
      return server;
    },
    async startWorker(command, more = {}) {
      const child = startChild(commandLine, [command], { ...environment, ...more }, home);
      children.push(child);
      await said(child, command === "relay" ? '"message":"publishing"' : '"message":"consuming"');
      return child;
    },
    async fund() {
      const settings = { ...parseSettings(environment), databaseUrl: appUrl, stripeWebhookSecret: webhookSecret };
      const quiet = createLogger({ logLevel: "silent", serviceVersion: "0", process: "test", secrets: [] });
      await fundSandbox(settings, quiet);
    },
    run(args, only) {
      const child = startChild(commandLine, args, only, home);
      children.push(child);
      return child;
    },
    payments: () => storedPayments(ownerUrl),
    charges: () => readSimulatorJournal(book).filter(({ kind }) => kind === "charge"),
    intents: () => countIntents(book),
    async close() {
      await Promise.all(children.map((child) => child.kill()));
      await remove();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Runs one statement on a connection of its own. */
export async function rowsOf(url: string, text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text, values)).rows;
  } finally {
    await client.end();
  }
}

async function storedPayments(url: string): Promise<StoredPayment[]> {
  const text = `
    select p.id, p.idempotency_key as key, p.amount, p.status, p.version,
           a.attempts, a."openAttempts", e."eventVersions"
    from payments.payments p
    join (
      select payment_id, count(*)::integer as attempts,
             count(*) filter (where state in ('open', 'parked'))::integer as "openAttempts"
      from payments.attempts group by payment_id
    ) a on a.payment_id = p.id
    join (
      select stream, array_agg(stream_version order by stream_version) as "eventVersions"
      from events.log group by stream
    ) e on e.stream = p.id
    order by p.id`;
  return (await rowsOf(url, text)) as StoredPayment[];
}

function countIntents(book: string): number {
  const database = new DatabaseSync(book, { readOnly: true, timeout: 5_000 });
  try {
    return Number(database.prepare("select count(*) as intents from intents").get()?.["intents"]);
  } finally {
    database.close();
  }
}
