import { isUuid } from "../../../kernel/identifiers.ts";
import type { Money } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { parseDinero } from "./dinero.ts";
import { isRecipientId } from "./payout-order.ts";

/** How a pago ended, as its published event says. */
export type PagoEvent = {
  readonly eventId: string;
  readonly pagoId: string;
  readonly affiliateId: string;
  readonly amount: Money;
  readonly status: "EXITOSO" | "FALLIDO";
  readonly reference: string;
  /** Why it was not made; null where it was. */
  readonly failureMessage: string | null;
  readonly processedAt: Date;
};

export type PagoEventRefusal = { type: "not_for_us" } | { type: "malformed"; reason: string };

const statusOf: ReadonlyMap<string, PagoEvent["status"]> = new Map([
  ["PagoExitoso", "EXITOSO"],
  ["PagoFallido", "FALLIDO"],
]);

/** A number of the JSON as it was written: no double comes between the event and the amount. */
const written = Symbol("written");
type WrittenNumber = { readonly [written]: string };

const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * Reads the JSON of an event as the pagos contract has it. Refuses as not for us what is an event of another type, and
 * as malformed, with what is wrong, everything that is no such event: it will be no other when it is delivered again.
 */
export function readPagoEvent(payload: string): Result<PagoEvent, PagoEventRefusal> {
  const envelope = parseJson(payload);
  const type = fieldOf(envelope, "event_type");
  if (typeof type !== "string") return malformed("event_type", "the type of an event");
  const status = statusOf.get(type);
  if (status === undefined) return refuse({ type: "not_for_us" });
  const data = fieldOf(envelope, "data");
  const eventId = fieldOf(envelope, "event_id");
  const timestamp = fieldOf(envelope, "timestamp");
  const pagoId = fieldOf(data, "id_pago");
  const affiliateId = fieldOf(data, "id_afiliado");
  const reference = fieldOf(data, "referencia_pago");
  const failureMessage = status === "FALLIDO" ? fieldOf(data, "mensaje_error") : "";
  if (typeof eventId !== "string" || !isUuid(eventId)) return malformed("event_id", "a uuid");
  if (typeof pagoId !== "string" || !isUuid(pagoId)) return malformed("id_pago", "a uuid");
  if (typeof affiliateId !== "string" || !isRecipientId(affiliateId)) {
    return malformed("id_afiliado", "1 to 255 storable characters");
  }
  if (!isStorable(reference)) return malformed("referencia_pago", "a text");
  if (!isStorable(failureMessage)) return malformed("mensaje_error", "a text");
  const processedAt = typeof timestamp === "string" && moment.test(timestamp) ? new Date(timestamp) : undefined;
  if (processedAt === undefined || Number.isNaN(processedAt.getTime())) return malformed("timestamp", "a time");
  const amount = readAmount(fieldOf(data, "monto"), fieldOf(data, "moneda"));
  if (amount === undefined) return malformed("monto", "a positive amount of its moneda");
  const ended = { status, failureMessage: status === "FALLIDO" ? failureMessage : null };
  return accept({ eventId, pagoId, affiliateId, amount, ...ended, reference, processedAt });
}

function malformed(field: string, wanted: string): Result<never, PagoEventRefusal> {
  return refuse({ type: "malformed", reason: `${field} must be ${wanted}` });
}

/** The value, or undefined where the text is no JSON. */
function parseJson(text: string): unknown {
  const keepWritten = (_key: string, value: unknown, context: { source: string }): unknown =>
    typeof value === "number" ? ({ [written]: context.source } satisfies WrittenNumber) : value;
  try {
    return JSON.parse(text, keepWritten as (key: string, value: unknown) => unknown);
  } catch {
    return undefined;
  }
}

/** An own field of an object; undefined where there is none. */
function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function isStorable(value: unknown): value is string {
  return typeof value === "string" && !value.includes("\u0000") && value.isWellFormed();
}

function readAmount(monto: unknown, moneda: unknown): Money | undefined {
  if (typeof monto !== "object" || monto === null || !(written in monto) || typeof moneda !== "string") {
    return undefined;
  }
  const amount = parseDinero((monto as WrittenNumber)[written], moneda);
  return amount.ok ? amount.value : undefined;
}
