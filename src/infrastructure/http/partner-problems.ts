import type { Asked, FieldFault, Presentation, Problem } from "./problems.ts";

/** What partners are shown of a fault of ours, whose log line has the id of the request. */
const internalSentence =
  "Something went wrong on our side. Repeat the request with the same Idempotency-Key; " +
  "quote the X-Request-Id of this answer if it persists.";

/** Where pydantic always says the same, so do we. */
const fixedMessages: Readonly<Record<string, string>> = {
  missing: "Field required",
  extra_forbidden: "Extra inputs are not permitted",
};

/**
 * The errors of the partner listener, whose two contracts have forms of their own: `/pagos` says `{"detail": …}`, a
 * list where fields are at fault (422); everything else says `{"success": false, "error": {"code", "message"}}` with
 * the codes in capitals, and VALIDATION_ERROR for every 400. A header that is missing is 422 with the list on both.
 */
export function presentPartnerProblem(problem: Problem, { url }: Asked): Presentation {
  const sentence = problem.code === "internal_error" ? internalSentence : problem.detail;
  const [first] = problem.errors ?? [];
  if (isOfPagos(url)) {
    const isFaultOfFields = problem.status === 400 || problem.status === 422;
    return isFaultOfFields && first !== undefined ? listed(problem) : json(problem.status, { detail: sentence });
  }
  if (first !== undefined && (problem.status === 422 || isMissingHeader(first))) return listed(problem);
  const message = problem.status === 400 ? (first?.detail ?? sentence) : sentence;
  return json(problem.status, { success: false, error: { code: codeOf(problem), message } });
}

function isOfPagos(url: string | undefined): boolean {
  return url !== undefined && /^\/pagos(?:[/?#]|$)/.test(url);
}

function isMissingHeader({ place, type }: FieldFault): boolean {
  return place === "header" && type === "missing";
}

function codeOf({ status, code }: Problem): string {
  return status === 400 || code === "invalid_request" ? "VALIDATION_ERROR" : code.toUpperCase();
}

/** FastAPI's form: `{"detail": [{"type", "loc", "msg"}]}`. */
function listed({ errors = [] }: Problem): Presentation {
  const detail = errors.map((fault) => {
    const { type = "value_error", detail: sentence } = fault;
    return { type, loc: locationOf(fault), msg: fixedMessages[type] ?? sentence };
  });
  return json(422, { detail });
}

/** `["body", "pagos", 17, "monto"]`: the place, then the way to the value, with positions in lists as numbers. */
function locationOf({ pointer, place }: FieldFault): (string | number)[] {
  const isPath = pointer === "" || pointer.startsWith("/");
  const steps = pointer.replace(/^\//, "").split("/");
  const way = pointer === "" || pointer === "/" ? [] : steps.map(isPath ? step : String);
  return [place ?? (isPath ? "body" : "query"), ...way];
}

function step(text: string): string | number {
  return /^(?:0|[1-9]\d{0,8})$/.test(text) ? Number(text) : text.replaceAll("~1", "/").replaceAll("~0", "~");
}

function json(status: number, body: object): Presentation {
  return { status, contentType: "application/json; charset=utf-8", body: JSON.stringify(body) };
}
