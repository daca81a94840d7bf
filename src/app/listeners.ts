import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { type DocsOptions, registerDocs } from "../infrastructure/http/docs.ts";
import { traceIdOf, traceRequests } from "../infrastructure/http/request-traces.ts";
import { createHttpServer, type HttpServerSettings } from "../infrastructure/http/server.ts";
import type { Metrics } from "../infrastructure/telemetry/metrics.ts";
import type { Tracer } from "../infrastructure/telemetry/tracer.ts";
import type { AppOverrides, ListenerName } from "./settings.ts";

/** What both listeners report to. */
export type Edge = {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly overrides: AppOverrides;
};

export type ListenerSettings = DocsOptions & {
  readonly name: ListenerName;
  readonly title: string;
  /** How it says what went wrong; RFC 9457 where nothing is given. */
  readonly present?: NonNullable<HttpServerSettings["present"]>;
};

/** A listener with what both have: exact JSON, deadlines, limits, spans, metrics and the reference of its API. */
export async function createListener(edge: Edge, settings: ListenerSettings): Promise<FastifyInstance> {
  const { logger, metrics, tracer, overrides } = edge;
  const { name, title, present, ...docs } = settings;
  const server = createHttpServer({
    logger,
    routeMetric: (method, route) => metrics.httpRoute(method, route, name),
    traceIdOf,
    ...(present === undefined ? {} : { present }),
  });
  await overrides.onServer?.(server, name);
  traceRequests(server, tracer);
  registerDocs(server, title, `${name}.json`, docs);
  return server;
}

/** `GET /metrics` of the whole process. */
export function registerMetrics(server: FastifyInstance, metrics: Metrics): void {
  server.get(
    "/metrics",
    { schema: { summary: "Metrics in Prometheus form", tags: ["operations"] } },
    async (_request, reply) =>
      reply
        .type(metrics.contentType)
        .serializer(String)
        .send(await metrics.render()),
  );
}
