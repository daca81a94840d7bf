import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startEmbeddedPostgres } from "../src/infrastructure/postgres/embedded.ts";
import { migrate } from "../src/infrastructure/postgres/migrate.ts";
import { rewriteGenerated } from "./rewrite-queries.ts";

// `npm run generate [-- --check]`: types every statement under `src/` against the migrated schema and writes
// `<name>.queries.ts` beside each `<name>.sql`. With --check it fails where that would change a file.

/** How PostgreSQL's types appear in TypeScript; `src/infrastructure/postgres` makes `pg` return them so. */
const typesOverrides = {
  int8: "bigint",
  bigint: "bigint",
  numeric: "string",
  decimal: "string",
  timestamptz: "Date",
  oid: "number",
  xid8: "string",
};

const { values } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    // For tests of this script: another project folder, with `src` and `migrations` in it.
    root: { type: "string", default: resolve(import.meta.dirname, "..") },
  },
});
const root = resolve(values.root);

process.exitCode = await main().catch((error: unknown) =>
  complain(error instanceof Error ? error.message : String(error)),
);

async function main(): Promise<number> {
  const sqlFiles = globSync("src/**/*.sql", { cwd: root }).sort();
  if (sqlFiles.length === 0) return complain("found no .sql file under src");
  const generated = await generate(sqlFiles);
  const orphans = globSync("src/**/*.queries.ts", { cwd: root }).filter((file) => !generated.has(file));
  const stale: string[] = [...orphans];
  for (const [file, content] of generated) {
    const present = await readFile(join(root, file), "utf8").catch(() => "");
    if (present !== content) stale.push(file);
  }
  if (values.check && stale.length > 0) {
    return complain(`generated files are stale, run npm run generate: ${stale.sort().join(", ")}`);
  }
  for (const file of stale) {
    const content = generated.get(file);
    if (content === undefined) await rm(join(root, file));
    else await writeFile(join(root, file), content);
  }
  const done = values.check ? "all fresh" : `${stale.length} written`;
  process.stdout.write(`${sqlFiles.length} .sql files typed, ${done}\n`);
  return 0;
}

/** The content of every `.queries.ts` file, by its path from the root. */
async function generate(sqlFiles: readonly string[]): Promise<Map<string, string>> {
  const scratch = await mkdtemp(join(tmpdir(), "marketflow-generate-"));
  try {
    const postgres = await startEmbeddedPostgres({ home: join(scratch, "home"), durable: false });
    try {
      await migrate({ url: postgres.ownerUrl, directory: join(root, "migrations") });
      await runPgTyped(scratch, postgres.ownerUrl);
    } finally {
      await postgres.stop();
    }
    const generated = new Map<string, string>();
    const names = new Map<string, string>();
    for (const sqlFile of sqlFiles) {
      const file = sqlFile.replace(/\.sql$/, ".queries.ts");
      const draft = await readFile(join(scratch, file), "utf8").catch(() => undefined);
      if (draft === undefined) throw new Error(`${sqlFile} has no statement that PgTyped recognises (/* @name … */)`);
      const rewritten = rewriteGenerated(draft, file);
      for (const name of rewritten.names) {
        const other = names.get(name);
        if (other !== undefined) throw new Error(`${name} is the name of a statement in ${other} and in ${sqlFile}`);
        names.set(name, sqlFile);
      }
      generated.set(file, rewritten.content);
    }
    return generated;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** PgTyped exits with 0 whatever happens and tells of faults only in its output. */
async function runPgTyped(scratch: string, url: string): Promise<void> {
  const config = join(scratch, "pgtyped.json");
  const transforms = [{ mode: "sql", include: "*.sql", emitTemplate: `${scratch}/{{dir}}/{{name}}.queries.ts` }];
  const fixed = { srcDir: "src", failOnError: true, hungarianNotation: false, maxWorkerThreads: 1 };
  await writeFile(config, JSON.stringify({ transforms, ...fixed, typesOverrides }));
  // Whatever is asked of this package resolves to its one program.
  const cli = fileURLToPath(import.meta.resolve("@pgtyped/cli/cli"));
  const output = await new Promise<string>((done) => {
    const options = { cwd: root, env: { PATH: process.env["PATH"] }, maxBuffer: 64 * 1024 * 1024, timeout: 120_000 };
    execFile(process.execPath, [cli, "--config", config, "--uri", url], options, (error, stdout, stderr) => {
      done(`${stdout}${stderr}${error === null ? "" : `\nError in PgTyped: ${error.message}`}`);
    });
  });
  if (/^(Error|Failed)|Error (processing|in|parsing)|is invalid|is not supported|Parse error/im.test(output)) {
    const told = output.split("\n").filter((line) => !/^(Using a pool|Processing|Saved|Skipped|\s+at )/.test(line));
    throw new Error(`PgTyped cannot type every statement under ${root}/src:\n${told.join("\n").trim()}`);
  }
}

function complain(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}
