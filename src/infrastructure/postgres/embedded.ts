import { realpath } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chooseAccount } from "./embedded-account.ts";
import { locateBinaries } from "./embedded-binaries.ts";
import { type Cluster, initialise, lastPort, socketFolder, writeSettings } from "./embedded-cluster.ts";
import { EmbeddedPostgresFailure, failureFromError } from "./embedded-failure.ts";
import { type Credentials, claimHome, readOrMakeCredentials } from "./embedded-home.ts";
import { clearLeftovers, findPostmaster, stopPostmaster } from "./embedded-postmaster.ts";
import { provision } from "./embedded-roles.ts";
import { adoptServer, rotateLog, type Server, startServer } from "./embedded-server.ts";

/** What the embedded PostgreSQL needs of a logger; pino's fits. */
export type EmbeddedPostgresLog = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
};

export type EmbeddedPostgresOptions = {
  /** The folder that holds the data directory, its passwords and its log; it is made where it is not there. */
  readonly home: string;
  readonly log?: EmbeddedPostgresLog;
  /** False only in tests: commits then survive a crash of PostgreSQL, but not one of the machine. */
  readonly durable?: boolean;
};

export type EmbeddedPostgres = {
  /** Database `marketflow` as `marketflow_owner`, which owns the database and may create roles: for migrations. */
  readonly ownerUrl: string;
  /** Database `marketflow` as `marketflow`, which owns nothing and is a member of `marketflow_app`. */
  readonly appUrl: string;
  /** Database `postgres` as the superuser: for tests and repairs. */
  readonly adminUrl: string;
  readonly port: number;
  readonly dataDir: string;
  /** Shuts the server down (fast, then harder when that takes too long) and gives the home up. Safe to call twice. */
  stop(): Promise<void>;
  /** Tells whenever the server ended without `stop`; it is started again by itself, on the same port. */
  onUnexpectedExit(listener: () => void): void;
};

const silentLog: EmbeddedPostgresLog = { info: () => {}, warn: () => {} };

const startTries = 5;
/** How long an operator's `pg_ctl restart` may take to bring its own server before we start ours. */
const foreignServerPatienceMs = 1_000;
const largestBackoffMs = 5_000;
const logCheckIntervalMs = 30_000;
const stopPatienceMs = 10_000;

/**
 * Starts PostgreSQL 18 in `home` on a free port of 127.0.0.1 and looks after it until `stop`. The first start makes
 * the database; what an earlier run left behind after a crash or kill -9 is recovered. Nothing here keeps the process
 * alive, and the server ends with the process, however that ends.
 * Throws {@link EmbeddedPostgresFailure}, whose `type` says why.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const log = options.log ?? silentLog;
  const binaries = await locateBinaries();
  let claim: { release(): void } | undefined;
  try {
    claim = await claimHome(resolve(options.home));
    // PostgreSQL knows its folder by its real path, and we compare with that.
    const home = await realpath(options.home);
    const dataDir = join(home, "postgres");
    const logFile = join(home, "postgres.log");
    const account = await chooseAccount(home, dataDir, binaries);
    const cluster: Cluster = { home, dataDir, logFile, binaries, account, durable: options.durable ?? true };
    const credentials = await readOrMakeCredentials(home);
    await initialise(cluster, credentials.superuser);
    await clearLeftovers(dataDir);
    const { server, port } = await startOnFreePort(cluster);
    const urls = urlsOf(port, credentials, socketFolder(dataDir));
    const supervised = supervise(cluster, server, port, log);
    try {
      await provision(urls.adminUrl, credentials);
    } catch (error) {
      await supervised.stop();
      throw error;
    }
    return { ...urls, port, dataDir, ...withClaim(supervised, claim) };
  } catch (error) {
    claim?.release();
    throw failureFromError(error, options.home);
  }
}

function withClaim(supervised: Supervised, claim: { release(): void }): Supervised {
  let stopping: Promise<void> | undefined;
  return {
    onUnexpectedExit: supervised.onUnexpectedExit,
    stop: () => {
      stopping ??= supervised.stop().finally(() => claim.release());
      return stopping;
    },
  };
}

/** The application goes through the Unix socket where there is one; libpq and its tools know this form of URL, too. */
function urlsOf(
  port: number,
  credentials: Credentials,
  socket: string | undefined,
): Pick<EmbeddedPostgres, "ownerUrl" | "appUrl" | "adminUrl"> {
  const url = (user: string, password: string, database: string) =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
  const through = socket === undefined ? "" : `?host=${encodeURIComponent(socket)}`;
  return {
    ownerUrl: url("marketflow_owner", credentials.owner, "marketflow"),
    appUrl: `${url("marketflow", credentials.app, "marketflow")}${through}`,
    adminUrl: url("postgres", credentials.superuser, "postgres"),
  };
}

/** Somebody may take a port between our choosing it and PostgreSQL's binding it, so a few are tried. */
async function startOnFreePort(cluster: Cluster): Promise<{ server: Server; port: number }> {
  let port = await freePort(await lastPort(cluster));
  for (let tries = 1; ; tries += 1) {
    await writeSettings(cluster, port);
    try {
      return { server: await startServer(cluster), port };
    } catch (error) {
      const isPortTaken = error instanceof EmbeddedPostgresFailure && error.type === "port_taken";
      if (!isPortTaken || tries === startTries) throw error;
      port = await freePort(undefined);
    }
  }
}

/** The wished port where it is free, else one that the system chooses. */
async function freePort(wished: number | undefined): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.once("error", (error) => {
      if (wished === undefined) failed(error);
      else freePort(undefined).then(found, failed);
    });
    probe.listen({ port: wished ?? 0, host: "127.0.0.1", exclusive: true }, () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => found(port));
    });
  });
}

type Supervised = Pick<EmbeddedPostgres, "stop" | "onUnexpectedExit">;

/** Keeps a server running on the cluster and port until stopped, whatever ends it meanwhile. */
function supervise(cluster: Cluster, first: Server, port: number, log: EmbeddedPostgresLog): Supervised {
  const listeners: (() => void)[] = [];
  const stopping = new AbortController();
  let current = first;
  const logCheck = setInterval(() => rotateLog(cluster.logFile).catch(() => {}), logCheckIntervalMs);
  logCheck.unref();

  async function keepRunning(): Promise<void> {
    while (true) {
      await current.ended;
      if (stopping.signal.aborted) return;
      log.warn({ dataDir: cluster.dataDir }, "PostgreSQL ended unexpectedly; bringing it back");
      for (const listener of listeners) listener();
      const next = await bringBack(cluster, port, stopping.signal, log);
      if (next === undefined) return;
      current = next;
      // A stop that came while this server was starting did not find it yet.
      if (stopping.signal.aborted) return endServer(cluster, current);
      log.info({ port }, "PostgreSQL is back");
    }
  }

  const finished = keepRunning();
  return {
    onUnexpectedExit: (listener) => listeners.push(listener),
    stop: async () => {
      stopping.abort();
      clearInterval(logCheck);
      const keepAlive = setInterval(() => {}, 1_000);
      try {
        await endServer(cluster, current);
        await finished;
      } finally {
        clearInterval(keepAlive);
      }
    },
  };
}

async function endServer(cluster: Cluster, server: Server): Promise<void> {
  const postmaster = await findPostmaster(cluster.dataDir);
  if (postmaster !== undefined) await stopPostmaster(postmaster.pid, cluster.dataDir);
  server.letGo();
  await Promise.race([server.ended, sleep(stopPatienceMs, undefined, { ref: false })]);
}

/**
 * Finds the server that an operator started on our data and port, or starts ours again. Tries until it succeeds: the
 * cause (a full disk, a port that is taken for a moment) may go away. Undefined when stopped meanwhile.
 */
async function bringBack(
  cluster: Cluster,
  port: number,
  stopping: AbortSignal,
  log: EmbeddedPostgresLog,
): Promise<Server | undefined> {
  const foreignDeadline = Date.now() + foreignServerPatienceMs;
  let backoffMs = 100;
  while (!stopping.aborted) {
    try {
      const running = await findPostmaster(cluster.dataDir);
      if (running?.port === port) return adoptServer(cluster, running.pid);
      if (running !== undefined || Date.now() > foreignDeadline) {
        await clearLeftovers(cluster.dataDir);
        await writeSettings(cluster, port);
        return await startServer(cluster);
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn({ reason, retryInMs: backoffMs }, "PostgreSQL cannot be started again yet");
    }
    await sleep(backoffMs, undefined, { ref: false });
    if (Date.now() > foreignDeadline) backoffMs = Math.min(backoffMs * 2, largestBackoffMs);
  }
  return undefined;
}
