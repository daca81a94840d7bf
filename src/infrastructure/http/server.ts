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
import { problemBody, sendProblem } from "./problems.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Measures the answers of this route. */
    metric?: (statusCode: number, durationMs: number) => void;
    /** For a route whose bodies are large: it keeps deadlines of its own, and the one for all does not end it. */
    bodyMayTakeMs?: number;
  }
}

/** What the edge of every listener needs from outside. */
export type HttpServerSettings = {
  readonly logger: Logger;
  /** Binds a route's histogram once; called with the answer's status and how long it took in milliseconds. */
  readonly routeMetric: (method: string, route: string) => (statusCode: number, durationMs: number) => void;
  /** The trace id of a request that is traced; undefined where it is not. */
  readonly traceIdOf: (request: FastifyRequest) => string | undefined;
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
 * One HTTP listener with what every listener of ours has: exact JSON, problem answers, request ids, body limits,
 * deadlines on slow senders, security headers and metrics for each route.
 */
export function createHttpServer(settings: HttpServerSettings): FastifyInstance {
  const { logger } = settings;
  const server = fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: 0,
    keepAliveTimeout: keepAliveTimeoutMs,
    http: { headersTimeout: requestTimeoutMs },
    genReqId: requestId,
    schemaErrorFormatter: () => new Error("the request does not fit its schema"),
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerMalformedRequest,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 255 },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true, useDefaults: true } },
  });

  server.setSerializerCompiler(() => JSON.stringify);
  readExactJson(server);
  answerProblems(server, settings);
  observeRequests(server, settings, logger);
  return server;
}

/** Errors of the router, which come before any hook: an address that cannot be decoded or is too long. */
function answerFrameworkError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers(headers).header("x-request-id", request.id);
  return sendProblem(reply, problemOf(error), newTraceId());
}

/** Connections whose request is being received by a route with deadlines of its own. */
const slowBodies = new WeakSet<Socket>();

/** Bytes that are no HTTP request, or a head that is too large: there is no request yet, only the socket. */
function answerMalformedRequest(error: ConnectionError, socket: Socket): void {
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT" && slowBodies.has(socket)) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
  const detail = "This is not a request that HTTP allows, or its head is too large or too slow. Send it anew.";
  const body = problemBody({ status, code: "invalid_request", detail }, newTraceId());
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "content-type: application/problem+json; charset=utf-8",
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
  server.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, parseExactJson(body as string));
    } catch (error) {
      done(error as Error);
    }
  });
}

function answerProblems(server: FastifyInstance, settings: HttpServerSettings): void {
  const { logger } = settings;
  const traceId = (request: FastifyRequest) => settings.traceIdOf(request) ?? newTraceId();

  server.decorateReply("problem", function (this: FastifyReply, problem) {
    return sendProblem(this, problem, traceId(this.request));
  });
  server.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    const id = traceId(request);
    if (problem.status >= 500) {
      const level = problem.status === 503 ? "warn" : "error";
      const { method, routeOptions } = request;
      const about = { request_id: request.id, trace_id: id, method, route: routeOptions.url, code: problem.code };
      logger[level]({ ...about, error }, "request failed");
    }
    return sendProblem(reply, problem, id);
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
