import { decimalText, type Money } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { type DineroRefusal, type Moneda, monedas, parseDinero } from "./dinero.ts";
import { isRecipientId } from "./payout-order.ts";

/** How many payouts one batch may have. */
export const mostLines = 10_000;
/** Enough to mend a file; the same mistake can be on each of its lines. */
export const mostFaultyLines = 20;

/** One line of a batch: an affiliate and what they are to be paid. */
export type BatchLine = { readonly recipientId: string; readonly amount: Money };

/** What is wrong with one field of a line; the type is what pydantic calls it. */
export type LineFault = {
  /** Null where it is the line as a whole. */
  readonly field: string | null;
  readonly type: string;
  readonly detail: string;
};

export type LineRefusal = { readonly type: "line_invalid"; readonly faults: readonly LineFault[] };

/** The fields of a line, in the words of the contract. */
export const lineFields = ["id_afiliado", "monto", "moneda"] as const;
type LineField = (typeof lineFields)[number];

/** Judges a line that came as JSON: every fault of each of its fields. Further fields are not looked at. */
export function judgeLine(value: unknown): Result<BatchLine, LineRefusal> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const detail = "Input should be an object with id_afiliado, monto and moneda";
    return refuse({ type: "line_invalid", faults: [{ field: null, type: "dict_type", detail }] });
  }
  const line = value as Readonly<Record<string, unknown>>;
  const { id_afiliado: id, monto, moneda } = line;
  const faults = lineFields.filter((field) => line[field] === undefined).map(missing);
  if (id !== undefined && typeof id !== "string") faults.push(wrongType("id_afiliado", "string_type", "string"));
  if (monto !== undefined && typeof monto !== "number") faults.push(wrongType("monto", "float_type", "number"));
  if (moneda !== undefined && typeof moneda !== "string") faults.push(wrongType("moneda", "string_type", "string"));
  const texts = {
    id_afiliado: typeof id === "string" ? id : undefined,
    monto: typeof monto === "number" ? decimalText(monto) : undefined,
    moneda: typeof moneda === "string" ? moneda : undefined,
  };
  return judgeTexts(texts, faults);
}

/** Judges a line whose fields came as texts, as those of a file do. */
export function judgeTextLine(line: Readonly<Record<LineField, string>>): Result<BatchLine, LineRefusal> {
  return judgeTexts(line, []);
}

/** What is undefined has its fault already. */
function judgeTexts(
  { id_afiliado: id, monto, moneda }: Readonly<Record<LineField, string | undefined>>,
  faults: LineFault[],
): Result<BatchLine, LineRefusal> {
  if (id !== undefined && !isRecipientId(id)) faults.push(faultyRecipient(id));
  // Without a moneda that is known the monto is judged with one that has as many decimals as all of them.
  const read = monto === undefined ? undefined : parseDinero(monto, isMoneda(moneda) ? moneda : monedas[0]);
  if (read !== undefined && !read.ok) faults.push(dineroFaults[read.refusal.type]);
  if (moneda !== undefined && !isMoneda(moneda)) faults.push(dineroFaults.moneda_unknown);
  if (faults.length > 0 || id === undefined || read === undefined || !read.ok) {
    return refuse({ type: "line_invalid", faults });
  }
  return accept({ recipientId: id, amount: read.value });
}

function isMoneda(text: string | undefined): text is Moneda {
  return monedas.some((known) => known === text);
}

function missing(field: LineField): LineFault {
  return { field, type: "missing", detail: "Field required" };
}

function wrongType(field: LineField, type: string, wanted: string): LineFault {
  return { field, type, detail: `Input should be a ${wanted}` };
}

function faultyRecipient(id: string): LineFault {
  const field = "id_afiliado";
  if (id === "") return { field, type: "string_too_short", detail: "Input should have at least 1 character" };
  if (id.length > 255) return { field, type: "string_too_long", detail: "Input should have at most 255 characters" };
  const detail = "Input should have neither the character U+0000 nor half of a surrogate pair";
  return { field, type: "value_error", detail };
}

const dineroFaults = {
  moneda_unknown: { field: "moneda", type: "enum", detail: "Input should be 'USD', 'EUR' or 'COP'" },
  amount_not_a_decimal: {
    field: "monto",
    type: "decimal_parsing",
    detail: "Input should be plain decimal digits with a point, such as 100.50",
  },
  amount_has_too_many_decimals: {
    field: "monto",
    type: "decimal_max_places",
    detail: "Input has more decimals than its moneda has",
  },
  amount_must_be_positive: { field: "monto", type: "greater_than", detail: "Input should be greater than 0" },
  amount_over_limit: {
    field: "monto",
    type: "less_than_equal",
    detail: "Input should be less than or equal to 9999999999",
  },
} as const satisfies Record<DineroRefusal["type"], LineFault>;

/** The lines in one canonical form, of which the fingerprint is made: the same whether they came as JSON or as CSV. */
export function canonicalLines(lines: readonly BatchLine[]): string {
  return lines.map(canonicalLine).join("\n");
}

/** One line in its canonical form, in which there is no line break. */
export function canonicalLine({ recipientId, amount }: BatchLine): string {
  return JSON.stringify([recipientId, amount.amountMinor.toString(), amount.currency]);
}
