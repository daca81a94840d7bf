import { exponentOf } from "../../../kernel/currency.ts";
import type { BillGateway, GatewayFailure, PayBillRequest } from "../../../movements/ports.ts";
import { amountNotSupported, type Disbursement, disburse, findDisbursement, isSupported } from "./disbursements.ts";
import type { Engine } from "./engine.ts";
import { type Fault, faultOfDisbursement } from "./magic-amounts.ts";
import type { Wire } from "./wire.ts";

/** A call as the `faults` hook of a test sees it. */
export type BillCall =
  | { readonly operation: "pay_bill"; readonly request: PayBillRequest }
  | { readonly operation: "find_bill"; readonly request: Pick<PayBillRequest, "attemptId" | "paymentId"> };

export type BillOptions = {
  /** The probability with which the retry of a bill that was declined succeeds; 0.5 unless said otherwise. */
  readonly retrySuccessProbability?: number | undefined;
  /** Numbers in [0, 1) that decide what is left to chance: `Math.random`, or seeded ones for a test. */
  readonly random?: (() => number) | undefined;
};

type Faults = { readonly faults?: ((call: BillCall) => Fault | undefined) | undefined };

/** A bill of more than so many whole units of its currency is declined at first. */
const limitAtFirst = 1000n;

const declinedByFault = { code: "bill_declined", message: "The biller declined the payment." } as const;
const declinedAgain = { code: "retry_declined", message: "The biller declined the retry." } as const;

function overLimit({ currency }: PayBillRequest["amount"]): GatewayFailure {
  const message = `Bills of more than ${limitAtFirst} ${currency} are declined at the first attempt.`;
  return { code: "amount_over_limit", message };
}

/**
 * The simulator as a payer of bills: up to 1,000 whole units are paid at once, more is declined, and a retry succeeds
 * by chance. What a fault says goes before: a call whose answer gets lost after paying has paid, whatever the amount.
 */
export function createBills(
  engine: Engine,
  wire: Wire,
  { faults, random = Math.random, retrySuccessProbability = 0.5 }: BillOptions & Faults,
): BillGateway {
  function decide({ amount, retry }: PayBillRequest, fault: Fault | undefined): GatewayFailure | undefined {
    if (fault !== undefined) return fault === "declined" ? declinedByFault : undefined;
    if (retry > 0) return random() < retrySuccessProbability ? undefined : declinedAgain;
    const limitMinor = limitAtFirst * 10n ** BigInt(exponentOf(amount.currency));
    return amount.amountMinor > limitMinor ? overLimit(amount) : undefined;
  }

  return {
    name: "simulator",
    payBill(request, deadlineMs) {
      const { attemptId: attempt, paymentId: subject, reference, amount } = request;
      if (!isSupported(amount)) return Promise.resolve(amountNotSupported);
      const fault = faults?.({ operation: "pay_bill", request }) ?? faultOfDisbursement(Number(amount.amountMinor));
      const asked: Disbursement = { kind: "bill_payment", attempt, subject, recipient: null, reference, amount };
      const work = () => disburse(engine, asked, () => decide(request, fault));
      return wire.perform(work, fault, undefined, deadlineMs);
    },
    findBillPayment(request, deadlineMs) {
      const fault = faults?.({ operation: "find_bill", request });
      const { attemptId, paymentId } = request;
      const read = () => findDisbursement(engine.book, "bill_payment", attemptId, paymentId);
      return wire.ask(read, fault, deadlineMs);
    },
  };
}
