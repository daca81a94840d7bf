import type { RunNotFound } from "../application/read-runs.ts";
import type { FileRefusal } from "../application/receive-file.ts";
import type { ResolveRefusal } from "../application/resolve-exception.ts";
import type { LegRefusal } from "../domain/exceptions.ts";
import type { PeriodRefusal } from "../domain/runs.ts";

export type HttpRefusal =
  | FileRefusal
  | RunNotFound
  | ResolveRefusal
  | LegRefusal
  | PeriodRefusal
  | { type: "report_missing" }
  | { type: "cursor_malformed" }
  | { type: "text_not_storable" }
  | { type: "upload_too_slow" }
  | { type: "upload_broke_off" };

type Answer = { status: number; code: string; detail: string; pointer?: string; retryAfterSeconds?: number };

const invalid = (detail: string, pointer?: string): Answer => ({
  status: 400,
  code: "invalid_request",
  detail,
  ...(pointer === undefined ? {} : { pointer }),
});

/** The status, the code and what to do, for each refusal: a refusal without an entry does not compile. */
const answers = {
  report_missing: invalid(
    'Send {"source": "gateway", "from": …, "to": …} as application/json, or a settlement report as text/csv.',
  ),
  period_incomplete: invalid("A period has a from and a to. Send both."),
  period_malformed: invalid("The period's ends must be RFC 3339 times, such as 2026-01-31T00:00:00Z."),
  period_empty: invalid("from must be before to.", "from"),
  cursor_malformed: invalid("cursor must be a next_cursor of this list.", "cursor"),
  text_not_storable: invalid("A text contains the character U+0000 or half of a surrogate pair. Take it out."),
  currency_unknown: invalid("currency must be an ISO 4217 code in capitals, such as USD."),
  leg_needs_one_side: invalid("A leg has either a debit or a credit."),
  amount_not_a_decimal: invalid("A debit or credit must be plain decimal digits, such as 1000.00."),
  amount_has_too_many_decimals: invalid("The amount has more decimals than its currency has. Round it first."),
  amount_must_be_positive: invalid("A debit or credit must be greater than zero."),
  amount_over_limit: invalid("The amount is over the limit of 9999999999 in the major unit. Split the posting."),
  settlement_file_invalid: {
    status: 400,
    code: "settlement_file_invalid",
    detail:
      "The file has lines that cannot be read, and nothing of it was kept. Mend them and send the whole file again.",
  },
  settlement_file_empty: {
    status: 400,
    code: "settlement_file_invalid",
    detail: "The file has no line about a payment. Check that it is the right report.",
  },
  settlement_file_too_large: {
    status: 413,
    code: "body_too_large",
    detail: "The file is larger than 256 MiB. Split it by days and send each part, or use `marketflow reconcile`.",
  },
  settlement_file_discarded: {
    status: 408,
    code: "request_timeout",
    detail: "The file took too long to arrive, and nothing of it was kept. Send it again.",
  },
  upload_too_slow: {
    status: 408,
    code: "request_timeout",
    detail: "The file took too long to arrive, and nothing of it was kept. Send it again.",
  },
  upload_broke_off: {
    status: 400,
    code: "invalid_request",
    detail: "The upload broke off, and nothing of the file was kept. Send it again.",
  },
  reconciliation_run_not_found: {
    status: 404,
    code: "reconciliation_run_not_found",
    detail: "There is no reconciliation run with this id. Check the id.",
  },
  exception_not_found: {
    status: 404,
    code: "exception_not_found",
    detail: "The run has no exception of this number. Check both.",
  },
  exception_already_resolved: {
    status: 409,
    code: "exception_already_resolved",
    detail: "This exception has been resolved. Post a correction to the ledger where that was wrong.",
  },
  exception_being_resolved: {
    status: 409,
    code: "exception_being_resolved",
    detail: "Another resolution of this exception is under way. Look at it again after a moment.",
    retryAfterSeconds: 2,
  },
  posting_not_suggested: {
    status: 422,
    code: "posting_not_suggested",
    detail: "There is no suggestion for this exception: only a person can say which line is right. Send the legs.",
  },
  posting_refused: {
    status: 422,
    code: "posting_refused",
    detail: "The ledger refused the posting, and nothing was resolved",
  },
} as const satisfies Record<HttpRefusal["type"], Answer>;

/** The problem that answers a refusal. */
export function problemFor(refusal: HttpRefusal) {
  const { pointer, ...answer }: Answer = answers[refusal.type];
  if (refusal.type === "posting_refused") {
    const { reason } = refusal;
    return { ...answer, detail: `${answer.detail}: ${reason.replaceAll("_", " ")}.`, members: { reason } };
  }
  if (refusal.type === "settlement_file_invalid") {
    const errors = refusal.faults.map(({ line, detail }) => ({
      pointer: line === 0 ? "file" : `line ${line}`,
      detail,
    }));
    return { ...answer, errors };
  }
  const field =
    "leg" in refusal ? `/posting/legs/${refusal.leg}` : refusal.type === "period_malformed" ? refusal.field : pointer;
  return field === undefined ? answer : { ...answer, errors: [{ pointer: field, detail: answer.detail }] };
}
