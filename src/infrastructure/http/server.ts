import { randomBytes } from "node:crypto";
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type {} from "@fastify/swagger";
import {
  type ConnectionError,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from "fastify";
import type { Logger } from "pino";
import { parseExactJson } from "./exact-json.ts";
import { problemOf } from "./faults.ts";
import { type Present, type Problem, presentProblem, sendPresentation } from "./problems.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Measures the answers of this route. */
    metric?: (statusCode: number, durationMs: number) => void;
    /** For a route whose bodies are large: it keeps deadlines of its own, and the one for all does not end it. */
    bodyMayTakeMs?: number;
  }
  interface FastifyRequest {
    /** The Idempotency-Key header, bare or as the quoted string of the IETF's draft; undefined where there is none. */
    readonly idempotencyKey: string | undefined;
  }
}

/** What the edge of every listener needs from outside. */
export type HttpServerSettings = {
  readonly logger: Logger;
  /** Binds a route's histogram once; called with the answer's status and how long it took in milliseconds. */
  readonly routeMetric: (method: string, route: string) => (statusCode: number, durationMs: number) => void;
  /** The trace id of a request that is traced; undefined where it is not. */
  readonly traceIdOf: (request: FastifyRequest) => string | undefined;
  /** How this listener says what went wrong; RFC 9457 where nothing is given. */
  readonly present?: Present;
};

/** The contract: bodies up to 1 MiB. */
const bodyLimitBytes = 1_048_576;
/** A request must have arrived within this time, so that slow senders cannot hold connections. */
const requestTimeoutMs = 15_000;
/** Longer than common load balancers keep an idle connection (60 s), so that they close it first. */
const keepAliveTimeoutMs = 72_000;

const headers = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
} as const;

/**
 * One HTTP listener with what every listener of ours has: exact JSON, problem answers, request ids, idempotency keys,
 * body limits, deadlines on slow senders, security headers and metrics for each route.
 */
export function createHttpServer(settings: HttpServerSettings): FastifyInstance {
  const { logger, present = presentProblem } = settings;
  const server = fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: 0,
    keepAliveTimeout: keepAliveTimeoutMs,
    http: { headersTimeout: requestTimeoutMs },
    genReqId: requestId,
    schemaErrorFormatter: () => new Error("the request does not fit its schema"),
    frameworkErrors: (error, request, reply) => answerFrameworkError(present, error, request, reply),
    clientErrorHandler: (error, socket) => answerMalformedRequest(present, error, socket),
    forceCloseConnections: "idle",
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 255 },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true, useDefaults: true } },
  });

  server.setSerializerCompiler(() => JSON.stringify);
  readExactJson(server);
  readIdempotencyKey(server);
  answerProblems(server, settings, present);
  observeRequests(server, settings, logger);
  letGoWhileClosing(server);
  return server;
}

const closingSweepMs = 20;

/**
 * A connection whose request is answered while the server closes becomes idle only then, and would be waited for as
 * long as it may be kept alive: 72 s, in which whoever stops the process has lost patience.
 */
function letGoWhileClosing(server: FastifyInstance): void {
  server.addHook("preClose", (done) => {
    const listener = server.server;
    if (listener.listening) {
      const sweep = setInterval(() => listener.closeIdleConnections(), closingSweepMs);
      listener.once("close", () => clearInterval(sweep));
    }
    done();
  });
}

/** Errors of the router, which come before any hook: an address that cannot be decoded or is too long. */
function answerFrameworkError(
  present: Present,
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  reply.headers(headers).header("x-request-id", request.id);
  const problem = problemOf(error);
  return sendPresentation(reply, problem, present(problem, { url: request.url, traceId: newTraceId() }));
}

/** Connections whose request is being received by a route with deadlines of its own. */
const slowBodies = new WeakSet<Socket>();

/** Bytes that are no HTTP request, or a head that is too large: there is no request yet, only the socket. */
function answerMalformedRequest(present: Present, error: ConnectionError, socket: Socket): void {
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT" && slowBodies.has(socket)) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
  const detail = "This is not a request that HTTP allows, or its head is too large or too slow. Send it anew.";
  const problem: Problem = { status, code: "invalid_request", detail };
  const { body, contentType } = present(problem, { url: undefined, traceId: newTraceId() });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${contentType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function newTraceId(): string {
  return randomBytes(16).toString("hex");
}

let requestCount = 0;
const requestPrefix = randomBytes(6).toString("base64url");

/** The caller's X-Request-Id where it is a usable one, ours otherwise. */
function requestId(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  if (typeof given === "string" && /^[\w.:-]{1,100}$/.test(given)) return given;
  requestCount += 1;
  return `${requestPrefix}-${requestCount}`;
}

function readExactJson(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    // Many clients call every POST JSON, also where the route takes no body and they send none.
    if (body.length === 0 && request.routeOptions.schema?.body === undefined) return done(null, undefined);
    try {
      done(null, parseExactJson(body as string));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** The header is a quoted string in draft-ietf-httpapi-idempotency-key-header; bare is common. */
function readIdempotencyKey(server: FastifyInstance): void {
  server.decorateRequest("idempotencyKey", {
    getter(this: FastifyRequest) {
      const given = this.headers["idempotency-key"];
      if (given === undefined) return undefined;
      const text = String(given);
      return /^".*"$/.test(text) ? text.slice(1, -1) : text;
    },
  });
}

function answerProblems(server: FastifyInstance, settings: HttpServerSettings, present: Present): void {
  const { logger } = settings;
  const traceIdOf = (request: FastifyRequest) => settings.traceIdOf(request) ?? newTraceId();

  server.decorateReply("problem", function (this: FastifyReply, problem) {
    const { request } = this;
    return sendPresentation(this, problem, present(problem, { url: request.url, traceId: traceIdOf(request) }));
  });
  server.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    const traceId = traceIdOf(request);
    if (problem.status >= 500) {
      const level = problem.status === 503 ? "warn" : "error";
      const { method, routeOptions } = request;
      const about = { request_id: request.id, trace_id: traceId, method, route: routeOptions.url, code: problem.code };
      logger[level]({ ...about, error }, "request failed");
    }
    return sendPresentation(reply, problem, present(problem, { url: request.url, traceId }));
  });
  server.setNotFoundHandler((_request, reply) =>
    reply.problem({
      status: 404,
      code: "not_found",
      detail: "There is nothing at this address. See /docs for what there is.",
    }),
  );
}

function observeRequests(server: FastifyInstance, settings: HttpServerSettings, logger: Logger): void {
  const unmatched = settings.routeMetric("ANY", "unmatched");

  server.addHook("onRoute", (route) => {
    route.config = { ...route.config, metric: settings.routeMetric(String(route.method), route.url) };
  });
  server.addHook("onRequest", (request, reply, done) => {
    reply.headers(headers);
    reply.header("x-request-id", request.id);
    if (request.routeOptions.config.bodyMayTakeMs !== undefined) slowBodies.add(request.socket);
    done();
  });
  server.addHook("onResponse", (request, reply, done) => {
    const durationMs = reply.elapsedTime;
    slowBodies.delete(request.socket);
    (request.routeOptions.config.metric ?? unmatched)(reply.statusCode, durationMs);
    if (logger.isLevelEnabled("debug")) {
      const { method, url, id } = request;
      logger.debug({ request_id: id, method, url, status: reply.statusCode, duration_ms: durationMs }, "request");
    }
    done();
  });
}
