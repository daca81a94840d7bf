import { csvField } from "../../../../kernel/csv.ts";
import type { Currency } from "../../../../kernel/currency.ts";
import { isUuid } from "../../../../kernel/identifiers.ts";
import { type Money, toDecimal } from "../../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../../kernel/result.ts";
import type { Estado } from "../../domain/payout.ts";
import * as statements from "../../persistence/batches.queries.ts";
import type { PayoutsContext } from "../context.ts";

/** A batch and how far it is. */
export type Batch = {
  readonly id: string;
  readonly lines: number;
  readonly counts: Readonly<Record<Estado, number>>;
  readonly createdAt: Date;
  /** When its last payout ended; null while there are payouts that have not. */
  readonly endedAt: Date | null;
};

/** One payout of a batch. */
export type BatchPayout = {
  readonly id: string;
  /** Its place in the batch, from 1 on. */
  readonly line: number;
  readonly recipientId: string;
  readonly amount: Money;
  readonly status: Estado;
  readonly failureMessage: string | null;
};

export type BatchNotFound = { type: "batch_not_found" };

/** The batch as it stands. Only the scope it was made in sees it. */
export async function getBatch(
  context: PayoutsContext,
  scope: string,
  id: string,
): Promise<Result<Batch, BatchNotFound>> {
  if (!isUuid(id)) return refuse({ type: "batch_not_found" });
  const [row] = await statements.getBatch.run({ id, scope }, context.database);
  if (row === undefined) return refuse({ type: "batch_not_found" });
  const { lines, createdAt, pending, processing, succeeded, failed, lastAt } = row;
  const counts = { PENDIENTE: pending, PROCESANDO: processing, EXITOSO: succeeded, FALLIDO: failed };
  return accept({ id, lines, counts, createdAt, endedAt: pending + processing === 0 ? lastAt : null });
}

/** The percentage of a batch's payouts that have ended, with two decimals: 100 only where all have. */
export function percentOf({ lines, counts }: Batch): number {
  return Math.floor(((counts.EXITOSO + counts.FALLIDO) * 10_000) / lines) / 100;
}

export type LinesPage = {
  /** Only payouts in this state; null for all. */
  readonly status: Estado | null;
  /** The place of the last payout of the page before; 0 for the first page. */
  readonly after: number;
  readonly limit: number;
};

/** A page of a batch's payouts, in the order of their lines; `next` continues after it, null where it was the last. */
export async function listBatchPayouts(
  context: PayoutsContext,
  batchId: string,
  { status, after, limit }: LinesPage,
): Promise<{ payouts: BatchPayout[]; next: number | null }> {
  const rows = await statements.listBatchLines.run({ batchId, status, after, limit: limit + 1 }, context.database);
  const payouts = rows.slice(0, limit).map(payoutOf);
  return { payouts, next: rows.length > limit ? (payouts.at(-1)?.line ?? null) : null };
}

function payoutOf({ amountMinor, currency, status, ...row }: statements.ListBatchLinesResult): BatchPayout {
  return { ...row, status: status as Estado, amount: { amountMinor, currency: currency as Currency } };
}

const failuresAtOnce = 1_000;

/** The payouts of a batch that failed, as CSV (RFC 4180): a header and a row for each, page by page. */
export async function* failuresAsCsv(context: PayoutsContext, batchId: string): AsyncGenerator<string> {
  yield "linea,id_pago,id_afiliado,monto,moneda,mensaje_error\r\n";
  for (let after: number | null = 0; after !== null; ) {
    const page = { status: "FALLIDO", after, limit: failuresAtOnce } as const;
    const { payouts, next } = await listBatchPayouts(context, batchId, page);
    if (payouts.length > 0) yield payouts.map(rowOf).join("");
    after = next;
  }
}

function rowOf({ line, id, recipientId, amount, failureMessage }: BatchPayout): string {
  const fields = [line, id, csvField(recipientId), toDecimal(amount), amount.currency, csvField(failureMessage ?? "")];
  return `${fields.join(",")}\r\n`;
}
