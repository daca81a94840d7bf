import { accept, type Result, refuse } from "../../../kernel/result.ts";

/**
 * What a payment's money did, in minor units of its currency. What is returned has been refunded, is being refunded,
 * or is disputed and not won; its fee part comes out of the commission, the rest out of the seller's share.
 */
export type Funds = {
  readonly capturedMinor: bigint;
  readonly feeMinor: bigint;
  readonly returnedMinor: bigint;
  readonly returnedFeeMinor: bigint;
  /** The part of what is returned that is refunds the gateway has not confirmed yet. */
  readonly refundingMinor: bigint;
  /** The part that is refunds the gateway has confirmed. */
  readonly refundedMinor: bigint;
};

/** The commission on an amount in minor units, half up; the seller's share is the rest. */
export function commissionOf(amountMinor: bigint, basisPoints: number): bigint {
  return (amountMinor * BigInt(basisPoints) + 5_000n) / 10_000n;
}

/**
 * The commission's part of giving so much back. It is what the commission on everything returned comes to (half up, in
 * proportion), less what was returned of it before: so a full refund in any number of parts ends at zero. It never
 * takes more from either side than that side has left, also where a refund in between has failed.
 */
export function feePartOf(funds: Funds, amountMinor: bigint): bigint {
  const { capturedMinor, feeMinor, returnedMinor, returnedFeeMinor } = funds;
  const inAll = ((returnedMinor + amountMinor) * feeMinor * 2n + capturedMinor) / (capturedMinor * 2n);
  const feeLeft = feeMinor - returnedFeeMinor;
  const shareLeft = capturedMinor - feeMinor - (returnedMinor - returnedFeeMinor);
  const least = greaterOf(0n, amountMinor - shareLeft);
  const most = lesserOf(amountMinor, feeLeft);
  return lesserOf(most, greaterOf(least, inAll - returnedFeeMinor));
}

/** What can still go back. */
export function leftOf(funds: Funds): bigint {
  return funds.capturedMinor - funds.returnedMinor;
}

/** How much goes back, and the commission's part of it. */
export type Part = { readonly amountMinor: bigint; readonly feeMinor: bigint };

/** Counts an amount as returned. The caller has made sure that so much is left. */
export function giveBack(funds: Funds, { amountMinor, feeMinor }: Part): Funds {
  return {
    ...funds,
    returnedMinor: funds.returnedMinor + amountMinor,
    returnedFeeMinor: funds.returnedFeeMinor + feeMinor,
  };
}

/** Takes an amount back that was counted as returned: the refund failed, or the dispute was won. */
export function takeBack(funds: Funds, { amountMinor, feeMinor }: Part): Funds {
  return giveBack(funds, { amountMinor: -amountMinor, feeMinor: -feeMinor });
}

export type RefundSizeRefusal = { type: "payment_not_refundable" } | { type: "refund_exceeds_payment" };

/** Sizes a refund: `asked` is null for all that is left. */
export function sizeRefund(funds: Funds, asked: bigint | null): Result<Part, RefundSizeRefusal> {
  if (funds.capturedMinor === 0n) return refuse({ type: "payment_not_refundable" });
  const left = leftOf(funds);
  const amountMinor = asked ?? left;
  if (amountMinor <= 0n || amountMinor > left) return refuse({ type: "refund_exceeds_payment" });
  return accept({ amountMinor, feeMinor: feePartOf(funds, amountMinor) });
}

/** The lesser of two amounts. */
export function lesserOf(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}

function greaterOf(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}
