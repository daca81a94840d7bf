import { execFile } from "node:child_process";
import { readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { EmbeddedPostgresFailure } from "./embedded-failure.ts";

/** A PostgreSQL server process that runs on our data, as its postmaster.pid tells. */
export type Postmaster = { readonly pid: number; readonly port: number; readonly isReady: boolean };

/** A process id above every system's limit: PostgreSQL finds it dead and then checks the shared memory itself. */
const nobodysPid = 2_147_483_647;

const fastShutdownPatienceMs = 20_000;
const immediateShutdownPatienceMs = 5_000;

/**
 * The server that runs on this data directory, or undefined where there is none. A process id in postmaster.pid that
 * the system has meanwhile given to another program does not count.
 */
export async function findPostmaster(dataDir: string): Promise<Postmaster | undefined> {
  const lines = (await readPidFile(dataDir))?.split("\n");
  const pid = Math.abs(Number(lines?.[0]));
  if (lines === undefined || !(pid > 1) || !(await runsOn(pid, dataDir))) return undefined;
  // The lines are documented in PostgreSQL's src/include/utils/pidfile.h: 4 is the port, 8 the status.
  return { pid, port: Number(lines[3]), isReady: lines[7]?.trim() === "ready" };
}

/**
 * Ends whatever is left on this data directory from an earlier run and makes it fit to start on: an orphaned server
 * (running, or still shutting down), backends that outlived their server, a postmaster.pid whose process id now
 * belongs to somebody else. The caller must hold the home, so that no living owner's server can be meant.
 */
export async function clearLeftovers(dataDir: string): Promise<void> {
  const orphan = await findPostmaster(dataDir);
  if (orphan !== undefined) await stopPostmaster(orphan.pid, dataDir);
  await endBackends(dataDir);
  const content = await readPidFile(dataDir);
  if (content === undefined) return;
  // The file stays: the shared memory that it names is how PostgreSQL makes sure that no backend is left.
  await writeFile(join(dataDir, "postmaster.pid"), content.replace(/^-?\d+/, String(nobodysPid)));
}

/** Stops a server: fast first (sessions are ended, a checkpoint is written), immediate when that takes too long. */
export async function stopPostmaster(pid: number, dataDir: string): Promise<void> {
  for (const [signal, patienceMs] of [
    ["SIGINT", fastShutdownPatienceMs],
    ["SIGQUIT", immediateShutdownPatienceMs],
    ["SIGKILL", immediateShutdownPatienceMs],
  ] as const) {
    sendSignal(pid, signal);
    const deadline = Date.now() + patienceMs;
    while (Date.now() < deadline) {
      if (!(await runsOn(pid, dataDir))) return;
      await sleep(20);
    }
  }
  const message = `An earlier PostgreSQL (process ${pid}) on ${dataDir} cannot be stopped. End it and start again.`;
  throw new EmbeddedPostgresFailure("start_failed", message);
}

/** Backends notice the death of their server within moments, except in the middle of a long computation. */
async function endBackends(dataDir: string): Promise<void> {
  for (const [patienceMs, signal] of [
    [500, "SIGQUIT"],
    [2_000, "SIGKILL"],
    [2_000, "SIGKILL"],
  ] as const) {
    const deadline = Date.now() + patienceMs;
    while ((await processesOn(dataDir)).length > 0) {
      if (Date.now() > deadline) break;
      await sleep(20);
    }
    for (const pid of await processesOn(dataDir)) sendSignal(pid, signal);
  }
}

/** Every PostgreSQL process has the data directory as its working directory; only Linux tells us cheaply. */
async function processesOn(dataDir: string): Promise<number[]> {
  if (process.platform !== "linux") return [];
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(async (pid) => ((await isPostgresOn(pid, dataDir)) ? [pid] : [])));
  return found.flat();
}

/** A shell that a person opened in the folder has the same working directory, so the program's name is asked too. */
async function isPostgresOn(pid: number, dataDir: string): Promise<boolean> {
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => "");
  if (folder !== dataDir) return false;
  const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
  return name.trim() === "postgres";
}

async function runsOn(pid: number, dataDir: string): Promise<boolean> {
  if (process.platform === "linux") return isPostgresOn(pid, dataDir);
  const { stdout } = await promisify(execFile)("ps", ["-ww", "-o", "command=", "-p", String(pid)]).catch(() => ({
    stdout: "",
  }));
  return /postgres/.test(stdout) && stdout.includes(dataDir);
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function readPidFile(dataDir: string): Promise<string | undefined> {
  try {
    return await readFile(join(dataDir, "postmaster.pid"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
