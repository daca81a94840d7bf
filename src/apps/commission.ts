import { parseArgs } from "node:util";
import { createPool } from "../infrastructure/postgres/connections.ts";
import { type CommissionRate, listCommissionRates, setCommissionRate } from "../modules/payments/index.ts";
import type { Settings } from "../settings.ts";
import { findDatabase } from "./find-database.ts";
import { OperatorFault } from "./operator-fault.ts";

const usage = "Usage: marketflow commission [--seller ID] [--category NAME] [PERCENT | default]";

/**
 * `marketflow commission` lists the rates; with a percentage it sets the one of a seller, a category, both, or
 * everybody's, and with "default" it takes a particular one away. It holds for payments made from then on.
 */
export async function commissionCommand(settings: Settings, args: readonly string[]): Promise<void> {
  const change = changeOf(args);
  const { url, stop } = await findDatabase(settings);
  const database = createPool({
    url,
    applicationName: "marketflow commission",
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
    most: 1,
  });
  try {
    if (change !== undefined) await setCommissionRate(database, change);
    const rates = await listCommissionRates(database);
    process.stdout.write(`${rates.map(lineOf).join("\n")}\n`);
  } finally {
    await database.close();
    await stop();
  }
}

function changeOf(args: readonly string[]): CommissionRate | undefined {
  let parsed: { values: { seller?: string; category?: string }; positionals: string[] };
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { seller: { type: "string" }, category: { type: "string" } },
    });
  } catch (error) {
    throw new OperatorFault(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
  const { values, positionals } = parsed;
  const [text, ...more] = positionals;
  const { seller: sellerId = null, category = null } = values;
  if (more.length > 0 || (text === undefined && (sellerId ?? category) !== null)) throw new OperatorFault(usage);
  if (text === undefined) return undefined;
  if (text === "default") {
    if (sellerId === null && category === null)
      throw new OperatorFault("Everybody's rate can be changed, not removed.");
    return { sellerId, category, basisPoints: null };
  }
  const digits = /^(\d{1,3})(?:\.(\d{1,2}))? ?%?$/.exec(text);
  const basisPoints = digits === null ? Number.NaN : Number(`${digits[1]}${(digits[2] ?? "").padEnd(2, "0")}`);
  if (!(basisPoints <= 10_000)) {
    throw new OperatorFault(`PERCENT is a number from 0 to 100 with two decimals at most, not ${text}.\n${usage}`);
  }
  return { sellerId, category, basisPoints };
}

function lineOf({ sellerId, category, basisPoints }: CommissionRate): string {
  const whose = sellerId === null ? "every seller" : `seller ${sellerId}`;
  const what = category === null ? "every category" : `category ${category}`;
  return `${((basisPoints ?? 0) / 100).toFixed(2).padStart(6)} %  ${whose}, ${what}`;
}
