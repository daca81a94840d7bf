import type { Currency } from "../../../kernel/currency.ts";
import type { Database } from "../../../kernel/statement.ts";
import {
  type AuditCheck,
  type AuditReport,
  accountCodes,
  comparePostings,
  type Expected,
  explainPostings,
  findHoldsByReferences,
  type LedgerContext,
  type NamedHold,
  type TransactionDraft,
} from "../../ledger/index.ts";
import * as statements from "../persistence/audit.queries.ts";

const pageSize = 500;
const beforeEveryId = "00000000-0000-0000-0000-000000000000";

/**
 * Every payout that was made has exactly its posting and its hold is posted; one that failed has neither posting nor
 * open hold; one under way is on the working list with its hold open; and every posting of a payout has its payout.
 */
export function payoutChecks(database: Database, tenant: string): AuditCheck[] {
  const ledger = { database, tenant };
  return [
    { name: "payouts", run: (report) => comparePostings(report, ledger, "payouts", expectedPayouts(ledger)) },
    { name: "under way", run: (report) => checkWorkingList(report, database) },
    {
      name: "paid out",
      run: (report) =>
        explainPostings(report, ledger, ["payout"], (references) =>
          statements.findUnexplainedPayouts.run({ references }, database),
        ),
    },
  ];
}

async function* expectedPayouts(ledger: LedgerContext): AsyncGenerator<Expected[]> {
  let after = beforeEveryId;
  for (;;) {
    const rows = await statements.listAuditedPayouts.run({ after, limit: pageSize }, ledger.database);
    const holds = await findHoldsByReferences(
      ledger,
      rows.map(({ id }) => `payout:${id}`),
    );
    const holdOf = new Map(holds.map((hold) => [hold.reference, hold]));
    yield rows.map((row) => ({
      where: `payout ${row.id}`,
      drafts: row.status === "EXITOSO" ? [payoutDraft(row)] : [],
      faults: faultsOf(row, holdOf.get(`payout:${row.id}`)),
    }));
    if (rows.length < pageSize) return;
    after = rows.at(-1)?.id ?? after;
  }
}

/** What must be of a payout's hold and of its place on the working list, by its status. */
function faultsOf(row: statements.ListAuditedPayoutsResult, hold: NamedHold | undefined): string[] {
  const { status, listed, holdId } = row;
  const state = hold?.state ?? "missing";
  const faults: string[] = [];
  if (listed !== (status === "PROCESANDO")) {
    faults.push(listed ? `is ${status} and still on the working list` : "is PROCESANDO and not on the working list");
  }
  if (status === "EXITOSO" && state !== "posted") faults.push(`was made and its hold is ${state}`);
  if (status === "FALLIDO" && state !== "voided" && state !== "missing") {
    faults.push(`has failed and its hold is ${state}`);
  }
  if (status === "PENDIENTE" && state !== "missing") faults.push(`has not begun and its hold is ${state}`);
  if (status === "PROCESANDO" && listed) {
    if (holdId === null ? state !== "missing" : state !== "open") faults.push(`is under way and its hold is ${state}`);
    else if (holdId !== null && hold?.holdId !== holdId.toString()) faults.push("is under way with another hold");
  }
  return faults;
}

/** A payout as `settlePaidPayouts` posts it in the settle commit: what the audit compares with. */
function payoutDraft(row: statements.ListAuditedPayoutsResult): TransactionDraft {
  const { id, gateway, gatewayReference, recipientKind, recipientId, amountMinor } = row;
  const currency = row.currency as Currency;
  const [debited, credited] =
    recipientKind === "affiliate"
      ? [accountCodes.affiliatePaid(recipientId), accountCodes.funding(gateway)]
      : [accountCodes.sellerAvailable(recipientId), accountCodes.payouts(gateway)];
  return {
    kind: "payout",
    reference: `payout:${id}`,
    externalId: gatewayReference,
    effectiveAt: null,
    holdId: null,
    legs: [
      { account: debited, amount: { amountMinor, currency } },
      { account: credited, amount: { amountMinor: -amountMinor, currency } },
    ],
    shortfall: null,
  };
}

const straysNamed = 1_000;

async function checkWorkingList(report: AuditReport, database: Database): Promise<void> {
  const strays = await statements.listStrayPayouts.run({ limit: straysNamed }, database);
  for (const { payoutId } of strays) {
    report.finding({ where: `payout ${payoutId}`, what: "is on the working list, and there is no such payout" });
  }
  report.checked("strays", strays.length);
}
