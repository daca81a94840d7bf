import { STATUS_CODES } from "node:http";
import type { FastifyReply } from "fastify";

/** One field's fault: where it is and what it should be. */
export type FieldFault = {
  /** A JSON pointer into the body ("" is all of it), or the name of a parameter or of a header. */
  readonly pointer: string;
  readonly detail: string;
  /** Where nothing is said, a pointer with a slash points into the body, and a name is a parameter of the query. */
  readonly place?: "body" | "query" | "path" | "header";
  /** What kind of fault it is, as pydantic names them ("missing", "greater_than"). Only partners are shown it. */
  readonly type?: string;
};

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

/** A problem in the words of one listener's contract. */
export type Presentation = { readonly status: number; readonly contentType: string; readonly body: string };

/** What a presentation may depend on besides the problem; the url is undefined where the bytes were no request. */
export type Asked = { readonly url: string | undefined; readonly traceId: string };

/** How a listener says what went wrong. Never throws, because it is the last one to speak. */
export type Present = (problem: Problem, asked: Asked) => Presentation;

declare module "fastify" {
  interface FastifyReply {
    /** Answers with a problem, in the form that the contract of this listener gives to its errors. */
    problem(problem: Problem): FastifyReply;
  }
}

/** The form of RFC 9457; `type` is "about:blank", because `code` says which it is. */
export function presentProblem(problem: Problem, { traceId }: Asked): Presentation {
  const { status, code, detail, members } = problem;
  const errors = problem.errors?.filter(({ pointer }) => pointer !== "").map(inBrief);
  const body = JSON.stringify({
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    code,
    detail,
    ...(errors === undefined || errors.length === 0 ? {} : { errors }),
    ...members,
    trace_id: traceId,
  });
  return { status, contentType: "application/problem+json; charset=utf-8", body };
}

function inBrief({ pointer, detail }: FieldFault): Pick<FieldFault, "pointer" | "detail"> {
  return { pointer, detail };
}

/** Sends a presented problem as the answer of a request. */
export function sendPresentation(reply: FastifyReply, problem: Problem, presentation: Presentation): FastifyReply {
  if (problem.retryAfterSeconds !== undefined) reply.header("retry-after", String(problem.retryAfterSeconds));
  return reply
    .code(presentation.status)
    .header("content-type", presentation.contentType)
    .serializer((body: unknown) => String(body))
    .send(presentation.body);
}
