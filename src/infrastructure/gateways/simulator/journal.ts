import { DatabaseSync } from "node:sqlite";

/** One line of what the simulated gateway did with money; `amountMinor` is of `currency`, `at` is when. */
export type JournalEntry = {
  /** Counts up in the order in which lines were booked. */
  readonly n: number;
  /** A cancel is no money: it says what was not taken. A dispute takes back, and its reversal gives back again. */
  readonly kind: "charge" | "refund" | "cancel" | "dispute" | "dispute_reversal" | "bill_payment" | "payout";
  /** Null where money was paid out. */
  readonly intent: number | null;
  /** The number of the refund, of the dispute, or of what was paid out; null for the other kinds. */
  readonly source: number | null;
  /** Of a payout, the payout's id. */
  readonly paymentId: string;
  /** Who was paid; null where it is no payout. */
  readonly recipient: string | null;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly at: Date;
};

type Row = Omit<JournalEntry, "amountMinor" | "at"> & { amount: number; at: number };

/**
 * The journal as it is on the disk, oldest first; with a payment id only that payment's lines. It reads every line
 * (there is no index that the hot path would have to pay for), so it is for tests and for looking, not for serving.
 */
export function journalEntries(database: DatabaseSync, paymentId?: string): JournalEntry[] {
  const rows = database
    .prepare(
      `select n, kind, intent, source, payment_id as paymentId, recipient, amount, currency, at from journal
        where ?1 is null or payment_id = ?1 order by n`,
    )
    .all(paymentId ?? null) as Row[];
  return rows.map(({ amount, at, ...line }) => ({ ...line, amountMinor: BigInt(amount), at: new Date(at) }));
}

/**
 * Reads the journal of a simulated gateway whose process may be running or dead: the independent witness of what was
 * charged and paid out. Throws where there is no such file, or where it is an earlier version's that was not opened
 * since.
 */
export function readSimulatorJournal(path: string): JournalEntry[] {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    return journalEntries(database);
  } finally {
    database.close();
  }
}
