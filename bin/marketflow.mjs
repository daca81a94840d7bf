#!/usr/bin/env node
// Starts MarketFlow: sees to it that the dependencies are there, then runs it on the Node.js that they bring along.
// Plain JavaScript without imports from npm, because it must run on Node 20 before anything is installed.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

// The semi-space and heap limits of every MarketFlow process belong here, so that they are measured and set once.
const nodeFlags = [
  "--disable-warning=ExperimentalWarning",
  // Under load V8 lets the heap grow to several times what is alive. These two keep it near that, for 130 MB instead of
  // 230 MB at 256 connections and some percent of the throughput, and unlike a fixed limit they end no process.
  "--max-semi-space-size=8",
  "--heap-growing-percent=20",
];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const stampFile = join(modules, ".marketflow-installed");
const lockFile = join(root, ".cache", "install.lock");
const lockPatienceMs = 15 * 60_000;
const forwardedSignals = ["SIGINT", "SIGTERM", "SIGHUP"];

function findNode() {
  const suffix = process.platform === "win32" ? ".exe" : "";
  return [join(modules, "node", "bin", `node${suffix}`), join(modules, ".bin", `node${suffix}`)].find(existsSync);
}

function readOrEmpty(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** What the installed dependencies must match; the platform is in it, for a folder that two systems share. */
function wantedStamp() {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  return `${process.platform}-${process.arch} ${lock}\n`;
}

function isInstalled(stamp) {
  return findNode() !== undefined && readOrEmpty(stampFile) === stamp;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Takes the install lock, or says that another start holds it. A lock whose holder died is cleared away. */
function takeLock() {
  mkdirSync(dirname(lockFile), { recursive: true });
  try {
    writeFileSync(lockFile, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  const holder = Number(readOrEmpty(lockFile));
  if (holder > 0 && !isAlive(holder)) {
    // Renaming first: of two starts that find the same dead holder only one gets to remove the file.
    const aside = `${lockFile}.${process.pid}`;
    try {
      renameSync(lockFile, aside);
      rmSync(aside, { force: true });
    } catch {}
  }
  return false;
}

async function ensureInstalled() {
  const stamp = wantedStamp();
  if (isInstalled(stamp)) return;
  const deadline = Date.now() + lockPatienceMs;
  while (!takeLock()) {
    if (Date.now() > deadline) throw new Error(`another start is still installing; remove ${lockFile} if it is not`);
    await new Promise((done) => setTimeout(done, 200));
    if (isInstalled(stamp)) return;
  }
  try {
    if (!isInstalled(stamp)) await install(stamp);
  } finally {
    rmSync(lockFile, { force: true });
  }
}

async function install(stamp) {
  process.stderr.write("marketflow: installing its dependencies, once …\n");
  // Not `npm ci`: the lock file lacks optional packages of other platforms, which it refuses.
  const flags = ["install", "--no-save", "--no-audit", "--no-fund", "--include=dev", "--prefer-offline"];
  const npm = process.env.npm_execpath?.endsWith("npm-cli.js")
    ? [process.execPath, [process.env.npm_execpath, ...flags], false]
    : ["npm", flags, process.platform === "win32"];
  const result = await run(npm[0], npm[1], { shell: npm[2], stdio: ["ignore", "pipe", "pipe"], cwd: root });
  if (result.signal !== null) {
    rmSync(lockFile, { force: true });
    return endLike(result);
  }
  if (result.code !== 0) {
    const advice = "If this machine is offline, connect it once: later starts need no network.";
    throw new Error(`npm could not install the dependencies (exit ${result.code}). ${advice}\n\n${result.output}`);
  }
  if (findNode() === undefined) {
    throw new Error(
      "npm installed the dependencies but not Node.js 26, which the package `node` fetches in its install script. " +
        "Allow install scripts (npm config get ignore-scripts must say false), remove node_modules and start again.",
    );
  }
  writeFileSync(stampFile, stamp);
}

/**
 * Runs a command to its end and forwards the signals that ask us to stop. A signal to the whole process group
 * therefore reaches the command twice, which MarketFlow takes as once.
 */
function run(command, args, options) {
  return new Promise((done, failed) => {
    const child = spawn(command, args, options);
    const forward = (signal) => child.kill(signal);
    for (const signal of forwardedSignals) process.on(signal, forward);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    const settle = () => {
      for (const signal of forwardedSignals) process.off(signal, forward);
    };
    child.once("error", (error) => {
      settle();
      const missing = `${command} is not on this machine; MarketFlow needs Node.js 20 or newer with npm`;
      failed(error.code === "ENOENT" ? new Error(missing) : error);
    });
    child.once("close", (code, signal) => {
      settle();
      done({ code, signal, output });
    });
  });
}

/** Ends this process the way the child ended, so that whoever started us sees the same. Never returns. */
function endLike({ code, signal }) {
  if (signal === null) process.exit(code ?? 1);
  process.kill(process.pid, signal);
  // Where the signal cannot end us (or only in a moment), the usual exit code of a shell says the same.
  return new Promise(() => setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100));
}

/** The file to run and its arguments, from our own arguments. */
function target(args) {
  if (args[0] === "--script") {
    if (args[1] === undefined) throw new Error("--script needs the file to run");
    return [resolve(args[1]), ...args.slice(2)];
  }
  if (process.env.MARKETFLOW_BUNDLE !== "1") return [join(root, "src", "apps", "cli.ts"), ...args];
  const bundle = join(root, "dist", "marketflow.mjs");
  if (!existsSync(bundle)) throw new Error(`MARKETFLOW_BUNDLE=1 but ${bundle} is not there; npm run build makes it`);
  return [bundle, ...args];
}

async function main() {
  await ensureInstalled();
  const node = findNode();
  const args = [...nodeFlags, ...target(process.argv.slice(2))];
  // Compiled code is kept between starts. Node.js does without where the folder cannot be written.
  const env = { NODE_COMPILE_CACHE: join(modules, ".cache", "compile"), ...process.env };
  // Replacing this process leaves no launcher behind: a signal, a pid file or a memory limit meets MarketFlow itself.
  if (process.platform !== "win32" && typeof process.execve === "function") process.execve(node, [node, ...args], env);
  await endLike(await run(node, args, { stdio: "inherit", env }));
}

main().catch((error) => {
  process.stderr.write(`marketflow: ${error.message}\n`);
  process.exit(1);
});
