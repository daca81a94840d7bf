import type { FastifyInstance } from "fastify";
import { capturePayment } from "../application/capture-payment.ts";
import type { PaymentsContext } from "../application/context.ts";
import { readRefunds, refundPayment } from "../application/refund-payment.ts";
import * as schemas from "./refund-schemas.ts";
import { problemFor } from "./refusals.ts";
import { decimalOf, readKey } from "./request-fields.ts";
import { idParams, paymentSchema, presentPayment, problemSchema as problem } from "./schemas.ts";

/** The routes that take a payment's money and give it back. */
export function registerRefundRoutes(
  server: FastifyInstance,
  context: PaymentsContext,
  { scopeOf }: { readonly scopeOf: (request: object) => string },
): void {
  const tags = ["payments"];

  server.post<{ Params: { id: string }; Body: schemas.CaptureBody | undefined }>(
    "/payments/:id/capture",
    {
      schema: {
        summary: "Take the money of an authorized payment",
        description:
          "For a payment made with `capture: false`, once its buyer has paid. Taking less than was authorized " +
          "releases the rest. Capturing the same amount again changes nothing.",
        tags,
        params: idParams,
        body: schemas.captureBody,
        response: { 200: paymentSchema, 400: problem, 404: problem, 409: problem, 503: problem, 504: problem },
      },
      preValidation: emptyIsAnObject,
    },
    async (request, reply) => {
      const amount = request.body?.amount;
      const asked = amount === undefined ? null : decimalOf(amount);
      const captured = await capturePayment(context, scopeOf(request), request.params.id, asked, request.trace);
      return captured.ok ? presentPayment(captured.value) : reply.problem(problemFor(captured.refusal));
    },
  );

  server.post<{ Params: { id: string }; Body: schemas.RefundBody | undefined }>(
    "/payments/:id/refunds",
    {
      schema: {
        summary: "Give money back",
        description:
          "All that is left, or a part of it; any number of parts up to what was captured. The seller's share and " +
          "the commission go back in proportion. `pending` where the gateway has not answered yet: it is asked again.",
        tags,
        params: idParams,
        body: schemas.refundBody,
        response: {
          200: schemas.refundSchema,
          201: schemas.refundSchema,
          400: problem,
          404: problem,
          409: problem,
          422: problem,
        },
      },
      preValidation: emptyIsAnObject,
    },
    async (request, reply) => {
      const { amount, reason = null, idempotency_key } = request.body ?? {};
      const key = readKey(idempotency_key, request.idempotencyKey);
      if (!key.ok) return reply.problem(problemFor(key.refusal));
      const asked = { amount: amount === undefined ? null : decimalOf(amount), reason, idempotencyKey: key.value };
      const refunded = await refundPayment(context, scopeOf(request), request.params.id, asked, request.trace);
      if (!refunded.ok) return reply.problem(problemFor(refunded.refusal));
      const { refund, replayed } = refunded.value;
      if (replayed) reply.header("idempotency-replayed", "true");
      return reply.code(replayed ? 200 : 201).send(schemas.presentRefund(refund));
    },
  );

  server.get<{ Params: { id: string } }>(
    "/payments/:id/refunds",
    {
      schema: {
        summary: "The refunds of a payment, oldest first",
        tags,
        params: idParams,
        response: { 200: schemas.refundListSchema, 404: problem },
      },
    },
    async (request, reply) => {
      const refunds = await readRefunds(context, scopeOf(request), request.params.id);
      return refunds.ok
        ? { data: refunds.value.map(schemas.presentRefund) }
        : reply.problem(problemFor(refunds.refusal));
    },
  );
}

/** A request without a body asks for everything: no amount, no reason. */
async function emptyIsAnObject(request: { body: unknown }): Promise<void> {
  request.body ??= {};
}
