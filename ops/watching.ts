import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** A program that was started by a check and ends with it. */
export type Running = {
  readonly name: string;
  readonly output: () => string;
  readonly exited: () => boolean;
  readonly stop: () => Promise<void>;
};

const killAfterMs = 10_000;
/** A cold build downloads the modules of go.sum and compiles them on two cores. */
const buildTimeoutMs = 600_000;

/** Starts a program and keeps what it writes. Only this program is ever signalled, by its own id. */
export function run(
  name: string,
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  folder: string,
): Running {
  const child = spawn(command, args, { cwd: folder, env: environment, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const keep = (text: string) => {
    output += text;
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  let gone = false;
  const ended = new Promise<void>((resolve) => {
    const settle = () => {
      gone = true;
      resolve();
    };
    child.once("close", settle);
    child.once("error", (error) => {
      keep(error.message);
      settle();
    });
  });
  return {
    name,
    output: () => output,
    exited: () => gone,
    async stop() {
      if (!gone) child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** Where Prometheus is, if it is installed. */
export function prometheusBinary(): string | undefined {
  return onPath("prometheus");
}

/**
 * Where an OpenTelemetry collector is: on the path, in the cache of an earlier run, or built now from ops/collector,
 * which takes some minutes once. Undefined where none of these is possible.
 */
export function collectorBinary(): string | undefined {
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "marketflow-tools");
  const cached = join(cache, "otelcol");
  const present = onPath("otelcol") ?? (existsSync(cached) ? cached : undefined);
  if (present !== undefined) return present;
  const go = onPath("go");
  if (go === undefined) return undefined;
  console.log("building the OpenTelemetry collector, once …");
  mkdirSync(cache, { recursive: true });
  const source = join(import.meta.dirname, "collector");
  const built = spawnSync(go, ["build", "-mod=readonly", "-o", cached, "."], {
    cwd: source,
    encoding: "utf8",
    timeout: buildTimeoutMs,
  });
  if (built.status === 0) return cached;
  console.error(`the collector could not be built:\n${built.stderr.slice(-2_000)}`);
  return undefined;
}

function onPath(name: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}
