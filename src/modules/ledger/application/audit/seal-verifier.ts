import { createHash, type Hash } from "node:crypto";
import type { Database } from "../../../../kernel/statement.ts";
import { canonicalHeader, markLength } from "../../domain/canonical.ts";
import { locateChanges } from "./locate-changes.ts";
import type { AuditReport } from "./report.ts";
import { digestOf, readSealedRows, type Seal } from "./sealed-rows.ts";

/** Rows that are read and hashed at once: some 10 MB. A single batch is never split, so that it can be more. */
const rowsAtOnce = 16_384;
const batchesAtOnce = 2_048;

/** Where the hashing of a seal stands. */
type Progress = { readonly seal: Seal; readonly hash: Hash; readonly marks: Hash; rows: number };

/** Some of a seal's batches; the last part of it ends it. */
type Part = { readonly progress: Progress; readonly batches: readonly bigint[]; readonly isLast: boolean };

export type SealVerifier = {
  /** Hashes the seal's rows again, at once or with those of the next seals. */
  verify(seal: Seal): Promise<void>;
  end(): Promise<void>;
};

/**
 * Hashes the rows of seals again and compares. Small seals are read together and large ones in parts, so that neither
 * the number of statements nor the memory grows with how the rows happen to be sealed.
 */
export function createSealVerifier(database: Database, report: AuditReport): SealVerifier {
  let waiting: Part[] = [];
  let waitingRows = 0;
  let waitingBatches = 0;

  async function flush(): Promise<void> {
    const parts = waiting;
    waiting = [];
    waitingRows = 0;
    waitingBatches = 0;
    const rows = await readSealedRows(
      database,
      parts.flatMap(({ batches }) => batches),
    );
    for (const { progress, batches, isLast } of parts) {
      const before = progress.rows;
      for (const id of batches) {
        const digests = (rows.get(id) ?? []).map(digestOf);
        progress.rows += digests.length;
        progress.hash.update(Buffer.concat(digests));
        progress.marks.update(Buffer.concat(digests.map((digest) => digest.subarray(0, markLength))));
      }
      report.checked("sealed rows", progress.rows - before);
      if (isLast) await compare(database, report, progress);
    }
  }

  return {
    async verify(seal) {
      const progress: Progress = {
        seal,
        hash: createHash("sha256").update(canonicalHeader(seal)),
        marks: createHash("sha256"),
        rows: 0,
      };
      const rowsOfBatch = Math.max(1, seal.rows / Math.max(1, seal.batches.length));
      const step = Math.max(1, Math.min(batchesAtOnce, Math.floor(rowsAtOnce / rowsOfBatch)));
      for (let place = 0; place === 0 || place < seal.batches.length; place += step) {
        const batches = seal.batches.slice(place, place + step);
        waiting.push({ progress, batches, isLast: place + step >= seal.batches.length });
        waitingRows += batches.length * rowsOfBatch;
        waitingBatches += batches.length;
        if (waitingRows >= rowsAtOnce || waitingBatches >= batchesAtOnce) await flush();
      }
    },
    async end() {
      if (waiting.length > 0) await flush();
    },
  };
}

/** Where the hash differs, the marks say which row was changed; where no row was, it was the seal itself. */
async function compare(database: Database, report: AuditReport, { seal, hash, marks, rows }: Progress): Promise<void> {
  const sameHash = hash.digest().equals(seal.hash);
  const sameMarks = marks.digest().equals(seal.marksDigest);
  if (sameHash && sameMarks) return;
  const where = { where: `seal ${seal.number}`, table: "seals", id: seal.number.toString() };
  if (sameHash) {
    report.finding({ ...where, what: "has marks that are not those of its rows, and its hash is right." });
  } else if (sameMarks) {
    const what =
      `is not what it was when it was hashed: its number, batches, time, number of rows (${seal.rows}, and there are ` +
      `${rows}), hash or the hash before was changed. Its rows were not.`;
    report.finding({ ...where, what });
  } else {
    await locateChanges(database, report, seal);
  }
}
