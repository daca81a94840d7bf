import { cpus, totalmem } from "node:os";

/** One table of figures: a heading for each column and the rows below. */
export type Table = { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] };

/** A Markdown table whose columns are padded, so that it reads in a terminal as well. Numbers stand to the right. */
export function markdown({ columns, rows }: Table): string {
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const padded = (cells: readonly string[]) =>
    widths.map((width, index) =>
      index === 0 ? (cells[index] ?? "").padEnd(width) : (cells[index] ?? "").padStart(width),
    );
  const rule = widths.map((width, index) => (index === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [padded(columns), rule, ...rows.map(padded)].map(line).join("\n");
}

/** The middle value; the mean of the two middle ones where their number is even. Throws where there is none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.ceil((sorted.length - 1) / 2)];
  if (low === undefined || high === undefined) throw new Error("no values to take the median of");
  return (low + high) / 2;
}

/** 1234567 is "1,234,567". */
export function whole(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString("en-US") : "-";
}

/** One decimal below 100, none above. */
export function short(value: number): string {
  return value < 100 ? value.toFixed(1) : whole(value);
}

/** What the figures were measured on, in one line. */
export function machineLine(postgresVersion: string, bundled: boolean): string {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const memoryGb = (totalmem() / 2 ** 30).toFixed(0);
  const form = bundled ? "bundle" : "sources";
  const date = new Date().toISOString().slice(0, 10);
  const software = `Node ${process.version}, PostgreSQL ${postgresVersion}, ${form}`;
  return `${cpus().length} cores (${model}), ${memoryGb} GiB, ${software}, ${date}`;
}
