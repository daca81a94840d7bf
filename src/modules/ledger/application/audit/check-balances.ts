import type { Database } from "../../../../kernel/statement.ts";
import * as statements from "../../persistence/audit.queries.ts";
import { faultsOfPage, lowestId, pageRows, reportFaults } from "./pages.ts";
import type { AuditCheck, AuditReport } from "./report.ts";

type Fold = statements.AuditFoldResult;

/** What an account's entries add up to, as far as they have been read; its last page decides. */
type Sum = { readonly fold: Fold; readonly entries: bigint; readonly debits: bigint; readonly credits: bigint };

type Key = { readonly accountId: bigint; readonly version: bigint };

/**
 * Every account's entries have the versions 1, 2, 3 …, each has the running balance that it leaves, and the balance is
 * what they add up to. Pages are of entries and not of accounts: one account can have most of them.
 */
export function checkBalances(database: Database): AuditCheck {
  return {
    name: "balances",
    async run(report) {
      const [sizes] = await statements.auditSizes.run(undefined, database);
      report.expect(Number(sizes?.entries ?? 0));
      let after: Key = { accountId: lowestId, version: lowestId };
      let open: Sum | undefined;
      for (;;) {
        const [edge] = await statements.auditEntryEdge.run({ ...after, page: pageRows }, database);
        if (edge === undefined) break;
        const page = { ...after, lastAccountId: edge.accountId, lastVersion: edge.version };
        open = await checkPage(database, report, page, open);
        report.checked("entries", Number(edge.rows));
        if (Number(edge.rows) < pageRows) break;
        after = { accountId: edge.accountId, version: edge.version };
      }
      if (open !== undefined) compare(report, open);
    },
  };
}

type Page = Key & { readonly lastAccountId: bigint; readonly lastVersion: bigint };

/** Takes the sum of the account that goes on from the page before; returns that of the one that may go on after it. */
async function checkPage(
  database: Database,
  report: AuditReport,
  page: Page,
  before: Sum | undefined,
): Promise<Sum | undefined> {
  const folds = await statements.auditFold.run(page, database);
  let open = before;
  for (const fold of folds) {
    if (open !== undefined && open.fold.accountId !== fold.accountId) {
      compare(report, open);
      open = undefined;
    }
    open = add(open, fold);
  }
  if (folds.some(({ rightEntries }) => !rightEntries)) await nameEntries(database, report, page);
  return open;
}

function add(sum: Sum | undefined, fold: Fold): Sum {
  return {
    fold,
    entries: (sum?.entries ?? 0n) + fold.entries,
    debits: (sum?.debits ?? 0n) + BigInt(fold.debits),
    credits: (sum?.credits ?? 0n) + BigInt(fold.credits),
  };
}

/** Compares the balance with what all entries of its account add up to. */
function compare(report: AuditReport, { fold, entries, debits, credits }: Sum): void {
  const id = fold.accountId.toString();
  const where = `balance of account ${id}${fold.code === null ? "" : ` (${fold.code})`}`;
  if (!fold.hasBalance) {
    report.finding({ where, what: `is missing, and there are ${entries} entries.`, table: "balances", id });
    return;
  }
  reportFaults(report, { where, table: "balances", id }, [
    [fold.balanceDebits !== debits, `has ${fold.balanceDebits} debits, and its entries add up to ${debits}.`],
    [fold.balanceCredits !== credits, `has ${fold.balanceCredits} credits, and its entries add up to ${credits}.`],
    [
      fold.balanceVersion !== fold.version,
      `is at version ${fold.balanceVersion}; the newest entry's is ${fold.version}.`,
    ],
    [entries !== fold.version, `has ${entries} entries, and the newest one's version is ${fold.version}.`],
    [!fold.postedSame, "was posted at another time than the newest entry."],
  ]);
}

/** Says which entries of a page are wrong. */
async function nameEntries(database: Database, report: AuditReport, page: Page): Promise<void> {
  for (const row of await statements.auditFaultyEntries.run({ ...page, most: faultsOfPage }, database)) {
    const id = `${row.transactionId}/${row.leg}`;
    const where = `entry ${id} (account ${row.code ?? row.accountId} version ${row.version})`;
    reportFaults(report, { where, table: "entries", id }, [
      [row.accountMissing, "is of an account that is not there."],
      [row.gap, `comes ${row.step} versions after the entry before it: one is missing, or was added.`],
      [row.wrongBalance, "has a running balance that does not follow from the entry before it and its amount."],
      [row.wrongCurrency, "is in another currency than its account."],
      [row.tooEarly, "was posted before the entry before it."],
    ]);
  }
}
