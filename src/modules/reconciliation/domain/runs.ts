import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { ExceptionReason } from "./exceptions.ts";
import { readTime } from "./times.ts";

/** The period that a run compares: [from, to). */
export type Period = { readonly from: Date; readonly to: Date };

export type RunCounts = {
  readonly gatewayLines: number;
  readonly ledgerLines: number;
  /** Lines of a file that are about no payment. */
  readonly ignoredLines: number;
  /** Gateway objects on which both sides agree. */
  readonly matched: number;
  readonly resolved: number;
} & Readonly<Record<ExceptionReason, number>>;

type RunFacts = Period & {
  readonly id: string;
  readonly gateway: string;
  readonly source: "gateway" | "file";
  readonly toleranceMs: number;
  readonly counts: RunCounts;
  readonly createdAt: Date;
};

/** One comparison of a gateway's report with our clearing account. */
export type Run = RunFacts &
  (
    | { readonly status: "running" }
    | { readonly status: "completed"; readonly completedAt: Date }
    | { readonly status: "failed"; readonly completedAt: Date; readonly failure: { code: string; message: string } }
  );

export type PeriodRefusal =
  | { type: "period_malformed"; field: "from" | "to" }
  | { type: "period_incomplete" }
  | { type: "period_empty" };

/** Reads a period; undefined where none is given. */
export function readPeriod(
  from: string | undefined,
  to: string | undefined,
): Result<Period | undefined, PeriodRefusal> {
  if (from === undefined && to === undefined) return accept(undefined);
  if (from === undefined || to === undefined) return refuse({ type: "period_incomplete" });
  const period = { from: readTime(from), to: readTime(to) };
  if (period.from === null) return refuse({ type: "period_malformed", field: "from" });
  if (period.to === null) return refuse({ type: "period_malformed", field: "to" });
  const { from: begin, to: end } = period;
  return begin < end ? accept({ from: begin, to: end }) : refuse({ type: "period_empty" });
}

/** How many buckets the lines of a run are spread over: `reconciliation.bucket_of` in the migrations. */
export const buckets = 1_024;

/** A step of the comparison takes about so many lines: some 150 ms of work on a machine that is busy with others'. */
const linesAtOnce = 10_000;

/** How many buckets one step compares, where a run has so many lines. */
export function bucketsAtOnce(lines: number): number {
  return Math.min(buckets, Math.max(1, Math.floor((buckets * linesAtOnce) / Math.max(1, lines))));
}

/** How often a run is tried again before it fails; the waits in between outlast an open circuit of the gateway's. */
export const mostTries = 6;

/** How long to wait after so many tries that came to nothing, in milliseconds. */
export function retryDelayMs(tries: number, firstMs: number): number {
  return firstMs * 2 ** Math.min(tries, mostTries);
}
