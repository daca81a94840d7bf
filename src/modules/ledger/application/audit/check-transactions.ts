import type { Database } from "../../../../kernel/statement.ts";
import * as statements from "../../persistence/audit.queries.ts";
import { checkRanges, faultsOfPage, reportFaults } from "./pages.ts";
import type { AuditCheck } from "./report.ts";

/** Every transaction is balanced in each currency, whole, and of one time; no entry is without its transaction. */
export function checkTransactions(database: Database): AuditCheck {
  return {
    name: "transactions",
    async run(report) {
      const [sizes] = await statements.auditSizes.run(undefined, database);
      report.expect(Number(sizes?.transactions ?? 0n));
      await checkRanges(
        report,
        "transactions",
        (from, page) => statements.auditTransactionEdge.run({ from, page }, database),
        async (range) => {
          const rows = await statements.auditTransactions.run({ ...range, most: faultsOfPage }, database);
          for (const row of rows) {
            const name = row.reference === null ? "" : ` (reference ${row.reference})`;
            const where = { where: `transaction ${row.id}${name}`, table: "transactions", id: row.id.toString() };
            reportFaults(report, where, [
              [row.missing, `has ${row.legs} entries, and is not there itself.`],
              [row.differences !== null, `is not balanced: debits - credits = ${row.differences} (minor units).`],
              [!row.missing && BigInt(row.legs) < 2n, `has ${row.legs} entries, and must have two or more.`],
              [row.legsHaveGap, "has legs that are not 1, 2, 3 … without a gap: an entry is missing or was added."],
              [row.postedDiffers, "has an entry that was posted at another time than itself."],
              [row.effectiveDiffers, "has an entry that takes effect at another time than itself."],
              [row.batchMissing, `belongs to batch ${row.id >> 16n}, which is not there.`],
              [row.batchDiffers, "was posted at another time than its batch."],
            ]);
          }
        },
      );
    },
  };
}
