import type { Currency } from "../../../kernel/currency.ts";
import type { BillPayment, PendingBill } from "../domain/bill-payment.ts";

/** A row of bills.payments, as statements return it. */
export type BillRow = {
  readonly id: string;
  readonly reference: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly status: string;
  readonly retries: number;
  readonly attempt: number;
  readonly gatewayReference: string | null;
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** The payment of a row. Throws where the row is none that we write. */
export function billOf(row: BillRow): BillPayment {
  const { gatewayReference, lastError } = row;
  const pending = pendingOf(row);
  if (row.status === "PENDING") return pending;
  if (row.status === "SUCCESS" && gatewayReference !== null) return { ...pending, status: "SUCCESS", gatewayReference };
  if (row.status === "FAILED" || row.status === "EXHAUSTED") {
    return { ...pending, status: row.status, failureCode: lastError ?? "unknown" };
  }
  throw new Error(`payment ${row.id} is ${row.status} without what such a payment has`);
}

/** The payment of a row whose attempt is under way. */
export function pendingOf(row: Omit<BillRow, "status" | "gatewayReference" | "lastError">): PendingBill {
  const { id, reference, retries, attempt, createdAt, updatedAt } = row;
  const amount = { amountMinor: row.amountMinor, currency: row.currency as Currency };
  return { id, reference, amount, status: "PENDING", retries, attempt, createdAt, updatedAt };
}
