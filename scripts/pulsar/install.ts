import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";

/** What our files say of Pulsar: its pom, its settings and our own start of it. */
export const pulsarFiles = resolve(import.meta.dirname, "../../ops/pulsar");

const fetchPatienceMs = 15 * 60_000;
const leastJava = 17;

const needsJava = `Pulsar needs Java ${leastJava} or newer with its compiler (Debian: default-jdk-headless)`;

/** Where what we fetch for tests is kept, for every checkout of this machine's user. */
export function cacheFolder(): string {
  const base = process.env["XDG_CACHE_HOME"];
  return join(base === undefined || base === "" ? join(homedir(), ".cache") : base, "marketflow");
}

/** Pulsar on this machine's disk. */
export type Installation = {
  readonly folder: string;
  /** The jars and our own starter, in the order in which Java is to look through them. */
  readonly classPath: string;
  /** Classes as Java keeps them once they are read and checked: a start is twice as fast with it. May be missing. */
  readonly archive: string;
};

/** Why Pulsar cannot run here without fetching anything, in one sentence, or null. Costs a tenth of a second. */
export function whyNoPulsar(): string | null {
  return (
    whyNoJava() ?? (existsSync(installationFolder()) ? null : "its jars are not fetched (npm run pulsar does that)")
  );
}

/**
 * Sees to it that Pulsar's jars are in the cache, fetching them with Maven where they are not; `made` is called once
 * for an installation that was made just now. Throws, in a sentence, where something is missing or the fetch fails.
 */
export async function installPulsar(
  say: (text: string) => void,
  made: (installation: Installation) => Promise<void>,
): Promise<Installation> {
  const lacking = whyNoJava();
  if (lacking !== null) throw new Error(lacking);
  const folder = installationFolder();
  const isNew = !existsSync(folder);
  if (isNew) {
    say(`fetching Pulsar's jars into ${folder}, once …`);
    await fetchInto(folder);
  }
  const jars = (await readdir(join(folder, "jars"))).filter((name) => name.endsWith(".jar")).sort();
  // Java compares the class path with the archive's: it must be written the same way each time.
  const classPath = [join(folder, "starter.jar"), ...jars.map((jar) => join(folder, "jars", jar))].join(delimiter);
  const installation = { folder, classPath, archive: join(folder, "classes.jsa") };
  if (isNew) await made(installation);
  return installation;
}

/** A folder for each content of what it is made from, so that nobody runs what was made from something else. */
function installationFolder(): string {
  const pom = readFileSync(join(pulsarFiles, "pom.xml"), "utf8");
  const version = /<pulsar\.version>([^<]+)</.exec(pom)?.[1];
  if (version === undefined) throw new Error("ops/pulsar/pom.xml does not name Pulsar's version");
  const starter = readFileSync(join(pulsarFiles, "Standalone.java"));
  const content = createHash("sha256").update(pom).update(starter).digest("hex").slice(0, 8);
  return join(cacheFolder(), `pulsar-${version}-${content}`);
}

function whyNoJava(): string | null {
  const { error, stderr } = spawnSync("java", ["-version"], { encoding: "utf8" });
  if (error !== undefined) return `${needsJava}: there is no program java`;
  const version = /version "(\d+)/.exec(stderr)?.[1];
  return version !== undefined && Number(version) >= leastJava ? null : `${needsJava}: this one says ${stderr.trim()}`;
}

/** Fetches into a folder beside it first: whoever finds the folder finds all of it. */
async function fetchInto(folder: string): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true });
  const making = await mkdtemp(`${folder}-`);
  try {
    const pom = join(pulsarFiles, "pom.xml");
    const goal = [
      "dependency:copy-dependencies",
      "-DincludeScope=runtime",
      `-DoutputDirectory=${join(making, "jars")}`,
    ];
    const advice = "Pulsar's jars are fetched with Maven (Debian: maven)";
    await runToEnd("mvn", ["--batch-mode", "--no-transfer-progress", "--quiet", "--file", pom, ...goal], advice);
    const classes = join(making, "classes");
    const source = join(pulsarFiles, "Standalone.java");
    await runToEnd("javac", ["-cp", join(making, "jars", "*"), "-d", classes, source], needsJava);
    await runToEnd("jar", ["--create", "--file", join(making, "starter.jar"), "-C", classes, "."], needsJava);
    await rename(making, folder).catch((error: NodeJS.ErrnoException) => {
      // Somebody else was faster, with the same.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** Runs a program to its end, and throws what it wrote where it fails; `advice` is for where it is not there. */
export async function runToEnd(program: string, args: readonly string[], advice: string): Promise<string> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], timeout: fetchPatienceMs });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-20_000);
    });
  }
  const code = await new Promise<number | null>((done, failed) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      failed(error.code === "ENOENT" ? new Error(`${advice}: there is no program ${program}`) : error);
    });
    child.once("close", done);
  });
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} failed (${code ?? "ended by a signal"}):\n${output}`);
  return output;
}
