import { type CsvFault, type CsvRecord, createCsvParser } from "../../../kernel/csv.ts";
import type { Line } from "./lines.ts";
import type { Period } from "./runs.ts";
import { type RecordReader, readHeader } from "./settlement-file.ts";

/** What is wrong with a line of the file, and what to do. Line 0 is the file as a whole. */
export type FileFault = CsvFault;

/** Reads a settlement file from pieces of text, and keeps what is to be said about it as a whole. */
export type SettlementReader = {
  /** Takes the next piece and returns the lines in it; none any more once something was wrong. */
  push(text: string): Line[];
  /** The file has ended: returns its last lines. */
  end(): Line[];
  /** The rest of the file cannot be read. */
  giveUp(detail: string): void;
  /** Nothing more of the file needs to be read: it is broken, or enough is wrong with it. */
  isOver(): boolean;
  faults(): readonly FileFault[];
  /** Lines that are about no payment. */
  ignoredLines(): number;
  /** From the first line's time to after the last one's; null where there is no line. */
  period(): Period | null;
};

/** Enough to mend a file; the same mistake can be on each of its million lines. */
const mostFaults = 20;

export function createSettlementReader(): SettlementReader {
  const parser = createCsvParser();
  const faults: FileFault[] = [];
  let readRecord: RecordReader | undefined;
  let isBroken = false;
  let ignoredLines = 0;
  let first = "";
  let last = "";

  function take({ line, fields }: CsvRecord): Line | null {
    if (readRecord === undefined) {
      const header = readHeader(fields);
      if (header.ok) readRecord = header.value;
      else breakOff({ line, detail: header.refusal.detail });
      return null;
    }
    const read = readRecord(fields);
    if (!read.ok) {
      faults.push({ line, detail: read.refusal.detail });
      return null;
    }
    if (read.value === null) {
      ignoredLines += 1;
      return null;
    }
    // Both are written alike, so that their order is that of their characters.
    const { occurredAt } = read.value;
    if (first === "" || occurredAt < first) first = occurredAt;
    if (occurredAt > last) last = occurredAt;
    return read.value;
  }

  function breakOff(fault: FileFault): void {
    faults.push(fault);
    isBroken = true;
  }

  const isOver = () => isBroken || faults.length >= mostFaults;

  function read({ records, fault }: { records: readonly CsvRecord[]; fault: CsvFault | null }): Line[] {
    const lines: Line[] = [];
    for (const record of records) {
      if (isOver()) return [];
      const line = take(record);
      if (line !== null) lines.push(line);
    }
    if (fault !== null) breakOff(fault);
    return faults.length === 0 ? lines : [];
  }

  return {
    push: (text) => (isOver() ? [] : read(parser.push(text))),
    end: () => (isOver() ? [] : read(parser.end())),
    giveUp: (detail) => breakOff({ line: 0, detail }),
    isOver,
    faults: () => faults,
    ignoredLines: () => ignoredLines,
    period: () => (first === "" ? null : { from: new Date(first), to: new Date(new Date(last).getTime() + 1) }),
  };
}
