// Owns: every movement of money in double entry: accounts, balances, transactions, entries, holds and the hash chain.
// Invariants: debits equal credits; nothing that is posted ever changes; no account is below its floor.
// Called by: the settle statements of payments, bills and payouts (in SQL), reconciliation, and the composition root.
export type { ChainOptions } from "./application/audit/check-chain.ts";
export { comparePostings, type Expected, explainPostings } from "./application/audit/compare-postings.ts";
export { ledgerChecks } from "./application/audit/ledger-checks.ts";
export type { AuditCheck, AuditObserver, AuditOutcome, AuditReport } from "./application/audit/report.ts";
export { runAudit } from "./application/audit/report.ts";
export { type LedgerContext, ownBooks, type PostingContext } from "./application/context.ts";
export { findHoldsByReferences, type NamedHold } from "./application/find-holds.ts";
export { fundGateway } from "./application/fund-gateway.ts";
export { expireHolds, holdFunds, voidHold } from "./application/hold-funds.ts";
export { createPostingLane, postTransaction } from "./application/post-transaction.ts";
export {
  findTransactionsByReferences,
  type LedgerTransaction,
  listMovements,
} from "./application/read-transactions.ts";
export { readHead } from "./application/seal-batches.ts";
export { setFloor } from "./application/set-floor.ts";
export { formatHead, parseHead } from "./domain/canonical.ts";
export { accountCodes } from "./domain/chart.ts";
export { draftColumns } from "./domain/draft-columns.ts";
export type { Leg, TransactionDraft } from "./domain/transaction.ts";
export { registerLedgerRoutes } from "./http/routes.ts";
export { ledgerJobs } from "./jobs.ts";
