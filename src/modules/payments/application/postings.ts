import type { Currency } from "../../../kernel/currency.ts";
import { accountCodes, type Leg, type TransactionDraft } from "../../ledger/index.ts";
import type { Part } from "../domain/returns.ts";
import type { FundsState } from "./change-payment.ts";

/** Whose sale it is where a payment names no seller: the marketplace's own. */
const ownSeller = "platform";

/** The account that a payment's seller is credited on. */
export function sellerAccount(sellerId: string | null): string {
  return accountCodes.sellerAvailable(sellerId ?? ownSeller);
}

/** The reference under which the sale of a payment is posted, as `payments.post_sales` writes it. */
export const saleReference = (paymentId: string): string => `payment:${paymentId}`;

/** A sale as `payments.post_sales` posts it in the settle commit: what the audit compares with. */
export function saleDraft(
  state: FundsState,
  sale: { readonly capturedMinor: bigint; readonly feeMinor: bigint; readonly intentId: string | null },
): TransactionDraft {
  const { paymentId, gateway, currency } = state;
  const part = { amountMinor: -sale.capturedMinor, feeMinor: -sale.feeMinor };
  return {
    kind: "sale",
    reference: saleReference(paymentId),
    externalId: sale.intentId,
    effectiveAt: null,
    holdId: null,
    legs: [leg(accountCodes.clearing(gateway), sale.capturedMinor, currency), ...sharesOf(state, part)],
    shortfall: null,
  };
}

/**
 * Money goes back to the buyer: out of the seller's share and the commission. With a hold it was reserved before; what
 * the gateway did without asking us is borne by the seller's debt where their balance does not cover it.
 */
export function refundDraft(
  state: FundsState,
  refundId: string,
  part: Part,
  gatewayRefundId: string | null,
  holdId: bigint | null,
): TransactionDraft {
  return {
    kind: "refund",
    reference: `refund:${refundId}`,
    externalId: gatewayRefundId,
    effectiveAt: null,
    holdId: holdId?.toString() ?? null,
    legs: [...sharesOf(state, part), leg(accountCodes.clearing(state.gateway), -part.amountMinor, state.currency)],
    shortfall: holdId === null ? accountCodes.sellerReceivable(state.sellerId ?? ownSeller) : null,
  };
}

/** A refund that had been confirmed has failed after all: the money is with us again. */
export function refundReversalDraft(
  state: FundsState,
  refundId: string,
  part: Part,
  gatewayRefundId: string,
): TransactionDraft {
  const refund = refundDraft(state, refundId, part, gatewayRefundId, null);
  return {
    ...refund,
    kind: "refund_reversal",
    reference: `refund_reversal:${refundId}`,
    legs: refund.legs.map(({ account, amount }) => leg(account, -amount.amountMinor, amount.currency)),
    shortfall: null,
  };
}

/** A buyer disputes a payment: the gateway has taken the money back until the bank decides. */
export function disputeDraft(state: FundsState, disputeId: string, amountMinor: bigint): TransactionDraft {
  return {
    kind: "dispute",
    reference: `dispute:${disputeId}`,
    externalId: disputeId,
    effectiveAt: null,
    holdId: null,
    legs: [
      leg(accountCodes.disputed(state.gateway), amountMinor, state.currency),
      leg(accountCodes.clearing(state.gateway), -amountMinor, state.currency),
    ],
    shortfall: null,
  };
}

/** A dispute was won: the gateway gives the money to us again. */
export function disputeReversalDraft(state: FundsState, disputeId: string, amountMinor: bigint): TransactionDraft {
  return {
    ...disputeDraft(state, disputeId, amountMinor),
    kind: "dispute_reversal",
    reference: `dispute_reversal:${disputeId}`,
    legs: disputeDraft(state, disputeId, -amountMinor).legs.toReversed(),
  };
}

/**
 * A dispute was lost: seller and commission bear what of it counts against the payment, the seller by a debt where
 * their balance does not cover it; what was disputed beyond that is the marketplace's loss.
 */
export function chargebackDraft(
  state: FundsState,
  disputeId: string,
  borne: Part,
  disputedMinor: bigint,
): TransactionDraft {
  const { currency, gateway, sellerId } = state;
  return {
    kind: "chargeback",
    reference: `chargeback:${disputeId}`,
    externalId: disputeId,
    effectiveAt: null,
    holdId: null,
    legs: [
      ...sharesOf(state, borne),
      ...legIf(accountCodes.losses, disputedMinor - borne.amountMinor, currency),
      leg(accountCodes.disputed(gateway), -disputedMinor, currency),
    ],
    shortfall: accountCodes.sellerReceivable(sellerId ?? ownSeller),
  };
}

function sharesOf({ sellerId, currency }: FundsState, { amountMinor, feeMinor }: Part): Leg[] {
  return [
    ...legIf(sellerAccount(sellerId), amountMinor - feeMinor, currency),
    ...legIf(accountCodes.commission, feeMinor, currency),
  ];
}

function leg(account: string, amountMinor: bigint, currency: Currency): Leg {
  return { account, amount: { amountMinor, currency } };
}

/** No leg where there is nothing to move: the vault takes none of zero. */
function legIf(account: string, amountMinor: bigint, currency: Currency): Leg[] {
  return amountMinor === 0n ? [] : [leg(account, amountMinor, currency)];
}
