import { type CsvFault, type CsvRecord, createCsvParser } from "../../../kernel/csv.ts";
import { type BatchLine, judgeTextLine, type LineFault, lineFields, mostFaultyLines } from "./batch-line.ts";

/** A line of a batch as a file has it, with the number of the file's line that it begins on. */
export type FileLine = BatchLine & { readonly line: number };
/** What is wrong with a line of the file. Line 0 is the file as a whole. */
export type FileFault = LineFault & { readonly line: number };

/** Reads a CSV of payouts from pieces of text, and keeps what is wrong with it. */
export type BatchFileReader = {
  /** Takes the next piece and returns the lines in it; none any more once something was wrong. */
  push(text: string): FileLine[];
  /** The file has ended: returns its last lines. */
  end(): FileLine[];
  /** The rest of the file cannot be read. */
  giveUp(fault: FileFault): void;
  /** Nothing more of the file needs to be read: it is broken, or enough is wrong with it. */
  isOver(): boolean;
  faults(): readonly FileFault[];
};

type Header = Readonly<Record<(typeof lineFields)[number], number>> & { readonly columns: number };

/**
 * Reads `id_afiliado,monto,moneda`, named by a header in any order; further columns are not looked at. Memory is
 * bounded by the piece: who calls it decides what becomes of the lines.
 */
export function createBatchFileReader(): BatchFileReader {
  const parser = createCsvParser();
  const faults: FileFault[] = [];
  let header: Header | undefined;
  let faultyLines = 0;
  let isBroken = false;

  function breakOff(fault: FileFault): void {
    faults.push(fault);
    isBroken = true;
  }

  function readHeader({ line, fields }: CsvRecord): void {
    const names = fields.map((field, column) => (column === 0 ? field.replace(/^\ufeff/, "") : field).trim());
    const isOnce = (field: string) => names.includes(field) && names.indexOf(field) === names.lastIndexOf(field);
    const wrong = lineFields.filter((field) => !isOnce(field));
    if (wrong.length > 0) {
      const detail = `The first line must name the columns ${lineFields.join(",")}, each once: see ${wrong.join(", ")}`;
      breakOff({ line, field: null, type: "value_error", detail });
      return;
    }
    header = {
      id_afiliado: names.indexOf("id_afiliado"),
      monto: names.indexOf("monto"),
      moneda: names.indexOf("moneda"),
      columns: names.length,
    };
  }

  function readLine({ line, fields }: CsvRecord, { columns, ...places }: Header): FileLine | null {
    if (fields.length !== columns) {
      const detail = `There are ${fields.length} fields, and the header has ${columns}. Quote fields with commas`;
      return fail([{ line, field: null, type: "value_error", detail }]);
    }
    const field = (name: (typeof lineFields)[number]) => fields[places[name]] ?? "";
    const judged = judgeTextLine({
      id_afiliado: field("id_afiliado"),
      monto: field("monto"),
      moneda: field("moneda"),
    });
    if (judged.ok) return { line, ...judged.value };
    return fail(judged.refusal.faults.map((fault) => ({ line, ...fault })));
  }

  function fail(found: readonly FileFault[]): null {
    faultyLines += 1;
    faults.push(...found);
    return null;
  }

  const isOver = () => isBroken || faultyLines >= mostFaultyLines;

  function read({ records, fault }: { records: readonly CsvRecord[]; fault: CsvFault | null }): FileLine[] {
    const lines: FileLine[] = [];
    for (const record of records) {
      if (isOver()) return [];
      if (header === undefined) {
        readHeader(record);
        continue;
      }
      const line = readLine(record, header);
      if (line !== null) lines.push(line);
    }
    if (fault !== null && !isOver()) breakOff({ ...fault, field: null, type: "csv_invalid" });
    return faults.length === 0 ? lines : [];
  }

  return {
    push: (text) => (isOver() ? [] : read(parser.push(text))),
    end: () => (isOver() ? [] : read(parser.end())),
    giveUp: breakOff,
    isOver,
    faults: () => faults,
  };
}
