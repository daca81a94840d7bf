import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { installPulsar, whyNoPulsar } from "../../scripts/pulsar/install.ts";
import { makeClassArchive, type Standalone, startStandalone } from "../../scripts/pulsar/standalone.ts";
import { freePort } from "./free-port.ts";

/** By which the runner hands its broker to the test files: a `SharedPulsar` as JSON. */
const sharedVariable = "MARKETFLOW_TEST_PULSAR";
const sharedPatienceMs = 150_000;

const handedOver = process.env[sharedVariable];
const isRequired = process.env["REQUIRE_SERVICES"] === "1";
const lacking = isRequired || handedOver !== undefined ? null : whyNoPulsar();

/**
 * Why tests that need Pulsar are skipped, or false. Where services are required they run: what is not there is fetched,
 * and where that cannot be done they fail.
 */
export const withoutPulsar = lacking === null ? false : `NO PULSAR: ${lacking}`;
if (withoutPulsar !== false) process.stdout.write(`${withoutPulsar}\n`);

/** Where a broker is: by its own protocol (pulsar://…), and its admin API and WebSockets (http://…). */
export type PulsarAddress = { readonly url: string; readonly webUrl: string };

/** `outcome` is a file: made empty when the broker is ready, and with the reason when it has failed. */
type SharedPulsar = PulsarAddress & { readonly outcome: string };

/** A broker of one test file's own. */
export type TestPulsar = PulsarAddress & {
  /** SIGKILL. What it acknowledged is there again after a start. */
  kill(): Promise<void>;
  /** Starts it again on the same ports with the same data, and resolves once topics can be made. */
  start(): Promise<void>;
  /** Stops it from answering, with its connections open, until it is let go. */
  hang(): void;
  letGo(): void;
  /** Kills it and removes its folder. */
  stop(): Promise<void>;
};

export type TestPulsarOptions = {
  /** The largest message that it takes, in bytes. */
  readonly maxMessageBytes?: number;
  /** Settings of Pulsar's own, by their names in its broker.conf. */
  readonly configuration?: Readonly<Record<string, string>>;
  /** The token of a superuser, where `configuration` asks for one. */
  readonly token?: string;
};

type Ports = { readonly port: number; readonly webPort: number };

const running = new Set<Standalone>();
const folders = new Set<string>();
process.once("exit", () => {
  for (const { child } of running) child.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Starts one on free ports: 4 s of two cores, 450 MB. Throws what it wrote where it does not come up. */
export async function startPulsar(options: TestPulsarOptions = {}): Promise<TestPulsar> {
  return await startOn(await freePorts(), options);
}

async function startOn(ports: Ports, options: TestPulsarOptions): Promise<TestPulsar> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const installation = await installPulsar(say, (made) => makeClassArchive(made, ports));
  const folder = await mkdtemp(join(tmpdir(), "marketflow-pulsar-"));
  folders.add(folder);
  const start = async (): Promise<Standalone> => {
    const started = await startStandalone(installation, { folder, ...ports, ...options });
    running.add(started);
    void started.exited.then(() => running.delete(started));
    await started.ready().catch((error: unknown) => {
      started.child.kill("SIGKILL");
      throw error;
    });
    return started;
  };
  const clean = () => rm(folder, { recursive: true, force: true });
  let broker = await start().catch(async (error: unknown) => {
    await clean();
    throw error;
  });
  const kill = async (): Promise<void> => {
    broker.child.kill("SIGKILL");
    await broker.exited;
  };
  return {
    ...addressOf(ports),
    kill,
    async start() {
      broker = await start();
    },
    hang: () => void broker.child.kill("SIGSTOP"),
    letGo: () => void broker.child.kill("SIGCONT"),
    async stop() {
      await kill();
      await clean();
    },
  };
}

async function freePorts(): Promise<Ports> {
  return { port: await freePort(), webPort: await freePort() };
}

function addressOf({ port, webPort }: Ports): PulsarAddress {
  return { url: `pulsar://127.0.0.1:${port}`, webUrl: `http://127.0.0.1:${webPort}` };
}

/**
 * For the runner: starts the broker that its test files share, while they start, and resolves at once to what ends it.
 * `folder` is one that the runner removes.
 */
export async function handOverPulsar(folder: string): Promise<() => Promise<void>> {
  const ports = await freePorts();
  const shared: SharedPulsar = { ...addressOf(ports), outcome: join(folder, "pulsar-outcome") };
  process.env[sharedVariable] = JSON.stringify(shared);
  let isOver = false;
  const starting = startOn(ports, {}).then(
    async (broker) => {
      await writeFile(shared.outcome, "");
      return broker;
    },
    async (error: unknown) => {
      if (!isOver) await writeFile(shared.outcome, error instanceof Error ? error.message : String(error));
      return null;
    },
  );
  return async () => {
    isOver = true;
    // One that is still coming up is not waited for.
    for (const { child } of running) child.kill("SIGKILL");
    await (await starting)?.stop();
  };
}

let own: Promise<TestPulsar> | undefined;

/**
 * The broker that test files share: the runner's, once it is ready, or where a file runs without the runner one of its
 * own, which ends with the process. Nobody kills it; random names keep its users apart ({@link createNamespace}).
 */
export async function sharedPulsar(): Promise<PulsarAddress> {
  if (handedOver === undefined) {
    own ??= startPulsar();
    const broker = await own;
    // The process may end while it runs, and takes it along.
    for (const { child } of running) {
      child.unref();
      if (child.stdin instanceof Socket) child.stdin.unref();
    }
    return broker;
  }
  const { outcome, ...address } = JSON.parse(handedOver) as SharedPulsar;
  const untilMs = performance.now() + sharedPatienceMs;
  while (performance.now() < untilMs) {
    const reason = await readFile(outcome, "utf8").catch(() => null);
    if (reason === "") return address;
    if (reason !== null) throw new Error(`the runner's Pulsar did not come up: ${reason}`);
    await sleep(50);
  }
  throw new Error(`the runner's Pulsar is not ready after ${sharedPatienceMs} ms`);
}

/** Makes a namespace whose topics drop what they have, by sequence numbers, and returns its name ("public/…"). */
export async function createNamespace(webUrl: string): Promise<string> {
  const name = `public/${randomUUID()}`;
  const policies = { deduplicationEnabled: true, replication_clusters: ["standalone"] };
  const response = await fetch(`${webUrl}/admin/v2/namespaces/${name}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(policies),
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) throw new Error(`no namespace ${name}: ${response.status} ${await response.text()}`);
  return name;
}
