import { chmodSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";
import { Client } from "pg";
import { startEmbeddedPostgres } from "../src/infrastructure/postgres/embedded.ts";
import { migrate } from "../src/infrastructure/postgres/migrate.ts";
import { type TestPostgres, testPostgresVariable } from "./support/database.ts";

// `npm test [-- files…] [--name=pattern]`: starts one PostgreSQL for all test files, runs them, and cleans up.

const root = resolve(import.meta.dirname, "..");
const patterns = ["src/**/*.test.ts", "tests/**/*.test.ts", "bench/**/*.test.ts", "scripts/**/*.test.ts"];

/** The machines that run this have two cores, and some files wait for leases and deadlines most of their time. */
const concurrency = 3;
/** For one test; the longest kill and restart servers for half a minute. */
const testTimeoutMs = 180_000;
/** A file whose tests have ended but whose process does not (something was left open) is ended after this long. */
const silenceLimitMs = testTimeoutMs + 20_000;

const { values, positionals } = parseArgs({ options: { name: { type: "string" } }, allowPositionals: true });
const files = positionals.length > 0 ? positionals.map((file) => resolve(file)) : allTestFiles();
const missing = files.filter((file) => !existsSync(file));
if (missing.length > 0) fail(`no such test file: ${missing.join(", ")}`);
if (files.length === 0) fail("found no test files");

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopping.abort());
// A reader that has gone (`npm test | head`) ends the run like a signal does, and not in the middle of cleaning up.
process.stdout.on("error", () => stopping.abort());

process.exitCode = await withPostgres((home) => withPulsar(home, runFiles));

function allTestFiles(): string[] {
  const found = patterns.flatMap((pattern) => globSync(pattern, { cwd: root }));
  return found
    .filter((file) => !file.includes("/planted/"))
    .sort()
    .map((file) => join(root, file));
}

/** `body` is given a folder that is removed in the end. */
async function withPostgres(body: (home: string) => Promise<number>): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), "marketflow-tests-"));
  process.once("exit", () => rmSync(home, { recursive: true, force: true }));
  // PostgreSQL of a root run belongs to another account, which must be able to pass this folder.
  chmodSync(home, 0o711);
  const postgres = await startEmbeddedPostgres({ home, durable: false });
  try {
    await migrate({ url: postgres.ownerUrl });
    await closeTemplate(postgres.adminUrl);
    const { adminUrl, ownerUrl, appUrl } = postgres;
    process.env[testPostgresVariable] = JSON.stringify({ adminUrl, ownerUrl, appUrl } satisfies TestPostgres);
    return await body(home);
  } finally {
    await postgres.stop();
  }
}

/** Where a file needs Pulsar, one broker is started for all of them, while the others run already. */
async function withPulsar(home: string, body: () => Promise<number>): Promise<number> {
  const needed = files.some((file) => /"[^"]*\/support\/pulsar\.ts"|"\.\/pulsar\.ts"/.test(readFileSync(file, "utf8")));
  if (!needed) return await body();
  const { handOverPulsar, withoutPulsar } = await import("./support/pulsar.ts");
  if (withoutPulsar !== false) return await body();
  const stop = await handOverPulsar(home);
  try {
    return await body();
  } finally {
    await stop();
  }
}

/** A session in the template would make copying it fail, so nobody may have one. */
async function closeTemplate(adminUrl: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query("alter database marketflow with allow_connections false");
  } finally {
    await client.end();
  }
}

/** Resolves to the exit code: 0 only where at least one test ran, none failed and no file was without a test. */
async function runFiles(): Promise<number> {
  const emptyFiles: string[] = [];
  let ranTests = 0;
  let failures = 0;
  const stream = run({
    files,
    concurrency,
    timeout: testTimeoutMs,
    signal: stopping.signal,
    ...(values.name === undefined ? {} : { testNamePatterns: [values.name] }),
  });
  stream.on("test:fail", (event) => {
    if (event.todo === undefined || event.todo === false) failures += 1;
  });
  stream.on("test:pass", (event) => {
    // The runner counts a file that registers nothing as one passed test that has the file's name.
    if (event.name === event.file) emptyFiles.push(event.name);
    else if (event.details.type !== "suite" && event.skip === undefined) ranTests += 1;
  });
  const unfinished = new Set(files);
  stream.on("test:summary", (summary) => unfinished.delete(summary.file ?? ""));
  let hung = false;
  const silence = setTimeout(() => {
    hung = true;
    stopping.abort();
  }, silenceLimitMs);
  for (const event of ["test:start", "test:pass", "test:fail"] as const) stream.on(event, () => silence.refresh());
  // Not piped into standard output itself: that would be ended with the reporter.
  const output = new Writable({ write: (chunk, _encoding, written) => process.stdout.write(chunk, () => written()) });
  await finished(stream.compose(new spec()).pipe(output)).catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  clearTimeout(silence);
  if (hung) return complain(`ended, because they did not end by themselves: ${[...unfinished].join(", ")}`);
  if (stopping.signal.aborted) return 130;
  if (failures > 0) return 1;
  if (ranTests === 0) return complain("no test ran");
  if (emptyFiles.length > 0 && values.name === undefined) return complain(`no test in ${emptyFiles.join(", ")}`);
  return 0;
}

function complain(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
