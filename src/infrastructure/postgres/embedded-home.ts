import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { EmbeddedPostgresFailure } from "./embedded-failure.ts";

/** The passwords of the three roles that log in. */
export type Credentials = { readonly superuser: string; readonly owner: string; readonly app: string };

/** How long a start waits for a home whose owner may be just about to end. */
const claimPatienceMs = 1_000;

/** From SQLite's list of result codes. */
const sqliteCodes = { busy: 5, readOnly: 8, full: 13, cannotOpen: 14 };

/**
 * Makes this process the only owner of a home until it ends or calls `release`. The claim is an operating-system lock
 * (through SQLite, because Node.js has no file locks of its own): it cannot go stale, whatever kills its holder, and
 * it is there before any server is, so that two starts cannot both run initdb or stop each other's server.
 * Throws {@link EmbeddedPostgresFailure} `home_in_use`.
 */
export async function claimHome(home: string): Promise<{ release(): void }> {
  await mkdir(home, { recursive: true });
  const pidFile = join(home, "owner.pid");
  const lock = openLock(join(home, "home.lock"));
  const deadline = Date.now() + claimPatienceMs;
  try {
    while (!tryToLock(lock)) {
      if (Date.now() > deadline) throw await homeInUse(home, pidFile);
      await sleep(50);
    }
    await writeFile(pidFile, `${process.pid}\n`);
  } catch (error) {
    lock.close();
    throw asFileError(error);
  }
  return { release: () => lock.close() };
}

function openLock(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file);
  } catch (error) {
    throw asFileError(error);
  }
}

function tryToLock(lock: DatabaseSync): boolean {
  try {
    lock.exec("begin exclusive");
    return true;
  } catch (error) {
    if (sqliteCodeOf(error) === sqliteCodes.busy) return false;
    throw error;
  }
}

/** What a file operation would have said, so that both are told to the person alike. */
function asFileError(error: unknown): unknown {
  const code = sqliteCodeOf(error);
  if (code === sqliteCodes.full) return Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  if (code !== sqliteCodes.readOnly && code !== sqliteCodes.cannotOpen) return error;
  return Object.assign(new Error("its file home.lock cannot be written"), { code: "EACCES" });
}

function sqliteCodeOf(error: unknown): unknown {
  return error instanceof Error && "errcode" in error ? error.errcode : undefined;
}

async function homeInUse(home: string, pidFile: string): Promise<EmbeddedPostgresFailure> {
  const pid = (await readFile(pidFile, "utf8").catch(() => "")).trim();
  const holder = pid === "" ? "another process" : `process ${pid}`;
  const advice = "Stop it, or set MARKETFLOW_HOME to another folder to run a second one beside it.";
  return new EmbeddedPostgresFailure("home_in_use", `The home ${home} is in use by ${holder}. ${advice}`);
}

/** Reads the home's passwords, or makes them on the first start. Only the owner of the file can read it. */
export async function readOrMakeCredentials(home: string): Promise<Credentials> {
  const file = join(home, "credentials.json");
  const stored = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (stored !== undefined) return JSON.parse(stored) as Credentials;
  const password = () => randomBytes(24).toString("base64url");
  const made: Credentials = { superuser: password(), owner: password(), app: password() };
  await writeDurably(file, `${JSON.stringify(made, null, 2)}\n`);
  return made;
}

/** Writes a file that is either there as a whole after a crash or not at all, readable by its owner only. */
async function writeDurably(file: string, content: string): Promise<void> {
  const half = `${file}.new`;
  await writeFile(half, content, { mode: 0o600, flush: true });
  await rename(half, file);
}

/** Makes renames in a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
