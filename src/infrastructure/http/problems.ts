import { STATUS_CODES } from "node:http";
import type { FastifyReply } from "fastify";

/** One field's fault: a JSON pointer into the body (or a parameter's name) and what it should be. */
export type FieldFault = { readonly pointer: string; readonly detail: string };

/** An error answer as RFC 9457 has it, with a stable snake_case code and a sentence that says what to do. */
export type Problem = {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly FieldFault[];
  /** When to try again, in seconds; becomes the Retry-After header. */
  readonly retryAfterSeconds?: number;
  /** Further members, as the RFC allows ("payment_id"). */
  readonly members?: Readonly<Record<string, string>>;
};

declare module "fastify" {
  interface FastifyReply {
    /** Answers with `application/problem+json` (RFC 9457). */
    problem(problem: Problem): FastifyReply;
  }
}

/** The body of a problem; `type` is "about:blank", because `code` says which it is. */
export function problemBody(problem: Problem, traceId: string): string {
  const { status, code, detail, errors, members } = problem;
  return JSON.stringify({
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    code,
    detail,
    ...(errors === undefined ? {} : { errors }),
    ...members,
    trace_id: traceId,
  });
}

/** Sends the problem as the answer of a request. */
export function sendProblem(reply: FastifyReply, problem: Problem, traceId: string): FastifyReply {
  if (problem.retryAfterSeconds !== undefined) reply.header("retry-after", String(problem.retryAfterSeconds));
  return reply
    .code(problem.status)
    .header("content-type", "application/problem+json; charset=utf-8")
    .serializer((body: unknown) => String(body))
    .send(problemBody(problem, traceId));
}
