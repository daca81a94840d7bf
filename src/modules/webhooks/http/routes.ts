import type { FastifyInstance } from "fastify";
import { isUuid } from "../../../kernel/identifiers.ts";
import { refuse } from "../../../kernel/result.ts";
import { changeEndpoint, registerEndpoint, removeEndpoint, rotateSecret } from "../application/change-endpoints.ts";
import type { WebhooksContext } from "../application/context.ts";
import { getEndpoint, listEndpoints } from "../application/read-endpoints.ts";
import { registerDeliveryRoutes } from "./delivery-routes.ts";
import { problemOfWebhook } from "./refusals.ts";
import * as schemas from "./schemas.ts";

const tags = ["webhook-endpoints"];
const problem = schemas.problemSchema;
const oldValidSeconds = 86_400;
const notFound = refuse({ type: "webhook_endpoint_not_found" as const });

/** The routes of /webhook-endpoints and /webhook-deliveries, on the marketplace's listener. */
export function registerWebhookRoutes(server: FastifyInstance, context: WebhooksContext): void {
  registerCreation(server, context);
  registerReads(server, context);
  registerChanges(server, context);
  registerRotation(server, context);
  registerDeliveryRoutes(server, context);
}

function registerCreation(server: FastifyInstance, context: WebhooksContext): void {
  const problemOf = (refusal: Parameters<typeof problemOfWebhook>[0]) => problemOfWebhook(refusal, context.knownTypes);

  server.post<{ Body: schemas.EndpointBody }>(
    "/webhook-endpoints",
    {
      schema: {
        summary: "Register where events are posted to",
        description:
          "The endpoint gets what happens from now on, signed as Standard Webhooks has it, at least once and in no " +
          "particular order. The secret is in this answer only. There can be 100 endpoints.",
        tags,
        body: schemas.endpointBody,
        response: { 201: schemas.registeredSchema, 400: problem, 409: problem, 503: problem },
      },
    },
    async (request, reply) => {
      const { url, event_types: eventTypes, description = null } = request.body;
      if (!isStorable(description)) return reply.problem(problemOf({ type: "text_not_storable" }));
      const registered = await registerEndpoint(context, { url, eventTypes, description });
      if (!registered.ok) return reply.problem(problemOf(registered.refusal));
      const { endpoint, secret } = registered.value;
      return reply.code(201).send({ ...schemas.presentEndpoint(endpoint), secret });
    },
  );
}

function registerReads(server: FastifyInstance, context: WebhooksContext): void {
  server.get(
    "/webhook-endpoints",
    {
      schema: {
        summary: "List the webhook endpoints, oldest first",
        tags,
        response: { 200: schemas.endpointListSchema },
      },
    },
    async () => ({ data: (await listEndpoints(context.database)).map(schemas.presentEndpoint) }),
  );

  server.get<{ Params: { id: string } }>(
    "/webhook-endpoints/:id",
    {
      schema: {
        summary: "Get a webhook endpoint, and whether what is sent there arrives",
        tags,
        params: schemas.idParams,
        response: { 200: schemas.endpointSchema, 404: problem },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const found = isUuid(id) ? await getEndpoint(context.database, id) : notFound;
      if (!found.ok) return reply.problem(problemOfWebhook(found.refusal, context.knownTypes));
      return schemas.presentEndpoint(found.value);
    },
  );
}

function registerChanges(server: FastifyInstance, context: WebhooksContext): void {
  const problemOf = (refusal: Parameters<typeof problemOfWebhook>[0]) => problemOfWebhook(refusal, context.knownTypes);

  server.patch<{ Params: { id: string }; Body: schemas.ChangesBody }>(
    "/webhook-endpoints/:id",
    {
      schema: {
        summary: "Change a webhook endpoint, or enable it again",
        description:
          "What was still to be sent to an endpoint that was disabled is sent once it is enabled. What happens while " +
          "it is disabled it does not get.",
        tags,
        params: schemas.idParams,
        body: schemas.changesBody,
        response: { 200: schemas.endpointSchema, 400: problem, 404: problem, 503: problem },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { event_types: eventTypes, ...others } = request.body;
      if (Object.keys(request.body).length === 0) return reply.problem(problemOf({ type: "changes_missing" }));
      if (!isStorable(others.description ?? null)) return reply.problem(problemOf({ type: "text_not_storable" }));
      if (!isUuid(id)) return reply.problem(problemOf(notFound.refusal));
      const changed = await changeEndpoint(context, id, eventTypes === undefined ? others : { ...others, eventTypes });
      return changed.ok ? schemas.presentEndpoint(changed.value) : reply.problem(problemOf(changed.refusal));
    },
  );

  server.delete<{ Params: { id: string } }>(
    "/webhook-endpoints/:id",
    {
      schema: {
        summary: "Remove a webhook endpoint",
        description:
          "Nothing more is sent to it, and its secrets are deleted. Its deliveries can be read for 30 days after.",
        tags,
        params: schemas.idParams,
        response: { 204: { type: "null", description: "It is removed." }, 404: problem },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const removed = isUuid(id) ? await removeEndpoint(context, id) : notFound;
      return removed.ok ? reply.code(204).send() : reply.problem(problemOf(removed.refusal));
    },
  );
}

function registerRotation(server: FastifyInstance, context: WebhooksContext): void {
  server.post<{ Params: { id: string }; Body: schemas.RotationBody | undefined }>(
    "/webhook-endpoints/:id/rotate-secret",
    {
      schema: {
        summary: "Give a webhook endpoint another secret",
        description:
          "What is sent carries a signature by each of both secrets for a day, or as long as is said, so that the " +
          "receiver can change over without refusing anything.",
        tags,
        params: schemas.idParams,
        body: schemas.rotationBody,
        response: { 200: schemas.rotationSchema, 400: problem, 404: problem, 503: problem },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const seconds = request.body?.old_secret_valid_seconds ?? oldValidSeconds;
      const rotated = isUuid(id) ? await rotateSecret(context, id, seconds * 1_000) : notFound;
      if (!rotated.ok) return reply.problem(problemOfWebhook(rotated.refusal, context.knownTypes));
      const { secret, oldValidUntil } = rotated.value;
      return { secret, old_secret_valid_until: oldValidUntil.toISOString() };
    },
  );
}

/** PostgreSQL's texts have no U+0000 and no halves of pairs. */
function isStorable(text: string | null): boolean {
  return text === null || (text.isWellFormed() && !text.includes("\u0000"));
}
