import type { Money } from "../../../kernel/money.ts";

/** What a line is about: the gateway's words, which our side is translated to. */
export const lineKinds = ["charge", "refund", "dispute", "dispute_reversal"] as const;
export type LineKind = (typeof lineKinds)[number];

/**
 * One line of either side, ready to be compared: by kind and gateway id. The amount counts in the direction of the
 * kind, so that it is positive as a rule, whichever way the money moved.
 */
export type Line = {
  readonly id: string;
  readonly kind: LineKind;
  /** The intent of a charge (pi_…), the refund (re_…) or the dispute (dp_…) otherwise. */
  readonly gatewayId: string;
  readonly amount: Money;
  /** RFC 3339. */
  readonly occurredAt: string;
  /** It takes back some of another line and is none of its own: a refund that failed, a capture that took less. */
  readonly isPart: boolean;
};

/** A line of the gateway's report, as the gateway's port has it. */
type ReportedLine = {
  readonly id: string;
  readonly kind: LineKind;
  readonly intentId: string;
  readonly sourceId: string | null;
  readonly amount: Money;
  readonly occurredAt: Date;
};

export function lineOfReport({ id, kind, intentId, sourceId, amount, occurredAt }: ReportedLine): Line {
  const gatewayId = kind === "charge" ? intentId : (sourceId ?? intentId);
  return { id, kind, gatewayId, amount, occurredAt: occurredAt.toISOString(), isPart: false };
}

/** One entry of the clearing account, as the ledger tells of it. */
export type LedgerMovement = {
  readonly transactionId: string;
  readonly kind: string;
  readonly reference: string;
  /** The gateway's id of what moved the money. */
  readonly externalId: string | null;
  /** A debit is positive, a credit negative. */
  readonly amount: Money;
  /** RFC 3339. */
  readonly postedAt: string;
  /** Where what happened belongs to another time than its posting. */
  readonly effectiveAt: string | null;
};

type Counterpart = { readonly kind: LineKind; readonly sign: bigint; readonly isPart: boolean };

/** What the ledger's transactions are at the gateway, and which way they move the clearing account. */
const kindsOfLedger: Readonly<Record<string, Counterpart | undefined>> = {
  sale: { kind: "charge", sign: 1n, isPart: false },
  refund: { kind: "refund", sign: -1n, isPart: false },
  // A refund that failed after it had been confirmed. Reports may leave both of it out, or show only the refund.
  refund_reversal: { kind: "refund", sign: -1n, isPart: true },
  dispute: { kind: "dispute", sign: -1n, isPart: false },
  dispute_reversal: { kind: "dispute_reversal", sign: 1n, isPart: false },
};

/**
 * The line that an entry of the clearing account is; null where a settlement report has no line for it: payouts to our
 * bank, and adjustments, which are looked up where they were made.
 */
export function lineOfMovement(movement: LedgerMovement): Line | null {
  const counterpart = Object.hasOwn(kindsOfLedger, movement.kind) ? kindsOfLedger[movement.kind] : undefined;
  if (counterpart === undefined) return null;
  const { amount } = movement;
  return {
    id: movement.transactionId,
    kind: counterpart.kind,
    // Without the gateway's id it can have no counterpart, and is told as missing at the gateway by its reference.
    gatewayId: movement.externalId ?? movement.reference,
    amount: { amountMinor: amount.amountMinor * counterpart.sign, currency: amount.currency },
    occurredAt: movement.effectiveAt ?? movement.postedAt,
    isPart: counterpart.isPart,
  };
}

/** Which way money of a kind moves the clearing account: 1 debits it, -1 credits it. */
export function clearingSign(kind: LineKind): 1n | -1n {
  return kind === "charge" || kind === "dispute_reversal" ? 1n : -1n;
}
