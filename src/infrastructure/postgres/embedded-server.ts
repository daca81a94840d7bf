import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { copyFile, open, stat, truncate } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { commandAs } from "./embedded-account.ts";
import type { Cluster } from "./embedded-cluster.ts";
import { EmbeddedPostgresFailure, failureFromOutput } from "./embedded-failure.ts";
import { findPostmaster } from "./embedded-postmaster.ts";

/** A PostgreSQL server under a watchdog of ours. */
export type Server = {
  /** Resolves when the server has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** Ends the server: fast at once, immediate after a minute. Without it the same happens when this process dies. */
  letGo(): void;
};

/** Replaying the log after a crash takes a few seconds for each gigabyte; a slow disk gets its time. */
const readyPatienceMs = 180_000;
const largestLogBytes = 8 * 1024 * 1024;

/**
 * Stands between us and PostgreSQL, in a session of its own: a signal to our process group (Ctrl-C) reaches only us,
 * and we finish what is under way while the database still runs. Its standard input is a pipe that we hold open and
 * never write to, so it ends when this process does, even by kill -9; then PostgreSQL is shut down.
 * `start COMMAND…` starts a server, `watch PID` looks after one that somebody else started on our data.
 * The shell's own `read` waits on the pipe, so that no further process is needed. SIGINT is a fast shutdown; it is
 * repeated, because a server that has only just started does not listen to it yet. It ends after its reader, so that
 * nothing of ours is left once it has ended.
 */
const watchdogScript = `
mode=$1; shift
exec 3<&0 </dev/null
if [ "$mode" = start ]; then "$@" 3<&- & server=$!; else server=$1; fi
trap 'kill -INT "$server" 2>/dev/null' INT TERM HUP
(
  while read -r line <&3; do :; done
  seconds=0
  while [ "$seconds" -lt 60 ] && kill -INT "$server" 2>/dev/null; do sleep 1; seconds=$((seconds + 1)); done
  kill -QUIT "$server" 2>/dev/null
) &
reader=$!
exec 3<&-
if [ "$mode" = start ]; then
  wait "$server"
  while kill -0 "$server" 2>/dev/null; do wait "$server"; done
else
  while kill -0 "$server" 2>/dev/null; do sleep 1; done
fi
kill "$reader" 2>/dev/null
wait "$reader" 2>/dev/null
`;

/** Starts PostgreSQL on the cluster and resolves once it takes connections. Settings must have been written. */
export async function startServer(cluster: Cluster): Promise<Server> {
  await rotateLog(cluster.logFile);
  const logStart = await sizeOf(cluster.logFile);
  const server = watchdog(cluster, ["start", cluster.binaries.postgres, "-D", cluster.dataDir]);
  let hasEnded = false;
  server.ended.then(() => {
    hasEnded = true;
  });
  const deadline = Date.now() + readyPatienceMs;
  while (!(await findPostmaster(cluster.dataDir))?.isReady) {
    if (hasEnded) {
      throw failureFromOutput(await readFrom(cluster.logFile, logStart), cluster.home, cluster.logFile);
    }
    if (Date.now() > deadline) {
      server.letGo();
      const seconds = readyPatienceMs / 1000;
      const message = `The embedded PostgreSQL was not ready after ${seconds} s; see ${cluster.logFile}.`;
      throw new EmbeddedPostgresFailure("start_failed", message);
    }
    await sleep(10);
  }
  return server;
}

/** Looks after a server that somebody else started on our data (an operator's pg_ctl restart). */
export function adoptServer(cluster: Cluster, pid: number): Server {
  return watchdog(cluster, ["watch", String(pid)]);
}

function watchdog(cluster: Cluster, args: string[]): Server {
  const command = commandAs(cluster.account, "/bin/sh", ["-c", watchdogScript, "marketflow-postgres", ...args]);
  const log = openSync(cluster.logFile, "a");
  let child: ChildProcess;
  try {
    child = spawn(command.file, command.args, {
      ...command.ids,
      cwd: "/",
      detached: true,
      stdio: ["pipe", log, log],
      env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" },
    });
  } finally {
    closeSync(log);
  }
  child.unref();
  const { stdin } = child;
  if (stdin !== null) {
    // A pipe to a watchdog that has ended breaks; that is what `ended` tells.
    stdin.on("error", () => {});
    if ("unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  }
  return { ended: endOf(child), letGo: () => stdin?.end() };
}

async function endOf(child: ChildProcess): Promise<void> {
  try {
    await once(child, "exit");
  } catch {
    // It could not be started at all: whoever waits for it to be ready finds that it has ended.
  }
}

/** Keeps the log bounded: past 8 MB it becomes `….1` and starts anew. PostgreSQL appends, so truncating is safe. */
export async function rotateLog(logFile: string): Promise<void> {
  if ((await sizeOf(logFile)) < largestLogBytes) return;
  await copyFile(logFile, `${logFile}.1`);
  await truncate(logFile);
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => ({ size: 0 }))).size;
}

async function readFrom(file: string, position: number): Promise<string> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.min(size - position, 64 * 1024));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}
