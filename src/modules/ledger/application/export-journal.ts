import { setTimeout as sleep } from "node:timers/promises";
import type { Currency } from "../../../kernel/currency.ts";
import type { Money } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import * as statements from "../persistence/reading.queries.ts";
import type { LedgerContext } from "./context.ts";
import { listAccounts, type Moment } from "./read-accounts.ts";
import type { LedgerEntry } from "./read-transactions.ts";

/** One leg as it goes out; the legs of a transaction come one after the other. */
export type JournalEntry = Omit<LedgerEntry, "accountId"> & {
  readonly transactionId: string;
  readonly kind: string;
  readonly reference: string;
  readonly externalId: string | null;
  readonly postedAt: Moment;
  readonly effectiveAt: Moment | null;
};

/** What an export can be about: posted at or after `from` and before `to`; null is no bound. */
export type JournalPeriod = { readonly from: Moment | null; readonly to: Moment | null };

/** A journal that is ready to be read, page by page; nothing is open between two pages. */
export type Journal = {
  /** Legs in the order of posting: each account's by version, without a gap in the period. */
  readonly entries: () => AsyncGenerator<readonly JournalEntry[]>;
  /** The accounts of the books, by code and currency; each code once or, in several currencies, several times. */
  readonly accounts: () => AsyncGenerator<readonly { readonly code: string; readonly currency: Currency }[]>;
};

/** A posting has been open for so long that the export cannot be sure to be complete. */
export type LedgerBusy = { type: "ledger_busy" };

/** So many legs are in memory at a time: some 500 kB. */
const pageSize = 1_000;
const horizonPollMs = 20;

/**
 * Opens an export of the journal up to a horizon taken now: everything that was committed before the call is in it, and
 * whatever is posted while it is read is not, so that it is one cut through the books, in which every account has all
 * its entries up to one of them. Nothing will ever join what is below the horizon, because it waits for those who are
 * posting at this moment, at most `waitMs` milliseconds; it is refused where one of them takes longer.
 */
export async function openJournal(
  context: LedgerContext,
  period: JournalPeriod,
  waitMs = 5_000,
): Promise<Result<Journal, LedgerBusy>> {
  const { database } = context;
  const untilMs = performance.now() + waitMs;
  const [horizon] = await statements.readExportHorizon.run(undefined, database);
  if (horizon === undefined) throw new Error("the ledger has no horizon");
  const { batch, posting } = horizon;
  while (posting.length > 0) {
    const [row] = await statements.isStillPosting.run({ posting }, database);
    if (row?.still !== true) break;
    if (performance.now() > untilMs) return refuse({ type: "ledger_busy" });
    await sleep(horizonPollMs);
  }
  return accept({
    entries: () => readEntries(context, period, batch),
    accounts: () => readAccounts(context),
  });
}

async function* readEntries(context: LedgerContext, period: JournalPeriod, horizon: bigint) {
  const { tenant, database } = context;
  const bounds = { tenant, horizon, to: period.to ?? "infinity", limit: pageSize };
  let after = { afterAt: period.from ?? "-infinity", afterBatch: 0n, afterId: 0n, afterLeg: 0 };
  for (;;) {
    const rows = await statements.listJournal.run({ ...bounds, ...after }, database);
    if (rows.length > 0) yield rows.map(entryOf);
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) return;
    const { postedAt, batch, transactionId, leg } = last;
    after = { afterAt: postedAt, afterBatch: batch, afterId: transactionId, afterLeg: leg };
  }
}

async function* readAccounts(context: LedgerContext) {
  let after: { code: string; currency: string } | null = null;
  do {
    const page: Awaited<ReturnType<typeof listAccounts>> = await listAccounts(context, {
      prefix: "",
      after,
      asOf: null,
      limit: pageSize,
    });
    yield page.accounts;
    after = page.next;
  } while (after !== null);
}

function entryOf(row: statements.ListJournalResult): JournalEntry {
  const { batch: _batch, transactionId, currency, amount, balance, ...facts } = row;
  const money = (amountMinor: bigint): Money => ({ amountMinor, currency: currency as Currency });
  return { ...facts, transactionId: transactionId.toString(), amount: money(amount), balance: money(balance) };
}
