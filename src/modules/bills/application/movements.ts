import type { DisbursementOutcome, Policy } from "../../../movements/index.ts";
import { attemptIdOf, type BillPayment, type PendingBill, settleBill } from "../domain/bill-payment.ts";
import { postponeBill } from "../persistence/movements.queries.ts";
import type { BillsContext } from "./context.ts";

/** A committed attempt to have a gateway pay a bill. */
export type BillAttempt = {
  readonly id: string;
  readonly tries: number;
  readonly absences: number;
  readonly bill: PendingBill;
};

/** The attempt of a payment, by whoever is the first to take it up. */
export function firstTry(bill: PendingBill): BillAttempt {
  return { id: attemptIdOf(bill), tries: 1, absences: 0, bill };
}

/** The payment as it was settled; null where somebody else had settled the attempt. */
export type SettledBill = Exclude<BillPayment, PendingBill> | null;

type Final = Extract<DisbursementOutcome, { type: "succeeded" | "declined" }>;

const neverReceived = {
  type: "absent",
  code: "gateway_never_received",
  message: "The gateway never received this payment.",
} as const;

/** Money out for a bill: what is not known stays open, is asked for and called again, and never becomes a failure. */
export function payingBill(context: BillsContext): Policy<BillAttempt, SettledBill, Final> {
  const { gateway, database, maxRetries } = context;
  return {
    operation: "pay_bill",
    call: ({ id: attemptId, bill }, deadlineMs) => {
      const { id: paymentId, reference, amount, attempt } = bill;
      return gateway.payBill({ attemptId, paymentId, reference, amount, retry: attempt - 1 }, deadlineMs);
    },
    async find({ id: attemptId, bill }, deadlineMs) {
      const finding = await gateway.findBillPayment({ attemptId, paymentId: bill.id }, deadlineMs);
      return finding.type === "absent" ? neverReceived : finding;
    },
    async settle({ bill }, outcome) {
      const settled = settleBill(bill, outcome, maxRetries, bill.updatedAt);
      const message = outcome.type === "declined" ? outcome.message : null;
      const updatedAt = await context.lanes.settle.submit({ bill: settled, message });
      if (updatedAt === null) return null;
      context.observe.statusReached(settled.status);
      return { ...settled, updatedAt };
    },
    async postpone({ bill }, failure, postponement) {
      const { id, attempt } = bill;
      await postponeBill.run({ id, attempt, error: failure.code, ...postponement }, database);
    },
  };
}
