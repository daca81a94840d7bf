import { spawn } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { exampleEnvironment } from "../src/settings.ts";
import { checkImports } from "../tests/architecture/import-rules.ts";
import { pathsOf, root } from "../tests/architecture/source-files.ts";

// `npm run check [-- names…]`: everything that can be said about the source without running it. Each check says how
// much it saw (files, or what a file is made from), and fails where that is less than there is: a check that reads
// nothing passes for ever.

type Finding = { readonly seen: number; readonly expected: number; readonly faults: readonly string[] };

const checks: Readonly<Record<string, () => Promise<Finding>>> = {
  types: checkTypes,
  lint: checkLint,
  imports: checkImportRules,
  unused: checkUnused,
  queries: () => checkGenerated("generate-queries.ts", /(\d+) \.sql files typed/, pathsOf("src/**/*.sql").length),
  openapi: () => checkGenerated("generate-openapi.ts", /(\d+) paths/, 1),
  readme: () => checkGenerated("generate-readme.ts", /(\d+) magic amounts/, 1),
  events: () => checkGenerated("generate-events.ts", /(\d+) events/, 1),
  settings: checkEnvironmentExample,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => checks[name] === undefined);
if (unknown.length > 0) {
  console.error(`no such check: ${unknown.join(", ")}; there are ${Object.keys(checks).join(", ")}`);
  process.exit(2);
}

for (const [name, check] of Object.entries(checks)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const begun = performance.now();
  const { seen, expected, faults } = await check();
  const blind = seen < expected || seen === 0 ? [`saw ${seen} of ${expected}`] : [];
  const all = [...blind, ...faults];
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(
    `${all.length === 0 ? "ok  " : "FAIL"} ${name.padEnd(9)} ${String(seen).padStart(4)} seen ${seconds.padStart(6)} s`,
  );
  for (const fault of all) console.log(`     ${fault.replaceAll("\n", "\n     ")}`);
  if (all.length > 0) process.exitCode = 1;
}

async function checkTypes(): Promise<Finding> {
  const { status, output } = await run("tsc", "--project", ".", "--listFiles", "--pretty", "false");
  const lines = output.split("\n").filter((line) => line !== "");
  const listed = lines.filter(
    (line) => line.startsWith(root) && !line.includes("node_modules") && line.endsWith(".ts"),
  );
  const faults = lines.filter((line) => !/^(?:\/|[A-Za-z]:).*\.(?:json|[cm]?[jt]s)$/.test(line));
  return { seen: listed.length, expected: ourTypeScript().length, faults: failed(status, faults) };
}

async function checkLint(): Promise<Finding> {
  const { status, output } = await run("biome", "check", "--colors=off", "--max-diagnostics=50", ".");
  const seen = Number(/Checked (\d+) files/.exec(output)?.[1] ?? 0);
  return {
    seen,
    expected: ourTypeScript().filter((path) => !path.endsWith(".queries.ts")).length,
    faults: failed(status, [output]),
  };
}

async function checkImportRules(): Promise<Finding> {
  const { files, faults } = await checkImports();
  return {
    seen: files.length,
    expected: pathsOf("src/**/*.ts").length,
    faults: faults.map(({ rule, from, to }) => `${rule}: ${from} -> ${to}`),
  };
}

async function checkUnused(): Promise<Finding> {
  const { status, output } = await run("knip", "--debug", "--no-progress");
  const sources = ourTypeScript().filter((path) => path.startsWith("src/"));
  const [, projectFiles = ""] = /\[\.\] Finding project paths\n([\s\S]*?)\n\[/.exec(output) ?? [];
  const seen = sources.filter((path) => projectFiles.includes(`${join(root, path)}'`)).length;
  const faults = status === 0 ? [] : [(await run("knip", "--no-progress")).output];
  return { seen, expected: sources.length, faults };
}

/** Runs one of the generators with --check, which says how many things it made the file from. */
async function checkGenerated(script: string, count: RegExp, expected: number): Promise<Finding> {
  const { status, output } = await run(process.execPath, `scripts/${script}`, "--check");
  const seen = Number(count.exec(output)?.[1] ?? 0);
  return { seen: status === 0 ? seen : Math.max(seen, expected), expected, faults: failed(status, [output]) };
}

async function checkEnvironmentExample(): Promise<Finding> {
  const path = join(root, ".env.example");
  const written = existsSync(path) ? readFileSync(path, "utf8") : "";
  const fresh = written === exampleEnvironment();
  const seen = written === "" ? 0 : 1;
  return { seen, expected: 1, faults: fresh ? [] : [".env.example is stale: run npm run generate"] };
}

function failed(status: number, faults: readonly string[]): readonly string[] {
  if (status === 0) return [];
  return faults.length > 0 ? faults : [`ended with ${status} and said nothing`];
}

/** Every TypeScript file that is ours and not planted; `pathsOf` is not used, so that one mistake cannot blind both. */
function ourTypeScript(): string[] {
  return globSync("{src,tests,bench,scripts,ops}/**/*.ts", { cwd: root }).filter((path) => !path.includes("planted"));
}

/** Runs one of the project's tools on the project's own Node.js, and gives what it wrote to either stream. */
function run(tool: string, ...args: string[]): Promise<{ status: number; output: string }> {
  const tools = join(root, "node_modules", ".bin");
  const env = { ...process.env, PATH: `${tools}${delimiter}${process.env["PATH"] ?? ""}`, NO_COLOR: "1" };
  return new Promise((resolve, reject) => {
    const child = spawn(tool, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (output += text));
    child.once("error", reject);
    child.once("close", (status) =>
      resolve({ status: status ?? 1, output: stripVTControlCharacters(output).trimEnd() }),
    );
  });
}
