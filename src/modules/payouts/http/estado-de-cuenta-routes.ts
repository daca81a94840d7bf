import type { FastifyInstance } from "fastify";
import type { PayoutsContext } from "../application/context.ts";
import { readStatement } from "../application/statement/read-statement.ts";
import { isRecipientId } from "../domain/payout-order.ts";
import { readFilter } from "./estado-de-cuenta-queries.ts";
import { problemOfEstado } from "./estado-de-cuenta-refusals.ts";
import * as schemas from "./estado-de-cuenta-schemas.ts";
import { faltasSchema } from "./pagos-schemas.ts";

/**
 * GET of an affiliate's statement. It is made from the published events, which carry no scope: whoever may read pagos
 * reads all of it.
 */
export function registerEstadoDeCuentaRoutes(
  server: FastifyInstance,
  { database }: Pick<PayoutsContext, "database">,
): void {
  server.get<{ Params: { id_afiliado: string }; Querystring: schemas.EstadoQuery }>(
    "/pagos/afiliados/:id_afiliado/estado-de-cuenta",
    {
      schema: {
        summary: "El estado de cuenta de un afiliado",
        description:
          "Lo que se le ha pagado, por moneda, y sus pagos terminados, del más reciente al más antiguo. Se hace con " +
          "los eventos publicados, así que un pago aparece poco después de terminar. A quien nunca se le ha pagado " +
          "le corresponde uno vacío: un afiliado existe porque se le paga.",
        tags: ["pagos"],
        params: schemas.afiliadoParams,
        querystring: schemas.estadoQuery,
        response: { 200: schemas.estadoDeCuentaSchema, 422: faltasSchema },
      },
    },
    async (request, reply) => {
      const { id_afiliado: affiliateId } = request.params;
      if (!isRecipientId(affiliateId)) return reply.problem(problemOfEstado({ type: "recipient_malformed" }));
      const filter = readFilter(request.query);
      if (!filter.ok) return reply.problem(problemOfEstado(filter.refusal));
      return schemas.presentEstadoDeCuenta(affiliateId, await readStatement(database, affiliateId, filter.value));
    },
  );
}
