import type { AuditReport } from "./report.ts";

/** The least and the greatest id that a row can have, whoever wrote it. */
export const lowestId = -(2n ** 63n);
const highestId = 2n ** 63n - 1n;

/** So many rows are one page: a statement of some 50 ms. */
export const pageRows = 20_000;

/** More wrong rows of one page than this are counted as so many. */
export const faultsOfPage = 1_001;

export type Range = { readonly from: bigint; readonly through: bigint };

/**
 * Checks a table by ranges of its ids, which cover every id there can be: the page's edge is where a range ends, and
 * the last one has no end. So rows of other tables that lost the row they belong to lie in a range as well.
 */
export async function checkRanges(
  report: AuditReport,
  unit: string,
  edgeOf: (from: bigint, page: number) => Promise<readonly { rows: bigint; last: bigint | null }[]>,
  check: (range: Range) => Promise<void>,
): Promise<void> {
  let from = lowestId;
  for (;;) {
    const [edge] = await edgeOf(from, pageRows);
    const rows = Number(edge?.rows ?? 0n);
    const isLast = rows < pageRows || edge?.last === highestId;
    const through = isLast ? highestId : (edge?.last ?? highestId);
    await check({ from, through });
    report.checked(unit, rows);
    if (isLast) return;
    from = through + 1n;
  }
}

/** Reports each fault of a row that is there, under one name of the row. */
export function reportFaults(
  report: AuditReport,
  row: { readonly where: string; readonly table: string; readonly id: string },
  faults: readonly (readonly [boolean | null, string])[],
): void {
  for (const [isFault, what] of faults) if (isFault === true) report.finding({ ...row, what });
}
