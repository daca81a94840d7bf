import { type Currency, parseCurrency } from "../../../kernel/currency.ts";
import { type AmountRefusal, type Money, parseAmount } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { clearingSign, type LineKind } from "./lines.ts";

/** Why the two sides do not agree about one gateway object. */
export const exceptionReasons = [
  "missing_here",
  "missing_at_gateway",
  "amount_differs",
  "currency_differs",
  "duplicate_at_gateway",
  "duplicate_here",
] as const;
export type ExceptionReason = (typeof exceptionReasons)[number];

/** What one side has of a gateway object. */
export type Side = {
  /** How many lines. */
  readonly count: number;
  /** What they add up to, corrections included; null where there are none, or in several currencies. */
  readonly amount: Money | null;
  readonly occurredAt: Date | null;
  /** At most ten: lines of the gateway's report, or transactions of our ledger. */
  readonly ids: readonly string[];
};

export type Resolution = {
  readonly note: string;
  readonly posting: "none" | "suggested" | "custom";
  readonly transactionId: string | null;
  readonly resolvedBy: string;
  readonly resolvedAt: Date;
};

/** Something that did not agree, numbered within its run. */
export type Exception = {
  readonly number: number;
  readonly reason: ExceptionReason;
  readonly kind: LineKind;
  readonly gatewayId: string;
  readonly gatewaySide: Side;
  readonly ledgerSide: Side;
  /** The counterpart may be in the report before or after this one. */
  readonly atBorder: boolean;
  readonly resolution: Resolution | null;
};

/** One leg of a posting: a debit where the amount is positive, a credit where it is negative. */
export type PostingLeg = { readonly account: string; readonly amount: Money };

/** The accounts that postings of a reconciliation go between. */
export type PostingAccounts = { readonly clearing: string; readonly suspense: string };

/**
 * The posting that makes our side what the gateway says: the difference, in each currency, between the clearing account
 * and the suspense account, where it stays until somebody has explained it. Null for duplicates, where only a person
 * can say which line is right.
 */
export function suggestedPosting(exception: Exception, accounts: PostingAccounts): PostingLeg[] | null {
  const { reason, kind, gatewaySide, ledgerSide } = exception;
  if (reason === "duplicate_at_gateway" || reason === "duplicate_here") return null;
  const differences = new Map<Currency, bigint>();
  const add = (amount: Money | null, sign: bigint) => {
    if (amount === null) return;
    const { currency, amountMinor } = amount;
    differences.set(currency, (differences.get(currency) ?? 0n) + amountMinor * sign * clearingSign(kind));
  };
  add(gatewaySide.amount, 1n);
  add(ledgerSide.amount, -1n);
  const legs = [...differences]
    .filter(([, amountMinor]) => amountMinor !== 0n)
    .flatMap(([currency, amountMinor]) => [
      { account: accounts.clearing, amount: { amountMinor, currency } },
      { account: accounts.suspense, amount: { amountMinor: -amountMinor, currency } },
    ]);
  return legs.length === 0 ? null : legs;
}

/** What a posting does to the clearing account in each currency, as lines of the kind count. */
export function correctionsOf(legs: readonly PostingLeg[], clearing: string, kind: LineKind): Money[] {
  const sums = new Map<Currency, bigint>();
  for (const { account, amount } of legs) {
    if (account !== clearing) continue;
    sums.set(amount.currency, (sums.get(amount.currency) ?? 0n) + amount.amountMinor * clearingSign(kind));
  }
  return [...sums].filter(([, sum]) => sum !== 0n).map(([currency, amountMinor]) => ({ currency, amountMinor }));
}

/** A leg as a request writes it: either side, as decimals in the currency's major unit. */
export type WrittenLeg = {
  readonly account: string;
  readonly currency: string;
  readonly debit?: string | undefined;
  readonly credit?: string | undefined;
};

export type LegRefusal = (AmountRefusal | { type: "currency_unknown" } | { type: "leg_needs_one_side" }) & {
  readonly leg: number;
};

/** Reads the legs of a posting; refuses the first that is none. Whether they balance is for the ledger to say. */
export function readLegs(written: readonly WrittenLeg[]): Result<PostingLeg[], LegRefusal> {
  const legs: PostingLeg[] = [];
  for (const [place, { account, currency: code, debit, credit }] of written.entries()) {
    const currency = parseCurrency(code);
    if (currency === undefined) return refuse({ type: "currency_unknown", leg: place });
    const text = debit ?? credit;
    if (text === undefined || (debit !== undefined && credit !== undefined)) {
      return refuse({ type: "leg_needs_one_side", leg: place });
    }
    const parsed = parseAmount(text, currency);
    if (!parsed.ok) return refuse({ ...parsed.refusal, leg: place });
    const { amountMinor } = parsed.value;
    legs.push({ account, amount: { amountMinor: debit === undefined ? -amountMinor : amountMinor, currency } });
  }
  return accept(legs);
}
