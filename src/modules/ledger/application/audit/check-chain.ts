import type { Database } from "../../../../kernel/statement.ts";
import type { Head } from "../../domain/canonical.ts";
import { auditBatches, auditSizes, auditUnsealed } from "../../persistence/audit.queries.ts";
import { type ChainSealsResult, chainSeals } from "../../persistence/chain.queries.ts";
import { BatchSet, isBatchNumber } from "./batch-set.ts";
import { faultsOfPage, lowestId, pageRows } from "./pages.ts";
import type { AuditCheck, AuditReport } from "./report.ts";
import { createSealVerifier } from "./seal-verifier.ts";
import { momentOf, type Seal } from "./sealed-rows.ts";

export type ChainOptions = {
  /** A head that was exported earlier: the chain must still have it. */
  readonly head?: Head;
  /** The first seal whose rows are hashed again; the links of the chain are checked from its beginning. */
  readonly fromSeal?: bigint;
};

/** Seals come with up to 64 batch numbers each, so a page is about half a megabyte. */
const pageSeals = 500;

/** The chain of seals is whole, hashes what is there, and has every batch once. */
export function checkChain(database: Database, options: ChainOptions = {}): AuditCheck {
  return {
    name: "chain",
    async run(report) {
      const [sizes] = await auditSizes.run(undefined, database);
      report.expect(Number(sizes?.sealedRows ?? 0));
      const batches = new BatchSet();
      await checkSeals(database, report, options, batches);
      await checkUnsealed(database, report, batches);
      await checkBatches(database, report, batches);
    },
  };
}

async function checkSeals(
  database: Database,
  report: AuditReport,
  { head, fromSeal = 1n }: ChainOptions,
  batches: BatchSet,
): Promise<void> {
  const verifier = createSealVerifier(database, report);
  let before = { number: 0n, hash: Buffer.alloc(32) as Uint8Array };
  let headWasSeen = false;
  for (let from = lowestId; ; from = before.number + 1n) {
    const page = await chainSeals.run({ from, page: pageSeals }, database);
    for (const row of page) {
      const seal = sealOf(row, report);
      checkLink(seal, before, report);
      collectBatches(seal, batches, report);
      if (head !== undefined && seal.number === head.number) {
        headWasSeen = true;
        if (Buffer.from(seal.hash).toString("hex") !== head.hash) {
          fault(report, seal.number, "has another hash than the head that was exported: the chain was written anew.");
        }
      }
      if (seal.number >= fromSeal) await verifier.verify(seal);
      before = seal;
    }
    report.checked("seals", page.length);
    if (page.length < pageSeals) break;
  }
  await verifier.end();
  if (head !== undefined && !headWasSeen) {
    fault(
      report,
      head.number,
      `is the head that was exported, and the chain ends at ${before.number}: its end was cut.`,
    );
  }
}

function fault(report: AuditReport, number: bigint, what: string): void {
  report.finding({ where: `seal ${number}`, what, table: "seals", id: number.toString() });
}

function sealOf(row: ChainSealsResult, report: AuditReport): Seal {
  const texts = row.batches === "" ? [] : row.batches.split(",");
  const ids = texts.filter((text) => text !== "none").map(BigInt);
  const batches = ids.filter(isBatchNumber);
  if (!row.isList || batches.length < texts.length) {
    fault(report, row.number, "has batches that are no list of batch numbers.");
  }
  return {
    number: row.number,
    batches,
    rows: row.rows,
    sealedAt: momentOf(row.sealedAt),
    previous: row.previous,
    hash: row.hash,
    marksDigest: row.marksDigest,
  };
}

function checkLink(seal: Seal, before: { number: bigint; hash: Uint8Array }, report: AuditReport): void {
  const expected = before.number + 1n;
  if (seal.number !== expected) {
    fault(report, seal.number, `comes after seal ${before.number}: seal ${expected} and what follows it are missing.`);
  }
  if (!Buffer.from(seal.previous).equals(before.hash)) {
    fault(report, seal.number, `does not have the hash of the seal before it, seal ${before.number}.`);
  }
}

function collectBatches(seal: Seal, batches: BatchSet, report: AuditReport): void {
  for (const id of seal.batches) {
    if (!batches.add(id)) fault(report, seal.number, `covers batch ${id}, which is covered already.`);
  }
}

/** What waits for a seal is there, and has none yet. */
async function checkUnsealed(database: Database, report: AuditReport, batches: BatchSet): Promise<void> {
  for (let from = lowestId; ; ) {
    const page = await auditUnsealed.run({ from, page: pageRows }, database);
    for (const { id, batchMissing } of page) {
      const where = { where: `unsealed batch ${id}`, table: "unsealed", id: id.toString() };
      if (batchMissing) report.finding({ ...where, what: "is not there." });
      if (isBatchNumber(id) && !batches.add(id)) report.finding({ ...where, what: "is covered by a seal." });
      from = id + 1n;
    }
    report.checked("unsealed batches", page.length);
    if (page.length < pageRows) return;
  }
}

/** Every batch is in a seal or waits for one. */
async function checkBatches(database: Database, report: AuditReport, batches: BatchSet): Promise<void> {
  let uncovered = 0;
  for (let from = lowestId; ; ) {
    const page = await auditBatches.run({ from, page: pageRows }, database);
    for (const { id } of page) {
      if (!batches.has(id) && uncovered++ < faultsOfPage) {
        const what = "is in no seal and does not wait for one.";
        report.finding({ where: `batch ${id}`, what, table: "batches", id: id.toString() });
      }
      from = id + 1n;
    }
    report.checked("batches", page.length);
    if (page.length < pageRows) return;
  }
}
