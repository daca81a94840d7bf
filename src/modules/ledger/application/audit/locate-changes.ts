import type { Database } from "../../../../kernel/statement.ts";
import { markLength, type SealedRow } from "../../domain/canonical.ts";
import { chainMarks } from "../../persistence/chain.queries.ts";
import type { AuditReport } from "./report.ts";
import { digestOf, nameOf, readSealedRows, type Seal } from "./sealed-rows.ts";

/** Batches that are read at once. */
const batchesAtOnce = 16;

/** More rows of one seal than this are not named one by one. */
const mostNamed = 100;

/** The rows of a seal against the marks that it kept of them. */
type Difference = {
  readonly marks: readonly string[];
  /** How often each mark has no row. */
  readonly lost: ReadonlyMap<string, number>;
  /** The first rows that have no mark, and how many there are. */
  readonly strangers: readonly SealedRow[];
  readonly strangerCount: number;
  readonly rowOfMark: ReadonlyMap<string, SealedRow>;
};

/**
 * Says which rows of a seal are not those that it hashed. The digests of rows and the marks that the seal kept of them
 * are compared as sets: a row without its mark was changed or added, a mark without its row was of a row that was
 * changed or removed.
 */
export async function locateChanges(database: Database, report: AuditReport, seal: Seal): Promise<void> {
  const difference = await compareMarks(database, seal);
  const { marks, lost, strangers, strangerCount } = difference;
  for (const row of strangers) {
    const what = `is not what seal ${seal.number} has hashed: it was changed or added since.`;
    report.finding({ ...(await nameOf(database, row)), what });
  }
  const where = { where: `seal ${seal.number}`, table: "seals", id: seal.number.toString() };
  const lostCount = [...lost.values()].reduce((sum, left) => sum + left, 0);
  if (lostCount > strangerCount || strangerCount > mostNamed) {
    const removed = Math.max(0, lostCount - strangerCount);
    const what =
      `has hashed ${marks.length} rows, of which ${lostCount} are not there as they were, and ${removed} were ` +
      `removed. The first of them ${await placeOfLoss(database, seal, difference)}.`;
    report.finding({ ...where, what });
  }
  if (strangerCount === 0 && lostCount === 0) {
    report.finding({ ...where, what: "has marks in another order than its rows, and another hash than its content." });
  }
}

async function compareMarks(database: Database, seal: Seal): Promise<Difference> {
  const marks = await readMarks(database, seal.number);
  const lost = new Map<string, number>();
  for (const mark of marks) lost.set(mark, (lost.get(mark) ?? 0) + 1);
  const strangers: SealedRow[] = [];
  const rowOfMark = new Map<string, SealedRow>();
  let strangerCount = 0;
  for (let place = 0; place < seal.batches.length; place += batchesAtOnce) {
    const ids = seal.batches.slice(place, place + batchesAtOnce);
    const rows = await readSealedRows(database, ids);
    for (const row of ids.flatMap((id) => rows.get(id) ?? [])) {
      const mark = Buffer.from(digestOf(row).subarray(0, markLength)).toString("hex");
      const left = lost.get(mark) ?? 0;
      if (left > 0) {
        lost.set(mark, left - 1);
        rowOfMark.set(mark, row);
      } else if (strangerCount++ < mostNamed) {
        strangers.push(row);
      }
    }
  }
  return { marks, lost, strangers, strangerCount, rowOfMark };
}

/** Which row the first lost one followed: what it was itself, nobody knows any more. */
async function placeOfLoss(database: Database, seal: Seal, { marks, lost, rowOfMark }: Difference): Promise<string> {
  const first = marks.findIndex((mark) => (lost.get(mark) ?? 0) > 0);
  const neighbour = marks.slice(0, Math.max(0, first)).findLast((mark) => rowOfMark.has(mark));
  const row = neighbour === undefined ? undefined : rowOfMark.get(neighbour);
  if (row === undefined) return `was the first row of batch ${seal.batches[0]}`;
  return `came after ${(await nameOf(database, row)).where}, in batch ${batchOf(row)} or the next one of the seal`;
}

function batchOf(row: SealedRow): bigint {
  if (row.kind === "batch") return row.id;
  return row.kind === "resolution" ? row.batchId : row.id >> 16n;
}

async function readMarks(database: Database, number: bigint): Promise<string[]> {
  const [row] = await chainMarks.run({ number }, database);
  const text = row?.marks.toString("hex") ?? "";
  const marks: string[] = [];
  for (let at = 0; at < text.length; at += 2 * markLength) marks.push(text.slice(at, at + 2 * markLength));
  return marks;
}
