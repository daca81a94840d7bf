import Type, { type Static } from "typebox";
import { toJsonAmount } from "../../../kernel/money.ts";
import type { Statement, StatementPosition } from "../application/statement/read-statement.ts";
import { type Moneda, monedas } from "../domain/dinero.ts";

const fechaSchema = Type.String({ format: "date-time", description: "RFC 3339, UTC." });
const monedaSchema = Type.Enum([...monedas], { description: "ISO 4217: USD, EUR o COP." });

export const afiliadoParams = Type.Object({
  id_afiliado: Type.String({
    minLength: 1,
    maxLength: 255,
    description: "El identificador con que se le paga; sus caracteres especiales, codificados (`a/b` es `a%2Fb`).",
    examples: ["afiliado_123"],
  }),
});

export const estadoQuery = Type.Object(
  {
    moneda: Type.Optional(Type.Enum([...monedas], { description: "Solo los totales y movimientos en esta moneda." })),
    desde: Type.Optional(
      Type.String({ maxLength: 40, description: "Los movimientos desde este momento: RFC 3339, o un día en UTC." }),
    ),
    hasta: Type.Optional(
      Type.String({ maxLength: 40, description: "Los movimientos anteriores a este momento: RFC 3339, o un día." }),
    ),
    cursor: Type.Optional(Type.String({ maxLength: 128, description: "Un `siguiente` de este estado de cuenta." })),
    limit: Type.Optional(
      Type.String({ pattern: "^([1-9]|[1-9][0-9]|100)$", description: "De 1 a 100; si no se dice, 20." }),
    ),
  },
  { additionalProperties: false },
);
export type EstadoQuery = Static<typeof estadoQuery>;

export const estadoDeCuentaSchema = Type.Object({
  id_afiliado: Type.String(),
  totales: Type.Array(
    Type.Object({
      moneda: monedaSchema,
      total_pagado: Type.Union([Type.Number(), Type.String()], {
        description: "En la unidad mayor de la moneda; un texto donde un número no lo diría con exactitud.",
        examples: [100.5],
      }),
      pagos_exitosos: Type.Integer({ minimum: 0 }),
      pagos_fallidos: Type.Integer({ minimum: 0 }),
      ultimo_pago: Type.Union([fechaSchema, Type.Null()], { description: "Cuándo fue el último pago exitoso." }),
    }),
    { description: "Todo lo que se le ha pagado, por moneda; `desde` y `hasta` no lo acotan." },
  ),
  movimientos: Type.Array(
    Type.Object({
      id_pago: Type.String({ format: "uuid" }),
      fecha: fechaSchema,
      estado: Type.Enum(["EXITOSO", "FALLIDO"]),
      monto: Type.Number({ description: "En la unidad mayor de la moneda.", examples: [100.5] }),
      moneda: monedaSchema,
      referencia_pago: Type.String({ examples: ["ref_0198"] }),
      mensaje_error: Type.Union([Type.String(), Type.Null()]),
    }),
    { description: "Los pagos terminados, del más reciente al más antiguo." },
  ),
  siguiente: Type.Union([Type.String(), Type.Null()], { description: "El cursor de la página que sigue." }),
  actualizado_hasta: Type.Union([fechaSchema, Type.Null()], {
    description: "La fecha del último evento que recoge; los pagos aparecen al publicarse sus eventos.",
  }),
});

export function presentEstadoDeCuenta(affiliateId: string, statement: Statement): Static<typeof estadoDeCuentaSchema> {
  return {
    id_afiliado: affiliateId,
    totales: statement.totals.map(({ paid, succeeded, failed, lastPaidAt }) => ({
      moneda: paid.currency as string as Moneda,
      total_pagado: toJsonAmount(paid),
      pagos_exitosos: succeeded,
      pagos_fallidos: failed,
      ultimo_pago: lastPaidAt?.toISOString() ?? null,
    })),
    movimientos: statement.lines.map(({ pagoId, processedAt, status, amount, reference, failureMessage }) => ({
      id_pago: pagoId,
      fecha: processedAt.toISOString(),
      estado: status,
      // The limit on amounts keeps every one of the monedas exact as a double.
      monto: Number(toJsonAmount(amount)),
      moneda: amount.currency as string as Moneda,
      referencia_pago: reference,
      mensaje_error: failureMessage,
    })),
    siguiente: statement.next === null ? null : cursorOf(statement.next),
    actualizado_hasta: statement.updatedTo?.toISOString() ?? null,
  };
}

function cursorOf({ processedAt, pagoId }: StatementPosition): string {
  return Buffer.from(`${processedAt.toISOString()} ${pagoId}`, "latin1").toString("base64url");
}
