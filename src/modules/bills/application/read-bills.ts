import { isUuid } from "../../../kernel/identifiers.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { BillPayment, BillStatus } from "../domain/bill-payment.ts";
import * as statements from "../persistence/reading.queries.ts";
import type { BillsContext } from "./context.ts";
import { type BillRow, billOf } from "./rows.ts";

export type BillNotFound = { type: "payment_not_found" };

/** The payment as it stands. Only the scope it was made in sees it. */
export async function getBill(
  context: BillsContext,
  scope: string,
  id: string,
): Promise<Result<BillPayment, BillNotFound>> {
  const [row] = isUuid(id) ? await statements.getBill.run({ id, scope }, context.database) : [];
  return row === undefined ? refuse({ type: "payment_not_found" }) : accept(billOf(row));
}

/** A payment that was made. Throws where it is not there. */
export async function readBill(context: BillsContext, scope: string, id: string): Promise<BillPayment> {
  const found = await getBill(context, scope, id);
  if (!found.ok) throw new Error(`payment ${id} was accepted and is not there`);
  return found.value;
}

export type BillFilter = {
  readonly status: BillStatus | null;
  readonly limit: number;
  /** How many of the newest are left out. */
  readonly offset: number;
  /** The id of the last payment of the page before. */
  readonly before: string | null;
};

export type BillPage = {
  readonly bills: readonly BillPayment[];
  /** How many payments the filter lets through, exactly, at the moment that the page is of. */
  readonly total: number;
  /** Continues after this page; null where it was the last. */
  readonly next: string | null;
};

const aboveEveryId = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** A page of payments, newest first. Totals and offsets are counted in tallies, so that they cost the same always. */
export async function listBills(context: BillsContext, scope: string, filter: BillFilter): Promise<BillPage> {
  const { status, limit, offset, before } = filter;
  const parameters = { scope, skip: BigInt(offset), before: before ?? aboveEveryId, limit: limit + 1 };
  const rows =
    status === null
      ? await statements.listBills.run(parameters, context.database)
      : await statements.listBillsOfStatus.run({ ...parameters, status }, context.database);
  const bills = rows.filter(isPayment).map(billOf);
  const page = bills.slice(0, limit);
  const next = bills.length > limit ? (page.at(-1)?.id ?? null) : null;
  return { bills: page, total: Number(rows[0]?.total ?? 0n), next };
}

/** An empty page is one row without a payment. */
function isPayment<Row extends { id: string | null }>(row: Row): row is Row & BillRow {
  return row.id !== null;
}
