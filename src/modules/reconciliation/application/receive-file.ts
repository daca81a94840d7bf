import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { Line } from "../domain/lines.ts";
import type { Period } from "../domain/runs.ts";
import { createSettlementReader, type FileFault } from "../domain/settlement-reader.ts";
import { addFileLines } from "../persistence/lines.queries.ts";
import { beginReceiving, endReceiving } from "../persistence/runs.queries.ts";
import { discardRun } from "./clear-run.ts";
import type { ReconciliationContext } from "./context.ts";
import { lineColumns } from "./line-columns.ts";
import type { RunRequest } from "./start-run.ts";

export type FileRefusal =
  | { type: "settlement_file_invalid"; faults: readonly FileFault[] }
  | { type: "settlement_file_empty" }
  | { type: "settlement_file_too_large" }
  /** So slow that it was taken for broken off. */
  | { type: "settlement_file_discarded" };

/** Lines that go to the database at once. */
const linesAtOnce = 5_000;

/**
 * Begins a run over a settlement file in CSV, read as it comes: memory is bounded by a page of lines. A file is good as
 * a whole or not at all: where a line is bad nothing of it is kept, and what is wrong is said for each bad line, up to
 * 20 of them. Without a period the lines say it, from the first to the last. Throws where the bytes end with an error.
 */
export async function receiveFile(
  context: ReconciliationContext,
  bytes: AsyncIterable<Uint8Array>,
  { period, toleranceMs }: RunRequest,
  limitBytes: number,
): Promise<Result<string, FileRefusal>> {
  const { database, gateway, leaseMs } = context;
  const runId = context.newId();
  await beginReceiving.run({ id: runId, gateway: gateway.name, toleranceMs: BigInt(toleranceMs), leaseMs }, database);
  try {
    const read = await readFile(context, runId, bytes, limitBytes);
    if (!read.ok) {
      await discardRun(context, runId);
      return read;
    }
    const { from, to } = period ?? read.value.period;
    const ignoredLines = BigInt(read.value.ignoredLines);
    const [ended] = await endReceiving.run({ runId, from, to, ignoredLines, leaseMs }, database);
    return ended === undefined ? refuse({ type: "settlement_file_discarded" }) : accept(runId);
  } catch (error) {
    // Where this fails as well, what there is of the run is removed when its lease is over.
    await discardRun(context, runId).catch(() => undefined);
    throw error;
  }
}

type FileSummary = { readonly period: Period; readonly ignoredLines: number };

async function readFile(
  context: ReconciliationContext,
  runId: string,
  bytes: AsyncIterable<Uint8Array>,
  limitBytes: number,
): Promise<Result<FileSummary, FileRefusal>> {
  const reader = createSettlementReader();
  const pages = createPageWriter(context, runId);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      reader.giveUp("The file is not UTF-8. Export it as UTF-8.");
      return "";
    }
  };
  let received = 0;
  for await (const chunk of bytes) {
    received += chunk.byteLength;
    if (received > limitBytes) {
      await pages.end();
      return refuse({ type: "settlement_file_too_large" });
    }
    await pages.add(reader.push(decode(chunk)));
    if (reader.isOver()) break;
  }
  if (!reader.isOver()) await pages.add([...reader.push(decode()), ...reader.end()]);
  await pages.end();
  const faults = reader.faults();
  if (faults.length > 0) return refuse({ type: "settlement_file_invalid", faults });
  const period = reader.period();
  if (period === null) return refuse({ type: "settlement_file_empty" });
  return accept({ period, ignoredLines: reader.ignoredLines() });
}

/** Writes lines in pages; one page is under way while the next one is read. */
function createPageWriter(context: ReconciliationContext, runId: string) {
  let page: Line[] = [];
  let writing: Promise<unknown> = Promise.resolve();

  async function write(): Promise<void> {
    const lines = page;
    page = [];
    await writing;
    const { database, leaseMs } = context;
    writing = addFileLines.run({ runId, leaseMs, ...lineColumns(lines) }, database);
    // Whoever waits for it next hears of a failure; until then it is no rejection that nobody handles.
    writing.catch(() => undefined);
  }

  return {
    async add(lines: readonly Line[]): Promise<void> {
      for (const line of lines) page.push(line);
      if (page.length >= linesAtOnce) await write();
    },
    async end(): Promise<void> {
      if (page.length > 0) await write();
      await writing;
    },
  };
}
