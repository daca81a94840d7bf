import type { Database } from "../../../../kernel/statement.ts";
import { checkAccounts } from "./check-accounts.ts";
import { checkBalances } from "./check-balances.ts";
import { type ChainOptions, checkChain } from "./check-chain.ts";
import { checkChart } from "./check-chart.ts";
import { checkHolds } from "./check-holds.ts";
import { checkTransactions } from "./check-transactions.ts";
import { checkVault } from "./check-vault.ts";
import type { AuditCheck } from "./report.ts";

/**
 * The checks of the ledger by itself. The database must be inside of a transaction that sees one snapshot ("repeatable
 * read"), and a session that reads by index: it is for {@link runAudit}, beside the checks of other modules.
 */
export function ledgerChecks(database: Database, options: ChainOptions = {}): AuditCheck[] {
  return [
    checkVault(database),
    checkChart(database),
    checkTransactions(database),
    checkBalances(database),
    checkAccounts(database),
    checkHolds(database),
    checkChain(database, options),
  ];
}
