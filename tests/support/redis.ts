import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";

const program = "redis-server";
const startPatienceMs = 10_000;

const isAbsent = spawnSync(program, ["--version"]).error !== undefined;
const isRequired = process.env["REQUIRE_SERVICES"] === "1";

/** Why a test that needs Redis is skipped, or false: where services are required it runs, and fails. */
export const withoutRedis =
  isAbsent && !isRequired ? "NO REDIS: install Debian's package redis-server to run this against the real one" : false;
if (withoutRedis !== false) process.stdout.write(`${withoutRedis}\n`);

/** A redis-server of one test file's own. It keeps nothing on the disk: whenever it ends, it has lost everything. */
export type TestRedis = {
  readonly url: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same port, and resolves once it answers. */
  start(): Promise<void>;
  /** Stops it from answering, with its connections open, until it is let go. */
  hang(): void;
  letGo(): void;
  /** Kills it and removes its folder. */
  stop(): Promise<void>;
};

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
// The runner ends a file that takes too long with SIGTERM, of which "exit" would not hear.
process.once("SIGTERM", () => process.exit(143));

/** Starts one on a free port. Throws where the program is not there, or does not answer within 10 s. */
export async function startRedis(): Promise<TestRedis> {
  if (isAbsent) throw new Error("REQUIRE_SERVICES=1 needs the program redis-server");
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "marketflow-redis-"));
  let child = await startOn(port, folder);
  const kill = () => end(child);
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    async start() {
      child = await startOn(port, folder);
    },
    hang: () => void child.kill("SIGSTOP"),
    letGo: () => void child.kill("SIGCONT"),
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startOn(port: number, folder: string): Promise<ChildProcess> {
  const settings = { port: String(port), bind: "127.0.0.1", dir: folder, save: "", appendonly: "no" };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const untilMs = performance.now() + startPatienceMs;
  while (child.exitCode === null && performance.now() < untilMs) {
    if (await answers(port)) return child;
    await sleep(10);
  }
  await end(child);
  throw new Error(`redis-server does not answer on port ${port}:\n${output}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.setTimeout(1_000, () => socket.destroy());
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
    socket.destroy();
  });
  socket.on("error", () => undefined);
  socket.write("PING\r\n");
  await closed;
  return answer.startsWith("+PONG");
}
