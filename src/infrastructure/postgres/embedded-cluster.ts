import { execFile } from "node:child_process";
import { appendFile, chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Account, commandAs } from "./embedded-account.ts";
import type { PostgresBinaries } from "./embedded-binaries.ts";
import { failureFromOutput } from "./embedded-failure.ts";
import { syncFolder } from "./embedded-home.ts";

const halfMadePrefix = "postgres.new-";
const settingsFile = "marketflow.conf";

/** What one embedded PostgreSQL consists of on disk. */
export type Cluster = {
  readonly home: string;
  readonly dataDir: string;
  readonly logFile: string;
  readonly binaries: PostgresBinaries;
  readonly account: Account;
  /** False only for tests: a crash of the machine may then lose or damage data. */
  readonly durable: boolean;
};

/**
 * Makes the data directory where there is none. It is made under another name and renamed when complete, so that an
 * initdb that was killed half-way leaves nothing behind that a later start could take for a database.
 */
export async function initialise(cluster: Cluster, superuserPassword: string): Promise<void> {
  for (const name of await readdir(cluster.home)) {
    if (name.startsWith(halfMadePrefix)) await rm(join(cluster.home, name), { recursive: true, force: true });
  }
  if (await exists(join(cluster.dataDir, "PG_VERSION"))) return;
  const half = join(cluster.home, `${halfMadePrefix}${process.pid}`);
  const data = join(half, "data");
  const passwordFile = join(half, "password");
  await mkdir(half, { mode: 0o755 });
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, superuserPassword, { mode: 0o600 });
  const { account } = cluster;
  if (account.type === "unprivileged") {
    for (const path of [half, data, passwordFile]) await chown(path, account.uid, account.gid);
  }
  await runInitdb(cluster, data, passwordFile);
  await appendFile(join(data, "postgresql.conf"), `\ninclude_if_exists = '${settingsFile}'\n`);
  if (cluster.durable) await syncFolder(data);
  await rename(data, cluster.dataDir);
  await rm(half, { recursive: true, force: true });
  if (cluster.durable) await syncFolder(cluster.home);
}

/** The built-in C.UTF-8 locale sorts alike everywhere and needs no locale of the operating system. */
async function runInitdb(cluster: Cluster, data: string, passwordFile: string): Promise<void> {
  const args = ["-D", data, "-U", "postgres", `--pwfile=${passwordFile}`, "--auth=scram-sha-256", "--encoding=UTF8"];
  args.push("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8");
  if (!cluster.durable) args.push("--no-sync");
  const command = commandAs(cluster.account, cluster.binaries.initdb, args);
  await new Promise<void>((done, failed) => {
    const options = { ...command.ids, cwd: "/", env: { ...process.env, LC_ALL: "C" } };
    execFile(command.file, [...command.args], options, (error, stdout, stderr) => {
      if (error === null) done();
      else failed(failureFromOutput(`${stdout}${stderr || error.message}`, cluster.home, "its output"));
    });
  });
}

/** Writes the settings for the next start. They are in a file, so that a person's pg_ctl starts the same server. */
export async function writeSettings(cluster: Cluster, port: number): Promise<void> {
  const unix_socket_directories = socketFolder(cluster.dataDir) ?? "";
  const settings = { port, unix_socket_directories, ...fixedSettings, ...(cluster.durable ? {} : carelessSettings) };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`);
  const warning = "# Written by MarketFlow at every start; your own settings belong at the end of postgresql.conf.\n";
  await writeFile(join(cluster.dataDir, settingsFile), warning + lines.join(""), { mode: 0o644 });
}

/** The port of the last run, so that a tool that was pointed at the database finds it again after a restart. */
export async function lastPort(cluster: Cluster): Promise<number | undefined> {
  const content = await readFile(join(cluster.dataDir, settingsFile), "utf8").catch(() => "");
  const port = Number(/^port = '(\d+)'$/m.exec(content)?.[1]);
  return port > 0 ? port : undefined;
}

/**
 * The folder of the Unix socket: the data directory, which only PostgreSQL's account may enter. The path of a socket is
 * limited to 107 bytes, 103 on macOS, and the setting is a list; undefined where that rules it out. A batch of payments
 * through the socket takes a fifth less of both processes' time than through TCP on loopback.
 */
export function socketFolder(dataDir: string): string | undefined {
  const longest = `${dataDir}/.s.PGSQL.65535`;
  return Buffer.byteLength(longest) <= 103 && !/[,'"\\]/.test(dataDir) ? dataDir : undefined;
}

const fixedSettings = {
  listen_addresses: "127.0.0.1",
  max_connections: 100,
  shared_buffers: "128MB",
  // The three that a payment's durability stands on.
  fsync: "on",
  full_page_writes: "on",
  synchronous_commit: "on",
  // Nothing replicates from a sandbox's database, so the log carries only what a crash needs.
  wal_level: "minimal",
  max_wal_senders: 0,
  max_logical_replication_workers: 0,
  // The first change of a page after a checkpoint logs the whole page: checkpoints under load must be rare.
  max_wal_size: "4GB",
  min_wal_size: "128MB",
  checkpoint_timeout: "15min",
  checkpoint_completion_target: "0.9",
  // Statements are short and prepared; compiling one costs more than it ever saves here.
  jit: "off",
  // Rows that every payment updates die by the thousand each second: clean them early, in small rounds.
  autovacuum_naptime: "15s",
  autovacuum_vacuum_scale_factor: "0.05",
  autovacuum_analyze_scale_factor: "0.05",
  autovacuum_vacuum_cost_delay: "1ms",
  // The log names what went wrong and never a row's content: terse leaves out DETAIL, which quotes key values.
  log_min_messages: "warning",
  log_error_verbosity: "terse",
  log_min_error_statement: "fatal",
  log_line_prefix: "%m [%p] %q%u@%d ",
  log_timezone: "UTC",
  timezone: "UTC",
} as const;

/** Commits still reach the operating system, so they survive the server's crash, though not the machine's. */
const carelessSettings = { fsync: "off", full_page_writes: "off" } as const;

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
