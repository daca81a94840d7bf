import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { createBatchFileReader, type FileFault } from "../domain/batch-file.ts";
import { type BatchLine, judgeLine, type LineFault, mostFaultyLines, mostLines } from "../domain/batch-line.ts";

/** What is wrong with a value of the body: where, what kind of fault, and what to do. */
export type BodyFault = { readonly pointer: string; readonly type: string; readonly detail: string };

export type LinesRefusal = { readonly type: "lines_invalid"; readonly faults: readonly BodyFault[] };

/** The lines of a lote's body: of JSON that was parsed, or of a CSV, which comes as its bytes. */
export function readLines(body: unknown): Result<BatchLine[], LinesRefusal> {
  return Buffer.isBuffer(body) ? readCsv(body) : readJson(body);
}

function readJson(body: unknown): Result<BatchLine[], LinesRefusal> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return invalid([{ pointer: "", type: "dict_type", detail: 'Send {"pagos": […]} as JSON, or text/csv' }]);
  }
  const { pagos } = body as { readonly pagos?: unknown };
  if (pagos === undefined) return invalid([{ pointer: "/pagos", type: "missing", detail: "Field required" }]);
  if (!Array.isArray(pagos)) {
    return invalid([{ pointer: "/pagos", type: "list_type", detail: "Input should be a list" }]);
  }
  const size = faultOfSize(pagos.length, "/pagos");
  if (size !== null) return invalid([size]);
  const lines: BatchLine[] = [];
  const faults: BodyFault[] = [];
  let faulty = 0;
  for (const [place, pago] of pagos.entries()) {
    const judged = judgeLine(pago);
    if (judged.ok) {
      lines.push(judged.value);
      continue;
    }
    faults.push(...judged.refusal.faults.map((fault) => faultAt(`/pagos/${place}`, fault)));
    faulty += 1;
    if (faulty === mostFaultyLines) break;
  }
  return faults.length > 0 ? invalid(faults) : accept(lines);
}

function readCsv(bytes: Buffer): Result<BatchLine[], LinesRefusal> {
  const text = decode(bytes);
  if (text === null) {
    return invalid([{ pointer: "", type: "value_error", detail: "The file is not UTF-8. Export it as UTF-8" }]);
  }
  const reader = createBatchFileReader();
  const lines: BatchLine[] = [...reader.push(text), ...reader.end()];
  const faults = reader.faults();
  if (faults.length > 0) return invalid(faults.map(faultOfFile));
  const size = faultOfSize(lines.length, "");
  return size === null ? accept(lines) : invalid([size]);
}

/** Null where the bytes are no UTF-8; without the byte order mark that some begin with. */
function decode(bytes: Buffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function faultOfSize(lines: number, pointer: string): BodyFault | null {
  if (lines === 0) return { pointer, type: "too_short", detail: "A lote has at least one pago" };
  if (lines <= mostLines) return null;
  const detail = `A lote has at most ${mostLines} pagos, and this has ${lines}. Send them as several lotes`;
  return { pointer, type: "too_long", detail };
}

function faultOfFile({ line, ...fault }: FileFault): BodyFault {
  return faultAt(`/linea/${line}`, fault);
}

function faultAt(where: string, { field, type, detail }: LineFault): BodyFault {
  return { pointer: field === null ? where : `${where}/${field}`, type, detail };
}

function invalid(faults: readonly BodyFault[]): { ok: false; refusal: LinesRefusal } {
  return refuse({ type: "lines_invalid", faults });
}
