import { createReadStream, type ReadStream, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { toDecimal } from "../kernel/money.ts";
import {
  advanceRun,
  type Exception,
  getRun,
  listExceptions,
  type Period,
  type ReconciliationContext,
  type Run,
  readPeriod,
  receiveFile,
  startRun,
} from "../modules/reconciliation/index.ts";
import type { Settings } from "../settings.ts";
import { OperatorFault } from "./operator-fault.ts";

/** What the command works with, and how to let go of it. */
export type OpenReconciliation = (
  settings: Settings,
) => Promise<{ readonly context: ReconciliationContext; close(): Promise<void> }>;

const usage = `Usage: marketflow reconcile [--from <time> --to <time>] [--tolerance-days <days>] [file.csv]

Compares what the payment gateway settled with our ledger: pulled from the gateway, or read from a settlement report.
Without a period it is yesterday (UTC), or what the lines of the file span. Times are RFC 3339.
Exits with 0 where everything agrees, with 1 where there are exceptions.`;

const dayMs = 86_400_000;
const mostShown = 50;
/** A file on a disk of ours may be as large as it is. */
const noLimit = Number.POSITIVE_INFINITY;

/** `marketflow reconcile`: exits with 1 on exceptions. */
export async function reconcileCommand(
  settings: Settings,
  args: readonly string[],
  open: OpenReconciliation,
): Promise<void> {
  const asked = readArguments(args);
  const { context, close } = await open(settings);
  try {
    process.exitCode = await reconcile(context, asked, process.stdout, process.stderr);
  } finally {
    await close();
  }
}

/** A reconciliation to its end: prints what it found and returns the exit code, 0 where that is nothing. */
export async function reconcile(
  context: ReconciliationContext,
  asked: Asked,
  output: { write(text: string): unknown },
  watcher: Watcher,
): Promise<number> {
  const bar = createProgressBar(watcher);
  try {
    const observed: ReconciliationContext = {
      ...context,
      onStep: (_runId, step, progress) => bar.step(step, progress),
    };
    const run = await finish(observed, await begin(observed, asked, bar));
    const page = { reason: null, isResolved: null, after: 0, limit: mostShown };
    const listed = await listExceptions(context, run.id, page);
    bar.clear();
    output.write(report(run, listed.ok ? listed.value.exceptions : []));
    return run.status === "completed" && countOf(run) === 0 ? 0 : 1;
  } finally {
    bar.clear();
  }
}

/** What the command line asks for. */
export type Asked = {
  readonly file: string | undefined;
  readonly period: Period | undefined;
  readonly toleranceMs: number;
};

/** Throws an {@link OperatorFault} that says how the command is used. */
export function readArguments(args: readonly string[]): Asked {
  const { values, positionals } = parsed(args);
  const days = Number(values["tolerance-days"] ?? 3);
  const period = readPeriod(values.from, values.to);
  if (!period.ok) throw new OperatorFault(`${period.refusal.type.replaceAll("_", " ")}.\n\n${usage}`);
  if (!Number.isInteger(days) || days < 0 || days > 31 || positionals.length > 1) throw new OperatorFault(usage);
  return { file: positionals[0], period: period.value, toleranceMs: days * dayMs };
}

function parsed(args: readonly string[]) {
  const options = { from: { type: "string" }, to: { type: "string" }, "tolerance-days": { type: "string" } } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new OperatorFault(usage, error);
  }
}

async function begin(context: ReconciliationContext, asked: Asked, bar: ProgressBar): Promise<string> {
  const { file, period, toleranceMs } = asked;
  if (file === undefined) {
    const started = await startRun(context, { period: period ?? yesterday(), toleranceMs });
    if (!started.ok) throw new OperatorFault(usage);
    return started.value;
  }
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new OperatorFault(`There is no file ${file}.`);
  const stream = createReadStream(file);
  const bytes = watched(stream, size, bar);
  const received = await receiveFile(context, bytes, { period, toleranceMs }, noLimit).catch((error: unknown) => {
    if (stream.errored !== null) throw new OperatorFault(`${file} cannot be read: ${stream.errored.message}`, error);
    throw error;
  });
  if (received.ok) return received.value;
  const { refusal } = received;
  if (refusal.type !== "settlement_file_invalid") {
    throw new OperatorFault(`${file}: ${refusal.type.replaceAll("_", " ")}. Nothing of it was kept.`);
  }
  const faults = refusal.faults.map(({ line, detail }) => `  ${line === 0 ? "file" : `line ${line}`}: ${detail}`);
  throw new OperatorFault(`${file} cannot be reconciled, and nothing of it was kept:\n${faults.join("\n")}`);
}

function yesterday(): Period {
  const midnight = Math.floor(Date.now() / dayMs) * dayMs;
  return { from: new Date(midnight - dayMs), to: new Date(midnight) };
}

/** How long to wait before a run is looked at again whose gateway could not be reached, in milliseconds. */
const lookAgainMs = 1_000;

async function finish(context: ReconciliationContext, runId: string): Promise<Run> {
  for (;;) {
    const result = await advanceRun(context, runId);
    if (result === "postponed") await sleep(lookAgainMs);
    if (result !== "ended") continue;
    const run = await getRun(context, runId);
    if (!run.ok) throw new Error(`the run ${runId} is gone`);
    if (run.value.status !== "running") return run.value;
    // A running server has taken it up as well.
    await sleep(lookAgainMs);
  }
}

const stepNames: Readonly<Record<string, string>> = {
  gateway: "reading the gateway's lines",
  ledger: "reading the ledger",
  match: "comparing",
};

const barWidth = 30;

/** Where somebody may watch: a terminal. */
type Watcher = { readonly isTTY?: boolean | undefined; write(text: string): unknown };

type ProgressBar = ReturnType<typeof createProgressBar>;

/** One line that says what is done and how far it is; nothing where nobody watches. */
function createProgressBar(stream: Watcher) {
  const write = (share: number, text: string) => {
    const done = Math.round(Math.min(1, share) * barWidth);
    stream.write(`\r\u001b[2K${"█".repeat(done)}${"░".repeat(barWidth - done)} ${text}`);
  };
  return {
    step(name: string, { lines, compared }: { lines: number; compared: number }): void {
      if (stream.isTTY) write(compared, `${stepNames[name] ?? name}, ${lines.toLocaleString("en")} lines`);
    },
    file(share: number): void {
      if (stream.isTTY) write(share, "reading the file");
    },
    clear(): void {
      if (stream.isTTY) stream.write("\r\u001b[2K");
    },
  };
}

/** The file's bytes, told to the bar. */
async function* watched(file: ReadStream, bytes: number, bar: ProgressBar): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const chunk of file as AsyncIterable<Uint8Array>) {
    read += chunk.byteLength;
    bar.file(read / Math.max(1, bytes));
    yield chunk;
  }
}

function countOf({ counts }: Run): number {
  const { missing_here, missing_at_gateway, amount_differs, currency_differs } = counts;
  return (
    missing_here +
    missing_at_gateway +
    amount_differs +
    currency_differs +
    counts.duplicate_at_gateway +
    counts.duplicate_here
  );
}

function report(run: Run, exceptions: readonly Exception[]): string {
  const { counts } = run;
  const period = `${run.from.toISOString()} to ${run.to.toISOString()}`;
  const lines = [
    `Reconciliation of ${run.gateway}, ${period} (run ${run.id})`,
    ...(run.status === "failed" ? [`It failed: ${run.failure.message} (${run.failure.code})`] : []),
    "",
    ...table([
      ["matched", String(counts.matched)],
      ["missing here", String(counts.missing_here)],
      ["missing at the gateway", String(counts.missing_at_gateway)],
      ["amount differs", String(counts.amount_differs)],
      ["currency differs", String(counts.currency_differs)],
      ["duplicate at the gateway", String(counts.duplicate_at_gateway)],
      ["duplicate here", String(counts.duplicate_here)],
    ]),
  ];
  if (exceptions.length > 0) {
    lines.push("", ...table([["no.", "reason", "kind", "gateway id", "gateway", "ledger"], ...exceptions.map(rowOf)]));
    const more = countOf(run) - exceptions.length;
    if (more > 0) lines.push(`… and ${more} more: GET /reconciliation/runs/${run.id}/exceptions`);
  }
  return `${lines.join("\n")}\n`;
}

function rowOf({ number, reason, kind, gatewayId, gatewaySide, ledgerSide }: Exception): string[] {
  const [gateway, ledger] = [gatewaySide, ledgerSide].map(({ amount, count }) =>
    amount === null ? "-" : `${toDecimal(amount)} ${amount.currency}${count > 1 ? ` (${count})` : ""}`,
  );
  return [String(number), reason.replaceAll("_", " "), kind, gatewayId, gateway ?? "-", ledger ?? "-"];
}

/** Rows with their columns below each other. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
