import type { Money } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";

/** The statuses in the words of the bills contract. */
export const billStatuses = ["PENDING", "SUCCESS", "FAILED", "EXHAUSTED"] as const;
export type BillStatus = (typeof billStatuses)[number];

/** What every bill payment has, whatever became of it. */
type BillFacts = {
  readonly id: string;
  /** The bill's own number ("FAC-12345"). */
  readonly reference: string;
  readonly amount: Money;
  /** How many retries the gateway declined. */
  readonly retries: number;
  /** Which attempt is under way, or was the last one: 1, and one more with each retry. */
  readonly attempt: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** An attempt is under way. It stays so while nobody knows what became of it: unknown is never a failure. */
export type PendingBill = BillFacts & { readonly status: "PENDING" };
/** Final: the bill is paid. */
export type PaidBill = BillFacts & { readonly status: "SUCCESS"; readonly gatewayReference: string };
/** The gateway declined the last attempt; the payment may be retried. */
export type FailedBill = BillFacts & { readonly status: "FAILED"; readonly failureCode: string };
/** Final: every retry was declined, and a person must look. */
export type ExhaustedBill = BillFacts & { readonly status: "EXHAUSTED"; readonly failureCode: string };

export type BillPayment = PendingBill | PaidBill | FailedBill | ExhaustedBill;

/** What a gateway decided about an attempt, for good. */
export type BillVerdict =
  | { readonly type: "succeeded"; readonly gatewayReference: string }
  | { readonly type: "declined"; readonly code: string };

export type CannotRetry = { type: "cannot_retry_payment"; paymentId: string; status: BillStatus };

/** A payment whose first attempt begins. */
export function acceptBill(id: string, asked: { reference: string; amount: Money }, at: Date): PendingBill {
  const { reference, amount } = asked;
  return { id, reference, amount, status: "PENDING", retries: 0, attempt: 1, createdAt: at, updatedAt: at };
}

/** The payment with its next attempt under way. Only a FAILED payment can be retried. */
export function retryBill(bill: BillPayment, at: Date): Result<PendingBill, CannotRetry> {
  if (bill.status !== "FAILED")
    return refuse({ type: "cannot_retry_payment", paymentId: bill.id, status: bill.status });
  const { failureCode: _, ...facts } = bill;
  return accept({ ...facts, status: "PENDING", attempt: bill.attempt + 1, updatedAt: at });
}

/**
 * The payment after its attempt was decided. The first attempt is no retry; a retry that is declined counts, and the
 * one that reaches `maxRetries` is the last.
 */
export function settleBill(
  bill: PendingBill,
  verdict: BillVerdict,
  maxRetries: number,
  at: Date,
): PaidBill | FailedBill | ExhaustedBill {
  const settled = { ...bill, updatedAt: at };
  if (verdict.type === "succeeded") {
    return { ...settled, status: "SUCCESS", gatewayReference: verdict.gatewayReference };
  }
  const retries = bill.attempt - 1;
  const status = retries > 0 && retries >= maxRetries ? "EXHAUSTED" : "FAILED";
  return { ...settled, status, retries, failureCode: verdict.code };
}

/** Whether nothing can change the payment any more. */
export function isFinal(bill: BillPayment): bill is PaidBill | ExhaustedBill {
  return bill.status === "SUCCESS" || bill.status === "EXHAUSTED";
}

/** The same attempt has the same id, and so the same key at the gateway, in every process. */
export function attemptIdOf({ id, attempt }: Pick<BillPayment, "id" | "attempt">): string {
  return `${id}-${attempt}`;
}
