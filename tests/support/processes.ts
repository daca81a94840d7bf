import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How a process ended: by itself with a code, or by a signal. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type Child = {
  readonly pid: number;
  /** The end of what it has written so far, standard output and error together. */
  output(): string;
  readonly exited: Promise<Exit>;
  /** SIGTERM, and SIGKILL where that does not end it within 20 s. */
  stop(): Promise<Exit>;
  /** SIGKILL. */
  kill(): Promise<Exit>;
};

/** `partner` is where the partner API listens, `address` the marketplace's. */
export type Server = Child & { readonly address: string; readonly partner: string };

export type Environment = Readonly<Record<string, string>>;

/** The command line of MarketFlow, as a file for {@link startChild}. */
export const commandLine = resolve(import.meta.dirname, "../../src/apps/cli.ts");

const startPatienceMs = 30_000;
const stopPatienceMs = 20_000;
const keptOutput = 200_000;

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
// The runner ends a file that takes too long with SIGTERM, of which "exit" would not hear.
process.once("SIGTERM", () => process.exit(143));

/** What children have of our environment: where programs are, and what was compiled before. */
const { PATH, NODE_COMPILE_CACHE } = process.env;
const inherited = { PATH, ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }) };

/** Starts a script of ours in `folder`, with nothing of our environment but that and what is given. */
export function startChild(script: string, args: readonly string[], environment: Environment, folder: string): Child {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", script, ...args], {
    cwd: folder,
    env: { ...inherited, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-keptOutput);
    });
  }
  const exited = new Promise<Exit>((done, failed) => {
    child.once("error", failed);
    child.once("close", (code, signal) => {
      running.delete(child);
      done({ code, signal });
    });
  });
  const end = async (signal: NodeJS.Signals): Promise<Exit> => {
    child.kill(signal);
    const killer = setTimeout(() => child.kill("SIGKILL"), stopPatienceMs);
    return await exited.finally(() => clearTimeout(killer));
  };
  const pid = child.pid ?? 0;
  return { pid, output: () => output, exited, stop: () => end("SIGTERM"), kill: () => end("SIGKILL") };
}

/** Starts a script that is a server, and resolves once it has said where it listens; throws what it said instead. */
export async function startServer(
  script: string,
  args: readonly string[],
  environment: Environment,
  folder: string,
): Promise<Server> {
  const child = startChild(script, args, environment, folder);
  let hasEnded = false;
  child.exited.then(
    () => {
      hasEnded = true;
    },
    () => undefined,
  );
  const deadline = performance.now() + startPatienceMs;
  while (!hasEnded && performance.now() < deadline) {
    // `serve` logs JSON, the sandbox greets.
    const address = /(?:sandbox listens at |"address":")(http:\/\/[^\s"]+)/.exec(child.output())?.[1];
    const partner = /(?:partner API listens at |"partner_address":")(http:\/\/[^\s"]+)/.exec(child.output())?.[1];
    if (address !== undefined && partner !== undefined) return { ...child, address, partner };
    await sleep(10);
  }
  await child.kill();
  throw new Error(`${script} ${args.join(" ")} does not listen:\n${child.output()}`);
}

/** Resolves once a child has written `sought`. Throws what it wrote where it has ended before, or takes over 30 s. */
export async function said(child: Child, sought: string): Promise<void> {
  let hasEnded = false;
  void child.exited.finally(() => {
    hasEnded = true;
  });
  const deadline = performance.now() + startPatienceMs;
  while (!child.output().includes(sought)) {
    if (hasEnded || performance.now() > deadline) throw new Error(`it never said ${sought}:\n${child.output()}`);
    await sleep(10);
  }
}

/** An answer of the API; `body` is its JSON. */
export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
};

/**
 * One request with a JSON body (a text is sent as it is), or a GET without one. Null where no answer came: the server
 * died or does not listen.
 */
export async function ask(url: string, body?: object | string, headers: Environment = {}): Promise<Answer | null> {
  try {
    const json = { "content-type": "application/json", ...headers };
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(url, body === undefined ? {} : { method: "POST", headers: json, body: text });
    const { status } = response;
    return { status, headers: response.headers, body: (await response.json()) as Answer["body"] };
  } catch (error) {
    if (error instanceof SyntaxError) throw error;
    return null;
  }
}

/** Like {@link ask}, where an answer must come. */
export async function mustAsk(url: string, body?: object | string, headers: Environment = {}): Promise<Answer> {
  const answer = await ask(url, body, headers);
  if (answer === null) throw new Error(`no answer from ${url}`);
  return answer;
}

/** Asks until the condition holds and returns how long that took in milliseconds; throws after `mostMs`. */
export async function until(what: string, mostMs: number, holds: () => Promise<boolean> | boolean): Promise<number> {
  const beganMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - beganMs > mostMs) throw new Error(`not within ${mostMs} ms: ${what}`);
    await sleep(50);
  }
  return performance.now() - beganMs;
}
