import { type Currency, parseCurrency } from "../../../kernel/currency.ts";
import { parseAmount } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { type Line, type LineKind, lineKinds } from "./lines.ts";
import { readTime } from "./times.ts";

/** Why a line of a file is not taken: a sentence that says what to do. */
export type LineRefusal = { type: "line_malformed"; detail: string };

/** Reads the records below a header; null for a line that is about no payment. */
export type RecordReader = (fields: readonly string[]) => Result<Line | null, LineRefusal>;

type Columns<Name extends string> = (name: Name) => string;

const ownColumns = ["id", "kind", "intent_id", "source_id", "amount", "currency", "occurred_at"] as const;

/** Of Stripe's itemized balance report (docs.stripe.com/reports/report-types/balance). */
const stripeColumns = [
  "balance_transaction_id",
  "reporting_category",
  "payment_intent_id",
  "source_id",
  "gross",
  "currency",
  "created_utc",
] as const;

/** What a buyer saw, where Stripe converted it: reports have these columns unless they were left out. */
const stripeExtras = ["customer_facing_amount", "customer_facing_currency"] as const;

/**
 * Reads the header of a settlement file, which says what form it has: our own columns, or those of Stripe's itemized
 * balance report. Columns may stand in any order, and further ones are not looked at.
 */
export function readHeader(header: readonly string[]): Result<RecordReader, LineRefusal> {
  const names = header.map((name) => name.trim().toLowerCase());
  const doubled = names.find((name, place) => names.indexOf(name) !== place);
  if (doubled !== undefined) return malformed(`The column ${doubled} is there twice. Take one of them out.`);
  const isStripe = names.includes("balance_transaction_id");
  const needed: readonly string[] = isStripe ? stripeColumns : ownColumns;
  const missing = needed.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    const or = isStripe ? "" : " A report of Stripe's needs the column balance_transaction_id.";
    return malformed(`The header lacks ${missing.join(", ")}. The columns are ${needed.join(", ")}.${or}`);
  }
  const places = new Map(names.map((name, place) => [name, place]));
  return accept((fields) => {
    if (fields.length !== names.length) {
      return malformed(
        `There are ${fields.length} fields, and the header has ${names.length}. Quote fields with commas.`,
      );
    }
    const column = (name: string) => fields[places.get(name) ?? -1] ?? "";
    return isStripe ? readStripeRecord(column) : readOwnRecord(column);
  });
}

function readOwnRecord(column: Columns<(typeof ownColumns)[number]>): Result<Line | null, LineRefusal> {
  const kind = lineKinds.find((known) => known === column("kind"));
  if (kind === undefined)
    return malformed(`kind must be one of ${lineKinds.join(", ")}, not ${shown(column("kind"))}.`);
  const idColumn = kind === "charge" ? "intent_id" : "source_id";
  const currency = parseCurrency(column("currency"));
  if (currency === undefined) return malformed(`currency must be an ISO 4217 code in capitals, such as USD.`);
  const amount = readAmount("amount", column("amount"), currency, 1n);
  if (!amount.ok) return amount;
  return makeLine({
    id: column("id"),
    idColumn: "id",
    kind,
    gatewayId: column(idColumn),
    gatewayIdColumn: idColumn,
    amount: { amountMinor: amount.value, currency },
    at: column("occurred_at"),
    atColumn: "occurred_at",
    isPart: false,
  });
}

/** Which way each category moves the balance; the other categories (fees, payouts, transfers) are about no payment. */
const stripeCategories: Readonly<Record<string, { kind: LineKind; sign: bigint; isPart: boolean } | undefined>> = {
  charge: { kind: "charge", sign: 1n, isPart: false },
  // Of a charge that was captured in part there is a line of all that was authorized, and this one of the rest.
  partial_capture_reversal: { kind: "charge", sign: 1n, isPart: true },
  refund: { kind: "refund", sign: -1n, isPart: false },
  refund_failure: { kind: "refund", sign: -1n, isPart: true },
  dispute: { kind: "dispute", sign: -1n, isPart: false },
  dispute_reversal: { kind: "dispute_reversal", sign: 1n, isPart: false },
};

function readStripeRecord(
  column: Columns<(typeof stripeColumns)[number] | (typeof stripeExtras)[number]>,
): Result<Line | null, LineRefusal> {
  const category = column("reporting_category");
  if (category === "") return malformed("reporting_category is empty. Export the report anew.");
  const about = Object.hasOwn(stripeCategories, category) ? stripeCategories[category] : undefined;
  if (about === undefined) return accept(null);
  // A gross amount is in the currency that we are paid out in; what the buyer paid in is what our ledger has.
  const isConverted =
    column("customer_facing_currency") !== "" && column("customer_facing_currency") !== column("currency");
  const [amountColumn, currencyColumn] = isConverted ? stripeExtras : (["gross", "currency"] as const);
  const currency = parseCurrency(column(currencyColumn).toUpperCase());
  if (currency === undefined) return malformed(`${currencyColumn} must be an ISO 4217 code, such as usd.`);
  const gross = readAmount("gross", column("gross"), null, about.isPart ? -about.sign : about.sign);
  if (!gross.ok) return gross;
  const written = column(amountColumn);
  const amount = readAmount(amountColumn, written.replace(/^-/, ""), currency, 1n);
  if (!amount.ok) return amount;
  const isCharge = about.kind === "charge";
  // A charge that no payment intent made has no counterpart here, which is what shall be told.
  const usesIntent = isCharge && column("payment_intent_id") !== "";
  return makeLine({
    id: column("balance_transaction_id"),
    idColumn: "balance_transaction_id",
    kind: about.kind,
    gatewayId: column(usesIntent ? "payment_intent_id" : "source_id"),
    gatewayIdColumn: isCharge ? "payment_intent_id" : "source_id",
    amount: { amountMinor: about.isPart ? -amount.value : amount.value, currency },
    at: column("created_utc"),
    atColumn: "created_utc",
    isPart: about.isPart,
  });
}

type RawLine = Omit<Line, "occurredAt"> & {
  readonly idColumn: string;
  readonly gatewayIdColumn: string;
  readonly at: string;
  readonly atColumn: string;
};

function makeLine(raw: RawLine): Result<Line, LineRefusal> {
  const { id, kind, gatewayId, amount, isPart } = raw;
  for (const [name, value] of [
    [raw.idColumn, id],
    [raw.gatewayIdColumn, gatewayId],
  ] as const) {
    if (!/^[\x21-\x7e]{1,255}$/.test(value)) {
      return malformed(`${name} must be 1 to 255 visible characters without spaces, not ${shown(value)}.`);
    }
  }
  const time = readTime(raw.at);
  if (time === null) {
    return malformed(`${raw.atColumn} must be a time such as 2026-01-31T12:00:00Z, not ${shown(raw.at)}.`);
  }
  return accept({ id, kind, gatewayId, amount, occurredAt: time.toISOString(), isPart });
}

/** Minor units; without a currency only the sign is judged. Refuses an amount that goes the other way. */
function readAmount(
  column: string,
  text: string,
  currency: Currency | null,
  sign: bigint,
): Result<bigint, LineRefusal> {
  const isNegative = text.startsWith("-");
  if (/^-?[0-9.]+$/.test(text) && isNegative !== sign < 0n) {
    return malformed(`${column} must be ${sign < 0n ? "negative" : "positive"} here, not ${shown(text)}.`);
  }
  if (currency === null) return accept(0n);
  const parsed = parseAmount(isNegative ? text.slice(1) : text, currency);
  if (!parsed.ok) {
    return malformed(
      `${column} must be an amount of ${currency} in its major unit, such as 12.50, not ${shown(text)}.`,
    );
  }
  return accept(parsed.value.amountMinor);
}

function shown(text: string): string {
  return text === "" ? "empty" : `"${text.length > 40 ? `${text.slice(0, 40)}…` : text}"`;
}

function malformed(detail: string): { ok: false; refusal: LineRefusal } {
  return refuse({ type: "line_malformed", detail });
}
