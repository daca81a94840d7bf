import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { PreparedStatement } from "../src/kernel/statement.ts";
import { rewriteGenerated } from "./rewrite-queries.ts";

const sql = `/* @name findParts */
select id as "id!", price, tags as "tags!", made_at as "madeAt!", extra
from parts where (:madeAfter::timestamptz is null or made_at > :madeAfter) and tags && :tags!::text[];
`;

const projects: string[] = [];
after(async () => {
  for (const project of projects) await rm(project, { recursive: true });
});

async function projectWith(statements: string): Promise<{ root: string; sqlFile: string; generatedFile: string }> {
  const root = await mkdtemp(join(tmpdir(), "marketflow-generate-test-"));
  projects.push(root);
  const folder = join(root, "src", "modules", "parts");
  await mkdir(folder, { recursive: true });
  await mkdir(join(root, "migrations"));
  const table = "id bigint not null, price numeric, tags text[] not null, made_at timestamptz not null, extra jsonb";
  await writeFile(join(root, "migrations", "0001_parts.sql"), `create table parts (${table});`);
  await writeFile(join(root, "migrations", "0001_parts.back.sql"), "drop table parts;");
  const sqlFile = join(folder, "persistence.sql");
  await writeFile(sqlFile, statements);
  return { root, sqlFile, generatedFile: join(folder, "persistence.queries.ts") };
}

async function generate(root: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const script = join(import.meta.dirname, "generate-queries.ts");
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script, `--root=${root}`, ...args]);
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { code, output: stderr };
  }
}

test("statements are typed against the migrated schema, and --check names the files that are stale", async () => {
  const { root, sqlFile, generatedFile } = await projectWith(sql);
  assert.deepEqual(await generate(root), { code: 0, output: "1 .sql files typed, 1 written\n" });
  const content = await readFile(generatedFile, "utf8");
  assert.match(content, /import \{ PreparedStatement \} from "\.\.\/\.\.\/kernel\/statement\.ts";/);
  assert.match(content, /madeAfter\?: Date \| null \| undefined;/);
  assert.match(content, /id: bigint;/);
  assert.match(content, /price: string \| null;/);
  assert.match(content, /tags: stringArray;/);
  assert.match(content, /extra: Json \| null;/);
  assert.match(content, /"parts\.findParts"/);
  assert.doesNotMatch(content, /pgtyped|: any\b/);
  await appendFile(generatedFile, "\n");
  const stale = await generate(root, "--check");
  assert.deepEqual([stale.code, stale.output.includes("src/modules/parts/persistence.queries.ts")], [1, true]);
  await appendFile(sqlFile, "\n/* @name brokenOne */\nselect nothing from parts;\n");
  const broken = await generate(root, "--check");
  assert.equal(broken.code, 1);
  assert.match(broken.output, /column "nothing" does not exist/);
});

test("a project without a single .sql file is an error, because it would check nothing", async () => {
  const { root, sqlFile } = await projectWith(sql);
  await rm(sqlFile);
  assert.deepEqual(await generate(root, "--check"), { code: 1, output: "found no .sql file under src\n" });
});

const draft = (ir: object) =>
  `import { PreparedQuery } from '@pgtyped/runtime';\nconst getIR: any = ${JSON.stringify(ir)};\n` +
  "export const get = new PreparedQuery<GetParams,GetResult>(getIR);\n";

test("a rewritten statement has its parameters where PgTyped found them and no marks in its column names", () => {
  const statement = 'select n as "count!" from t where a = :a! and b = :b and c = :a!';
  const places = (text: string) =>
    [...statement.matchAll(new RegExp(`:${text}!?`, "g"))].map((m) => ({ a: m.index, b: m.index + m[0].length - 1 }));
  const param = (name: string) => ({ name, required: true, transform: { type: "scalar" }, locs: places(name) });
  const { content, names } = rewriteGenerated(
    draft({ statement, params: [param("a"), param("b")] }),
    "src/modules/parts/persistence.queries.ts",
  );
  assert.deepEqual(names, ["parts.get"]);
  const source = JSON.parse(/const getIR = (.*);/.exec(content)?.[1] ?? "");
  const { text } = new PreparedStatement("parts.get", source);
  assert.equal(text, 'select n as "count"  from t where a = $1 and b = $2 and c = $1');
});

test("a parameter that PgTyped would expand into a list is refused", () => {
  const ir = { statement: "select 1", params: [{ name: "ids", transform: { type: "array_spread" }, locs: [] }] };
  assert.throws(() => rewriteGenerated(draft(ir), "src/modules/parts/a.queries.ts"), /pass an array and unnest it/);
});
