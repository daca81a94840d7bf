import type { CreateBillRefusal } from "../application/create-bill.ts";
import type { BillNotFound } from "../application/read-bills.ts";
import type { CannotRetry } from "../domain/bill-payment.ts";

export type HttpRefusal =
  | CreateBillRefusal
  | BillNotFound
  | CannotRetry
  | { type: "idempotency_key_missing" }
  | { type: "status_unknown" }
  | { type: "limit_out_of_range" }
  | { type: "offset_out_of_range" }
  | { type: "cursor_malformed" }
  | { type: "cursor_with_offset" };

type Place = "body" | "query" | "header";
type Answer = {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** The field at fault, by its name. */
  readonly field?: { readonly place: Place; readonly pointer: string; readonly type: string };
  readonly retryAfterSeconds?: number;
};

function invalid(place: Place, name: string, detail: string): Answer {
  const pointer = place === "body" ? `/${name}` : name;
  return { status: 400, code: "invalid_request", detail, field: { place, pointer, type: "value_error" } };
}

/** The status, the code and what to do, for each refusal: a refusal without an entry does not compile. */
const answers = {
  amount_must_be_positive: invalid("body", "amount", "Amount must be greater than zero"),
  amount_not_a_decimal: invalid("body", "amount", "Amount must be plain decimal digits, such as 500.00"),
  amount_has_too_many_decimals: invalid("body", "amount", "Amount must not have more decimals than its currency has"),
  amount_over_limit: invalid("body", "amount", "Amount must not be greater than 9999999999"),
  currency_must_have_three_characters: invalid("body", "currency", "Currency must be exactly 3 characters"),
  currency_unknown: invalid("body", "currency", "Currency must be an ISO 4217 code in capitals, such as MXN"),
  reference_must_not_be_empty: invalid("body", "reference", "Reference must not be empty"),
  reference_too_long: invalid("body", "reference", "Reference must not be longer than 100 characters"),
  reference_not_storable: invalid(
    "body",
    "reference",
    "Reference must not have the character U+0000 or a lone surrogate",
  ),
  idempotency_key_malformed: invalid(
    "header",
    "idempotency-key",
    "Idempotency-Key must be 1 to 255 visible ASCII characters without spaces",
  ),
  status_unknown: invalid("query", "status", "Status must be one of PENDING, SUCCESS, FAILED, EXHAUSTED"),
  limit_out_of_range: invalid("query", "limit", "Limit must be a whole number from 1 to 100"),
  offset_out_of_range: invalid("query", "offset", "Offset must be a whole number, 0 or greater"),
  cursor_malformed: invalid("query", "cursor", "Cursor must be empty or a next_cursor of this list"),
  cursor_with_offset: invalid("query", "cursor", "Cursor and offset are two ways to page: send one of them"),
  // The contract's own form, with its own sentence: the one answer here that is 422.
  idempotency_key_missing: {
    status: 422,
    code: "invalid_request",
    detail: "Field required",
    field: { place: "header", pointer: "idempotency-key", type: "missing" },
  },
  payment_not_found: {
    status: 404,
    code: "payment_not_found",
    detail: "There is no payment with this id. Check the id.",
  },
  idempotency_key_in_use: {
    status: 409,
    code: "idempotency_key_in_use",
    detail: "The first request with this Idempotency-Key is still running. Repeat the request after a moment.",
    retryAfterSeconds: 1,
  },
  cannot_retry_payment: {
    status: 409,
    code: "cannot_retry_payment",
    detail: "Only a FAILED payment can be retried, and by one request at a time.",
  },
} as const satisfies Record<HttpRefusal["type"], Answer>;

/** The problem that answers a refusal. */
export function problemFor(refusal: HttpRefusal) {
  const { field, ...answer }: Answer = answers[refusal.type];
  const errors = field === undefined ? {} : { errors: [{ ...field, detail: answer.detail }] };
  const detail = refusal.type === "cannot_retry_payment" ? `${standingOf(refusal)} ${answer.detail}` : answer.detail;
  return { ...answer, ...errors, detail };
}

function standingOf({ paymentId, status }: Extract<HttpRefusal, { type: "cannot_retry_payment" }>): string {
  return `Payment '${paymentId}' cannot be retried. Current status: ${status}...`;
}
