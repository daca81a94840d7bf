import type { FastifyInstance } from "fastify";
import { asyncApiDocument, type EventDocsOptions } from "./asyncapi.ts";

/** `/asyncapi.json`: every event that leaves, by topic and by webhook, as an AsyncAPI 3.0 document. */
export function registerEventDocs(server: FastifyInstance, options: EventDocsOptions): void {
  let document: string | undefined;
  server.get("/asyncapi.json", { schema: { hide: true } }, (_request, reply) => {
    document ??= JSON.stringify(asyncApiDocument(options));
    return reply.type("application/json; charset=utf-8").serializer(String).send(document);
  });
}
