import type Stripe from "stripe";
import type { SettlementLine, SettlementPage, SettlementRequest } from "../../../movements/ports.ts";
import { fromStripeUnits } from "./amounts.ts";
import { idOf, readCurrency } from "./objects.ts";

type Source = Stripe.Charge | Stripe.Refund | Stripe.Dispute;

/**
 * The objects that lines of each `reporting_category` are about; `type` is coarser and splits cards from the rest
 * (https://docs.stripe.com/reports/reporting-categories). Other categories (fees, payouts, transfers, failed refunds)
 * are no lines of the port.
 */
const sourceOfCategory = {
  charge: "charge",
  refund: "refund",
  dispute: "dispute",
  dispute_reversal: "dispute",
} as const satisfies Record<SettlementLine["kind"], string>;

/** Stripe counts in whole seconds: those in which what lies in [from, to) began. */
export function rangeOf({ from, to }: SettlementRequest): { gte: number; lt: number } {
  return { gte: Math.ceil(from.getTime() / 1000), lt: Math.ceil(to.getTime() / 1000) };
}

function kindOf(category: string): SettlementLine["kind"] | undefined {
  return Object.hasOwn(sourceOfCategory, category) ? (category as SettlementLine["kind"]) : undefined;
}

/**
 * What moved, in the payment's currency: where Stripe settles in another one, the transaction's own amount is what it
 * was converted to. A charge that was captured in part has a line of all that was authorized and another that takes
 * back the rest (`partial_capture_reversal`, no line of ours), so what counts is what the charge says was captured.
 */
function amountOf(transaction: Stripe.BalanceTransaction, source: Source) {
  const currency = readCurrency(source.currency);
  const converted = transaction.currency !== source.currency;
  const units = source.object === "charge" ? source.amount_captured : converted ? source.amount : transaction.amount;
  return fromStripeUnits(BigInt(Math.abs(units)), currency);
}

/** Nothing where the transaction is no line of the port, or of a charge that no payment intent made. */
function readLine(transaction: Stripe.BalanceTransaction): SettlementLine | undefined {
  const kind = kindOf(transaction.reporting_category);
  const source = transaction.source as Source | string | null;
  if (kind === undefined || source === null) return undefined;
  if (typeof source === "string" || source.object !== sourceOfCategory[kind]) {
    throw new TypeError(`Stripe did not show what its transaction ${transaction.id} is about`);
  }
  const intentId = idOf(source.payment_intent);
  if (intentId === null) return undefined;
  return {
    id: transaction.id,
    kind,
    intentId,
    sourceId: kind === "charge" ? null : source.id,
    amount: amountOf(transaction, source),
    occurredAt: new Date(transaction.created * 1000),
  };
}

/** Throws where a line is in a currency that we do not know: leaving it out would hide money. */
export function readSettlementPage({
  data,
  has_more,
}: {
  readonly data: readonly Stripe.BalanceTransaction[];
  readonly has_more: boolean;
}): SettlementPage {
  const lines = data.map(readLine).filter((line) => line !== undefined);
  return { type: "page", lines, nextCursor: has_more ? (data.at(-1)?.id ?? null) : null };
}
