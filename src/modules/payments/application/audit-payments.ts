import type { Currency } from "../../../kernel/currency.ts";
import type { Database } from "../../../kernel/statement.ts";
import {
  type AuditCheck,
  type AuditReport,
  findTransactionsByReferences,
  type LedgerContext,
  type LedgerTransaction,
  referencesOfKinds,
  type TransactionDraft,
} from "../../ledger/index.ts";
import * as statements from "../persistence/audit.queries.ts";
import type { FundsState } from "./change-payment.ts";
import {
  chargebackDraft,
  disputeDraft,
  disputeReversalDraft,
  refundDraft,
  refundReversalDraft,
  saleDraft,
} from "./postings.ts";

/** A row of ours and the transactions that the ledger must have for it: all, or with `orNone` none of them. */
type Expected = {
  readonly where: string;
  readonly drafts: readonly TransactionDraft[];
  readonly orNone?: true;
  /** What is wrong with the row itself. */
  readonly faults: readonly string[];
};

/** Fewer than the references that the ledger looks up at once, with the most that a row has: three. */
const pageSize = 300;
const beforeEveryId = "00000000-0000-0000-0000-000000000000";

/**
 * Every payment that succeeded, every refund and every dispute has exactly its postings, and every such posting has
 * its payment, refund or dispute.
 */
export function paymentChecks(database: Database, tenant: string): AuditCheck[] {
  const ledger = { database, tenant };
  return [
    { name: "sales", run: (report) => compare(report, ledger, "payments", expectedSales(database)) },
    { name: "refunds", run: (report) => compare(report, ledger, "refunds", expectedRefunds(database)) },
    { name: "disputes", run: (report) => compare(report, ledger, "disputes", expectedDisputes(database)) },
    { name: "explained", run: (report) => explainPostings(report, ledger) },
  ];
}

async function* expectedSales(database: Database): AsyncGenerator<Expected[]> {
  let after = beforeEveryId;
  for (;;) {
    const rows = await statements.listExpectedSales.run({ after, limit: pageSize }, database);
    yield rows.map((row) => {
      const faults = [
        ...(row.feeIsRight ? [] : ["has another commission than its rate says"]),
        ...(row.sumsAreRight ? [] : ["has other sums than its refunds and disputes add up to"]),
      ];
      return { where: `payment ${row.id}`, drafts: [saleDraft(stateOf(row), row)], faults };
    });
    if (rows.length < pageSize) return;
    after = rows.at(-1)?.id ?? after;
  }
}

async function* expectedRefunds(database: Database): AsyncGenerator<Expected[]> {
  let after = beforeEveryId;
  for (;;) {
    const rows = await statements.listExpectedRefunds.run({ after, limit: pageSize }, database);
    yield rows.map((row) => {
      const where = `refund ${row.id}`;
      const refund = refundDraft(stateOf(row), row.id, row, null, null);
      if (row.status === "pending") return { where, drafts: [], faults: [] };
      if (row.status === "succeeded") return { where, drafts: [refund], faults: [] };
      // One that failed later was posted and reversed, one that failed at once was neither.
      const reversal = refundReversalDraft(stateOf(row), row.id, row, "");
      return { where, drafts: [refund, reversal], orNone: true, faults: [] };
    });
    if (rows.length < pageSize) return;
    after = rows.at(-1)?.id ?? after;
  }
}

async function* expectedDisputes(database: Database): AsyncGenerator<Expected[]> {
  let after = "";
  for (;;) {
    const rows = await statements.listExpectedDisputes.run({ after, limit: pageSize }, database);
    yield rows.map((row) => {
      const { id, amountMinor, borneMinor, feeMinor } = row;
      const state = stateOf(row);
      const opening = disputeDraft(state, id, amountMinor);
      const borne = { amountMinor: borneMinor, feeMinor };
      const closing = {
        open: [],
        won: [disputeReversalDraft(state, id, amountMinor)],
        lost: [chargebackDraft(state, id, borne, amountMinor)],
      };
      const drafts = [opening, ...closing[row.status as keyof typeof closing]];
      return { where: `dispute ${id}`, drafts, faults: [] };
    });
    if (rows.length < pageSize) return;
    after = rows.at(-1)?.id ?? after;
  }
}

/** As much of a payment as its postings are made of. */
function stateOf(row: { gateway: string; sellerId: string | null; currency: string; id: string }): FundsState {
  const { gateway, sellerId, id: paymentId } = row;
  const none = { capturedMinor: 0n, feeMinor: 0n, returnedMinor: 0n, returnedFeeMinor: 0n };
  const funds = { ...none, refundingMinor: 0n, refundedMinor: 0n };
  const currency = row.currency as Currency;
  return { paymentId, gateway, sellerId, currency, funds, version: 0, status: "", intentId: null, lastAttempt: 0 };
}

async function compare(
  report: AuditReport,
  ledger: LedgerContext,
  unit: string,
  pages: AsyncGenerator<Expected[]>,
): Promise<void> {
  for await (const page of pages) {
    const references = page.flatMap(({ drafts }) => drafts.map(({ reference }) => reference));
    const found = await findTransactionsByReferences(ledger, references);
    const standing = new Map(found.map((transaction) => [transaction.reference, transaction]));
    for (const expected of page) compareOne(report, expected, standing);
    report.checked(unit, page.length);
  }
}

function compareOne(
  report: AuditReport,
  { where, drafts, orNone, faults }: Expected,
  standing: ReadonlyMap<string, LedgerTransaction>,
): void {
  for (const what of faults) report.finding({ where, what });
  if (orNone === true && drafts.every(({ reference }) => !standing.has(reference))) return;
  for (const draft of drafts) {
    const transaction = standing.get(draft.reference);
    if (transaction === undefined) report.finding({ where, what: `has no posting ${draft.reference}` });
    else if (!isPostingOf(draft, transaction)) {
      report.finding({ where, what: `has another posting than it should: transaction ${transaction.id}` });
    }
  }
}

function isPostingOf(draft: TransactionDraft, { kind, externalId, entries }: LedgerTransaction): boolean {
  const moved = entries.map(({ code, amount }) => ({ account: code, amount }));
  const isSame = draft.externalId === null || draft.externalId === externalId;
  return isSame && kind === draft.kind && sumsOf(moved, draft) === sumsOf(draft.legs, draft);
}

/**
 * What moved on each account, in one form. What the account that bears a shortfall took counts as the first leg's, the
 * seller's: how much of it they could bear was decided when it was posted.
 */
function sumsOf(
  legs: readonly { account: string; amount: { currency: string; amountMinor: bigint } }[],
  { shortfall, legs: asked }: TransactionDraft,
): string {
  const sums = new Map<string, bigint>();
  for (const { account, amount } of legs) {
    const bearer = account === shortfall ? asked[0]?.account : account;
    const key = `${bearer} ${amount.currency}`;
    sums.set(key, (sums.get(key) ?? 0n) + amount.amountMinor);
  }
  return [...sums]
    .map(([key, sum]) => `${key} ${sum}`)
    .sort()
    .join("; ");
}

const kindsOfPayments = ["sale", "refund", "refund_reversal", "dispute", "dispute_reversal", "chargeback"];

async function explainPostings(report: AuditReport, ledger: LedgerContext): Promise<void> {
  for await (const references of referencesOfKinds(ledger, kindsOfPayments)) {
    for (const { reference } of await statements.findUnexplained.run({ references }, ledger.database)) {
      report.finding({ where: `transaction ${reference}`, what: "is in the ledger, and no payment explains it" });
    }
    report.checked("postings", references.length);
  }
}
