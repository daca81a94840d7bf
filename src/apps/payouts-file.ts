import { hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type Money, toDecimal } from "../kernel/money.ts";
import {
  type BatchFileReader,
  canonicalLine,
  createBatchFileReader,
  type FileFault,
  type FileLine,
  mostLines,
} from "../modules/payouts/index.ts";
import { OperatorFault } from "./operator-fault.ts";

/** As many lines of a file as one lote takes. */
export type Part = {
  /** From 1 on. */
  readonly number: number;
  /** The lote as JSON. */
  readonly body: string;
  /** For each of its lines, which line of the file it is. */
  readonly fileLines: readonly number[];
  readonly totals: Totals;
  /** Of what the lines say, however they are written. */
  readonly digest: string;
};

/** How many payouts and how much, in minor units, by currency. */
export type Totals = Map<string, { payouts: number; amount: Money }>;

/** A file that was checked: it can be sent. */
export type CheckedFile = {
  readonly lines: number;
  readonly totals: Totals;
  readonly digests: readonly string[];
  /** Of what the whole file says. */
  readonly digest: string;
};

/** Lines of the file that cannot be paid. */
export class UnusableFile extends Error {
  readonly faults: readonly FileFault[];

  constructor(faults: readonly FileFault[]) {
    super("the file has lines that cannot be paid");
    this.name = "UnusableFile";
    this.faults = faults;
  }
}

/** A lote's body may have 4 MiB. */
const mostBodyBytes = 3_500_000;

/**
 * Reads the whole file and keeps nothing of it but its sums. Throws an {@link UnusableFile} where any line is bad, and
 * an {@link OperatorFault} where it cannot be read. `onBytes` is told how many bytes were read so far.
 */
export async function checkFile(path: string, onBytes: (bytes: number) => void): Promise<CheckedFile> {
  const totals: Totals = new Map();
  const digests: string[] = [];
  let lines = 0;
  for await (const part of readParts(path, onBytes)) {
    digests.push(part.digest);
    lines += part.fileLines.length;
    for (const { payouts, amount } of part.totals.values()) addTo(totals, amount, payouts);
  }
  if (lines === 0) {
    throw new UnusableFile([{ line: 0, field: null, type: "too_short", detail: "There is no pago in the file" }]);
  }
  return { lines, totals, digests, digest: hash("sha256", digests.join("\n"), "hex") };
}

/** The file in parts, one after the other: memory is bounded by a part, whatever the file's size. Throws as above. */
export async function* readParts(path: string, onBytes: (bytes: number) => void): AsyncGenerator<Part> {
  const reader = createBatchFileReader();
  let part = beginPart(1);
  for await (const lines of linesOf(path, reader, onBytes)) {
    for (const line of lines) {
      if (part.isFull()) {
        yield part.end();
        part = beginPart(part.number + 1);
      }
      part.add(line);
    }
  }
  if (reader.faults().length > 0) throw new UnusableFile(reader.faults());
  if (!part.isEmpty()) yield part.end();
}

async function* linesOf(
  path: string,
  reader: BatchFileReader,
  onBytes: (bytes: number) => void,
): AsyncGenerator<readonly FileLine[]> {
  const stream = createReadStream(path);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let bytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      onBytes(bytes);
      yield reader.push(decoder.decode(chunk, { stream: true }));
      if (reader.isOver()) return;
    }
    yield reader.push(decoder.decode());
    yield reader.end();
  } catch (error) {
    if (stream.errored !== null) throw new OperatorFault(`${path} cannot be read: ${stream.errored.message}`, error);
    if (!(error instanceof TypeError)) throw error;
    const detail = "The file is not UTF-8. Export it as UTF-8";
    reader.giveUp({ line: 0, field: null, type: "value_error", detail });
  }
}

function beginPart(number: number) {
  const pagos: string[] = [];
  const fileLines: number[] = [];
  const canonical: string[] = [];
  const totals: Totals = new Map();
  let bytes = 0;
  return {
    number,
    isEmpty: () => pagos.length === 0,
    isFull: () => pagos.length === mostLines || bytes >= mostBodyBytes,
    add(line: FileLine): void {
      const { amount } = line;
      const who = JSON.stringify(line.recipientId);
      const pago = `{"id_afiliado":${who},"monto":${toDecimal(amount)},"moneda":"${amount.currency}"}`;
      bytes += Buffer.byteLength(pago) + 1;
      pagos.push(pago);
      fileLines.push(line.line);
      canonical.push(canonicalLine(line));
      addTo(totals, amount, 1);
    },
    end(): Part {
      const body = `{"pagos":[${pagos.join(",")}]}`;
      return { number, body, fileLines, totals, digest: hash("sha256", canonical.join("\n"), "hex") };
    },
  };
}

/** Adds so many payouts of so much in all. */
export function addTo(totals: Totals, { amountMinor, currency }: Money, payouts: number): void {
  const total = totals.get(currency);
  if (total === undefined) {
    totals.set(currency, { payouts, amount: { amountMinor, currency } });
    return;
  }
  total.payouts += payouts;
  total.amount = { amountMinor: total.amount.amountMinor + amountMinor, currency };
}
