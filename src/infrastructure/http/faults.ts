import type { FastifyError } from "fastify";
import { DatabaseFailure } from "../../kernel/statement.ts";
import { LaneRefusal } from "../../movements/ports.ts";
import { UnusableJson } from "./exact-json.ts";
import type { FieldFault, Problem } from "./problems.ts";

const invalid = "invalid_request";
/** Enough to mend a form; a body can have a hundred thousand. */
const mostFaults = 20;

/**
 * The answer to whatever was thrown while a request was served: faults of the request as 4xx, an outage as 503 with
 * when to try again, and everything else as 500, which says nothing about the inside.
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof UnusableJson) {
    const errors = error.key === undefined ? {} : { errors: [{ pointer: `/${error.key}`, detail: error.message }] };
    return { status: 400, code: invalid, detail: error.message, ...errors };
  }
  if (error instanceof DatabaseFailure) return problemOfDatabase(error);
  if (error instanceof LaneRefusal) return error.reason === "closed" ? stopping : overloaded;
  if (error instanceof Error && "code" in error && String(error.code).startsWith("FST_")) {
    return problemOfFramework(error as FastifyError);
  }
  return internal;
}

const overloaded: Problem = {
  status: 503,
  code: "overloaded",
  detail: "Too many requests are under way. Nothing was done; try again after a moment.",
  retryAfterSeconds: 1,
};

const stopping: Problem = {
  status: 503,
  code: "shutting_down",
  detail: "This server is stopping. Nothing was done; try again.",
  retryAfterSeconds: 1,
};

const internal: Problem = {
  status: 500,
  code: "internal_error",
  detail:
    "Something went wrong on our side. Repeat the request with the same idempotency key; " +
    "quote the trace_id if it persists.",
};

function problemOfDatabase(failure: DatabaseFailure): Problem {
  if (failure.kind === "rejected") return internal;
  const detail = failure.mayHaveCommitted
    ? "The database went away while the request was under way, which may have been done. " +
      "Repeat it with the same idempotency key to find out; nothing is done twice."
    : "The database does not answer. Nothing was done; try again after a moment.";
  return { status: 503, code: "database_unavailable", detail, retryAfterSeconds: 1 };
}

function problemOfFramework(error: FastifyError): Problem {
  if (error.validation !== undefined) {
    const errors = error.validation.slice(0, mostFaults).map(fieldFault);
    return { status: 400, code: invalid, detail: errors[0]?.detail ?? "The request is not valid.", errors };
  }
  switch (error.statusCode) {
    case 413:
      return { status: 413, code: "body_too_large", detail: "The body is larger than 1 MiB. Send less." };
    case 415:
      return { status: 415, code: "unsupported_media_type", detail: "Send the body as application/json." };
    case 408:
      return { status: 408, code: "request_timeout", detail: "The request took too long to arrive. Send it again." };
    case 503:
      return stopping;
    default:
      if (error.statusCode === undefined || error.statusCode >= 500) return internal;
      return { status: error.statusCode, code: invalid, detail: sentence(error.message) };
  }
}

type ValidationFault = NonNullable<FastifyError["validation"]>[number];

function fieldFault({ instancePath, keyword, params, message }: ValidationFault): FieldFault {
  const name = String(params["missingProperty"] ?? params["additionalProperty"] ?? "");
  const pointer = name === "" ? instancePath || "/" : `${instancePath}/${name}`;
  if (keyword === "required") return { pointer, detail: `${pointer.slice(1)} is missing.` };
  if (keyword === "additionalProperties")
    return { pointer, detail: `${pointer.slice(1)} is not a field here. Leave it out.` };
  if (keyword === "enum") {
    const allowed = (params["allowedValues"] as unknown[]).join(", ");
    return { pointer, detail: `${pointer.slice(1)} must be one of ${allowed}.` };
  }
  if (keyword === "type") {
    const types = [params["type"]].flat().join(" or ");
    return { pointer, detail: `${pointer.slice(1) || "The body"} must be of type ${types}.` };
  }
  return { pointer, detail: sentence(`${pointer.slice(1) || "The body"} ${message ?? "is not valid"}`) };
}

function sentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}
