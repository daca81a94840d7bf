import Type, { type Static } from "typebox";
import { toJsonAmount } from "../../../kernel/money.ts";
import type { AcceptedBatch } from "../application/batches/accept-batch.ts";
import { type Batch, type BatchPayout, percentOf } from "../application/batches/read-batches.ts";
import { mostLines } from "../domain/batch-line.ts";
import { monedas } from "../domain/dinero.ts";
import { estados } from "../domain/payout.ts";

const timestampSchema = Type.String({ format: "date-time", description: "RFC 3339, UTC." });
const estadoSchema = Type.Enum(["PROCESANDO", "TERMINADO"], {
  description: "TERMINADO cuando cada uno de sus pagos es EXITOSO o FALLIDO.",
});
const count = Type.Integer({ minimum: 0 });

/** What the document of the API says; the lines are judged by the domain, which names every faulty one. */
const jsonBody = Type.Object(
  {
    pagos: Type.Array(
      Type.Object(
        {
          id_afiliado: Type.String({ minLength: 1, maxLength: 255, examples: ["afiliado_123"] }),
          monto: Type.Number({ exclusiveMinimum: 0, examples: [100.5] }),
          moneda: Type.Enum([...monedas]),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: mostLines },
    ),
  },
  { additionalProperties: false },
);

export const createBody = {
  content: {
    "application/json": { schema: jsonBody },
    "text/csv": {
      schema: Type.String({
        description:
          "A header with the columns id_afiliado,monto,moneda in any order, and a line for each pago; UTF-8.",
        examples: ["id_afiliado,monto,moneda\nafiliado_123,100.50,USD\n"],
      }),
    },
  },
};

export const idParams = Type.Object({ id: Type.String() });

export const pagosQuery = Type.Object(
  {
    estado: Type.Optional(Type.Enum([...estados], { description: "Solo los pagos en este estado." })),
    cursor: Type.Optional(Type.String({ maxLength: 64, description: "Un next_cursor de esta lista." })),
    limit: Type.Optional(
      Type.String({
        pattern: "^([1-9]|[1-9][0-9]|[1-9][0-9]{2}|1000)$",
        description: "De 1 a 1000; si no se dice, 100.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type PagosQuery = Static<typeof pagosQuery>;

export const acceptedSchema = Type.Object({
  id_lote: Type.String({ format: "uuid" }),
  estado: estadoSchema,
  total: Type.Integer({ minimum: 1, maximum: mostLines }),
  fecha_creacion: timestampSchema,
});

export const loteSchema = Type.Object({
  id_lote: Type.String({ format: "uuid" }),
  estado: estadoSchema,
  total: Type.Integer({ minimum: 1, maximum: mostLines }),
  por_estado: Type.Object({ PENDIENTE: count, PROCESANDO: count, EXITOSO: count, FALLIDO: count }),
  porcentaje: Type.Number({
    minimum: 0,
    maximum: 100,
    description: "Qué parte de sus pagos ha terminado; con dos decimales, hacia abajo: 100 son todos.",
  }),
  fecha_creacion: timestampSchema,
  fecha_fin: Type.Union([timestampSchema, Type.Null()], { description: "Cuándo terminó el último pago." }),
  errores: Type.String({ description: "Dónde están los pagos fallidos, en CSV." }),
});

export const pagosSchema = Type.Object({
  pagos: Type.Array(
    Type.Object({
      id: Type.String({ format: "uuid" }),
      linea: Type.Integer({ minimum: 1, description: "Su lugar en el lote." }),
      id_afiliado: Type.String(),
      monto: Type.Union([Type.Number(), Type.String()]),
      moneda: Type.String(),
      estado: Type.Enum([...estados]),
      mensaje_error: Type.Union([Type.String(), Type.Null()]),
    }),
  ),
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});

export const erroresContent = {
  content: {
    "text/csv": {
      schema: Type.String({
        description: "Las columnas linea,id_pago,id_afiliado,monto,moneda,mensaje_error; una línea por pago fallido.",
      }),
    },
  },
};

/** A lote that was accepted; one that was accepted before as it stands now. */
export function presentAccepted(
  { id, lines, createdAt }: AcceptedBatch,
  hasEnded: boolean,
): Static<typeof acceptedSchema> {
  return {
    id_lote: id,
    estado: hasEnded ? "TERMINADO" : "PROCESANDO",
    total: lines,
    fecha_creacion: createdAt.toISOString(),
  };
}

export function presentLote(batch: Batch): Static<typeof loteSchema> {
  const { id, lines, counts, createdAt, endedAt } = batch;
  return {
    id_lote: id,
    estado: endedAt === null ? "PROCESANDO" : "TERMINADO",
    total: lines,
    por_estado: counts,
    porcentaje: percentOf(batch),
    fecha_creacion: createdAt.toISOString(),
    fecha_fin: endedAt?.toISOString() ?? null,
    errores: `/pagos/lotes/${id}/errores`,
  };
}

export function presentPagos(payouts: readonly BatchPayout[], next: number | null): Static<typeof pagosSchema> {
  return {
    pagos: payouts.map(({ id, line, recipientId, amount, status, failureMessage }) => ({
      id,
      linea: line,
      id_afiliado: recipientId,
      monto: toJsonAmount(amount),
      moneda: amount.currency,
      estado: status,
      mensaje_error: failureMessage,
    })),
    next_cursor: next === null ? null : Buffer.from(String(next), "latin1").toString("base64url"),
  };
}
