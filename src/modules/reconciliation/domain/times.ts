/** From here on a time has a year of more digits than the database and other programs read. */
const end = Date.UTC(9_999, 0);

/**
 * RFC 3339, or as Stripe's reports write it: "2026-01-31 12:00:00", in UTC. Null where it is neither, no day of the
 * year, or outside of the years 1970 to 9998.
 */
export function readTime(text: string): Date | null {
  const parts = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?$/.exec(text);
  if (parts === null) return null;
  const [, day = "", time = "", fraction = "", zone] = parts;
  // A time without a zone is UTC only in Stripe's form: with a T it could be anybody's local time.
  if (zone === undefined && text[10] === "T") return null;
  const date = new Date(`${day}T${time}${fraction}${zone ?? "Z"}`);
  if (Number.isNaN(date.getTime()) || date.getTime() < 0 || date.getTime() >= end) return null;
  // The 31st of February is a day of March to Date.
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day) ? date : null;
}
