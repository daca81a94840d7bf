import type { FastifyInstance } from "fastify";
import { isUuid } from "../../../kernel/identifiers.ts";
import { decimalText } from "../../../kernel/money.ts";
import { paySellerOut } from "../application/commands/pay-seller-out.ts";
import type { PayoutsContext } from "../application/context.ts";
import { findPayout } from "../application/queries/get-payout.ts";
import { listSellerPayouts } from "../application/queries/list-seller-payouts.ts";
import { problemOfPayout } from "./payout-refusals.ts";
import * as schemas from "./payout-schemas.ts";

export type PayoutRoutesSettings = {
  /** Whose payouts a request may see and make. */
  readonly scopeOf: (request: object) => string;
};

const tags = ["payouts"];

/** POST and GET of /payouts: what sellers are paid out, on the marketplace's listener. */
export function registerPayoutRoutes(
  server: FastifyInstance,
  context: PayoutsContext,
  settings: PayoutRoutesSettings,
): void {
  const { scopeOf } = settings;
  const problem = schemas.problemSchema;

  server.post<{ Body: schemas.PayoutBody }>(
    "/payouts",
    {
      schema: {
        summary: "Pay a seller out of their available balance",
        description:
          "201 with `succeeded`, or with `failed` where the gateway declined; 202 with `processing` where it has " +
          "not answered yet: nothing is paid twice, and GET shows what became of it. The same request with the " +
          "same key gets the same payout, with `Idempotency-Replayed: true`. Where the balance does not cover the " +
          "payout it is 409, and stays so under this key.",
        tags,
        body: schemas.payoutBody,
        response: {
          200: schemas.payoutSchema,
          201: schemas.payoutSchema,
          202: schemas.payoutSchema,
          400: problem,
          409: problem,
          422: problem,
          503: problem,
        },
      },
    },
    async (request, reply) => {
      const { seller_id: recipientId, amount, currency, idempotency_key } = request.body;
      const header = request.idempotencyKey;
      if (idempotency_key !== undefined && header !== undefined && idempotency_key !== header) {
        return reply.problem(problemOfPayout({ type: "idempotency_keys_differ" }));
      }
      const idempotencyKey = idempotency_key ?? header;
      if (idempotencyKey === undefined) return reply.problem(problemOfPayout({ type: "idempotency_key_missing" }));
      const digits = typeof amount === "string" ? amount : decimalText(amount);
      const wanted = { recipientId, amount: digits, currency, idempotencyKey };
      const processed = await paySellerOut(context, scopeOf(request), wanted, request.trace);
      if (!processed.ok) return reply.problem(problemOfPayout(processed.refusal));
      const { payout, replayed } = processed.value;
      if (replayed) reply.header("idempotency-replayed", "true");
      const status = payout.status === "PROCESANDO" ? 202 : replayed ? 200 : 201;
      return reply.code(status).send(schemas.presentPayout(payout));
    },
  );

  registerReads(server, context, settings);
}

function registerReads(server: FastifyInstance, context: PayoutsContext, { scopeOf }: PayoutRoutesSettings): void {
  const problem = schemas.problemSchema;

  server.get<{ Querystring: schemas.PayoutListQuery }>(
    "/payouts",
    {
      schema: {
        summary: "List payouts to sellers, newest first",
        tags,
        querystring: schemas.payoutListQuery,
        response: { 200: schemas.payoutListSchema, 400: problem },
      },
    },
    async (request, reply) => {
      const { seller_id: sellerId = null, status, cursor, limit = "20" } = request.query;
      const before = cursor === undefined ? null : Buffer.from(cursor, "base64url").toString("latin1");
      if (before !== null && !isUuid(before)) return reply.problem(problemOfPayout({ type: "cursor_malformed" }));
      const { payouts, next } = await listSellerPayouts(context, scopeOf(request), {
        sellerId,
        status: status === undefined ? null : schemas.estadoOf(status),
        before,
        limit: Number(limit),
      });
      return {
        data: payouts.map(schemas.presentPayout),
        next_cursor: next === null ? null : Buffer.from(next, "latin1").toString("base64url"),
      };
    },
  );

  server.get<{ Params: { id: string } }>(
    "/payouts/:id",
    {
      schema: {
        summary: "Get a payout to a seller",
        tags,
        params: schemas.payoutParams,
        response: { 200: schemas.payoutSchema, 404: problem },
      },
    },
    async (request, reply) => {
      const found = await findPayout(context, scopeOf(request), "seller", request.params.id);
      return found.ok ? schemas.presentPayout(found.value) : reply.problem(problemOfPayout(found.refusal));
    },
  );
}
