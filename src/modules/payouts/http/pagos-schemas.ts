import Type, { type Static } from "typebox";
import { toJsonAmount } from "../../../kernel/money.ts";
import { type Moneda, monedas } from "../domain/dinero.ts";
import { estados, type Payout, payoutReference } from "../domain/payout.ts";

const montoSchema = Type.Number({ description: "En la unidad mayor de la moneda.", examples: [100.5] });
const monedaSchema = Type.Enum([...monedas], { description: "ISO 4217: USD, EUR o COP." });
const afiliadoSchema = Type.String({ minLength: 1, maxLength: 255, examples: ["afiliado_123"] });
const estadoSchema = Type.Enum([...estados], { description: "PENDIENTE → PROCESANDO → EXITOSO | FALLIDO." });
const referenciaSchema = Type.String({ description: "Lo que ve el afiliado en su extracto.", examples: ["ref_0198"] });
const fechaSchema = Type.String({ format: "date-time", description: "RFC 3339, UTC." });

export const pagoBody = Type.Object({
  id_afiliado: afiliadoSchema,
  monto: Type.Number({
    exclusiveMinimum: 0,
    description: "Mayor que cero, en la unidad mayor de la moneda, con dos decimales a lo sumo.",
    examples: [100.5],
  }),
  moneda: monedaSchema,
});
export type PagoBody = Static<typeof pagoBody>;

export const pagoHeaders = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({ description: "De 1 a 255 caracteres visibles. Repetida, devuelve el mismo pago.", maxLength: 257 }),
  ),
});

export const procesadoSchema = Type.Object({
  id_pago: Type.String({ format: "uuid" }),
  id_afiliado: afiliadoSchema,
  monto: montoSchema,
  moneda: monedaSchema,
  estado: estadoSchema,
  referencia_pago: referenciaSchema,
  fecha_creacion: fechaSchema,
  mensaje: Type.String({ description: "Cómo ha ido; en un pago FALLIDO, la razón de la pasarela." }),
});

export const pagoSchema = Type.Object({
  id: Type.String({ format: "uuid" }),
  id_afiliado: afiliadoSchema,
  monto: montoSchema,
  moneda: monedaSchema,
  estado: estadoSchema,
  referencia_pago: referenciaSchema,
  fecha_creacion: fechaSchema,
  fecha_procesamiento: Type.Union([fechaSchema, Type.Null()]),
  mensaje_error: Type.Union([Type.String(), Type.Null()]),
});

export const estadisticasSchema = Type.Object({
  total_eventos: Type.Integer(),
  eventos_procesados: Type.Integer(),
  eventos_pendientes: Type.Integer(),
});

export const detalleSchema = Type.Object({ detail: Type.String() });

export const faltasSchema = Type.Object({
  detail: Type.Array(
    Type.Object({
      type: Type.String({ examples: ["greater_than"] }),
      loc: Type.Array(Type.Union([Type.String(), Type.Integer()]), { examples: [["body", "monto"]] }),
      msg: Type.String(),
    }),
  ),
});

export const pagoParams = Type.Object({ id_pago: Type.String() });

/** What a request for a pago is told of it. */
export function presentProcesado(payout: Payout): Static<typeof procesadoSchema> {
  return {
    id_pago: payout.id,
    ...presentCommon(payout),
    fecha_creacion: payout.createdAt.toISOString(),
    mensaje: mensajeOf(payout),
  };
}

/** A pago as it stands. */
export function presentPago(payout: Payout): Static<typeof pagoSchema> {
  return {
    id: payout.id,
    ...presentCommon(payout),
    fecha_creacion: payout.createdAt.toISOString(),
    fecha_procesamiento: "processedAt" in payout ? payout.processedAt.toISOString() : null,
    mensaje_error: payout.status === "FALLIDO" ? payout.failure.message : null,
  };
}

function presentCommon({ id, recipient, amount, status }: Payout) {
  return {
    id_afiliado: recipient.id,
    // The limit on amounts keeps every one of the monedas exact as a double.
    monto: Number(toJsonAmount(amount)),
    moneda: amount.currency as string as Moneda,
    estado: status,
    referencia_pago: payoutReference(id),
  };
}

function mensajeOf(payout: Payout): string {
  switch (payout.status) {
    case "EXITOSO":
      return "Pago procesado exitosamente";
    case "FALLIDO":
      return payout.failure.message;
    case "PROCESANDO":
      return "El pago se está procesando; consulte su estado más tarde";
    case "PENDIENTE":
      return "El pago está pendiente";
  }
}
