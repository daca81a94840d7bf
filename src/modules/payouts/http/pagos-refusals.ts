import type { PayAffiliateRefusal } from "../application/commands/pay-affiliate.ts";
import type { PayoutNotFound } from "../application/queries/get-payout.ts";

type PagoRefusal = PayAffiliateRefusal | PayoutNotFound;

type Fault = { pointer: string; type: string; detail: string; place: "body" | "header" };

type Answer = { status: number; code: string; detail: string; errors?: readonly Fault[]; retryAfterSeconds?: number };

function fault(field: string, type: string, detail: string): Answer {
  return invalid({ pointer: `/${field}`, type, detail, place: "body" });
}

function keyFault(type: string, detail: string): Answer {
  return invalid({ pointer: "idempotency-key", type, detail, place: "header" });
}

function invalid(fault: Fault): Answer {
  return { status: 422, code: fault.type, detail: fault.detail, errors: [fault] };
}

/** The answer to each refusal, as the pagos contract has it: a refusal without an entry does not compile. */
const answers = {
  amount_not_a_decimal: fault("monto", "decimal_parsing", "Input should be a valid decimal"),
  amount_has_too_many_decimals: fault("monto", "decimal_max_places", "Input has more decimals than its moneda has"),
  amount_must_be_positive: fault("monto", "greater_than", "Input should be greater than 0"),
  amount_over_limit: fault("monto", "less_than_equal", "Input should be less than or equal to 9999999999"),
  moneda_unknown: fault("moneda", "enum", "Input should be 'USD', 'EUR' or 'COP'"),
  recipient_malformed: fault("id_afiliado", "value_error", "Input should be 1 to 255 storable characters"),
  idempotency_key_malformed: keyFault(
    "string_pattern_mismatch",
    "Input should be 1 to 255 visible ASCII characters without spaces",
  ),
  idempotency_key_reused: keyFault("idempotency_key_reused", "This key was used for another request. Use a new one"),
  idempotency_key_in_use: {
    status: 409,
    code: "idempotency_key_in_use",
    detail: "El primer pago con esta clave se está procesando. Repita la solicitud en un momento",
    retryAfterSeconds: 1,
  },
  payout_not_found: { status: 404, code: "not_found", detail: "Pago no encontrado" },
} as const satisfies Record<PagoRefusal["type"], Answer>;

/** The problem that answers a refusal; the partner listener shows it in its contract's form. */
export function problemOfPago(refusal: PagoRefusal): Answer {
  return answers[refusal.type];
}
