import type { SourceFile } from "./source-files.ts";

/** The modules there may be, in the order of the architecture; each owns the PostgreSQL schema of its name. */
const modules = [
  "identity",
  "catalog",
  "ledger",
  "events",
  "cart",
  "payments",
  "bills",
  "payouts",
  "orders",
  "reconciliation",
  "webhooks",
] as const;

const layers = /^(?:index|domain|catalogue|application|persistence|http|jobs|ports)(?:\/|\.)/;
const doorLines = [/^\/\/ Owns: \S/, /^\/\/ Invariants: \S/, /^\/\/ Called by: \S/];

/** One rule of the tree's order: says what is wrong with a file, or nothing. */
type TidyRule = (file: SourceFile) => string | undefined;

/** Every rule by name; `tidy.test.ts` sees each of them refuse something before it trusts them with the tree. */
export const tidyRules: Readonly<Record<string, TidyRule>> = {
  "file-length"({ path, text }) {
    if (isGenerated(path)) return undefined;
    const limit = isTest(path) ? 600 : 400;
    const lines = text.split("\n").length - 1;
    return lines > limit ? `${lines} lines, and ${limit} is the limit` : undefined;
  },

  "line-width"({ path, text }) {
    if (isGenerated(path)) return undefined;
    const wide = text.split("\n").findIndex((line) => line.length > 120);
    return wide >= 0 ? `line ${wide + 1} is wider than 120 columns` : undefined;
  },

  "kebab-case"({ path }) {
    const name = path.split("/").at(-1) ?? "";
    const kebab = /^\.?(?:\d{4}_)?[a-z0-9]+(?:[-_][a-z0-9]+)*(?:\.[a-z0-9-]+)+$/.test(name);
    return kebab && (path.startsWith("migrations/") || !name.includes("_")) ? undefined : "the name is not kebab-case";
  },

  "no-default-export"({ path, text }) {
    return path.endsWith(".ts") && /^export default /m.test(text) ? "has a default export" : undefined;
  },

  "no-postponed-work"({ text }) {
    const mark = /\b(?:TO[D]O|FIX[M]E|HA[C]K)\b/.exec(text);
    return mark === null ? undefined : `says ${mark[0]}: do it, or file an issue`;
  },

  "door-comment"({ path, text }) {
    if (!/^src\/(?:modules\/[^/]+|movements)\/index\.ts$/.test(path)) return undefined;
    const lines = text.split("\n");
    const missing = doorLines.some((expected, line) => !expected.test(lines[line] ?? ""));
    return missing ? "must open with // Owns:, // Invariants: and // Called by:, a line each" : undefined;
  },

  "known-layer"({ path }) {
    const [, module = "", rest = ""] = /^src\/modules\/([^/]+)\/(.+)$/.exec(path) ?? [];
    if (module === "") return undefined;
    if (!modules.some((known) => known === module)) return `${module} is no module of the architecture`;
    return layers.test(rest) ? undefined : `${rest} is no layer of a module`;
  },

  "sql-ownership"({ path, text }) {
    const owner = /^src\/modules\/([^/]+)\/.*\.sql$/.exec(path)?.[1] ?? /^migrations\/\d{4}_([a-z]+)/.exec(path)?.[1];
    if (owner === undefined || !modules.some((module) => module === owner)) return undefined;
    const code = text
      .replace(/--.*$/gm, "")
      .replace(/\/\*[\s\S]*?\*\//g, "")
      .replace(/'(?:[^']|'')*'/g, "''");
    for (const other of modules) {
      // A function of another schema may be called: it is that module's door in SQL. A table may not be named.
      const table = new RegExp(`(?<![.\\w])"?${other}"?\\s*\\.\\s*"?(\\w+)"?(?!\\w|"?\\s*\\()`, "i").exec(code);
      if (other !== owner && table !== null) return `names ${other}.${table[1]}, a table of another module`;
    }
    return undefined;
  },

  "no-private-address"({ text }) {
    const found = /(?<![\w.])\/(?:home|mnt|work)\/\w+|https?:\/\/[\w.-]*(?:registry|npmjs|proxy\.golang)[\w.-]*/.exec(
      text,
    );
    return found === null ? undefined : `names ${found[0]}, which is one machine's or one network's`;
  },
};

function isTest(path: string): boolean {
  return path.startsWith("tests/") || path.endsWith(".test.ts");
}

function isGenerated(path: string): boolean {
  return path.endsWith(".queries.ts");
}

/** What is wrong with the files, as "path: rule: what". */
export function tidyFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    Object.entries(tidyRules).flatMap(([name, rule]) => {
      const fault = rule(file);
      return fault === undefined ? [] : [`${file.path}: ${name}: ${fault}`];
    }),
  );
}
