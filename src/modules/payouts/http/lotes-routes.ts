import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { isIdempotencyKey } from "../../../kernel/identifiers.ts";
import { acceptBatch } from "../application/batches/accept-batch.ts";
import type { BatchWorker } from "../application/batches/batch-worker.ts";
import { failuresAsCsv, getBatch, listBatchPayouts } from "../application/batches/read-batches.ts";
import type { PayoutsContext } from "../application/context.ts";
import { readLines } from "./lotes-body.ts";
import { loteProblem } from "./lotes-refusals.ts";
import * as schemas from "./lotes-schemas.ts";
import * as pagoSchemas from "./pagos-schemas.ts";

export type LoteRoutesSettings = {
  /** Whose lotes a request may see and make. */
  readonly scopeOf: (request: object) => string;
};

/** 10,000 pagos of an identifier that is not unusually long. */
const bodyLimitBytes = 4 * 1024 * 1024;
/** A reader that takes nothing for so long has gone or has forgotten us. */
const stalledReaderMs = 60_000;
const tags = ["pagos"];
const { detalleSchema: detalle, faltasSchema: faltas } = pagoSchemas;

/** The routes of /pagos/lotes: up to 10,000 pagos at once, which are paid behind the request. */
export function registerLoteRoutes(
  server: FastifyInstance,
  context: PayoutsContext,
  worker: Pick<BatchWorker, "wake">,
  settings: LoteRoutesSettings,
): void {
  registerCreation(server, context, worker, settings);
  registerReads(server, context, settings);
}

/** In a scope of its own, because here a body may be a CSV. */
function registerCreation(
  server: FastifyInstance,
  context: PayoutsContext,
  worker: Pick<BatchWorker, "wake">,
  { scopeOf }: LoteRoutesSettings,
): void {
  server.register(async (scope) => {
    scope.addContentTypeParser("text/csv", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    scope.post<{ Body: unknown }>(
      "/pagos/lotes",
      {
        bodyLimit: bodyLimitBytes,
        // The lines are judged by the domain: a schema would name ten thousand faults, and a CSV has none.
        validatorCompiler: () => () => true,
        schema: {
          summary: "Pagar hasta 10 000 afiliados",
          description:
            "En JSON, o como `text/csv` con las columnas `id_afiliado,monto,moneda` en cualquier orden; hasta 4 MiB. " +
            "Un lote con una línea errónea se rechaza entero, y se nombran hasta 20 líneas: por su lugar en pagos " +
            "(desde 0), o por la línea del archivo (la cabecera es la 1). Las mismas líneas con la misma " +
            "`Idempotency-Key` devuelven el mismo lote, con `Idempotency-Replayed: true`; otras líneas, 422. Los " +
            "pagos se hacen después de responder, en su orden y muchos a la vez.",
          tags,
          headers: pagoSchemas.pagoHeaders,
          body: schemas.createBody,
          response: { 202: schemas.acceptedSchema, 413: detalle, 415: detalle, 422: faltas, 503: detalle },
        },
      },
      async (request, reply) => {
        const key = request.idempotencyKey ?? null;
        if (key !== null && !isIdempotencyKey(key)) {
          return reply.problem(loteProblem({ type: "idempotency_key_malformed" }));
        }
        const lines = readLines(request.body);
        if (!lines.ok) return reply.problem(loteProblem(lines.refusal));
        const accepted = await acceptBatch(context, scopeOf(request), lines.value, key, request.trace);
        if (!accepted.ok) return reply.problem(loteProblem(accepted.refusal));
        const { id, replayed } = accepted.value;
        reply.code(202).header("location", `/pagos/lotes/${id}`);
        if (!replayed) {
          worker.wake();
          return schemas.presentAccepted(accepted.value, false);
        }
        reply.header("idempotency-replayed", "true");
        const batch = await getBatch(context, scopeOf(request), id);
        return schemas.presentAccepted(accepted.value, batch.ok && batch.value.endedAt !== null);
      },
    );
  });
}

function registerReads(server: FastifyInstance, context: PayoutsContext, { scopeOf }: LoteRoutesSettings): void {
  server.get<{ Params: { id: string } }>(
    "/pagos/lotes/:id",
    {
      schema: {
        summary: "El estado de un lote",
        tags,
        params: schemas.idParams,
        response: { 200: schemas.loteSchema, 404: detalle },
      },
    },
    async (request, reply) => {
      const batch = await getBatch(context, scopeOf(request), request.params.id);
      return batch.ok ? schemas.presentLote(batch.value) : reply.problem(loteProblem(batch.refusal));
    },
  );

  server.get<{ Params: { id: string }; Querystring: schemas.PagosQuery }>(
    "/pagos/lotes/:id/pagos",
    {
      schema: {
        summary: "Los pagos de un lote, en el orden de sus líneas",
        tags,
        params: schemas.idParams,
        querystring: schemas.pagosQuery,
        response: { 200: schemas.pagosSchema, 404: detalle, 422: faltas },
      },
    },
    async (request, reply) => {
      const { estado: status = null, cursor, limit = "100" } = request.query;
      const after = cursor === undefined ? 0 : lineOf(cursor);
      if (after === null) return reply.problem(loteProblem({ type: "cursor_malformed" }));
      const batch = await getBatch(context, scopeOf(request), request.params.id);
      if (!batch.ok) return reply.problem(loteProblem(batch.refusal));
      const { payouts, next } = await listBatchPayouts(context, batch.value.id, {
        status,
        after,
        limit: Number(limit),
      });
      return schemas.presentPagos(payouts, next);
    },
  );

  server.get<{ Params: { id: string } }>(
    "/pagos/lotes/:id/errores",
    {
      schema: {
        summary: "Los pagos fallidos de un lote, en CSV",
        description:
          "Los que han fallado hasta ahora, en el orden de sus líneas; linea es el lugar en el lote, desde 1. " +
          "Un texto que una hoja de cálculo tomaría por una fórmula lleva un apóstrofo delante.",
        tags,
        params: schemas.idParams,
        response: { 200: schemas.erroresContent, 404: detalle },
      },
    },
    async (request, reply) => {
      const batch = await getBatch(context, scopeOf(request), request.params.id);
      if (!batch.ok) return reply.problem(loteProblem(batch.refusal));
      const { id } = batch.value;
      reply.raw.setTimeout(stalledReaderMs, () => reply.raw.destroy());
      return reply
        .type("text/csv; charset=utf-8; header=present")
        .header("content-disposition", `attachment; filename="${id}.errores.csv"`)
        .send(Readable.from(failuresAsCsv(context, id), { objectMode: false }));
    },
  );
}

/** The place of the line that a cursor names; null for what is none of ours. */
function lineOf(cursor: string): number | null {
  const text = Buffer.from(cursor, "base64url").toString("latin1");
  return /^[1-9]\d{0,4}$/.test(text) ? Number(text) : null;
}
