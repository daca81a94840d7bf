import type { Currency } from "../../../kernel/currency.ts";
import { readTrialBalance as statement } from "../persistence/reading.queries.ts";
import type { LedgerContext } from "./context.ts";

/** All debits and all credits, in minor units of the currency. */
export type Turnover = { readonly currency: Currency; readonly debitsMinor: bigint; readonly creditsMinor: bigint };

export type TrialBalance = {
  /** Whether debits equal credits in every currency. */
  readonly balanced: boolean;
  /** Over all accounts, also those that are not listed. */
  readonly totals: readonly Turnover[];
  /** By code and currency. */
  readonly accounts: readonly (Turnover & {
    readonly id: string;
    readonly code: string;
    readonly normalSide: "debit" | "credit";
  })[];
  /** Whether there are more accounts than are listed here. */
  readonly truncated: boolean;
};

/** More accounts than this are for the list of accounts, which has pages. */
const mostListed = 1_000;

/** The sums of all accounts at one moment. */
export async function readTrialBalance({ tenant, database }: LedgerContext): Promise<TrialBalance> {
  const rows = await statement.run({ tenant, limit: mostListed + 1 }, database);
  const totals: Turnover[] = [];
  const accounts: TrialBalance["accounts"][number][] = [];
  for (const row of rows) {
    const turnover = {
      currency: row.currency as Currency,
      debitsMinor: BigInt(row.debits),
      creditsMinor: BigInt(row.credits),
    };
    const { id, code } = row;
    if (id === null || code === null) totals.push(turnover);
    else accounts.push({ id, code, normalSide: row.normalSide === "debit" ? "debit" : "credit", ...turnover });
  }
  totals.sort((left, right) => (left.currency < right.currency ? -1 : 1));
  return {
    balanced: totals.every(({ debitsMinor, creditsMinor }) => debitsMinor === creditsMinor),
    totals,
    accounts: accounts.slice(0, mostListed),
    truncated: accounts.length > mostListed,
  };
}
