import type { Currency } from "../../../kernel/currency.ts";
import type { Money } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import * as statements from "../persistence/reading.queries.ts";
import type { LedgerContext } from "./context.ts";
import { idOf, type Moment } from "./read-accounts.ts";

/** A transaction as it was posted; nothing of it ever changes but whether a seal covers it already. */
export type LedgerTransaction = {
  readonly id: string;
  readonly kind: string;
  /** The caller's name for it. */
  readonly reference: string;
  /** The gateway's id of what moved the money. */
  readonly externalId: string | null;
  readonly postedAt: Moment;
  /** When it happened, where that is not when it was posted. */
  readonly effectiveAt: Moment | null;
  /** Whether the hash chain covers it; the sealer comes by moments after the posting. */
  readonly sealed: boolean;
  readonly entries: readonly LedgerEntry[];
};

export type LedgerEntry = {
  readonly leg: number;
  readonly accountId: string;
  readonly code: string;
  /** A debit where it is positive, a credit where it is negative. */
  readonly amount: Money;
  /** The account's balance after it, on the account's normal side. */
  readonly balance: Money;
  readonly version: bigint;
};

export type TransactionNotFound = { type: "transaction_not_found" };

/** One transaction with all its legs. */
export async function getTransaction(
  context: LedgerContext,
  id: string,
): Promise<Result<LedgerTransaction, TransactionNotFound>> {
  const number = idOf(id);
  if (number === undefined) return refuse({ type: "transaction_not_found" });
  const rows = await statements.getTransaction.run({ id: number, tenant: context.tenant }, context.database);
  const [transaction] = transactionsOf(rows);
  return transaction === undefined ? refuse({ type: "transaction_not_found" }) : accept(transaction);
}

const mostReferences = 1_000;

/**
 * The transactions with these references, oldest first; what has not been posted is not among them. Throws a RangeError
 * for more than 1,000 references at once.
 */
export async function findTransactionsByReferences(
  context: LedgerContext,
  references: readonly string[],
): Promise<LedgerTransaction[]> {
  if (references.length === 0) return [];
  if (references.length > mostReferences) throw new RangeError(`more than ${mostReferences} references at once`);
  const { tenant, database } = context;
  return transactionsOf(await statements.findTransactions.run({ tenant, references }, database));
}

/** One entry of an account, with what is known of its transaction. */
export type Movement = {
  readonly transactionId: string;
  readonly kind: string;
  readonly reference: string;
  readonly externalId: string | null;
  readonly code: string;
  /** A debit where it is positive, a credit where it is negative. */
  readonly amount: Money;
  readonly postedAt: Moment;
  readonly effectiveAt: Moment | null;
};

export type MovementFilter = {
  /** The whole code of the accounts; one code has an account in each currency. */
  readonly code: string;
  /** Posted at or after. */
  readonly from: Date;
  /** Posted before. */
  readonly to: Date;
  /** The `next` of the page before; null begins. */
  readonly after: string | null;
  readonly limit: number;
};

/**
 * A page of what moved on the accounts with one code, by account and in each in the order of posting; `next` continues
 * after it, null where it was the last. A period that has ended some seconds ago gives the same pages for ever.
 * Throws where `after` is no `next`.
 */
export async function listMovements(
  context: LedgerContext,
  filter: MovementFilter,
): Promise<{ movements: Movement[]; next: string | null }> {
  const { code, from, to, after, limit } = filter;
  const position = /^(\d{1,19})\.(\d{1,19})$/.exec(after ?? "0.0");
  if (position === null) throw new Error(`no position in a list of movements: ${after}`);
  const [, account = "0", version = "0"] = position;
  const parameters = {
    tenant: context.tenant,
    code,
    from: from.toISOString(),
    to: to.toISOString(),
    afterAccount: BigInt(account),
    afterVersion: BigInt(version),
    limit: limit + 1,
  };
  const rows = await statements.listMovements.run(parameters, context.database);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    movements: page.map(({ accountId: _accountId, version: _version, amount, currency, ...facts }) => ({
      ...facts,
      code,
      amount: { amountMinor: amount, currency: currency as Currency },
    })),
    next: rows.length > limit && last !== undefined ? `${last.accountId}.${last.version}` : null,
  };
}

/** Rows of legs, those of a transaction one after the other, as transactions. */
function transactionsOf(rows: readonly statements.GetTransactionResult[]): LedgerTransaction[] {
  const transactions = new Map<string, LedgerTransaction & { entries: LedgerEntry[] }>();
  for (const { leg, accountId, code, currency: text, amount, balance, version, ...facts } of rows) {
    const currency = text as Currency;
    const entry = {
      leg,
      accountId,
      code,
      amount: { amountMinor: amount, currency },
      balance: { amountMinor: balance, currency },
      version,
    };
    const transaction = transactions.get(facts.id);
    if (transaction === undefined) transactions.set(facts.id, { ...facts, entries: [entry] });
    else transaction.entries.push(entry);
  }
  return [...transactions.values()];
}
