import type { Money } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";

/** The states of a payout, in the words of the pagos contract: they are stored and published so. */
export const estados = ["PENDIENTE", "PROCESANDO", "EXITOSO", "FALLIDO"] as const;
export type Estado = (typeof estados)[number];

/** Who is paid: an affiliate out of what was set apart at the gateway, a seller out of their available balance. */
export type Recipient = { readonly kind: "affiliate" | "seller"; readonly id: string };

/** Why a payout was not made. `code` is stable and snake_case, `message` is a sentence. */
export type PayoutFailure = { readonly code: string; readonly message: string };

/** What every payout has, whatever became of it. */
export type PayoutFacts = {
  readonly id: string;
  readonly recipient: Recipient;
  readonly amount: Money;
  readonly createdAt: Date;
};

/** Wanted, and nothing was reserved for it yet: a line of a batch that has not begun. */
export type PendingPayout = PayoutFacts & { readonly status: "PENDIENTE" };
/** Its money is reserved, or was found missing, and the gateway may have paid it. */
export type ProcessingPayout = PayoutFacts & { readonly status: "PROCESANDO" };
export type PaidPayout = PayoutFacts & {
  readonly status: "EXITOSO";
  /** The gateway's own id of the payout. */
  readonly gatewayReference: string;
  readonly processedAt: Date;
};
export type FailedPayout = PayoutFacts & {
  readonly status: "FALLIDO";
  readonly failure: PayoutFailure;
  readonly processedAt: Date;
};

/** The aggregate: PENDIENTE → PROCESANDO → EXITOSO | FALLIDO. */
export type Payout = PendingPayout | ProcessingPayout | PaidPayout | FailedPayout;

/** A payout that has been processed is not processed again. */
export type MoveRefusal = { type: "payout_not_pending" | "payout_not_processing"; status: Estado };

/** What a gateway decided for good. */
export type Verdict =
  | { readonly type: "succeeded"; readonly gatewayReference: string }
  | ({ readonly type: "declined" } & PayoutFailure);

/** A payout that somebody wants. */
export function requestPayout(facts: PayoutFacts): PendingPayout {
  return { ...facts, status: "PENDIENTE" };
}

/** Begins to process a payout. Refuses every one that has begun. */
export function beginPayout(payout: Payout): Result<ProcessingPayout, MoveRefusal> {
  if (payout.status !== "PENDIENTE") return refuse({ type: "payout_not_pending", status: payout.status });
  return accept({ ...payout, status: "PROCESANDO" });
}

/** Ends a payout under way with what the gateway decided. Refuses one that has not begun or has ended. */
export function settlePayout(
  payout: Payout,
  verdict: Verdict,
  processedAt: Date,
): Result<PaidPayout | FailedPayout, MoveRefusal> {
  if (payout.status !== "PROCESANDO") return refuse({ type: "payout_not_processing", status: payout.status });
  if (verdict.type === "succeeded") {
    return accept({ ...payout, status: "EXITOSO", gatewayReference: verdict.gatewayReference, processedAt });
  }
  const failure = { code: verdict.code, message: verdict.message };
  return accept({ ...payout, status: "FALLIDO", failure, processedAt });
}

/**
 * What a payout is called at the gateway and on its recipient's statement ("ref_…"): ours and known from the start, so
 * that it is the same whatever became of the payout.
 */
export function payoutReference(payoutId: string): string {
  return `ref_${payoutId.replaceAll("-", "")}`;
}

/**
 * Why nothing was paid where the money for it is not there. Sellers have a code of their own, which no gateway says:
 * it is their balance here that is too low.
 */
export function lackOfFunds({ kind }: Recipient): PayoutFailure {
  return kind === "affiliate"
    ? { code: "insufficient_funds", message: "Fondos insuficientes" }
    : { code: sellerLacksFunds, message: "The seller's available balance does not cover the payout." };
}

/** The code of a seller's payout that their available balance did not cover. */
export const sellerLacksFunds = "seller_balance_insufficient";
