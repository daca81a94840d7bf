import type { AcceptBatchRefusal } from "../application/batches/accept-batch.ts";
import type { BatchNotFound } from "../application/batches/read-batches.ts";
import type { LinesRefusal } from "./lotes-body.ts";

export type LoteRefusal =
  | LinesRefusal
  | AcceptBatchRefusal
  | BatchNotFound
  | { type: "idempotency_key_malformed" }
  | { type: "cursor_malformed" };

type Answer = {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly fault?: { readonly pointer: string; readonly place: "header" | "query"; readonly type: string };
};

/** The status, the code and what to do, for each refusal: a refusal without an entry does not compile. */
const answers = {
  lines_invalid: {
    status: 422,
    code: "invalid_request",
    detail: "The lote has lines that cannot be paid, and nothing of it was kept. Mend them and send it again.",
  },
  idempotency_key_malformed: {
    status: 422,
    code: "invalid_request",
    detail: "Input should be 1 to 255 visible ASCII characters without spaces",
    fault: { pointer: "idempotency-key", place: "header", type: "string_pattern_mismatch" },
  },
  idempotency_key_reused: {
    status: 422,
    code: "idempotency_key_reused",
    detail: "This key was used for another lote. Use a new one",
    fault: { pointer: "idempotency-key", place: "header", type: "idempotency_key_reused" },
  },
  cursor_malformed: {
    status: 422,
    code: "invalid_request",
    detail: "cursor must be a next_cursor of this list.",
    fault: { pointer: "cursor", place: "query", type: "value_error" },
  },
  batch_not_found: { status: 404, code: "batch_not_found", detail: "Lote no encontrado" },
} as const satisfies Record<LoteRefusal["type"], Answer>;

/** The problem that answers a refusal. */
export function loteProblem(refusal: LoteRefusal) {
  const { fault, ...answer }: Answer = answers[refusal.type];
  if (refusal.type === "lines_invalid") {
    return { ...answer, errors: refusal.faults.map((found) => ({ ...found, place: "body" as const })) };
  }
  return fault === undefined ? answer : { ...answer, errors: [{ ...fault, detail: answer.detail }] };
}
