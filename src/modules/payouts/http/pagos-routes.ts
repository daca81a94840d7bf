import type { FastifyInstance } from "fastify";
import { decimalText } from "../../../kernel/money.ts";
import { payAffiliate } from "../application/commands/pay-affiliate.ts";
import type { PayoutsContext } from "../application/context.ts";
import { findPayout } from "../application/queries/get-payout.ts";
import { problemOfPago } from "./pagos-refusals.ts";
import * as schemas from "./pagos-schemas.ts";

export type PagoRoutesSettings = {
  /** Whose pagos a request may see and make. */
  readonly scopeOf: (request: object) => string;
  /** How many events of pagos there are, and how many of them the relay has published. */
  readonly readStatistics: () => Promise<{
    readonly total: number;
    readonly handled: number;
    readonly pending: number;
  }>;
};

/** POST and GET of /pagos, to the letter of the pagos contract. */
export function registerPagoRoutes(
  server: FastifyInstance,
  context: PayoutsContext,
  { scopeOf, readStatistics }: PagoRoutesSettings,
): void {
  const tags = ["pagos"];

  server.post<{ Body: schemas.PagoBody }>(
    "/pagos",
    {
      schema: {
        summary: "Procesar un pago a un afiliado",
        description:
          "200 con EXITOSO, o con FALLIDO y la razón de la pasarela; 202 con PROCESANDO mientras no se sabe. " +
          "La misma solicitud con la misma Idempotency-Key devuelve el mismo pago, con `Idempotency-Replayed: true`.",
        tags,
        headers: schemas.pagoHeaders,
        body: schemas.pagoBody,
        response: {
          200: schemas.procesadoSchema,
          202: schemas.procesadoSchema,
          409: schemas.detalleSchema,
          422: schemas.faltasSchema,
        },
      },
    },
    async (request, reply) => {
      const { id_afiliado: recipientId, monto, moneda: currency } = request.body;
      const { idempotencyKey = null } = request;
      const wanted = { recipientId, amount: decimalText(monto), currency, idempotencyKey };
      const processed = await payAffiliate(context, scopeOf(request), wanted, request.trace);
      if (!processed.ok) return reply.problem(problemOfPago(processed.refusal));
      const { payout, replayed } = processed.value;
      if (replayed) reply.header("idempotency-replayed", "true");
      return reply.code(payout.status === "PROCESANDO" ? 202 : 200).send(schemas.presentProcesado(payout));
    },
  );

  server.get(
    "/pagos/outbox/estadisticas",
    {
      schema: {
        summary: "Los eventos de los pagos: cuántos hay y cuántos se han publicado",
        tags,
        response: { 200: schemas.estadisticasSchema },
      },
    },
    async () => {
      const { total, handled, pending } = await readStatistics();
      return { total_eventos: total, eventos_procesados: handled, eventos_pendientes: pending };
    },
  );

  server.get<{ Params: { id_pago: string } }>(
    "/pagos/:id_pago",
    {
      schema: {
        summary: "El estado de un pago",
        tags,
        params: schemas.pagoParams,
        response: { 200: schemas.pagoSchema, 404: schemas.detalleSchema },
      },
    },
    async (request, reply) => {
      const found = await findPayout(context, scopeOf(request), "affiliate", request.params.id_pago);
      return found.ok ? schemas.presentPago(found.value) : reply.problem(problemOfPago(found.refusal));
    },
  );
}
