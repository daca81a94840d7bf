import Type, { type Static } from "typebox";
import { toJsonAmount } from "../../../kernel/money.ts";
import type { Refund } from "../application/refund-payment.ts";
import { amountSchema, currencySchema, nullable, timestampSchema } from "./schemas.ts";

const askedAmount = (description: string) =>
  Type.Optional(Type.Union([Type.Number(), Type.String({ maxLength: 64 })], { description, examples: [10.0] }));

export const captureBody = Type.Object(
  { amount: askedAmount("What is taken, at most what was authorized; all of it where nothing is said.") },
  { additionalProperties: false },
);
export type CaptureBody = Static<typeof captureBody>;

export const refundBody = Type.Object(
  {
    amount: askedAmount("What goes back, in the payment's currency; all that is left where nothing is said."),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: "Yours to keep with the refund." })),
    idempotency_key: Type.Optional(
      Type.String({
        description: "1 to 255 visible characters; may come in the Idempotency-Key header instead.",
        examples: ["order_123_refund_1"],
      }),
    ),
  },
  { additionalProperties: false },
);
export type RefundBody = Static<typeof refundBody>;

export const refundSchema = Type.Object({
  id: Type.String({ format: "uuid" }),
  payment_id: Type.String({ format: "uuid" }),
  amount: amountSchema,
  currency: currencySchema,
  status: Type.Enum(["pending", "succeeded", "failed"], {
    description: "pending until the gateway has confirmed or refused it.",
  }),
  reason: nullable("What was said when it was made."),
  failure: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }), Type.Null()]),
  created_at: timestampSchema,
});

export const refundListSchema = Type.Object({ data: Type.Array(refundSchema) });

/** A refund as the API shows it. */
export function presentRefund(refund: Refund): Static<typeof refundSchema> {
  const { id, paymentId, amount, status, reason, failure, createdAt } = refund;
  return {
    id,
    payment_id: paymentId,
    amount: toJsonAmount(amount),
    currency: amount.currency,
    status,
    reason,
    failure,
    created_at: createdAt.toISOString(),
  };
}
