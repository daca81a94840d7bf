import type { FastifyError } from "fastify";
import { DatabaseFailure } from "../../kernel/statement.ts";
import { LaneRefusal } from "../../movements/ports.ts";
import { UnusableJson } from "./exact-json.ts";
import type { FieldFault, Problem } from "./problems.ts";

const invalid = "invalid_request";
/** Enough to mend a form; a body can have a hundred thousand. */
const mostFaults = 20;
/** A value that fits none of several types is named once for each of them. */
const mostFaultsRead = 8 * mostFaults;

/**
 * The answer to whatever was thrown while a request was served: faults of the request as 4xx, an outage as 503 with
 * when to try again, and everything else as 500, which says nothing about the inside.
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof UnusableJson) {
    const pointer = error.key === undefined ? "" : `/${escaped(error.key)}`;
    const fault = { pointer, detail: error.message, place: "body", type: "json_invalid" } as const;
    return { status: 400, code: invalid, detail: error.message, errors: [fault] };
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
    const place = places[error.validationContext ?? ""] ?? "body";
    const errors = withoutBranches(error.validation.slice(0, mostFaultsRead))
      .slice(0, mostFaults)
      .map((fault) => ({ ...fieldFault(fault), place }));
    return { status: 400, code: invalid, detail: errors[0]?.detail ?? "The request is not valid.", errors };
  }
  switch (error.statusCode) {
    case 413:
      return { status: 413, code: "body_too_large", detail: "The body is larger than is taken here. Send less." };
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

const places: Readonly<Record<string, FieldFault["place"]>> = {
  body: "body",
  querystring: "query",
  params: "path",
  headers: "header",
};

/** AJV's keywords as pydantic names the faults that they find. */
const faultTypes: Readonly<Record<string, string>> = {
  required: "missing",
  additionalProperties: "extra_forbidden",
  enum: "enum",
  const: "literal_error",
  minLength: "string_too_short",
  maxLength: "string_too_long",
  pattern: "string_pattern_mismatch",
  minimum: "greater_than_equal",
  exclusiveMinimum: "greater_than",
  maximum: "less_than_equal",
  exclusiveMaximum: "less_than",
  multipleOf: "multiple_of",
  minItems: "too_short",
  maxItems: "too_long",
};

const wantedTypes: Readonly<Record<string, string>> = {
  string: "string_type",
  number: "float_type",
  integer: "int_type",
  boolean: "bool_type",
  object: "dict_type",
  array: "list_type",
  null: "none_required",
};

/**
 * Where a value fits none of several types, AJV names each of them and then that none fitted: one fault says it all.
 * Branches that ask for more than a type keep their own faults.
 */
function withoutBranches(faults: readonly ValidationFault[]): ValidationFault[] {
  let kept = [...faults];
  for (const union of faults.filter(({ keyword }) => keyword === "anyOf")) {
    const isBranch = ({ instancePath, schemaPath }: ValidationFault) =>
      instancePath === union.instancePath && schemaPath.startsWith(`${union.schemaPath}/`);
    const branches = kept.filter(isBranch);
    if (branches.length === 0 || branches.some(({ keyword }) => keyword !== "type")) continue;
    const type = branches.flatMap(({ params }) => [params["type"]].flat().map(String));
    const whole: ValidationFault = { ...union, keyword: "type", params: { type } };
    kept = kept.filter((fault) => !isBranch(fault)).map((fault) => (fault === union ? whole : fault));
  }
  return kept;
}

function fieldFault({ instancePath, keyword, params, message }: ValidationFault): FieldFault {
  const name = String(params["missingProperty"] ?? params["additionalProperty"] ?? "");
  const pointer = name === "" ? instancePath || "/" : `${instancePath}/${escaped(name)}`;
  const said = pointer.slice(1) || "The body";
  const type = faultTypes[keyword] ?? "value_error";
  if (keyword === "required") return { pointer, type, detail: `${said} is missing.` };
  if (keyword === "additionalProperties")
    return { pointer, type, detail: `${said} is not a field here. Leave it out.` };
  if (keyword === "enum") {
    const allowed = (params["allowedValues"] as unknown[]).join(", ");
    return { pointer, type, detail: `${said} must be one of ${allowed}.` };
  }
  if (keyword === "type") {
    const types = [params["type"]].flat().map(String);
    const wanted = wantedTypes[types[0] ?? ""] ?? "value_error";
    return { pointer, type: wanted, detail: `${said} must be of type ${types.join(" or ")}.` };
  }
  return { pointer, type, detail: sentence(`${said} ${message ?? "is not valid"}`) };
}

/** A key as a step of a JSON pointer (RFC 6901). */
function escaped(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

function sentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}
