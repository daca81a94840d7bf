import type { FastifyInstance } from "fastify";
import { isUuid } from "../../../kernel/identifiers.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { WebhooksContext } from "../application/context.ts";
import { type DeliveryInFull, getDelivery, listDeliveries } from "../application/read-deliveries.ts";
import { type ReplayRequest, replayDeliveries, replayDelivery, sendTest } from "../application/replay-deliveries.ts";
import { problemOfWebhook } from "./refusals.ts";
import * as schemas from "./schemas.ts";

const tags = ["webhook-endpoints"];
const problem = schemas.problemSchema;
const endpointNotFound = refuse({ type: "webhook_endpoint_not_found" as const });
const deliveryNotFound = refuse({ type: "webhook_delivery_not_found" as const });

/** What was sent to endpoints, and sending it again. */
export function registerDeliveryRoutes(server: FastifyInstance, context: WebhooksContext): void {
  registerReads(server, context);
  registerReplays(server, context);
}

function registerReads(server: FastifyInstance, context: WebhooksContext): void {
  const problemOf = (refusal: Parameters<typeof problemOfWebhook>[0]) => problemOfWebhook(refusal, context.knownTypes);

  server.get<{ Params: { id: string }; Querystring: schemas.DeliveryListQuery }>(
    "/webhook-endpoints/:id/deliveries",
    {
      schema: {
        summary: "List what was sent to a webhook endpoint, newest first",
        description: "With each try and the beginning of its answer. Deliveries are kept for 30 days.",
        tags,
        params: schemas.idParams,
        querystring: schemas.deliveryListQuery,
        response: { 200: schemas.deliveryListSchema, 400: problem, 404: problem },
      },
    },
    async (request, reply) => {
      const { status = null, event_type: eventType = null, cursor, limit = "20" } = request.query;
      const before = cursor === undefined ? null : textOf(cursor);
      if (before !== null && !isUuid(before)) return reply.problem(problemOf({ type: "cursor_malformed" }));
      const { id: endpointId } = request.params;
      const filter = { endpointId, status, eventType, before, limit: Number(limit) };
      const listed = isUuid(endpointId) ? await listDeliveries(context.database, filter) : endpointNotFound;
      if (!listed.ok) return reply.problem(problemOf(listed.refusal));
      const { deliveries, next } = listed.value;
      return { data: deliveries.map(schemas.presentDelivery), next_cursor: next === null ? null : cursorOf(next) };
    },
  );

  server.get<{ Params: { id: string } }>(
    "/webhook-deliveries/:id",
    {
      schema: {
        summary: "Get a delivery with what it sends",
        tags,
        params: schemas.idParams,
        response: { 200: schemas.deliveryInFullSchema, 404: problem },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const found = isUuid(id) ? await getDelivery(context.database, id) : deliveryNotFound;
      return found.ok ? presentInFull(found.value) : reply.problem(problemOf(found.refusal));
    },
  );
}

function registerReplays(server: FastifyInstance, context: WebhooksContext): void {
  const problemOf = (refusal: Parameters<typeof problemOfWebhook>[0]) => problemOfWebhook(refusal, context.knownTypes);

  server.post<{ Params: { id: string } }>(
    "/webhook-deliveries/:id/replay",
    {
      schema: {
        summary: "Send a delivery again",
        description: "With the same webhook-id, and the whole schedule of tries before it. Whatever became of it.",
        tags,
        params: schemas.idParams,
        response: { 202: schemas.deliveryInFullSchema, 404: problem, 409: problem, 503: problem },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const replayed = isUuid(id) ? await replayDelivery(context, id) : deliveryNotFound;
      if (!replayed.ok) return reply.problem(problemOf(replayed.refusal));
      return reply.code(202).send(presentInFull(replayed.value));
    },
  );

  server.post<{ Params: { id: string }; Body: schemas.ReplayBody }>(
    "/webhook-endpoints/:id/replay",
    {
      schema: {
        summary: "Send again what an endpoint was to be sent in a period",
        description:
          "What failed for good, or everything; 10,000 deliveries at once, and the answer says how to go on.",
        tags,
        params: schemas.idParams,
        body: schemas.replayBody,
        response: { 202: schemas.replaySchema, 400: problem, 404: problem, 409: problem, 503: problem },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const wanted = readReplay(request.body);
      if (!wanted.ok) return reply.problem(problemOf(wanted.refusal));
      const replayed = isUuid(id) ? await replayDeliveries(context, id, wanted.value) : endpointNotFound;
      if (!replayed.ok) return reply.problem(problemOf(replayed.refusal));
      const { replayed: count, next } = replayed.value;
      return reply.code(202).send({ replayed: count, next_cursor: next === null ? null : cursorOf(next) });
    },
  );

  server.post<{ Params: { id: string } }>(
    "/webhook-endpoints/:id/test",
    {
      schema: {
        summary: "Send an endpoint a test",
        description: "An event of the type webhook.test, whatever types the endpoint takes.",
        tags,
        params: schemas.idParams,
        response: { 202: schemas.deliveryInFullSchema, 404: problem, 409: problem, 503: problem },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const sent = isUuid(id) ? await sendTest(context, id) : endpointNotFound;
      if (!sent.ok) return reply.problem(problemOf(sent.refusal));
      return reply.code(202).send(presentInFull(sent.value));
    },
  );
}

type ReplayBodyRefusal =
  | { type: "period_malformed"; field: "since" | "until" }
  | { type: "period_empty" }
  | { type: "cursor_malformed" };

function readReplay(body: schemas.ReplayBody): Result<ReplayRequest, ReplayBodyRefusal> {
  const since = timeOf(body.since);
  if (since === null) return refuse({ type: "period_malformed", field: "since" });
  const until = body.until === undefined ? null : timeOf(body.until);
  if (body.until !== undefined && until === null) return refuse({ type: "period_malformed", field: "until" });
  if (until !== null && since >= until) return refuse({ type: "period_empty" });
  const from = body.cursor === undefined ? null : textOf(body.cursor);
  if (from !== null && !isUuid(from)) return refuse({ type: "cursor_malformed" });
  return accept({ since, until, status: body.status ?? "failed", from });
}

/** Null for what is no RFC 3339 time, or one that is long before computers. */
function timeOf(text: string): Date | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i.test(text)) return null;
  const ms = Date.parse(text);
  return ms >= 0 ? new Date(ms) : null;
}

function presentInFull(delivery: DeliveryInFull) {
  return { ...schemas.presentDelivery(delivery), payload: delivery.payload };
}

function textOf(cursor: string): string {
  return Buffer.from(cursor, "base64url").toString("latin1");
}

function cursorOf(text: string): string {
  return Buffer.from(text, "latin1").toString("base64url");
}
