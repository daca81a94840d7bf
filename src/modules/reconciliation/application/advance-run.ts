import type { GatewayFailure, SettlementLine } from "../../../movements/index.ts";
import { accountCodes } from "../../ledger/index.ts";
import { lineOfMovement, lineOfReport } from "../domain/lines.ts";
import { buckets, bucketsAtOnce, mostTries, retryDelayMs } from "../domain/runs.ts";
import { addGatewayLines, addLedgerLines } from "../persistence/lines.queries.ts";
import { matchBuckets } from "../persistence/matching.queries.ts";
import * as statements from "../persistence/runs.queries.ts";
import { clearRun, discardRun } from "./clear-run.ts";
import type { ReconciliationContext } from "./context.ts";
import { lineColumns } from "./line-columns.ts";

/** Where a run stands while it is worked on. */
type Progress = statements.GetProgressResult & { readonly from: Date; readonly to: Date };

/**
 * What came of a step: the run goes on, waits for its gateway until another try, or is at its end (it may have failed).
 */
export type StepResult = "advanced" | "postponed" | "ended";

/** How much is read before it is written, in lines. */
const linesAtOnce = 5_000;
/** Pages that are asked for before what they had is written, however few lines they have. */
const pagesAtOnce = 50;

/**
 * Does the next step of a run, whatever process did the last one. Each step is one commit, guarded by where the run
 * stands: done twice, or by two processes at once, it counts once. Throws where the database or the ledger fails; the
 * run is as it was then.
 */
export async function advanceRun(context: ReconciliationContext, runId: string): Promise<StepResult> {
  const [run] = await statements.getProgress.run({ runId }, context.database);
  if (run === undefined || run.step === "done") return "ended";
  context.onStep?.(runId, run.step, { lines: Number(run.lines), compared: run.nextBucket / buckets });
  if (run.step === "clear") {
    await clearRun(context, runId);
    return "ended";
  }
  const { from, to } = run;
  // A file is read by its request; whoever else comes to it finds that its upload broke off.
  if (run.step === "receive" || from === null || to === null) {
    await discardRun(context, runId);
    return "ended";
  }
  // Every process that took it up has died over it.
  if (run.tries >= mostTries) return await retryLater(context, run, interrupted);
  const progress: Progress = { ...run, from, to };
  switch (run.step) {
    case "gateway":
      return await readGateway(context, progress);
    case "ledger":
      return await readLedger(context, progress);
    case "match":
      return await match(context, progress);
    default:
      throw new Error(`a run has a step that is none: ${run.step}`);
  }
}

/** What counterparts are looked for in: the period and what lies around it. */
function rangeOf({ from, to, toleranceMs }: Progress): { from: Date; to: Date } {
  const around = Number(toleranceMs);
  return { from: new Date(from.getTime() - around), to: new Date(to.getTime() + around) };
}

async function readGateway(context: ReconciliationContext, run: Progress): Promise<StepResult> {
  const { gateway, callDeadlineMs, database, leaseMs } = context;
  const range = rangeOf(run);
  const read: SettlementLine[] = [];
  let cursor = run.cursor;
  for (let pages = 0; pages < pagesAtOnce && read.length < linesAtOnce; pages += 1) {
    const page = await gateway.listSettlements({ ...range, cursor }, callDeadlineMs);
    if (page.type === "unreachable") {
      if (pages > 0) break;
      return await retryLater(context, run, page);
    }
    read.push(...page.lines);
    cursor = page.nextCursor;
    if (cursor === null) break;
  }
  const columns = lineColumns(read.map(lineOfReport));
  const guard = { runId: run.id, cursor: run.cursor, nextCursor: cursor, leaseMs };
  await addGatewayLines.run({ ...guard, ...columns }, database);
  return "advanced";
}

const interrupted: GatewayFailure = {
  code: "run_interrupted",
  message: "The run was interrupted too often. Begin another one; the log says what went wrong.",
};

/** After a step that threw: the run is tried again later, at most so many times. */
export async function retryInterrupted(context: ReconciliationContext, runId: string): Promise<void> {
  const [run] = await statements.getProgress.run({ runId }, context.database);
  if (run !== undefined && run.step !== "done") await retryLater(context, run, interrupted);
}

type Tried = Pick<statements.GetProgressResult, "id" | "step" | "tries">;

/** The run waits, twice as long after each try that came to nothing, or fails where that was the last one. */
async function retryLater(context: ReconciliationContext, run: Tried, failure: GatewayFailure): Promise<StepResult> {
  const { database, retryMs } = context;
  const { id: runId, step, tries } = run;
  const { code: failureCode, message: failureMessage } = failure;
  if (tries + 1 >= mostTries) {
    await statements.failRun.run({ runId, step, failureCode, failureMessage }, database);
    return "advanced";
  }
  const delayMs = retryDelayMs(tries, retryMs);
  await statements.postponeRun.run({ runId, step, delayMs, failureCode, failureMessage }, database);
  return "postponed";
}

async function readLedger(context: ReconciliationContext, run: Progress): Promise<StepResult> {
  const { database, leaseMs, ledger } = context;
  const code = accountCodes.clearing(run.gateway);
  const { movements, next } = await ledger.listMovements({
    code,
    ...rangeOf(run),
    after: run.cursor,
    limit: linesAtOnce,
  });
  const columns = lineColumns(movements.map(lineOfMovement).filter((line) => line !== null));
  await addLedgerLines.run({ runId: run.id, cursor: run.cursor, nextCursor: next, leaseMs, ...columns }, database);
  return "advanced";
}

async function match(context: ReconciliationContext, run: Progress): Promise<StepResult> {
  const bucket = run.nextBucket;
  const until = Math.min(buckets, bucket + bucketsAtOnce(Number(run.lines)));
  const isLast = until >= buckets;
  await matchBuckets.run({ runId: run.id, bucket, until, isLast, leaseMs: context.leaseMs }, context.database);
  return isLast ? "ended" : "advanced";
}
