import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { magicAmounts } from "../src/infrastructure/gateways/simulator/magic-amounts.ts";
import { parseCurrency } from "../src/kernel/currency.ts";
import { toDecimal } from "../src/kernel/money.ts";

// `npm run generate` writes the README's table of magic amounts from the simulator's own; with --check it fails where
// that would change the file.

const file = resolve(import.meta.dirname, "..", "README.md");
const readme = await readFile(file, "utf8");
const begin = "<!-- magic:begin -->\n";
const end = "<!-- magic:end -->";
if (!readme.includes(begin) || !readme.includes(end)) throw new Error(`README.md lacks ${begin} or ${end}`);

const usd = parseCurrency("USD");
if (usd === undefined) throw new Error("USD is no currency any more");
const rows = magicAmounts.map(
  ({ amountMinor, meaning }) => `| ${toDecimal({ amountMinor, currency: usd })} | ${amountMinor} | ${meaning} |`,
);
const table = ["| amount in USD | minor units | what happens |", "| --: | --: | --- |", ...rows].join("\n");
const before = readme.slice(0, readme.indexOf(begin) + begin.length);
const fresh = `${before}${table}\n${readme.slice(readme.indexOf(end))}`;

if (process.argv.includes("--check")) {
  if (fresh !== readme) {
    process.stderr.write("README.md's table of magic amounts is stale: run npm run generate\n");
    process.exitCode = 1;
  } else process.stdout.write(`README.md is fresh, ${rows.length} magic amounts\n`);
} else await writeFile(file, fresh);
