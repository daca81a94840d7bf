import type { Currency } from "../../../kernel/currency.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import * as statements from "../persistence/reading.queries.ts";
import type { LedgerContext } from "./context.ts";

/** A point in time as RFC 3339 in UTC with six decimals: a Date would lose the microseconds that order entries. */
export type Moment = string;

/** An account and what is in it; amounts in minor units of its currency. */
export type Account = {
  readonly id: string;
  readonly code: string;
  readonly currency: Currency;
  readonly normalSide: "debit" | "credit";
  /** On its normal side. */
  readonly balanceMinor: bigint;
  /** How many entries that is; null where the balance is as of an effective time, which is not the order of entries. */
  readonly version: bigint | null;
  /** What is known of the account as it stands now only; null where the balance is as of another time. */
  readonly standing: AccountStanding | null;
};

export type AccountStanding = {
  /** The sums of all debits and of all credits there ever were. */
  readonly debitsMinor: bigint;
  readonly creditsMinor: bigint;
  readonly heldMinor: bigint;
  /** The least that may be left when money is taken out; null where there is no limit. */
  readonly floorMinor: bigint | null;
};

/**
 * A balance as of another time. By posted time: what the books said then. By effective time: what we know today about
 * then, where entries may have been posted later or ahead.
 */
export type AsOf = { readonly moment: Moment; readonly kind: "posted" | "effective" };

export type AccountNotFound = { type: "account_not_found" };

/** Where a page of accounts ends. */
export type AccountPosition = { readonly code: string; readonly currency: string };

export type AccountFilter = {
  /** Only codes that begin so; "" is all. */
  readonly prefix: string;
  readonly after: AccountPosition | null;
  readonly asOf: AsOf | null;
  readonly limit: number;
};

/** A page of accounts by code and currency; `next` continues after it, null where it was the last. */
export async function listAccounts(
  context: LedgerContext,
  filter: AccountFilter,
): Promise<{ accounts: Account[]; next: AccountPosition | null }> {
  const { prefix, after, limit } = filter;
  const parameters = {
    tenant: context.tenant,
    prefix,
    // No currency is empty, so that this begins with the account whose code is the prefix itself.
    afterCode: after?.code ?? prefix,
    afterCurrency: after?.currency ?? "",
    limit: limit + 1,
  };
  const rows = await statements.listAccounts.run(parameters, context.database);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    accounts: await asOfTime(context, page.map(accountOf), filter.asOf),
    next: rows.length > limit && last !== undefined ? { code: last.code, currency: last.currency } : null,
  };
}

/** One account, as it stands or as of another time: zero before its first entry. */
export async function getAccount(
  context: LedgerContext,
  id: string,
  asOf: AsOf | null,
): Promise<Result<Account, AccountNotFound>> {
  const number = idOf(id);
  if (number === undefined) return refuse({ type: "account_not_found" });
  const rows = await statements.getAccount.run({ id: number, tenant: context.tenant }, context.database);
  const [account] = await asOfTime(context, rows.map(accountOf), asOf);
  return account === undefined ? refuse({ type: "account_not_found" }) : accept(account);
}

/** One leg of a transaction as its account sees it. */
export type AccountEntry = {
  readonly transactionId: string;
  readonly leg: number;
  readonly kind: string;
  readonly reference: string;
  /** In minor units: a debit where it is positive, a credit where it is negative. */
  readonly amountMinor: bigint;
  /** The account's balance after it, on the account's normal side. */
  readonly balanceMinor: bigint;
  readonly version: bigint;
  readonly postedAt: Moment;
  /** When it happened, where that is not when it was posted. */
  readonly effectiveAt: Moment | null;
};

export type EntryFilter = {
  /** Posted at or after. */
  readonly from: Moment | null;
  /** Posted before. */
  readonly to: Moment | null;
  /** The version of the last entry of the page before. */
  readonly after: bigint | null;
  readonly order: "asc" | "desc";
  readonly limit: number;
};

export type EntryPage = { readonly account: Account; readonly entries: AccountEntry[]; readonly next: bigint | null };

const aboveEveryVersion = 2n ** 63n - 1n;

/** A page of an account's entries in the order of their versions; `next` continues after it, null after the last. */
export async function listEntries(
  context: LedgerContext,
  id: string,
  filter: EntryFilter,
): Promise<Result<EntryPage, AccountNotFound>> {
  const found = await getAccount(context, id, null);
  if (!found.ok) return found;
  const { from, to, after, order, limit } = filter;
  const backward = order === "desc";
  const rows = await statements.listEntries.run(
    {
      accountId: BigInt(id),
      from,
      to,
      backward,
      above: backward || after === null ? 0n : after,
      upTo: backward && after !== null ? after - 1n : aboveEveryVersion,
      limit: limit + 1,
    },
    context.database,
  );
  const entries = rows
    .slice(0, limit)
    .map(({ amount, balance, ...entry }) => ({ ...entry, amountMinor: amount, balanceMinor: balance }));
  const next = rows.length > limit ? (entries.at(-1)?.version ?? null) : null;
  return accept({ account: found.value, entries, next });
}

/** The number that an id of ours stands for; undefined where a text is no such id. */
export function idOf(text: string): bigint | undefined {
  if (!/^[1-9]\d{0,18}$/.test(text)) return undefined;
  const id = BigInt(text);
  return id <= aboveEveryVersion ? id : undefined;
}

function accountOf(row: statements.GetAccountResult): Account {
  const { debits, credits, held, floor, normalSide, currency, ...facts } = row;
  return {
    ...facts,
    currency: currency as Currency,
    normalSide: normalSide as Account["normalSide"],
    balanceMinor: normalSide === "debit" ? debits - credits : credits - debits,
    standing: { debitsMinor: debits, creditsMinor: credits, heldMinor: held, floorMinor: floor },
  };
}

async function asOfTime(context: LedgerContext, accounts: Account[], asOf: AsOf | null): Promise<Account[]> {
  if (asOf === null || accounts.length === 0) return accounts;
  const { moment, kind } = asOf;
  const wanted = { ids: accounts.map(({ id }) => BigInt(id)), moment };
  const rows: { id: string; balance: bigint; version?: bigint }[] =
    kind === "posted"
      ? await statements.readBalancesAt.run(wanted, context.database)
      : await statements.readBalancesEffectiveAt.run(wanted, context.database);
  const balances = new Map(rows.map((row) => [row.id, row]));
  return accounts.map((account) => {
    const { balance = 0n, version = null } = balances.get(account.id) ?? {};
    return { ...account, balanceMinor: balance, version, standing: null };
  });
}
