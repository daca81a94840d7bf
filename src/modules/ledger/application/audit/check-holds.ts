import type { Database } from "../../../../kernel/statement.ts";
import * as statements from "../../persistence/audit.queries.ts";
import { checkRanges, faultsOfPage, reportFaults } from "./pages.ts";
import type { AuditCheck } from "./report.ts";

/** Every hold is either open or resolved, once, and a posted one has its transaction. */
export function checkHolds(database: Database): AuditCheck {
  return {
    name: "holds",
    async run(report) {
      const [sizes] = await statements.auditSizes.run(undefined, database);
      report.expect(Number(sizes?.holds ?? 0n));
      await checkRanges(
        report,
        "holds",
        (from, page) => statements.auditHoldEdge.run({ from, page }, database),
        async (range) => {
          const rows = await statements.auditHolds.run({ ...range, most: faultsOfPage }, database);
          for (const row of rows) {
            const id = row.id.toString();
            const name = row.reference === null ? "" : ` (reference ${row.reference})`;
            reportFaults(report, { where: `hold ${id}${name}`, table: "holds", id }, [
              [row.holdMissing, "is listed as open or resolved, and is not there itself."],
              [row.accountMissing, "is of an account that is not there."],
              [row.nowhere, "is neither open nor resolved."],
              [row.batchMissing, `belongs to batch ${row.id >> 16n}, which is not there.`],
              [row.batchDiffers, "was made at another time than its batch."],
            ]);
            reportFaults(report, { where: `open hold ${id}${name}`, table: "open_holds", id }, [
              [row.twice, "is listed as open, and is resolved."],
              [row.expiryDiffers, "expires at another time than the hold says."],
            ]);
            reportFaults(report, { where: `resolution of hold ${id}${name}`, table: "hold_resolutions", id }, [
              [row.transactionMissing, "names a transaction that is not there, or not of its batch."],
              [row.resolutionWrong, "says that it was posted without a transaction, or the other way round."],
              [row.resolvingBatchMissing, "belongs to a batch that is not there."],
            ]);
          }
        },
      );
    },
  };
}
