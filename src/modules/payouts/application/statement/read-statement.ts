import type { Currency } from "../../../../kernel/currency.ts";
import type { Money } from "../../../../kernel/money.ts";
import type { Database } from "../../../../kernel/statement.ts";
import type { Moneda } from "../../domain/dinero.ts";
import type { PagoEvent } from "../../domain/estado-de-cuenta.ts";
import * as statements from "../../persistence/statement.queries.ts";

/** What an affiliate was paid in one currency, ever. */
export type StatementTotal = {
  readonly paid: Money;
  readonly succeeded: number;
  readonly failed: number;
  readonly lastPaidAt: Date | null;
};

export type StatementLine = Omit<PagoEvent, "eventId" | "affiliateId">;

/** Where a page of a statement ends. */
export type StatementPosition = { readonly processedAt: Date; readonly pagoId: string };

export type StatementFilter = {
  /** Only this currency, in the totals as well. */
  readonly currency: Moneda | null;
  /** Lines from this time on, and before that one: texts in RFC 3339. */
  readonly from: string | null;
  readonly to: string | null;
  readonly after: StatementPosition | null;
  readonly limit: number;
};

export type Statement = {
  readonly totals: readonly StatementTotal[];
  /** A page of the lines, newest first. */
  readonly lines: readonly StatementLine[];
  /** Continues after the page; null where it was the last. */
  readonly next: StatementPosition | null;
  /** The time of the newest event that the statement has, of any currency; null where it has none. */
  readonly updatedTo: Date | null;
};

const aboveEveryId = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** An affiliate's statement. One who was never paid has an empty one: an affiliate exists by being paid. */
export async function readStatement(
  database: Database,
  affiliateId: string,
  { currency, from, to, after, limit }: StatementFilter,
): Promise<Statement> {
  const rows = await statements.readStatement.run(
    {
      affiliateId,
      currency,
      from: from ?? "-infinity",
      to: to ?? "infinity",
      beforeAt: after?.processedAt.toISOString() ?? "infinity",
      beforeId: after?.pagoId ?? aboveEveryId,
      limit: limit + 1,
    },
    database,
  );
  const found = rows.map(lineOf).filter((line) => line !== undefined);
  const lines = found.slice(0, limit);
  const last = lines.at(-1);
  const byCurrency = new Map(rows.map((row) => [row.currency, row]));
  const sums = [...byCurrency.values()].toSorted((left, right) => (left.currency < right.currency ? -1 : 1));
  return {
    totals: sums.filter((row) => currency === null || row.currency === currency).map(totalOf),
    lines,
    next: found.length > limit && last !== undefined ? { processedAt: last.processedAt, pagoId: last.pagoId } : null,
    updatedTo: sums.reduce<Date | null>(
      (newest, { lastEventAt }) => (newest === null || lastEventAt > newest ? lastEventAt : newest),
      null,
    ),
  };
}

function totalOf(row: statements.ReadStatementResult): StatementTotal {
  return {
    paid: { amountMinor: row.paidMinor, currency: row.currency as Currency },
    succeeded: Number(row.succeeded),
    failed: Number(row.failed),
    lastPaidAt: row.lastPaidAt,
  };
}

/** The line of a row; undefined where the row has only a sum. */
function lineOf(row: statements.ReadStatementResult): StatementLine | undefined {
  const { pagoId, amountMinor, status, reference, processedAt, failureMessage } = row;
  if (pagoId === null || amountMinor === null || reference === null || processedAt === null) return undefined;
  return {
    pagoId,
    amount: { amountMinor, currency: row.currency as Currency },
    status: status as StatementLine["status"],
    reference,
    failureMessage,
    processedAt,
  };
}
