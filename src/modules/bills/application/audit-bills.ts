import type { Currency } from "../../../kernel/currency.ts";
import type { Database } from "../../../kernel/statement.ts";
import {
  type AuditCheck,
  type AuditReport,
  comparePostings,
  type Expected,
  explainPostings,
} from "../../ledger/index.ts";
import { billStatuses } from "../domain/bill-payment.ts";
import * as statements from "../persistence/audit.queries.ts";
import { billKind, paidBillDraft } from "./postings.ts";

/** The ledger looks up a thousand references at once. */
const pageSize = 1_000;
const beforeEveryId = "00000000-0000-0000-0000-000000000000";

/**
 * Every paid bill has exactly its posting and no other payment has one, every such posting has its payment, and the
 * tallies say how many payments there are of each status.
 */
export function billChecks(database: Database, tenant: string): AuditCheck[] {
  const ledger = { database, tenant };
  return [
    {
      name: "bills",
      async run(report) {
        const counts = new Map<string, number>();
        await comparePostings(report, ledger, "bills", expectedBills(database, counts));
        await compareTallies(report, database, counts);
      },
    },
    {
      name: "bills explained",
      run: (report) =>
        explainPostings(report, ledger, [billKind], (references) =>
          statements.findUnexplainedBills.run({ references }, database),
        ),
    },
  ];
}

/** Pages of all payments, which it counts by scope and status. */
async function* expectedBills(database: Database, counts: Map<string, number>): AsyncGenerator<Expected[]> {
  let after = beforeEveryId;
  for (;;) {
    const rows = await statements.listAuditedBills.run({ after, limit: pageSize }, database);
    for (const { scope, status } of rows) {
      const name = nameOf(scope, status);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    yield rows.map(expectedOf);
    if (rows.length < pageSize) return;
    after = rows.at(-1)?.id ?? after;
  }
}

function expectedOf(row: statements.ListAuditedBillsResult): Expected {
  const { id, status, gateway, amountMinor, gatewayReference } = row;
  const faults = [
    ...(row.versionIsRight ? [] : ["has another version than its attempts add up to"]),
    ...(row.retriesAreRight ? [] : ["has other retries than its attempts add up to"]),
  ];
  const amount = { amountMinor, currency: row.currency as Currency };
  const drafts = status === "SUCCESS" ? [paidBillDraft(id, gateway, amount, gatewayReference)] : [];
  return { where: `bill payment ${id}`, drafts, faults };
}

const nameOf = (scope: string, status: string): string => `${status} bill payments of ${scope}`;

async function compareTallies(report: AuditReport, database: Database, counts: Map<string, number>): Promise<void> {
  const tallied = new Map<string, number>();
  for (const row of await statements.sumBillTallies.run(undefined, database)) {
    for (const status of billStatuses) tallied.set(nameOf(row.scope, status), Number(row[status]));
  }
  for (const name of new Set([...counts.keys(), ...tallied.keys()])) {
    const [counted = 0, told = 0] = [counts.get(name), tallied.get(name)];
    if (counted !== told) report.finding({ where: name, what: `are ${counted}, and the tallies say ${told}` });
  }
}
