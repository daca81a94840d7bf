import type { Database } from "../../../../kernel/statement.ts";
import * as statements from "../../persistence/audit.queries.ts";
import { checkRanges, faultsOfPage, reportFaults } from "./pages.ts";
import type { AuditCheck } from "./report.ts";

/** Every account is what the chart says and has one balance, whose floor and held amount are what they must be. */
export function checkAccounts(database: Database): AuditCheck {
  return {
    name: "accounts",
    async run(report) {
      const [sizes] = await statements.auditSizes.run(undefined, database);
      report.expect(Number(sizes?.accounts ?? 0n));
      await checkRanges(
        report,
        "accounts",
        (from, page) => statements.auditAccountEdge.run({ from, page }, database),
        async (range) => {
          const rows = await statements.auditAccounts.run({ ...range, most: faultsOfPage }, database);
          for (const row of rows) {
            const name = row.code === null ? "" : ` (${row.code} ${row.currency})`;
            const id = row.id.toString();
            reportFaults(report, { where: `account ${id}${name}`, table: "accounts", id }, [
              [row.accountMissing, "has a balance, and is not there itself."],
              [row.balanceMissing, "has no balance."],
              [row.chartDiffers, "is not what the chart of accounts says: its normal side, sign or floor differs."],
              [row.batchMissing, `belongs to batch ${row.id >> 16n}, which is not there.`],
            ]);
            reportFaults(report, { where: `balance of account ${id}${name}`, table: "balances", id }, [
              [row.signDiffers, "has another sign than its account."],
              [row.floorDiffers, "has a floor that is neither the last one that was set nor the chart's."],
              [row.heldDiffers, "holds another amount than its open holds add up to."],
              [row.entriesMissing, "counts entries, and there is none."],
              [row.notEmpty, "is not zero, and counts no entries."],
            ]);
          }
        },
      );
      for (const change of await statements.auditFloorChanges.run({ most: faultsOfPage }, database)) {
        const id = change.id.toString();
        reportFaults(report, { where: `floor change ${id}`, table: "floor_changes", id }, [
          [change.accountMissing, "is of an account that is not there."],
          [change.batchMissing, `belongs to batch ${change.id >> 16n}, which is not there.`],
        ]);
      }
    },
  };
}
