import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Trace, untraced } from "../../movements/ports.ts";
import { parseTraceparent } from "../telemetry/traceparent.ts";
import type { Span, Tracer } from "../telemetry/tracer.ts";
import { traceOf } from "../telemetry/traces.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The trace of this request; spans made with it are children of the request's span. */
    trace: Trace;
  }
}

/** Gives every request its trace: a span of its own below the caller's, where a collector is configured. */
export function traceRequests(server: FastifyInstance, tracer: Tracer): void {
  server.decorateRequest("trace", { getter: () => untraced });
  if (!tracer.enabled) return;
  const spans = new WeakMap<FastifyRequest, Span>();

  server.addHook("onRequest", (request, _reply, done) => {
    const { method, routeOptions } = request;
    const attributes = { "http.request.method": method, "http.route": routeOptions.url ?? "unmatched" };
    const span = tracer.startSpan(
      `${method} ${attributes["http.route"]}`,
      request.headers["traceparent"] as string,
      attributes,
      "server",
    );
    spans.set(request, span);
    Object.defineProperty(request, "trace", { value: traceOf(tracer, span) });
    done();
  });
  server.addHook("onResponse", (request, reply, done) => {
    const span = spans.get(request);
    span?.setAttribute("http.response.status_code", reply.statusCode);
    if (reply.statusCode >= 500) span?.fail(`answered ${reply.statusCode}`);
    span?.end();
    done();
  });
}

/** The trace id that a problem answer shows: of our span where there is one, of the caller's otherwise. */
export function traceIdOf(request: FastifyRequest): string | undefined {
  const traceparent = request.trace.traceparent ?? request.headers["traceparent"];
  return typeof traceparent === "string" ? parseTraceparent(traceparent)?.traceId : undefined;
}
