import { allCurrencies, exponentOf } from "../../../../kernel/currency.ts";
import type { Database } from "../../../../kernel/statement.ts";
import { chart } from "../../domain/chart.ts";
import { auditChart, auditCurrencies } from "../../persistence/audit.queries.ts";
import type { AuditCheck, AuditReport } from "./report.ts";

/** The database's lists of currencies and of kinds of accounts are those of this program. */
export function checkChart(database: Database): AuditCheck {
  return {
    name: "chart",
    async run(report) {
      const currencies = await auditCurrencies.run(undefined, database);
      compare(
        report,
        "currencies",
        new Map(allCurrencies().map((code) => [code, `${exponentOf(code)} decimals`])),
        new Map(currencies.map(({ code, exponent }) => [code, `${exponent} decimals`])),
      );
      const kinds = await auditChart.run(undefined, database);
      const described = (side: string, floor: bigint | null) => `${side} side, floor ${floor ?? "none"}`;
      compare(
        report,
        "chart",
        new Map(chart.map(({ pattern, normalSide, floorMinor }) => [pattern, described(normalSide, floorMinor)])),
        new Map(kinds.map(({ pattern, normalSide, floor }) => [pattern, described(normalSide, floor)])),
      );
    },
  };
}

function compare(
  report: AuditReport,
  table: string,
  expected: ReadonlyMap<string, string>,
  present: ReadonlyMap<string, string>,
): void {
  for (const [id, is] of present) {
    const should = expected.get(id);
    if (should === undefined) report.finding({ where: `${table} ${id}`, what: "was added.", table, id });
    else if (should !== is) report.finding({ where: `${table} ${id}`, what: `is ${is}, not ${should}.`, table, id });
  }
  for (const id of expected.keys()) {
    if (!present.has(id)) report.finding({ where: `${table} ${id}`, what: "is missing.", table, id });
  }
  report.checked(table === "chart" ? "kinds of accounts" : table, present.size);
}
