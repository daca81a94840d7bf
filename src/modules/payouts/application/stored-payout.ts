import type { Currency } from "../../../kernel/currency.ts";
import type { Payout, Recipient } from "../domain/payout.ts";

/** A payout as our statements return it. */
export type PayoutRow = {
  readonly id: string;
  readonly recipientKind: string;
  readonly recipientId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly status: string;
  readonly gatewayReference: string | null;
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
  readonly createdAt: Date;
  readonly processedAt: Date | null;
};

/** The aggregate of a row. Throws where the row is in a state that the table's checks do not allow. */
export function payoutOf(row: PayoutRow): Payout {
  const { id, recipientKind, recipientId, amountMinor, currency, createdAt, processedAt } = row;
  const facts = {
    id,
    recipient: { kind: recipientKind as Recipient["kind"], id: recipientId },
    amount: { amountMinor, currency: currency as Currency },
    createdAt,
  };
  if (row.status === "PENDIENTE" || row.status === "PROCESANDO") return { ...facts, status: row.status };
  if (processedAt === null) throw new Error(`payout ${id} was processed at no time`);
  const { gatewayReference, failureMessage, failureCode } = row;
  if (row.status === "EXITOSO" && gatewayReference !== null) {
    return { ...facts, status: row.status, gatewayReference, processedAt };
  }
  if (row.status !== "FALLIDO" || failureMessage === null) throw new Error(`payout ${id} cannot be ${row.status}`);
  return {
    ...facts,
    status: row.status,
    failure: { code: failureCode ?? "payout_failed", message: failureMessage },
    processedAt,
  };
}
