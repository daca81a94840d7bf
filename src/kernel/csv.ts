/** One record of a CSV file, and the line of the file that it begins on. */
export type CsvRecord = { readonly line: number; readonly fields: readonly string[] };

/** Where a file is no CSV. Nothing after it can be read. */
export type CsvFault = { readonly line: number; readonly detail: string };

export type CsvParser = {
  /** Takes the next characters of the file; returns the records that are complete by now, and what ended them. */
  push(text: string): { readonly records: readonly CsvRecord[]; readonly fault: CsvFault | null };
  /** The file has ended: returns its last record, where no line break follows it. */
  end(): { readonly records: readonly CsvRecord[]; readonly fault: CsvFault | null };
};

/** So that a quote that is never closed does not take the rest of the file into memory. */
const longestRecord = 65_536;

/** A bare field ends at a comma, a line break or a quote, which it must not have. */
const bareField = /[^",\r\n]*/y;
const quotedField = /"[^"]*(?:""[^"]*)*"/y;

type Field = { readonly value: string; readonly end: number };
type Parsed =
  | { readonly type: "record"; readonly fields: string[]; readonly end: number }
  | { readonly type: "incomplete" }
  | { readonly type: "fault"; readonly detail: string };

const incomplete: Parsed = { type: "incomplete" };

/**
 * Parses CSV as RFC 4180 has it, strictly, from pieces of any size: fields between commas, quoted where they hold
 * commas, quotes (written twice) or line breaks; lines end with CRLF or LF, and the last one may end without. Empty
 * lines are skipped. Memory is bounded by the longest record.
 */
export function createCsvParser(): CsvParser {
  let rest = "";
  let line = 1;
  let ended: CsvFault | null = null;

  function read(text: string, isLast: boolean): ReturnType<CsvParser["push"]> {
    const records: CsvRecord[] = [];
    let at = 0;
    while (at < text.length && ended === null) {
      const parsed = readRecord(text, at, isLast);
      if (parsed.type === "incomplete") break;
      if (parsed.type === "fault") {
        ended = { line, detail: parsed.detail };
        break;
      }
      const { fields, end } = parsed;
      if (fields.length > 1 || fields[0] !== "") records.push({ line, fields });
      line += lineBreaks(text, at, end);
      at = end;
    }
    rest = text.slice(at);
    if (ended === null && rest.length > longestRecord) {
      ended = { line, detail: `The record is longer than ${longestRecord} characters. Is a quote not closed?` };
    }
    return { records, fault: ended };
  }

  return {
    push: (text) => read(rest === "" ? text : rest + text, false),
    end: () => read(rest, true),
  };
}

function readRecord(text: string, from: number, isLast: boolean): Parsed {
  const fields: string[] = [];
  let at = from;
  for (;;) {
    const field = text[at] === '"' ? readQuoted(text, at) : readBare(text, at);
    if (field === null) {
      return isLast ? fault("A quote is opened and never closed. Close it, or write quotes twice.") : incomplete;
    }
    fields.push(field.value);
    at = field.end;
    if (text[at] === ",") at += 1;
    else return endOfRecord(text, at, isLast, fields);
  }
}

/** What a field is followed by where that is no comma. */
function endOfRecord(text: string, at: number, isLast: boolean, fields: string[]): Parsed {
  const next = text[at];
  if (next === undefined) return isLast ? { type: "record", fields, end: at } : incomplete;
  if (next === "\n") return { type: "record", fields, end: at + 1 };
  if (next === "\r") {
    if (text[at + 1] === "\n") return { type: "record", fields, end: at + 2 };
    return at + 1 >= text.length && !isLast
      ? incomplete
      : fault("A line ends with CR alone. End lines with CRLF or LF.");
  }
  if (next === '"') return fault("A quote stands in a field without quotes. Quote the field, and write it twice.");
  return fault("Characters follow a closing quote. Quote the whole field, or write quotes in it twice.");
}

function readBare(text: string, at: number): Field {
  bareField.lastIndex = at;
  const value = bareField.exec(text)?.[0] ?? "";
  return { value, end: at + value.length };
}

/** Null where the closing quote is not there yet. */
function readQuoted(text: string, at: number): Field | null {
  quotedField.lastIndex = at;
  const raw = quotedField.exec(text)?.[0];
  // A quote that follows belongs to a pair whose field goes on: the match ended at the first half of it.
  if (raw === undefined || text[at + raw.length] === '"') return null;
  const inner = raw.slice(1, -1);
  return { value: inner.includes('"') ? inner.replaceAll('""', '"') : inner, end: at + raw.length };
}

function lineBreaks(text: string, from: number, end: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at !== -1 && at < end; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

function fault(detail: string): Parsed {
  return { type: "fault", detail };
}

/**
 * A text that others chose, as a field of a CSV that people open. Spreadsheets run what begins with =, +, -, @, a tab
 * or a line break as a formula, so such a text gets an apostrophe in front, which makes it text to them; one that
 * begins with an apostrophe gets another, so that taking one away always gives what it was.
 */
export function csvField(text: string): string {
  return quotedWhereNeeded(/^[=+\-@\t\r\n'＝＋－＠]/.test(text) ? `'${text}` : text);
}

/** A text as a field of a CSV, unchanged. */
export function quotedWhereNeeded(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
