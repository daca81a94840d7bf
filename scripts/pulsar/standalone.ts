import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Installation, pulsarFiles } from "./install.ts";

export type StandaloneSettings = {
  /** Where its data, its configuration and its logs are. */
  readonly folder: string;
  readonly port: number;
  readonly webPort: number;
  /** The largest message that it takes, in bytes; Pulsar's own limit is 5 MB. */
  readonly maxMessageBytes?: number;
  /** Further settings of Pulsar's, by their names in its broker.conf (authentication, TLS). */
  readonly configuration?: Readonly<Record<string, string>>;
  /** The token of a superuser, where `configuration` asks for one. */
  readonly token?: string;
};

/** A broker as a process of its own, which ends when this one does. */
export type Standalone = {
  readonly child: ChildProcess;
  /** Resolves when the process has ended. */
  readonly exited: Promise<void>;
  /** The end of what it wrote, for whoever has to say why it does not work. */
  log(): Promise<string>;
  /** Resolves once a topic could be made and removed. Throws what the broker wrote where that takes too long. */
  ready(): Promise<void>;
  /** SIGTERM, and SIGKILL where that does not end it within 10 s. */
  stop(): Promise<void>;
};

const readyPatienceMs = 120_000;
const stopPatienceMs = 10_000;

const addOpens = [
  "java.base/java.io",
  "java.base/java.util.zip",
  "java.base/java.nio",
  "java.base/jdk.internal.misc",
  "java.base/sun.net",
  "java.management/sun.management",
];

const drivers = "org.apache.pulsar.metadata.bookkeeper.PulsarMetadata";

/**
 * On two busy cores a start took 14.6 s; with the archive of classes 7.5 s, and 4.2 s with the quick compiler alone.
 * That one also served messages with less processor time: a broker of tests never runs long enough for the other.
 */
const virtualMachine = [
  "-Xms128m",
  "-Xmx768m",
  "-XX:MaxDirectMemorySize=512m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-XX:-UsePerfData",
  "-XX:+ExitOnOutOfMemoryError",
];

/**
 * Starts Pulsar; what is in the folder is there again, also after a kill. Throws where somebody listens at its ports:
 * it would be taken for ready by what that one answers.
 */
export async function startStandalone(
  installation: Installation,
  settings: StandaloneSettings,
  flags: readonly string[] = [],
): Promise<Standalone> {
  for (const port of [settings.port, settings.webPort]) {
    if (await isTaken(port)) throw new Error(`Pulsar cannot have port ${port}: somebody listens there`);
  }
  await mkdir(settings.folder, { recursive: true });
  const configuration = join(settings.folder, "broker.conf");
  await writeFile(configuration, await configurationOf(settings));
  const archive = existsSync(installation.archive) ? [`-XX:SharedArchiveFile=${installation.archive}`] : [];
  const output = openSync(join(settings.folder, "output.log"), "a");
  const args = [...virtualMachine, ...archive, ...flags, ...starterArguments(installation, settings, configuration)];
  // Our end of its standard input closes with this process, however that ends, and then it ends itself.
  const child = spawn("java", args, { cwd: settings.folder, stdio: ["pipe", output, output] });
  closeSync(output);
  const exited = new Promise<void>((done) => {
    child.once("error", () => done());
    child.once("close", () => done());
  });
  child.stdin?.on("error", () => undefined);
  const log = () => endOfLogs(settings.folder);
  return { child, exited, log, ready: () => untilReady(child, settings, log), stop: () => stop(child, exited) };
}

/** Makes the archive of classes that starts are faster with: starts a broker once, and has Java write what it read. */
export async function makeClassArchive(
  installation: Installation,
  ports: { readonly port: number; readonly webPort: number },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "marketflow-pulsar-"));
  const making = `${installation.archive}.${process.pid}`;
  try {
    const broker = await startStandalone(installation, { folder, ...ports }, [`-XX:ArchiveClassesAtExit=${making}`]);
    try {
      await broker.ready();
      // Writing it takes some seconds of the end.
      broker.child.kill("SIGTERM");
      await Promise.race([broker.exited, sleep(6 * stopPatienceMs, undefined, { ref: false })]);
    } finally {
      await broker.stop();
    }
    if (existsSync(making)) await rename(making, installation.archive);
  } finally {
    await rm(making, { force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

async function isTaken(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(1_000) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function configurationOf(settings: StandaloneSettings): Promise<string> {
  const loopback = Object.entries(networkInterfaces()).find(([, addresses]) => addresses?.some((one) => one.internal));
  const { maxMessageBytes } = settings;
  const added = {
    brokerServicePort: String(settings.port),
    webServicePort: String(settings.webPort),
    ...(loopback === undefined ? {} : { listeningInterface: loopback[0] }),
    ...(maxMessageBytes === undefined
      ? {}
      : { maxMessageSize: String(maxMessageBytes), nettyMaxFrameSizeBytes: String(maxMessageBytes + 10_240) }),
    ...settings.configuration,
  };
  const lines = Object.entries(added).map(([name, value]) => `${name}=${value}`);
  return `${await readFile(join(pulsarFiles, "broker.conf"), "utf8")}\n${lines.join("\n")}\n`;
}

function starterArguments(installation: Installation, settings: StandaloneSettings, configuration: string): string[] {
  const metadata = join(settings.folder, "metadata");
  const properties = {
    "log4j.configurationFile": join(pulsarFiles, "log4j2.properties"),
    "log4j.shutdownHookEnabled": "false",
    "log4j2.is.webapp": "false",
    "pulsar.log.file": join(settings.folder, "pulsar.log"),
    "pulsar.log.level": "warn",
    "java.net.preferIPv4Stack": "true",
    "io.netty.tryReflectionSetAccessible": "true",
    "bookkeeper.metadata.bookie.drivers": `${drivers}BookieDriver`,
    "bookkeeper.metadata.client.drivers": `${drivers}ClientDriver`,
  };
  return [
    ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
    ...addOpens.flatMap((name) => ["--add-opens", `${name}=ALL-UNNAMED`]),
    ...["-cp", installation.classPath, "Standalone", metadata],
    ...["--config", configuration, "--metadata-dir", metadata],
    // Port 0 is a free one, which the bookie writes down and takes again when it is started on the same folder.
    ...["--bookkeeper-dir", join(settings.folder, "bookkeeper"), "--bookkeeper-port", "0", "--num-bookies", "1"],
    ...["--no-functions-worker", "--no-stream-storage"],
  ];
}

async function untilReady(
  child: ChildProcess,
  { webPort, token }: StandaloneSettings,
  log: () => Promise<string>,
): Promise<void> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const topic = `http://127.0.0.1:${webPort}/admin/v2/persistent/public/default/ready-${randomUUID()}`;
  const untilMs = performance.now() + readyPatienceMs;
  let answer = "nothing answers";
  while (child.exitCode === null && child.signalCode === null && performance.now() < untilMs) {
    const signal = AbortSignal.timeout(10_000);
    // Making it makes a ledger: the bookie works too.
    const made = await fetch(topic, { method: "PUT", headers, signal }).catch(() => null);
    if (made?.ok) {
      await fetch(`${topic}?force=true`, { method: "DELETE", headers, signal }).catch(() => null);
      return;
    }
    if (made !== null) answer = `${made.status} ${await made.text()}`;
    await sleep(50);
  }
  throw new Error(`Pulsar did not come up (${answer}):\n${await log()}`);
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), stopPatienceMs);
  await exited.finally(() => clearTimeout(killer));
}

async function endOfLogs(folder: string): Promise<string> {
  const texts = ["pulsar.log", "output.log"].map((name) => readFile(join(folder, name), "utf8").catch(() => ""));
  return (await Promise.all(texts)).map((text) => text.slice(-4_000)).join("\n");
}
