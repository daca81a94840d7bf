import { hash } from "node:crypto";
import type { Database } from "../../../../kernel/statement.ts";
import { canonicalRow, type SealedRow, type SealHeader } from "../../domain/canonical.ts";
import * as statements from "../../persistence/chain.queries.ts";

/** Microseconds from 1970, where PostgreSQL's statements count from, to 2000, where its binary form does. */
const from1970To2000 = 946_684_800_000_000n;

/** A moment in microseconds since 2000, from seconds since 1970 with six decimals; infinity as PostgreSQL has it. */
export function momentOf(seconds: string): bigint {
  if (seconds === "Infinity") return 2n ** 63n - 1n;
  if (seconds === "-Infinity") return -(2n ** 63n);
  const [whole = "", decimals = ""] = seconds.split(".");
  return BigInt(whole + decimals.padEnd(6, "0")) - from1970To2000;
}

function momentOrNull(seconds: string | null): bigint | null {
  return seconds === null ? null : momentOf(seconds);
}

/** SHA-256 of a row in canonical form. */
export function digestOf(row: SealedRow): Uint8Array {
  return hash("sha256", canonicalRow(row), "buffer");
}

/** A seal as it stands in the database. */
export type Seal = SealHeader & {
  readonly hash: Uint8Array;
  /** SHA-256 of the marks, which are read only where something is wrong. */
  readonly marksDigest: Uint8Array;
};

/** The rows that seals hash, of some batches, by batch, in the order in which they are hashed. */
export type RowsByBatch = ReadonlyMap<bigint, readonly SealedRow[]>;

/** Reads the rows of batches; every table in one statement. */
export async function readSealedRows(database: Database, batchIds: readonly bigint[]): Promise<RowsByBatch> {
  const batches = { batchIds: [...batchIds] };
  const [numbered, accounts, transactions, entries, holds, resolutions, floorChanges] = await Promise.all([
    statements.chainBatches.run(batches, database),
    statements.chainAccounts.run(batches, database),
    statements.chainTransactions.run(batches, database),
    statements.chainEntries.run(batches, database),
    statements.chainHolds.run(batches, database),
    statements.chainResolutions.run(batches, database),
    statements.chainFloorChanges.run(batches, database),
  ]);
  const rows = new Map<bigint, SealedRow[]>();
  const add = (batchId: bigint, row: SealedRow) => {
    const present = rows.get(batchId);
    if (present === undefined) rows.set(batchId, [row]);
    else present.push(row);
  };
  for (const { id, postedAt } of numbered) add(id, { kind: "batch", id, postedAt: momentOf(postedAt) });
  for (const row of accounts) add(row.id >> 16n, { kind: "account", ...row });
  for (const row of transactions) {
    const postedAt = momentOf(row.postedAt);
    add(row.id >> 16n, { ...row, kind: "transaction", postedAt, effectiveAt: momentOrNull(row.effectiveAt) });
  }
  for (const row of entries) {
    const postedAt = momentOf(row.postedAt);
    add(row.id >> 16n, { ...row, kind: "entry", postedAt, effectiveAt: momentOrNull(row.effectiveAt) });
  }
  for (const row of holds) {
    const heldAt = momentOf(row.heldAt);
    add(row.id >> 16n, { ...row, kind: "hold", heldAt, expiresAt: momentOrNull(row.expiresAt) });
  }
  for (const row of resolutions) add(row.batchId, { ...row, kind: "resolution" });
  for (const row of floorChanges) {
    add(row.id >> 16n, { ...row, kind: "floor_change", changedAt: momentOf(row.changedAt) });
  }
  return rows;
}

/** How a row is called in findings, and where it is. */
export async function nameOf(
  database: Database,
  row: SealedRow,
): Promise<{ readonly where: string; readonly table: string; readonly id: string }> {
  const id = row.id.toString();
  switch (row.kind) {
    case "batch":
      return { where: `batch ${id}`, table: "batches", id };
    case "account":
      return { where: `account ${id} (${row.code} ${row.currency})`, table: "accounts", id };
    case "transaction":
      return { where: `transaction ${id} (reference ${row.reference})`, table: "transactions", id };
    case "entry": {
      const [account] = await statements.chainAccountCode.run({ id: row.accountId }, database);
      const key = `${id}/${row.leg}`;
      const where = `entry ${key} (account ${account?.code ?? row.accountId} version ${row.version})`;
      return { where, table: "entries", id: key };
    }
    case "hold":
      return { where: `hold ${id} (reference ${row.reference})`, table: "holds", id };
    case "resolution":
      return { where: `resolution of hold ${id}`, table: "hold_resolutions", id };
    case "floor_change":
      return { where: `floor change ${id}`, table: "floor_changes", id };
  }
}
