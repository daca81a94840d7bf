import { csvField } from "../../../kernel/csv.ts";
import { toDecimal } from "../../../kernel/money.ts";
import type { Journal, JournalEntry } from "./export-journal.ts";

const columns = [
  "transaction_id",
  "leg",
  "posted_at",
  "effective_at",
  "kind",
  "reference",
  "external_id",
  "account",
  "currency",
  "direction",
  "amount",
  "balance",
  "version",
];

/** The journal as CSV (RFC 4180): a header, and a row for each leg. A chunk of text for each page. */
export async function* csvOf(journal: Journal): AsyncGenerator<string> {
  yield `${columns.join(",")}\r\n`;
  for await (const page of journal.entries()) yield page.map(rowOf).join("");
}

function rowOf({ amount, balance, ...entry }: JournalEntry): string {
  const size = amount.amountMinor < 0n ? { ...amount, amountMinor: -amount.amountMinor } : amount;
  const fields = [
    entry.transactionId,
    entry.leg,
    entry.postedAt,
    entry.effectiveAt ?? "",
    csvField(entry.kind),
    csvField(entry.reference),
    csvField(entry.externalId ?? ""),
    csvField(entry.code),
    amount.currency,
    amount.amountMinor > 0n ? "debit" : "credit",
    toDecimal(size),
    toDecimal(balance),
    entry.version,
  ];
  return `${fields.join(",")}\r\n`;
}
