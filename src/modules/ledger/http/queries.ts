import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { JournalPeriod } from "../application/export-journal.ts";
import type { AccountPosition, AsOf, Moment } from "../application/read-accounts.ts";
import type { HttpRefusal } from "./refusals.ts";

const rfc3339 =
  /^(\d{4}-\d{2}-\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.(\d{1,6}))?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

/** A time in UTC with all its microseconds; a Date has only milliseconds, and between two entries there can be less. */
function readMoment(text: string, field: string): Result<Moment, HttpRefusal> {
  const parts = rfc3339.exec(text);
  const [, day = "", decimals = ""] = parts ?? [];
  const calendar = new Date(`${day}T00:00:00Z`);
  const date = new Date(text);
  // A day that is not in the calendar (30 February) becomes another one.
  if (parts === null || Number.isNaN(calendar.getTime()) || calendar.toISOString().slice(0, 10) !== day) {
    return refuse({ type: "moment_malformed", field });
  }
  const year = date.getUTCFullYear();
  if (Number.isNaN(date.getTime()) || year < 1 || year > 9999) return refuse({ type: "moment_malformed", field });
  return accept(`${date.toISOString().slice(0, 19)}.${decimals.padEnd(6, "0")}Z`);
}

/** As {@link readMoment}, for a bound that need not be given. */
function readBound(text: string | undefined, field: string): Result<Moment | null, HttpRefusal> {
  return text === undefined ? accept(null) : readMoment(text, field);
}

export function readPeriod(query: {
  from?: string | undefined;
  to?: string | undefined;
}): Result<JournalPeriod, HttpRefusal> {
  const from = readBound(query.from, "from");
  if (!from.ok) return from;
  const to = readBound(query.to, "to");
  return to.ok ? accept({ from: from.value, to: to.value }) : to;
}

export function readAsOf(query: {
  as_of?: string | undefined;
  as_of_kind?: AsOf["kind"] | undefined;
}): Result<AsOf | null, HttpRefusal> {
  if (query.as_of === undefined)
    return query.as_of_kind === undefined ? accept(null) : refuse({ type: "as_of_missing" });
  const moment = readMoment(query.as_of, "as_of");
  return moment.ok ? accept({ moment: moment.value, kind: query.as_of_kind ?? "posted" }) : moment;
}

/** Where a page of accounts goes on, for the same prefix. */
export function readAccountCursor(
  cursor: string | undefined,
  prefix: string,
): Result<AccountPosition | null, HttpRefusal> {
  if (cursor === undefined) return accept(null);
  const [, currency = "", code = ""] = /^([A-Z]{3}) ([^\0]{3,300})$/su.exec(decode(cursor)) ?? [];
  return code !== "" && code.startsWith(prefix) ? accept({ code, currency }) : refuse({ type: "cursor_malformed" });
}

export function accountCursor({ code, currency }: AccountPosition): string {
  return encode(`${currency} ${code}`);
}

/** The version of the last entry of the page before. */
export function readEntryCursor(cursor: string | undefined): Result<bigint | null, HttpRefusal> {
  if (cursor === undefined) return accept(null);
  const text = decode(cursor);
  return /^[1-9]\d{0,17}$/.test(text) ? accept(BigInt(text)) : refuse({ type: "cursor_malformed" });
}

export function entryCursor(version: bigint): string {
  return encode(version.toString());
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64url");
}

/** What is no base64 or no UTF-8 becomes a text that is no position. */
function decode(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  return encode(text) === cursor ? text : "";
}
