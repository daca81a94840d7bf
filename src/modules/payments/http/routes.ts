import type { FastifyInstance } from "fastify";
import { isUuid } from "../../../kernel/identifiers.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { cancelPayment } from "../application/cancel-payment.ts";
import type { PaymentsContext } from "../application/context.ts";
import { createPayment } from "../application/create-payment.ts";
import { getPayment, listPayments, type PaymentFilter, readTimeline } from "../application/read-payments.ts";
import { receiveEvent } from "../application/receive-webhook.ts";
import { isSignedBy } from "../application/verify-signature.ts";
import type { Metadata, PaymentRequest } from "../domain/payment.ts";
import { registerRefundRoutes } from "./refund-routes.ts";
import { type HttpRefusal, problemFor } from "./refusals.ts";
import { decimalOf, readKey } from "./request-fields.ts";
import * as schemas from "./schemas.ts";

export type PaymentRoutesSettings = {
  readonly webhookSecret: string;
  readonly nowMs: () => number;
  /** Whose payments a request may see and make. */
  readonly scopeOf: (request: object) => string;
};

/** POST, GET and the rest of /payments, to the letter of the marketplace contract. */
export function registerPaymentRoutes(
  server: FastifyInstance,
  context: PaymentsContext,
  settings: PaymentRoutesSettings,
): void {
  const { scopeOf } = settings;
  const tags = ["payments"];
  const problem = schemas.problemSchema;

  server.post<{ Body: schemas.CreateBody }>(
    "/payments",
    {
      schema: {
        summary: "Make a payment",
        description:
          "The same request with the same key gets the same payment, with `Idempotency-Replayed: true`; " +
          "another request with the key gets 422.",
        tags,
        body: schemas.createBody,
        response: {
          200: schemas.summarySchema,
          201: schemas.summarySchema,
          400: problem,
          409: problem,
          422: problem,
          503: problem,
          504: problem,
        },
      },
    },
    async (request, reply) => {
      const read = readRequest(request.body, request.idempotencyKey);
      if (!read.ok) return reply.problem(problemFor(read.refusal));
      const created = await createPayment(context, scopeOf(request), read.value, request.trace);
      if (!created.ok) return reply.problem(problemFor(created.refusal));
      const { payment, replayed } = created.value;
      if (replayed) reply.header("idempotency-replayed", "true");
      return reply.code(replayed ? 200 : 201).send(schemas.presentSummary(payment));
    },
  );

  server.post<{ Params: { id: string } }>(
    "/payments/:id/cancel",
    {
      schema: {
        summary: "Cancel a pending payment",
        description: "Cancelling a cancelled payment again changes nothing. The gateway decides a race with the buyer.",
        tags,
        params: schemas.idParams,
        response: { 200: schemas.paymentSchema, 404: problem, 409: problem, 503: problem, 504: problem },
      },
    },
    async (request, reply) => {
      const cancelled = await cancelPayment(context, scopeOf(request), request.params.id, request.trace);
      return cancelled.ok ? schemas.presentPayment(cancelled.value) : reply.problem(problemFor(cancelled.refusal));
    },
  );

  registerRefundRoutes(server, context, settings);
  registerReads(server, context, settings);
  registerWebhook(server, context, settings);
}

function registerReads(server: FastifyInstance, context: PaymentsContext, settings: PaymentRoutesSettings): void {
  const { scopeOf } = settings;
  const tags = ["payments"];
  const problem = schemas.problemSchema;

  server.get<{ Querystring: schemas.ListQuery }>(
    "/payments",
    {
      schema: {
        summary: "List payments, newest first",
        tags,
        querystring: schemas.listQuery,
        response: { 200: schemas.listSchema, 400: problem },
      },
    },
    async (request, reply) => {
      const filter = readFilter(request.query);
      if (!filter.ok) return reply.problem(problemFor(filter.refusal));
      const { payments, next } = await listPayments(context, scopeOf(request), filter.value);
      return { data: payments.map(schemas.presentPayment), next_cursor: next === null ? null : cursorOf(next) };
    },
  );

  server.get<{ Params: { id: string } }>(
    "/payments/:id",
    {
      schema: {
        summary: "Get a payment",
        tags,
        params: schemas.idParams,
        response: { 200: schemas.paymentSchema, 404: problem },
      },
    },
    async (request, reply) => {
      const found = await getPayment(context, scopeOf(request), request.params.id);
      return found.ok ? schemas.presentPayment(found.value) : reply.problem(problemFor(found.refusal));
    },
  );

  server.get<{ Params: { id: string } }>(
    "/payments/:id/timeline",
    {
      schema: {
        summary: "Everything that happened to a payment, oldest first",
        tags,
        params: schemas.idParams,
        response: { 200: schemas.timelineSchema, 404: problem },
      },
    },
    async (request, reply) => {
      const timeline = await readTimeline(context, scopeOf(request), request.params.id);
      return timeline.ok ? schemas.presentTimeline(timeline.value) : reply.problem(problemFor(timeline.refusal));
    },
  );
}

/** In a scope of its own, because here the body must stay the bytes that were signed. */
function registerWebhook(server: FastifyInstance, context: PaymentsContext, settings: PaymentRoutesSettings): void {
  server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    scope.post<{ Body: Buffer }>(
      "/webhooks/stripe",
      {
        schema: {
          summary: "Receive the gateway's events",
          description: "The raw body, signed by `Stripe-Signature`. An event that comes twice has one effect.",
          tags: ["webhooks"],
          response: {
            200: schemas.acknowledgement,
            400: schemas.problemSchema,
            401: schemas.problemSchema,
            503: schemas.problemSchema,
          },
        },
      },
      async (request, reply) => {
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const header = request.headers["stripe-signature"];
        const signed = isSignedBy(settings.webhookSecret, header?.toString(), body, settings.nowMs());
        if (!signed) return reply.problem(problemFor({ type: "signature_invalid" }));
        const text = body.toString("utf8");
        const event = parseEvent(text);
        if (event === undefined) return reply.problem(problemFor({ type: "event_malformed" }));
        const received = await receiveEvent(context, event, text, request.trace);
        return received.ok ? { status: "ok" } : reply.problem(problemFor(received.refusal));
      },
    );
  });
}

function parseEvent(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Signed and not JSON: the answer says that the event is malformed.
    return undefined;
  }
}

function readRequest(body: schemas.CreateBody, header: string | undefined): Result<PaymentRequest, HttpRefusal> {
  const key = readKey(body.idempotency_key, header);
  if (!key.ok) return key;
  return accept({
    amount: decimalOf(body.amount),
    currency: body.currency,
    idempotencyKey: key.value,
    metadata: (body.metadata ?? {}) as Metadata,
    reference: body.reference ?? null,
    sellerId: body.seller_id ?? null,
    capture: body.capture === false ? "manual" : "automatic",
  });
}

function readFilter(query: schemas.ListQuery): Result<PaymentFilter, HttpRefusal> {
  const before = query.cursor === undefined ? null : Buffer.from(query.cursor, "base64url").toString("latin1");
  if (before !== null && !isUuid(before)) return refuse({ type: "cursor_malformed" });
  const createdAfter = query.created_after === undefined ? null : new Date(query.created_after);
  if (createdAfter !== null && Number.isNaN(createdAfter.getTime())) return refuse({ type: "created_after_malformed" });
  const { status = null, currency = null } = query;
  return accept({ status, currency, createdAfter, before, limit: Number(query.limit ?? 20) });
}

function cursorOf(id: string): string {
  return Buffer.from(id, "latin1").toString("base64url");
}
