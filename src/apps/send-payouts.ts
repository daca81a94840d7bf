import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createCsvParser, quotedWhereNeeded } from "../kernel/csv.ts";
import { parseCurrency } from "../kernel/currency.ts";
import { fromStoredDecimal, toDecimal } from "../kernel/money.ts";
import type { LotesClient } from "./lotes-client.ts";
import { LotesFailure } from "./lotes-client.ts";
import { addTo, type CheckedFile, type Part, readParts, type Totals } from "./payouts-file.ts";

export type SendRequest = {
  readonly path: string;
  readonly file: CheckedFile;
  /** What the lotes are called in place of the file's content; undefined where nothing is said. */
  readonly key: string | undefined;
};

/** Told of how many payouts have ended, and how many of them failed. */
export type OnProgress = (ended: number, failed: number) => void;

export type SendResult = {
  readonly totals: Totals;
  readonly failed: Totals;
  readonly failures: number;
  /** Payouts that had not ended when nothing had changed for long. */
  readonly open: number;
  /** Why they are not watched any longer; null where all have ended or nothing changes. */
  readonly lostSight: string | null;
  /** Where the failed payouts are; null where there is none. */
  readonly errorsPath: string | null;
};

export type SendOptions = {
  readonly onProgress: OnProgress;
  /** Told once that a lote had been sent before, by its number. */
  readonly onReplayed: () => void;
  readonly pollMs?: number;
  /** How long nothing may change before the rest is left to the server, in milliseconds. */
  readonly stalledAfterMs?: number;
};

/** A lote that was sent and has not ended. */
type Underway = { readonly id: string; readonly part: Omit<Part, "body">; paid: number; failed: number };

/** Enough for the server to have something to do; the rest of the file waits on the disk. */
const mostUnderway = 4;

/**
 * Sends a checked file as lotes, a few ahead of what is paid, and watches them to their end. Each lote has a key of
 * what the file says and its number, so that sending the file again sends nothing twice and watches the same lotes.
 * Throws a {@link LotesFailure} where not all of it could be sent.
 */
export async function sendPayouts(
  client: LotesClient,
  { path, file, key }: SendRequest,
  { onProgress, onReplayed, pollMs = 500, stalledAfterMs = 600_000 }: SendOptions,
): Promise<SendResult> {
  const prefix = key ?? file.digest;
  const errors = createErrorsFile(`${path}.errores.csv`);
  const failed: Totals = new Map();
  let underway: Underway[] = [];
  let ended = 0;
  let failures = 0;
  let changedAtMs = performance.now();
  let lostSight: string | null = null;

  async function look(): Promise<void> {
    await sleep(pollMs);
    for (const lote of underway) {
      const { hasEnded, paid, failed: failedOfLote } = await client.progress(lote.id);
      const more = paid + failedOfLote - lote.paid - lote.failed;
      if (more > 0) changedAtMs = performance.now();
      ended += more;
      failures += failedOfLote - lote.failed;
      lote.paid = paid;
      lote.failed = failedOfLote;
      if (!hasEnded) continue;
      underway = underway.filter((other) => other !== lote);
      if (failedOfLote > 0) await errors.add(await client.errors(lote.id), lote.part.fileLines, failed);
    }
    onProgress(ended, failures);
  }

  const isStalled = () => performance.now() - changedAtMs > stalledAfterMs;

  try {
    let sent = 0;
    for await (const { body, ...part } of readParts(path, () => undefined)) {
      while (underway.length >= mostUnderway && !isStalled()) await look();
      if (isStalled()) throw new LotesFailure(notAllSent(sent, file));
      if (part.digest !== file.digests[part.number - 1]) {
        throw new LotesFailure(`${path} was changed while it was sent. ${notAllSent(sent, file)}`);
      }
      const { id, replayed } = await client.send(body, `${prefix}:${part.number}`);
      if (replayed && sent === 0) onReplayed();
      sent += 1;
      changedAtMs = performance.now();
      underway.push({ id, part, paid: 0, failed: 0 });
    }
    try {
      while (underway.length > 0 && !isStalled()) await look();
    } catch (error) {
      // All of it was sent, and the server has it.
      if (!(error instanceof LotesFailure)) throw error;
      lostSight = error.message;
    }
  } finally {
    await errors.close();
  }
  const errorsPath = errors.isThere() ? errors.path : null;
  return { totals: file.totals, failed, failures, open: file.lines - ended, lostSight, errorsPath };
}

function notAllSent(sent: number, { digests }: CheckedFile): string {
  return `${sent} of ${digests.length} lotes were sent. Send the file again: what was sent is not sent twice.`;
}

/** Made with the first error, over what an earlier run had left. */
function createErrorsFile(path: string) {
  let file: FileHandle | undefined;

  /** The rows of a lote's errors, with the line of the file in place of the line in the lote. */
  async function add(text: AsyncIterable<string>, fileLines: readonly number[], failed: Totals): Promise<void> {
    file ??= await begin(path);
    const parser = createCsvParser();
    let isHeader = true;
    const take = async ({ records }: ReturnType<typeof parser.push>) => {
      let rows = "";
      for (const { fields } of records) {
        if (!isHeader) rows += rowOf(fields, fileLines, failed);
        isHeader = false;
      }
      if (rows !== "") await file?.appendFile(rows);
    };
    for await (const piece of text) await take(parser.push(piece));
    await take(parser.end());
  }

  return { path, add, isThere: () => file !== undefined, close: async () => await file?.close() };
}

async function begin(path: string): Promise<FileHandle> {
  const file = await open(path, "w");
  await file.appendFile("linea,id_pago,id_afiliado,monto,moneda,mensaje_error\r\n");
  return file;
}

function rowOf(fields: readonly string[], fileLines: readonly number[], failed: Totals): string {
  const [line = "", , , amount = "", code = ""] = fields;
  const currency = parseCurrency(code);
  if (currency !== undefined) addTo(failed, fromStoredDecimal(amount, currency), 1);
  const row = [String(fileLines[Number(line) - 1] ?? line), ...fields.slice(1)];
  return `${row.map(quotedWhereNeeded).join(",")}\r\n`;
}

/** What became of a file, by currency. */
export function summaryOf({ totals, failed, open: notEnded, lostSight, errorsPath }: SendResult): string {
  const rows = [...totals]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([currency, total]) => {
      const lost = failed.get(currency);
      const none = { amountMinor: 0n, currency: total.amount.currency };
      return [
        currency,
        `${total.payouts} pagos`,
        toDecimal(total.amount),
        `${lost?.payouts ?? 0} failed`,
        toDecimal(lost?.amount ?? none),
      ];
    });
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join("  "));
  if (errorsPath !== null) lines.push(`What failed, and why: ${errorsPath}`);
  if (lostSight !== null) lines.push(lostSight);
  if (notEnded > 0) {
    lines.push(`${notEnded} pagos have not ended yet. The server goes on; the same command shows how far it is.`);
  }
  return `${lines.join("\n")}\n`;
}
