import type { Currency } from "../../../kernel/currency.ts";
import type { TransactionDraft } from "./transaction.ts";

/** A batch of transactions as `ledger.post` and `ledger.post_all` take it: a list for each column. */
export type DraftColumns = {
  readonly kinds: string[];
  readonly references: string[];
  readonly externalIds: (string | null)[];
  readonly effectiveAts: (string | null)[];
  /** Null where no transaction has a hold: then the vault need not look for one. */
  readonly holdIds: (bigint | null)[] | null;
  /** To which transaction each leg belongs: 1, 2, 3 … */
  readonly legItems: number[];
  readonly legAccounts: string[];
  readonly legCurrencies: Currency[];
  readonly legAmounts: bigint[];
};

/** The columns of a batch. The vault reads a leg of zero as the account that bears what one with a floor cannot. */
export function draftColumns(drafts: readonly TransactionDraft[]): DraftColumns {
  const legs = drafts.flatMap(({ legs, shortfall }, place) => {
    const currency = legs[0]?.amount.currency;
    const bearer = shortfall === null || currency === undefined ? [] : [leg(place, shortfall, currency, 0n)];
    return [...legs.map(({ account, amount }) => leg(place, account, amount.currency, amount.amountMinor)), ...bearer];
  });
  return {
    kinds: drafts.map(({ kind }) => kind),
    references: drafts.map(({ reference }) => reference),
    externalIds: drafts.map(({ externalId }) => externalId),
    effectiveAts: drafts.map(({ effectiveAt }) => effectiveAt?.toISOString() ?? null),
    holdIds: drafts.some(({ holdId }) => holdId !== null) ? drafts.map(holdIdOf) : null,
    legItems: legs.map(({ item }) => item),
    legAccounts: legs.map(({ account }) => account),
    legCurrencies: legs.map(({ currency }) => currency),
    legAmounts: legs.map(({ amountMinor }) => amountMinor),
  };
}

function leg(place: number, account: string, currency: Currency, amountMinor: bigint) {
  return { item: place + 1, account, currency, amountMinor };
}

function holdIdOf({ holdId }: TransactionDraft): bigint | null {
  return holdId === null ? null : BigInt(holdId);
}
