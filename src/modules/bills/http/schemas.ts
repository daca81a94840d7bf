import Type, { type Static } from "typebox";
import { toJsonAmount } from "../../../kernel/money.ts";
import type { BillPage } from "../application/read-bills.ts";
import { type BillPayment, billStatuses } from "../domain/bill-payment.ts";

const timestampSchema = Type.String({ format: "date-time", description: "RFC 3339, UTC." });

export const createBody = Type.Object(
  {
    reference: Type.String({ description: "The bill's own number, 1 to 100 characters.", examples: ["FAC-12345"] }),
    amount: Type.Union([Type.Number(), Type.String({ maxLength: 64 })], {
      description: "Greater than zero, in the currency's major unit, with no more decimals than the currency has.",
      examples: [500],
    }),
    currency: Type.String({ description: "An ISO 4217 code, in capitals: exactly 3 characters.", examples: ["MXN"] }),
  },
  { additionalProperties: false },
);
export type CreateBody = Static<typeof createBody>;

/** Described here and judged by the route, whose sentence for a key that is missing is the contract's. */
export const keyHeader = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      description: "Required: 1 to 255 visible characters. The same key gets the same payment.",
      examples: ["order_123_attempt_1"],
    }),
  ),
});

export const billSchema = Type.Object({
  payment_id: Type.String({ format: "uuid" }),
  reference: Type.String(),
  amount: Type.Union([Type.Number(), Type.String()], { description: "In the currency's major unit.", examples: [500] }),
  currency: Type.String(),
  status: Type.Enum([...billStatuses], {
    description:
      "PENDING while nobody knows what became of it; FAILED may be retried; SUCCESS and EXHAUSTED are final.",
  }),
  retries: Type.Integer({ description: "How many retries were declined." }),
  created_at: timestampSchema,
  updated_at: timestampSchema,
});

export const listSchema = Type.Object({
  payments: Type.Array(billSchema),
  total: Type.Integer({
    description: "How many payments the filter lets through: exact, at the moment that the page is of.",
  }),
  limit: Type.Integer(),
  offset: Type.Integer({ description: "0 on a page by cursor." }),
  next_cursor: Type.Optional(
    Type.Union([Type.String(), Type.Null()], {
      description: "Only on a page by cursor: pass it as `cursor` to get the next one; null on the last.",
    }),
  ),
});

export const listQuery = Type.Object(
  {
    status: Type.Optional(Type.String({ description: `One of ${billStatuses.join(", ")}.`, examples: ["FAILED"] })),
    limit: Type.Optional(Type.String({ description: "1 to 100; 20 when nothing is said.", examples: ["10"] })),
    offset: Type.Optional(Type.String({ description: "How many of the newest to leave out.", examples: ["0"] })),
    cursor: Type.Optional(
      Type.String({
        maxLength: 64,
        description:
          "Pages by place instead of by number, so that what is paid meanwhile moves nothing: empty for the first " +
          "page, then `next_cursor`. Not together with `offset`.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type ListQuery = Static<typeof listQuery>;

export const errorSchema = Type.Object({
  success: Type.Literal(false),
  error: Type.Object({
    code: Type.String({ description: "Stable, in capitals.", examples: ["VALIDATION_ERROR"] }),
    message: Type.String({ examples: ["Amount must be greater than zero"] }),
  }),
});

export const missingHeaderSchema = Type.Object({
  detail: Type.Array(
    Type.Object(
      { type: Type.String(), loc: Type.Array(Type.String()), msg: Type.String() },
      {
        examples: [{ type: "missing", loc: ["header", "idempotency-key"], msg: "Field required" }],
      },
    ),
  ),
});

export const idParams = Type.Object({ payment_id: Type.String() });

/** A payment in the words of the contract. */
export function presentBill(bill: BillPayment): Static<typeof billSchema> {
  return {
    payment_id: bill.id,
    reference: bill.reference,
    amount: toJsonAmount(bill.amount),
    currency: bill.amount.currency,
    status: bill.status,
    retries: bill.retries,
    created_at: bill.createdAt.toISOString(),
    updated_at: bill.updatedAt.toISOString(),
  };
}

/** `nextCursor` is undefined on a page that was not asked for by cursor. */
export function presentPage(
  page: BillPage,
  { limit, offset }: { limit: number; offset: number },
  nextCursor: string | null | undefined,
): Static<typeof listSchema> {
  const shown = { payments: page.bills.map(presentBill), total: page.total, limit, offset };
  return nextCursor === undefined ? shown : { ...shown, next_cursor: nextCursor };
}
