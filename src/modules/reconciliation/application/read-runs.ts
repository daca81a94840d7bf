import type { Currency } from "../../../kernel/currency.ts";
import { isUuid } from "../../../kernel/identifiers.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { Exception, ExceptionReason, Resolution, Side } from "../domain/exceptions.ts";
import type { LineKind } from "../domain/lines.ts";
import type { Run } from "../domain/runs.ts";
import * as statements from "../persistence/reading.queries.ts";
import type { ReconciliationContext } from "./context.ts";

export type RunNotFound = { type: "reconciliation_run_not_found" };

/** The run as it stands. */
export async function getRun(context: ReconciliationContext, id: string): Promise<Result<Run, RunNotFound>> {
  if (!isUuid(id)) return refuse({ type: "reconciliation_run_not_found" });
  const [row] = await statements.getRun.run({ id }, context.database);
  return row === undefined ? refuse({ type: "reconciliation_run_not_found" }) : accept(runOf(row));
}

const aboveEveryId = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** A page of runs, newest first; `next` continues after it, null where it was the last. */
export async function listRuns(
  context: ReconciliationContext,
  page: { readonly before: string | null; readonly limit: number },
): Promise<{ runs: Run[]; next: string | null }> {
  const before = page.before ?? aboveEveryId;
  const rows = await statements.listRuns.run({ before, limit: page.limit + 1 }, context.database);
  const runs = rows.slice(0, page.limit).map(runOf);
  return { runs, next: rows.length > page.limit ? (runs.at(-1)?.id ?? null) : null };
}

export type ExceptionFilter = {
  readonly reason: ExceptionReason | null;
  readonly isResolved: boolean | null;
  /** The number of the last exception of the page before. */
  readonly after: number;
  readonly limit: number;
};

/** A page of a run's exceptions by number. */
export async function listExceptions(
  context: ReconciliationContext,
  runId: string,
  filter: ExceptionFilter,
): Promise<Result<{ run: Run; exceptions: Exception[]; next: number | null }, RunNotFound>> {
  const run = await getRun(context, runId);
  if (!run.ok) return run;
  const { limit } = filter;
  const rows = await statements.listExceptions.run({ ...filter, runId, limit: limit + 1 }, context.database);
  const exceptions = rows.slice(0, limit).map(exceptionOf);
  const next = rows.length > limit ? (exceptions.at(-1)?.number ?? null) : null;
  return accept({ run: run.value, exceptions, next });
}

function runOf(row: statements.GetRunResult): Run {
  const counts = {
    gatewayLines: Number(row.gatewayLines),
    ledgerLines: Number(row.ledgerLines),
    ignoredLines: Number(row.ignoredLines),
    matched: Number(row.matched),
    resolved: Number(row.resolved),
    missing_here: Number(row.missingHere),
    missing_at_gateway: Number(row.missingAtGateway),
    amount_differs: Number(row.amountDiffers),
    currency_differs: Number(row.currencyDiffers),
    duplicate_at_gateway: Number(row.duplicateAtGateway),
    duplicate_here: Number(row.duplicateHere),
  };
  const { id, gateway, from, to, createdAt } = row;
  const source = row.source as Run["source"];
  const facts = { id, gateway, source, from, to, toleranceMs: Number(row.toleranceMs), counts, createdAt };
  const completedAt = row.completedAt ?? createdAt;
  if (row.status === "running") return { ...facts, status: "running" };
  if (row.status === "completed") return { ...facts, status: "completed", completedAt };
  const failure = { code: row.failureCode ?? "run_failed", message: row.failureMessage ?? "The run failed." };
  return { ...facts, status: "failed", completedAt, failure };
}

/** An exception from its row and its resolution's. */
export function exceptionOf(row: statements.ListExceptionsResult): Exception {
  return {
    number: row.number,
    reason: row.reason as ExceptionReason,
    kind: row.kind as LineKind,
    gatewayId: row.gatewayId,
    gatewaySide: sideOf(
      row.gatewayCount,
      row.gatewayAmount,
      row.gatewayCurrency,
      row.gatewayOccurredAt,
      row.gatewayLineIds,
    ),
    ledgerSide: sideOf(row.ledgerCount, row.ledgerAmount, row.ledgerCurrency, row.ledgerOccurredAt, row.ledgerLineIds),
    atBorder: row.atBorder,
    resolution: resolutionOf(row),
  };
}

function sideOf(
  count: number,
  amountMinor: bigint | null,
  currency: string | null,
  occurredAt: Date | null,
  ids: readonly (string | null)[],
): Side {
  const amount = amountMinor === null || currency === null ? null : { amountMinor, currency: currency as Currency };
  return { count, amount, occurredAt, ids: ids.filter((id) => id !== null) };
}

function resolutionOf(row: statements.ListExceptionsResult): Resolution | null {
  const { note, posting, resolvedBy, resolvedAt } = row;
  if (note === null || posting === null || resolvedBy === null || resolvedAt === null) return null;
  const transactionId = row.transactionId;
  return { note, posting: posting as Resolution["posting"], transactionId, resolvedBy, resolvedAt };
}
