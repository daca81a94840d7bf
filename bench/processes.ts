import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What `/proc` counts processor time in; it is 100 a second on every Linux that Node runs on. */
const clockTicksPerSecond = 100;
const startDeadlineMs = 30_000;
const stopDeadlineMs = 20_000;
/** Often enough for a start that takes 200 ms, rare enough to leave the start its core. */
const connectEveryMs = 3;

const running = new Set<ChildProcess>();

/** Ends at once whatever was started here: for a run that is interrupted. */
export function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

function started(child: ChildProcess): void {
  running.add(child);
  child.once("exit", () => running.delete(child));
}

export type ServerProcess = {
  readonly pid: number;
  /** Of the marketplace listener (where there is none, of what it answers `/health` at), and of the partners'. */
  readonly port: number;
  readonly partnerPort: number;
  /** From the creation of the process until it accepted a connection, and until it answered `GET /health` with 200. */
  readonly listeningAfterMs: number;
  readonly healthyAfterMs: number;
  /** The end of what it logged: why it does not do what it should. */
  endOfLog(): string;
  /** Asks it to stop (SIGTERM) and waits; false where it had to be killed or ended with an error. */
  stop(): Promise<boolean>;
};

export type ServerStart = {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where it runs and where its output goes (`server.log`): a folder without a `.env`. */
  readonly folder: string;
};

/**
 * Starts a server as a process of its own on free ports of loopback, with nothing of our environment but what it is
 * given and PATH. Resolves when it is healthy; throws with the end of its log where it exits or takes over 30 s.
 */
export async function startServer(start: ServerStart): Promise<ServerProcess> {
  const [port, partnerPort] = await freePorts();
  const ports = { PORT: String(port), PARTNER_PORT: String(partnerPort), OPERATIONS_PORT: String(port) };
  const logFile = join(start.folder, "server.log");
  const log = openSync(logFile, "a");
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, start.args, {
    cwd: start.folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...start.environment, ...ports },
    stdio: ["ignore", log, log],
  });
  started(child);
  closeSync(log);
  try {
    await untilListening(child, port);
    const listeningAfterMs = performance.now() - startedAtMs;
    await untilHealthy(child, port);
    const healthyAfterMs = performance.now() - startedAtMs;
    return {
      pid: child.pid ?? 0,
      port,
      partnerPort,
      listeningAfterMs,
      healthyAfterMs,
      endOfLog: () => endOf(logFile),
      stop: () => stop(child),
    };
  } catch (error) {
    await stop(child);
    throw new Error(`${start.args.join(" ")}: ${String(error)}\n${endOf(logFile)}`);
  }
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  const deadlineMs = performance.now() + startDeadlineMs;
  while (performance.now() < deadlineMs) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    if (await accepts(port)) return;
    await sleep(connectEveryMs);
  }
  throw new Error(`it does not listen after ${startDeadlineMs} ms`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function untilHealthy(child: ChildProcess, port: number): Promise<void> {
  const deadlineMs = performance.now() + startDeadlineMs;
  let last = "";
  while (performance.now() < deadlineMs && child.exitCode === null) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/health`);
      last = await response.text();
      if (response.status === 200) return;
    } catch (error) {
      last = String(error);
    }
    await sleep(connectEveryMs);
  }
  throw new Error(`it does not become healthy: ${last}`);
}

async function stop(child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return false;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), stopDeadlineMs);
  const [code] = await exited;
  clearTimeout(killer);
  return code === 0;
}

/** Two ports that nobody listens on: both are held until both are known, so they are not the same one. */
async function freePorts(): Promise<[number, number]> {
  const held = [createServer(), createServer()];
  const listening = held.map((server) => once(server.listen(0, "127.0.0.1"), "listening"));
  await Promise.all(listening);
  const [first, second] = held.map((server) => server.address());
  await Promise.all(held.map((server) => once(server.close(), "close")));
  if (first === null || second === null || typeof first !== "object" || typeof second !== "object") {
    throw new Error("no ports");
  }
  return [first.port, second.port];
}

function endOf(file: string): string {
  return readFileSync(file, "utf8").slice(-2000);
}

/** Runs a script of ours to its end and returns what it printed; throws where it fails. */
export async function runScript(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  started(child);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${args[0]} ended with ${code}`);
  return output;
}

/** The memory of a process in MB of 10^6 bytes: what it holds now and the most it ever held. Not a number off Linux. */
export function memoryOf(pid: number): { residentMb: number; peakMb: number } {
  const status = readProc(`/proc/${pid}/status`);
  const read = (name: string) => (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024) / 1e6;
  return { residentMb: read("VmRSS"), peakMb: read("VmHWM") };
}

/** The processor time of a process so far and of its children, living and dead, in seconds; 0 off Linux. */
export function cpuSecondsOf(pid: number): number {
  let ticks = 0;
  if (!existsSync("/proc/self/stat")) return ticks;
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    // The name of the program stands in parentheses and may hold anything; the numbers come after the last one.
    const fields = readProc(`/proc/${name}/stat`).split(") ").pop()?.split(" ").map(Number) ?? [];
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
    if (Number(name) === pid) ticks += user + system + childUser + childSystem;
    else if (fields[1] === pid) ticks += user + system;
  }
  return ticks / clockTicksPerSecond;
}

/** The processor time that everything on this machine has used so far, in seconds; 0 off Linux. */
export function machineCpuSeconds(): number {
  const [, user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0] =
    readProc("/proc/stat").split("\n")[0]?.split(/ +/).map(Number) ?? [];
  return (user + nice + system + interrupts + softInterrupts) / clockTicksPerSecond;
}

function readProc(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // The process is gone, or this is not Linux.
  }
}
