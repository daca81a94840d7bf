import Type, { type Static } from "typebox";
import { toJsonAmount } from "../../../kernel/money.ts";
import type { PaymentSummary } from "../application/lanes.ts";
import { type TimelineEntry, timelineKinds } from "../application/read-payments.ts";
import { type Payment, paymentStatuses } from "../domain/payment.ts";

export const amountSchema = Type.Union([Type.Number(), Type.String({ pattern: "^[0-9.]+$" })], {
  description: "A decimal in the currency's major unit; as a string where a number could not carry it exactly.",
  examples: [1000.0],
});
export const currencySchema = Type.String({ description: "An ISO 4217 code, in capitals.", examples: ["USD"] });
export const timestampSchema = Type.String({ format: "date-time", description: "RFC 3339, UTC." });
export const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const statusSchema = Type.Enum([...paymentStatuses], {
  description: "pending until the gateway's webhook says what became of it.",
});

const metadataSchema = Type.Record(
  Type.String(),
  Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]),
  {
    description: "Yours to keep with the payment: up to 50 keys of 40 characters, values of 500.",
  },
);

export const createBody = Type.Object(
  {
    amount: Type.Union([Type.Number(), Type.String({ maxLength: 64 })], {
      description:
        "Greater than zero, in the currency's major unit, with no more decimals than the currency has. " +
        "Send it as a string where it has more than 15 digits.",
      examples: [1000.0],
    }),
    currency: Type.String({ maxLength: 16, description: "An ISO 4217 code, in capitals.", examples: ["USD"] }),
    idempotency_key: Type.Optional(
      Type.String({
        description: "1 to 255 visible characters; may come in the Idempotency-Key header instead.",
        examples: ["order_123_attempt_1"],
      }),
    ),
    metadata: Type.Optional(metadataSchema),
    reference: Type.Optional(
      Type.String({ minLength: 1, maxLength: 255, description: "Your own reference, shown wherever the payment is." }),
    ),
    seller_id: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: "Who is credited." })),
    capture: Type.Optional(
      Type.Boolean({ description: "false only authorizes; the payment is captured later. Default true." }),
    ),
  },
  { additionalProperties: false },
);
export type CreateBody = Static<typeof createBody>;

export const summarySchema = Type.Object({
  id: Type.String({ format: "uuid" }),
  stripe_payment_intent_id: nullable("The gateway's id; null where the gateway declined before it made one."),
  amount: amountSchema,
  currency: currencySchema,
  status: statusSchema,
  created_at: timestampSchema,
});

export const paymentSchema = Type.Object({
  id: Type.String({ format: "uuid" }),
  stripe_payment_intent_id: nullable("The gateway's id; null until the gateway has answered."),
  idempotency_key: Type.String(),
  amount: amountSchema,
  amount_captured: Type.Union([amountSchema, Type.Null()], { description: "What was taken; null until it succeeded." }),
  amount_refunded: amountSchema,
  commission: Type.Union([amountSchema, Type.Null()], {
    description: "The marketplace's part; null until it succeeded.",
  }),
  currency: currencySchema,
  status: statusSchema,
  metadata: metadataSchema,
  reference: nullable("Your own reference."),
  seller_id: nullable("Who is credited."),
  capture: Type.Boolean(),
  client_secret: nullable("What the buyer's browser confirms the payment with (Stripe); null where there is none."),
  failure: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }), Type.Null()]),
  created_at: timestampSchema,
  updated_at: timestampSchema,
});

const cursorSchema = nullable("Pass it as `cursor` to get the next page; null on the last one.");
export const listSchema = Type.Object({ data: Type.Array(paymentSchema), next_cursor: cursorSchema });

export const listQuery = Type.Object(
  {
    status: Type.Optional(statusSchema),
    currency: Type.Optional(currencySchema),
    created_after: Type.Optional(timestampSchema),
    cursor: Type.Optional(Type.String({ maxLength: 64 })),
    limit: Type.Optional(
      Type.String({
        pattern: "^([1-9]|[1-9][0-9]|100)$",
        description: "1 to 100; 20 when nothing is said.",
        examples: ["20"],
      }),
    ),
  },
  { additionalProperties: false },
);
export type ListQuery = Static<typeof listQuery>;

export const timelineSchema = Type.Object({
  data: Type.Array(
    Type.Object({ at: timestampSchema, kind: Type.Enum([...timelineKinds]) }, { additionalProperties: true }),
  ),
});

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

export const idParams = Type.Object({ id: Type.String() });
export const acknowledgement = Type.Object({ status: Type.Literal("ok") });

/** A payment as the answer to its request shows it. */
export function presentSummary(payment: PaymentSummary): Static<typeof summarySchema> {
  return {
    id: payment.id,
    stripe_payment_intent_id: payment.intentId,
    amount: toJsonAmount(payment.amount),
    currency: payment.amount.currency,
    status: payment.status,
    created_at: payment.createdAt.toISOString(),
  };
}

/** A payment with everything that is known of it. */
export function presentPayment(payment: Payment): Static<typeof paymentSchema> {
  return {
    id: payment.id,
    stripe_payment_intent_id: payment.intentId,
    idempotency_key: payment.idempotencyKey,
    amount: toJsonAmount(payment.amount),
    amount_captured: payment.captured === null ? null : toJsonAmount(payment.captured),
    amount_refunded: toJsonAmount(payment.refunded),
    commission: payment.commission === null ? null : toJsonAmount(payment.commission),
    currency: payment.amount.currency,
    status: payment.status,
    metadata: payment.metadata,
    reference: payment.reference,
    seller_id: payment.sellerId,
    capture: payment.capture === "automatic",
    client_secret: payment.clientSecret,
    failure: payment.status === "failed" ? payment.failure : null,
    created_at: payment.createdAt.toISOString(),
    updated_at: payment.updatedAt.toISOString(),
  };
}

export function presentTimeline(entries: readonly TimelineEntry[]): { data: unknown[] } {
  return { data: entries.map(({ at, ...entry }) => ({ at: at.toISOString(), ...entry })) };
}
