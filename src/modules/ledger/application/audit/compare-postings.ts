import type { TransactionDraft } from "../../domain/transaction.ts";
import type { LedgerContext } from "../context.ts";
import { referencesOfKinds } from "../read-references.ts";
import { findTransactionsByReferences, type LedgerTransaction } from "../read-transactions.ts";
import type { AuditReport } from "./report.ts";

/** A row of another module and the transactions that the ledger must have for it: all, or with `orNone` none. */
export type Expected = {
  /** The row, by what it is called: "payment 0198…". */
  readonly where: string;
  readonly drafts: readonly TransactionDraft[];
  readonly orNone?: true;
  /** What is wrong with the row itself. */
  readonly faults: readonly string[];
};

/**
 * Reports every row that is faulty itself, or whose postings are missing or others than they should be. `unit` is what
 * the rows are called in the plural. Throws a RangeError for a page with more than 1,000 drafts.
 */
export async function comparePostings(
  report: AuditReport,
  ledger: LedgerContext,
  unit: string,
  pages: AsyncIterable<readonly Expected[]>,
): Promise<void> {
  for await (const page of pages) {
    const references = page.flatMap(({ drafts }) => drafts.map(({ reference }) => reference));
    const found = await findTransactionsByReferences(ledger, references);
    const standing = new Map(found.map((transaction) => [transaction.reference, transaction]));
    for (const expected of page) compareOne(report, expected, standing);
    report.checked(unit, page.length);
  }
}

/**
 * Reports every transaction of these kinds that its module has no row for. `findUnexplained` is given the references
 * of up to 5,000 transactions, and returns those of them that nothing explains.
 */
export async function explainPostings(
  report: AuditReport,
  ledger: LedgerContext,
  kinds: readonly string[],
  findUnexplained: (references: string[]) => Promise<readonly { readonly reference: string }[]>,
): Promise<void> {
  for await (const references of referencesOfKinds(ledger, kinds)) {
    for (const { reference } of await findUnexplained(references)) {
      report.finding({ where: `transaction ${reference}`, what: "is in the ledger, and nothing explains it" });
    }
    report.checked("postings", references.length);
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
