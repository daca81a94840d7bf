import type { LedgerBusy } from "../application/export-journal.ts";
import type { AccountNotFound } from "../application/read-accounts.ts";
import type { TransactionNotFound } from "../application/read-transactions.ts";

export type HttpRefusal =
  | AccountNotFound
  | TransactionNotFound
  | LedgerBusy
  | { type: "cursor_malformed" }
  | { type: "moment_malformed"; field: string }
  | { type: "as_of_missing" }
  | { type: "too_many_exports" };

type Answer = { status: number; code: string; detail: string; retryAfterSeconds?: number; pointer?: string };

/** The status, the code and what to do, for each refusal: a refusal without an entry does not compile. */
const answers = {
  cursor_malformed: {
    status: 400,
    code: "invalid_request",
    pointer: "cursor",
    detail: "cursor must be a next_cursor of this list, with the same filter.",
  },
  moment_malformed: {
    status: 400,
    code: "invalid_request",
    detail: "The time must be RFC 3339 with at most six decimals of a second, such as 2026-01-31T12:00:00Z.",
  },
  as_of_missing: {
    status: 400,
    code: "invalid_request",
    pointer: "as_of",
    detail: "as_of_kind says which time as_of is. Send as_of as well, or neither.",
  },
  account_not_found: {
    status: 404,
    code: "account_not_found",
    detail: "There is no account with this id. GET /ledger/accounts lists them by code.",
  },
  transaction_not_found: {
    status: 404,
    code: "transaction_not_found",
    detail: "There is no transaction with this id. Check the id.",
  },
  ledger_busy: {
    status: 503,
    code: "ledger_busy",
    detail: "A posting has been under way for so long that the export could miss it. Try again after a moment.",
    retryAfterSeconds: 5,
  },
  too_many_exports: {
    status: 503,
    code: "too_many_exports",
    detail: "As many exports are under way as this server makes at a time. Try again after a moment.",
    retryAfterSeconds: 10,
  },
} as const satisfies Record<HttpRefusal["type"], Answer>;

/** The problem that answers a refusal. */
export function problemFor(refusal: HttpRefusal) {
  const { pointer, ...answer }: Answer = answers[refusal.type];
  const field = "field" in refusal ? refusal.field : pointer;
  return field === undefined ? answer : { ...answer, errors: [{ pointer: field, detail: answer.detail }] };
}
