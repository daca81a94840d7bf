import { type ClosableDatabase, createDedicatedConnection } from "../../src/infrastructure/postgres/connections.ts";
import type { Database } from "../../src/kernel/statement.ts";
import type { ChainOptions } from "../../src/modules/ledger/application/audit/check-chain.ts";
import { ledgerChecks } from "../../src/modules/ledger/application/audit/ledger-checks.ts";
import { type AuditOutcome, runAudit } from "../../src/modules/ledger/application/audit/report.ts";
import { propertySeed } from "../support/property-seed.ts";
import { available, type Item, refund, sale, tenant, type Vault } from "./vault.ts";

/** Numbers that look random and are the same for the same seed. */
export type Random = {
  /** A whole number from 0 to most - 1. */
  below(most: number): number;
  pick<Value>(values: readonly Value[]): Value;
};

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (most: number) => Math.floor(next() * most);
  return {
    below,
    pick(values) {
      const value = values[below(values.length)];
      if (value === undefined) throw new RangeError("nothing to pick from");
      return value;
    },
  };
}

/** The seed of a run: the same unless `LEDGER_SEED` says another, because what came of it is asserted as well. */
export function seedOfRun(): number {
  return Number(process.env["LEDGER_SEED"] ?? propertySeed);
}

/** A connection that reads by index, as `marketflow audit` has it. */
export function openAuditConnection(url: string): ClosableDatabase {
  return createDedicatedConnection({
    url,
    applicationName: "audit tests",
    statementTimeoutMs: 60_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
  });
}

/** Runs a statement that has no name, on whatever connection. */
export async function run<Row>(database: Database, text: string, values: unknown[] = []): Promise<Row[]> {
  return (await database.query({ name: "", text, values })).rows as Row[];
}

/** Audits on one snapshot, as `marketflow audit` does. */
export async function audit(database: Database, options: ChainOptions = {}): Promise<AuditOutcome> {
  await run(database, "begin isolation level repeatable read read only");
  try {
    return await auditInside(database, options);
  } finally {
    await run(database, "rollback");
  }
}

/** Audits inside of a transaction that is there already. */
export function auditInside(database: Database, options: ChainOptions = {}): Promise<AuditOutcome> {
  return runAudit(ledgerChecks(database, options));
}

const sellers = ["ana", "bo", "çağla", "dmitri"];
const decorations = ["", " ✓ café", " 支払い", " 𝔘𝔫𝔦"];

/** A sale that may have everything a transaction can have. */
function randomSale(random: Random, reference: string): Item {
  const amount = BigInt(100 + random.below(100_000));
  const currency = random.pick(["USD", "USD", "USD", "JPY", "BHD"]);
  const item = sale(reference, random.pick(sellers), amount, amount / 40n, currency);
  const effectiveAt = new Date(Date.UTC(2026, 0, 1) + random.below(1_000_000_000)).toISOString();
  return {
    ...item,
    ...(random.below(3) === 0 ? { externalId: `pi_${random.below(1e9)}${random.pick(decorations)}` } : {}),
    ...(random.below(4) === 0 ? { effectiveAt } : {}),
  };
}

/**
 * Fills a ledger with at least so many transactions, in batches of up to four, with refunds, holds that are open,
 * posted, voided and expired, floors that were set, all of it under references that begin with `prefix`.
 */
export async function fillLedger(vault: Vault, random: Random, transactions: number, prefix: string): Promise<void> {
  let posted = 0;
  for (let step = 0; posted < transactions; step++) {
    const reference = `${prefix}-${step}`;
    const items = Array.from({ length: 1 + random.below(4) }, (_item, place) =>
      randomSale(random, `${reference}-${place}${random.pick(decorations)}`),
    );
    const answers = await vault.post(items);
    posted += answers.filter(({ result }) => result === "posted").length;
    const rich = sale(`${reference}-rich`, "ana", 50_000n, 1_250n);
    if (step % 3 === 0) await vault.post([rich, refund(`${reference}-back`, "ana", 700n)]);
    if (step % 4 === 0) await moveHolds(vault, random, reference);
    if (step % 7 === 3) {
      await vault.look("select ledger.set_floor($1, $2, 'USD', $3, $4)", [
        tenant,
        available(random.pick(sellers)),
        -BigInt(1 + random.below(1_000)),
        `agreed${random.pick(decorations)}`,
      ]);
    }
  }
}

async function moveHolds(vault: Vault, random: Random, reference: string): Promise<void> {
  await vault.post([sale(`${reference}-for-holds`, "bo", 40_000n)]);
  const holds: string[] = [];
  for (const name of ["kept", "posted", "voided"]) {
    holds.push(await vault.hold(`${reference}-${name}`, available("bo"), BigInt(1 + random.below(900))));
  }
  await vault.post([refund(`${reference}-taken`, "bo", 1n, { holdId: holds[1] })]);
  await vault.look("select ledger.void_holds($1, array[$2::bigint])", [tenant, holds[2]]);
  await vault.look(
    `select ledger.hold($1, array[$2], array[$3], array['USD'], array[5::bigint], array[$4::timestamptz], false)`,
    [tenant, `${reference}-expiring`, available("bo"), random.pick(["2020-01-01", "2099-01-01"])],
  );
  await vault.look("select ledger.expire_holds($1, 10)", [tenant]);
}
