import Type, { type Static } from "typebox";
import { toJsonAmount } from "../../../kernel/money.ts";
import { type Estado, type Payout, payoutReference } from "../domain/payout.ts";

/** The states of a payout in the marketplace's words. */
const statuses = {
  PENDIENTE: "pending",
  PROCESANDO: "processing",
  EXITOSO: "succeeded",
  FALLIDO: "failed",
} as const satisfies Record<Estado, string>;
type PayoutStatus = (typeof statuses)[Estado];

/** The state that the marketplace calls so. */
export function estadoOf(status: PayoutStatus): Estado {
  const [estado] = Object.entries(statuses).find(([, name]) => name === status) ?? [];
  if (estado === undefined) throw new Error(`no state of payouts is called ${status}`);
  return estado as Estado;
}

const amountSchema = Type.Union([Type.Number(), Type.String({ pattern: "^[0-9.]+$" })], {
  description: "A decimal in the currency's major unit; as a string where a number could not carry it exactly.",
  examples: [250.0],
});
const currencySchema = Type.String({ description: "An ISO 4217 code, in capitals.", examples: ["USD"] });
const timestampSchema = Type.String({ format: "date-time", description: "RFC 3339, UTC." });
const statusSchema = Type.Enum(Object.values(statuses), {
  description: "processing while the gateway has not answered: it is asked until it does.",
});
const sellerSchema = Type.String({ minLength: 1, maxLength: 255, description: "Who is paid.", examples: ["seller_1"] });

export const payoutBody = Type.Object(
  {
    seller_id: sellerSchema,
    amount: Type.Union([Type.Number(), Type.String({ maxLength: 64 })], {
      description: "Greater than zero, in the currency's major unit, with no more decimals than the currency has.",
      examples: [250.0],
    }),
    currency: Type.String({ maxLength: 16, description: "An ISO 4217 code, in capitals.", examples: ["USD"] }),
    idempotency_key: Type.Optional(
      Type.String({
        description: "1 to 255 visible characters; may come in the Idempotency-Key header instead.",
        examples: ["payout_2026_01_seller_1"],
      }),
    ),
  },
  { additionalProperties: false },
);
export type PayoutBody = Static<typeof payoutBody>;

export const payoutSchema = Type.Object({
  id: Type.String({ format: "uuid" }),
  seller_id: sellerSchema,
  amount: amountSchema,
  currency: currencySchema,
  status: statusSchema,
  reference: Type.String({ description: "What the seller's statement shows.", examples: ["ref_0198"] }),
  failure: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }), Type.Null()]),
  created_at: timestampSchema,
  processed_at: Type.Union([timestampSchema, Type.Null()]),
});

export const payoutListSchema = Type.Object({
  data: Type.Array(payoutSchema),
  next_cursor: Type.Union([Type.String(), Type.Null()], {
    description: "Pass it as `cursor` to get the next page; null on the last one.",
  }),
});

export const payoutListQuery = Type.Object(
  {
    seller_id: Type.Optional(sellerSchema),
    status: Type.Optional(statusSchema),
    cursor: Type.Optional(Type.String({ maxLength: 64 })),
    limit: Type.Optional(
      Type.String({ pattern: "^([1-9]|[1-9][0-9]|100)$", description: "1 to 100; 20 when nothing is said." }),
    ),
  },
  { additionalProperties: false },
);
export type PayoutListQuery = Static<typeof payoutListQuery>;

export const payoutParams = Type.Object({ id: Type.String() });

export const problemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: "Stable, snake_case." }),
    detail: Type.String({ description: "A sentence that says what to do." }),
    errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() }))),
    trace_id: Type.String(),
  },
  { additionalProperties: true },
);

/** A payout to a seller as the marketplace shows it. */
export function presentPayout(payout: Payout): Static<typeof payoutSchema> {
  return {
    id: payout.id,
    seller_id: payout.recipient.id,
    amount: toJsonAmount(payout.amount),
    currency: payout.amount.currency,
    status: statuses[payout.status],
    reference: payoutReference(payout.id),
    failure: payout.status === "FALLIDO" ? payout.failure : null,
    created_at: payout.createdAt.toISOString(),
    processed_at: "processedAt" in payout ? payout.processedAt.toISOString() : null,
  };
}
