import { dirname, relative } from "node:path";

/** PostgreSQL cuts the names of prepared statements at 63 bytes; two that were cut alike would be one. */
const longestName = 63;

type ParameterIr = {
  name: string;
  required: boolean;
  transform: { type: string };
  locs: { a: number; b: number }[];
};

/**
 * Turns a file that PgTyped wrote into ours: its statements are {@link PreparedStatement}s of the kernel instead of
 * PgTyped's own, whose run-time parses SQL and is not needed. `file` is the path from the project's root.
 * Returns the new content and the names under which the statements are prepared ("payments.acceptPayments").
 * Throws on what the kernel's statements cannot run (PgTyped's expansions of lists and objects).
 */
export function rewriteGenerated(draft: string, file: string): { content: string; names: string[] } {
  const names: string[] = [];
  const kernel = relative(dirname(file), "src/kernel/statement.ts").replaceAll("\\", "/");
  const imported = kernel.startsWith(".") ? kernel : `./${kernel}`;
  const content = draft
    .replace(
      /^import \{ PreparedQuery \} from '@pgtyped\/runtime';$/m,
      `import { PreparedStatement } from "${imported}";`,
    )
    .replace(/^const (\w+)IR: any = (\{.*\});$/gm, (_, query: string, json: string) =>
      statementSource(file, query, json),
    )
    .replace(/new PreparedQuery<(\w+),(\w+)>\((\w+)IR\)/g, (_, parameters: string, row: string, query: string) => {
      const name = `${ownerOf(file)}.${query}`;
      if (name.length > longestName) throw new Error(`${file}: ${name} is longer than ${longestName} bytes`);
      names.push(name);
      return `new PreparedStatement<${parameters}, ${row}>("${name}", ${query}IR)`;
    })
    // A pair of the two types before it, which nothing uses.
    .replace(/\/\*\* '\w+' query type \*\/\nexport interface \w+Query \{[^}]*\}\n\n/g, "")
    // PostgreSQL's arrays may hold nulls, and nobody needs to change one.
    .replace(/^export type (\w+Array) = \((.*)\)\[\];$/gm, "export type $1 = readonly ($2 | null)[];")
    .replaceAll("| null | void", "| null | undefined")
    .replace(/\n{3,}/g, "\n\n");
  const leftover = /@pgtyped|PreparedQuery|\bany\b(?=[;,>)])/.exec(content.replace(/\/\*[\s\S]*?\*\//g, ""));
  if (leftover !== null || names.length === 0) {
    throw new Error(`${file}: PgTyped's output has a form that is not known here (${leftover?.[0] ?? "no statement"})`);
  }
  return { content: `${content.trimEnd()}\n`, names };
}

function statementSource(file: string, query: string, json: string): string {
  const ir = JSON.parse(json) as { statement: string; params: ParameterIr[] };
  const expanded = ir.params.find((parameter) => parameter.transform.type !== "scalar");
  if (expanded !== undefined) {
    throw new Error(`${file}: ${query} expands the parameter ${expanded.name}; pass an array and unnest it instead`);
  }
  // "createdAt!" tells PgTyped that a column is never null. The mark is not part of the column's name in the answer;
  // a space in its place keeps the places of the parameters.
  const statement = ir.statement.replace(/"(\w+)[!?]"/g, '"$1" ').trimEnd();
  // PgTyped's places include their last character; ours end before `b`, as slices do.
  const params = ir.params.map(({ name, locs }) => ({ name, locs: locs.map(({ a, b }) => ({ a, b: b + 1 })) }));
  return `const ${query}IR = ${JSON.stringify({ statement, params })};`;
}

/** The business folder that owns a file: `payments` for src/modules/payments/persistence.sql and all below it. */
function ownerOf(file: string): string {
  const [, , owner] = /^src\/(modules|infrastructure)\/([^/]+)\//.exec(file) ?? [];
  return owner ?? dirname(file).split("/").at(-1) ?? "marketflow";
}
