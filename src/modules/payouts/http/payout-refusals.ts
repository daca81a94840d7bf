import type { PaySellerOutRefusal } from "../application/commands/pay-seller-out.ts";
import type { PayoutNotFound } from "../application/queries/get-payout.ts";

type PayoutRefusal =
  | PaySellerOutRefusal
  | PayoutNotFound
  | { type: "idempotency_key_missing" }
  | { type: "idempotency_keys_differ" }
  | { type: "cursor_malformed" };

type Answer = { status: number; code: string; detail: string; retryAfterSeconds?: number; pointer?: string };

function invalid(pointer: string, detail: string): Answer {
  return { status: 400, code: "invalid_request", pointer, detail };
}

/** The status, the code and what to do, for each refusal: a refusal without an entry does not compile. */
const answers = {
  amount_not_a_decimal: invalid("/amount", "amount must be plain decimal digits, such as 250.00."),
  amount_has_too_many_decimals: invalid("/amount", "amount has more decimals than its currency has. Round it first."),
  amount_must_be_positive: invalid("/amount", "amount must be greater than zero."),
  amount_over_limit: invalid("/amount", "amount is over the limit of 9999999999 in the major unit. Split the payout."),
  currency_unknown: invalid("/currency", "currency must be an ISO 4217 code in capitals, such as USD."),
  recipient_malformed: invalid(
    "/seller_id",
    "seller_id contains the character U+0000 or half of a surrogate pair. Take it out.",
  ),
  idempotency_key_missing: invalid(
    "/idempotency_key",
    "idempotency_key is missing. Send one, in the body or as the Idempotency-Key header, with every retry.",
  ),
  idempotency_key_malformed: invalid(
    "/idempotency_key",
    "idempotency_key must be 1 to 255 visible ASCII characters without spaces.",
  ),
  idempotency_keys_differ: invalid(
    "/idempotency_key",
    "idempotency_key and the Idempotency-Key header differ. Send one of them, or the same in both.",
  ),
  cursor_malformed: invalid("cursor", "cursor must be a next_cursor of this list."),
  payout_not_found: {
    status: 404,
    code: "payout_not_found",
    detail: "There is no payout with this id. Check the id.",
  },
  seller_balance_insufficient: {
    status: 409,
    code: "seller_balance_insufficient",
    detail:
      "The seller's available balance does not cover the payout. Pay out less, or wait for their next sales, " +
      "and use a new idempotency key.",
  },
  idempotency_key_in_use: {
    status: 409,
    code: "idempotency_key_in_use",
    detail: "The first request with this idempotency key is still under way. Repeat the request after a moment.",
    retryAfterSeconds: 1,
  },
  idempotency_key_reused: {
    status: 422,
    code: "idempotency_key_reused",
    detail: "This idempotency key was used for another request. Use a new key for a new payout.",
  },
} as const satisfies Record<PayoutRefusal["type"], Answer>;

/** The problem that answers a refusal. */
export function problemOfPayout(refusal: PayoutRefusal) {
  const { pointer, ...answer }: Answer = answers[refusal.type];
  const errors = pointer === undefined ? {} : { errors: [{ pointer, detail: answer.detail }] };
  const members = "payoutId" in refusal ? { members: { payout_id: refusal.payoutId } } : {};
  return { ...answer, ...errors, ...members };
}
