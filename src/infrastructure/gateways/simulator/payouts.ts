import type { CreatePayoutRequest, GatewayFailure, PayoutGateway } from "../../../movements/ports.ts";
import { amountNotSupported, type Disbursement, disburse, findDisbursement, isSupported } from "./disbursements.ts";
import type { Engine } from "./engine.ts";
import { type Fault, faultOfDisbursement } from "./magic-amounts.ts";
import type { Wire } from "./wire.ts";

/** A call as the `faults` hook of a test sees it. */
export type PayoutCall =
  | { readonly operation: "payout"; readonly request: CreatePayoutRequest }
  | { readonly operation: "find_payout"; readonly request: Pick<CreatePayoutRequest, "attemptId" | "payoutId"> };

export type PayoutOptions = {
  /** The probability with which a payout is declined ("Fondos insuficientes"); 0 unless said otherwise. */
  readonly payoutFailureRate?: number | undefined;
  /** As that of bills. */
  readonly random?: (() => number) | undefined;
};

type Faults = { readonly faults?: ((call: PayoutCall) => Fault | undefined) | undefined };

/** In Spanish, because the affiliates read it: the contract of payouts passes the gateway's sentence on. */
const insufficientFunds = { code: "insufficient_funds", message: "Fondos insuficientes" } as const;

/** The simulator as a gateway that pays affiliates and sellers out, and fails by chance as often as it is told. */
export function createPayouts(
  engine: Engine,
  wire: Wire,
  { faults, random = Math.random, payoutFailureRate = 0 }: PayoutOptions & Faults,
): PayoutGateway {
  function decide(fault: Fault | undefined): GatewayFailure | undefined {
    if (fault !== undefined) return fault === "declined" ? insufficientFunds : undefined;
    return payoutFailureRate > 0 && random() < payoutFailureRate ? insufficientFunds : undefined;
  }

  return {
    name: "simulator",
    createPayout(request, deadlineMs) {
      const { attemptId: attempt, payoutId: subject, recipient, reference, amount } = request;
      if (!isSupported(amount)) return Promise.resolve(amountNotSupported);
      const fault = faults?.({ operation: "payout", request }) ?? faultOfDisbursement(Number(amount.amountMinor));
      const asked: Disbursement = { kind: "payout", attempt, subject, recipient, reference, amount };
      return wire.perform(() => disburse(engine, asked, () => decide(fault)), fault, undefined, deadlineMs);
    },
    findPayout(request, deadlineMs) {
      const fault = faults?.({ operation: "find_payout", request });
      const { attemptId, payoutId } = request;
      return wire.ask(() => findDisbursement(engine.book, "payout", attemptId, payoutId), fault, deadlineMs);
    },
  };
}
