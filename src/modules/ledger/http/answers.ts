import type { Static } from "typebox";
import type { Currency } from "../../../kernel/currency.ts";
import { toJsonAmount } from "../../../kernel/money.ts";
import type { Account, EntryPage } from "../application/read-accounts.ts";
import type { LedgerTransaction } from "../application/read-transactions.ts";
import type { TrialBalance } from "../application/read-trial-balance.ts";
import { entryCursor } from "./queries.ts";
import type * as schemas from "./schemas.ts";

const inMajor = (amountMinor: bigint, currency: Currency) => toJsonAmount({ amountMinor, currency });

/** A signed amount as the side it is on and how much it is. */
function sided(amountMinor: bigint, currency: Currency) {
  const debit = amountMinor > 0n;
  return {
    direction: debit ? ("debit" as const) : ("credit" as const),
    amount: inMajor(debit ? amountMinor : -amountMinor, currency),
  };
}

export function presentAccount(account: Account): Static<typeof schemas.accountSchema> {
  const { currency, balanceMinor, standing } = account;
  const now = (amountMinor: bigint | null | undefined) => (amountMinor == null ? null : inMajor(amountMinor, currency));
  return {
    id: account.id,
    code: account.code,
    currency,
    normal_side: account.normalSide,
    debits: now(standing?.debitsMinor),
    credits: now(standing?.creditsMinor),
    balance: inMajor(balanceMinor, currency),
    held: now(standing?.heldMinor),
    available: standing === null ? null : now(balanceMinor - standing.heldMinor),
    floor: now(standing?.floorMinor),
    version: account.version === null ? null : Number(account.version),
  };
}

export function presentEntries({ account, entries, next }: EntryPage): Static<typeof schemas.entryListSchema> {
  const { currency } = account;
  return {
    data: entries.map((entry) => ({
      transaction_id: entry.transactionId,
      leg: entry.leg,
      kind: entry.kind,
      reference: entry.reference,
      ...sided(entry.amountMinor, currency),
      balance: inMajor(entry.balanceMinor, currency),
      version: Number(entry.version),
      posted_at: entry.postedAt,
      effective_at: entry.effectiveAt,
    })),
    next_cursor: next === null ? null : entryCursor(next),
  };
}

export function presentTransaction(transaction: LedgerTransaction): Static<typeof schemas.transactionSchema> {
  return {
    id: transaction.id,
    kind: transaction.kind,
    reference: transaction.reference,
    external_id: transaction.externalId,
    posted_at: transaction.postedAt,
    effective_at: transaction.effectiveAt,
    sealed: transaction.sealed,
    entries: transaction.entries.map(({ leg, accountId, code, amount, balance, version }) => ({
      leg,
      account_id: accountId,
      code,
      currency: amount.currency,
      ...sided(amount.amountMinor, amount.currency),
      balance: toJsonAmount(balance),
      version: Number(version),
    })),
  };
}

export function presentTrialBalance(trial: TrialBalance): Static<typeof schemas.trialBalanceSchema> {
  const { balanced, totals, accounts, truncated } = trial;
  return {
    balanced,
    totals: totals.map(({ currency, debitsMinor, creditsMinor }) => ({
      currency,
      debits: inMajor(debitsMinor, currency),
      credits: inMajor(creditsMinor, currency),
    })),
    accounts: accounts.map(({ id, code, currency, normalSide, debitsMinor, creditsMinor }) => ({
      id,
      code,
      currency,
      normal_side: normalSide,
      debits: inMajor(debitsMinor, currency),
      credits: inMajor(creditsMinor, currency),
      balance: inMajor(normalSide === "debit" ? debitsMinor - creditsMinor : creditsMinor - debitsMinor, currency),
    })),
    accounts_truncated: truncated,
  };
}
