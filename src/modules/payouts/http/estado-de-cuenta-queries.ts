import { isUuid } from "../../../kernel/identifiers.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { StatementFilter, StatementPosition } from "../application/statement/read-statement.ts";
import type { EstadoRefusal } from "./estado-de-cuenta-refusals.ts";
import type { EstadoQuery } from "./estado-de-cuenta-schemas.ts";

/** Reads what a page of a statement was asked for with. */
export function readFilter(query: EstadoQuery): Result<StatementFilter, EstadoRefusal> {
  const { moneda: currency = null, limit = "20" } = query;
  const from = readBound(query.desde, "desde");
  if (!from.ok) return from;
  const to = readBound(query.hasta, "hasta");
  if (!to.ok) return to;
  const after = query.cursor === undefined ? null : positionOf(query.cursor);
  if (after === undefined) return refuse({ type: "cursor_malformed" });
  return accept({ currency, from: from.value, to: to.value, after, limit: Number(limit) });
}

const day = /^\d{4}-\d{2}-\d{2}$/;
const rfc3339 =
  /^(\d{4}-\d{2}-\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** A day in UTC or a time with its offset, as a time in UTC to the millisecond, which is what lines have. */
function readBound(text: string | undefined, field: "desde" | "hasta"): Result<string | null, EstadoRefusal> {
  if (text === undefined) return accept(null);
  const date = day.test(text) ? text : rfc3339.exec(text)?.[1];
  const calendar = new Date(`${date}T00:00:00Z`);
  // A day that is not in the calendar (30 February) becomes another one.
  if (date === undefined || Number.isNaN(calendar.getTime()) || calendar.toISOString().slice(0, 10) !== date) {
    return refuse({ type: "moment_malformed", field });
  }
  const moment = new Date(text);
  const year = moment.getUTCFullYear();
  if (Number.isNaN(year) || year < 1 || year > 9999) return refuse({ type: "moment_malformed", field });
  return accept(moment.toISOString());
}

/** The position that a cursor names; undefined for what is none of ours. */
function positionOf(cursor: string): StatementPosition | undefined {
  const text = Buffer.from(cursor, "base64url").toString("latin1");
  const [, moment = "", pagoId = ""] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (.{36})$/.exec(text) ?? [];
  const processedAt = new Date(moment);
  // PostgreSQL has no year 0.
  return isUuid(pagoId) && processedAt.getUTCFullYear() >= 1 ? { processedAt, pagoId } : undefined;
}
