import Type, { type Static } from "typebox";

const amountSchema = Type.Union([Type.Number(), Type.String({ pattern: "^-?[0-9.]+$" })], {
  description: "A decimal in the currency's major unit; as a string where a number could not carry it exactly.",
  examples: [975.0],
});
const amountNow = (description: string) =>
  Type.Union([Type.Number(), Type.String({ pattern: "^-?[0-9.]+$" }), Type.Null()], {
    description: `${description} Null in balances as of another time.`,
  });
const currencySchema = Type.String({ description: "An ISO 4217 code, in capitals.", examples: ["USD"] });
const codeSchema = Type.String({
  description: "The account's name in the chart of accounts; a code has an account in each currency.",
  examples: ["seller:s_123:available"],
});
const idSchema = Type.String({ description: "A number, as a string.", examples: ["458753"] });
const sideSchema = Type.Enum(["debit", "credit"], { description: "The side that makes the balance positive." });
const directionSchema = Type.Enum(["debit", "credit"], { description: "The side the amount is on; it is positive." });
const momentSchema = Type.String({
  format: "date-time",
  description: "RFC 3339, UTC, with microseconds.",
  examples: ["2026-01-31T12:00:00.000000Z"],
});
const effectiveAtSchema = Type.Union([momentSchema, Type.Null()], {
  description: "When it happened, where that is not when it was posted; null where it is.",
});
const versionSchema = Type.Integer({
  description: "1, 2, 3 … for each account: the number of its entries up to here.",
});
const nextCursorSchema = Type.Union([Type.String(), Type.Null()], {
  description: "Pass it as `cursor` to get the next page; null on the last one.",
});

export const accountSchema = Type.Object({
  id: idSchema,
  code: codeSchema,
  currency: currencySchema,
  normal_side: sideSchema,
  debits: amountNow("The sum of all debits."),
  credits: amountNow("The sum of all credits."),
  balance: amountSchema,
  held: amountNow("What holds reserve of the balance."),
  available: amountNow("The balance without what is held."),
  floor: amountNow("The least that must be left; null where there is no limit."),
  version: Type.Union([versionSchema, Type.Null()], {
    description: "How many entries the balance is of; null where it is as of an effective time.",
  }),
});

export const accountListSchema = Type.Object({ data: Type.Array(accountSchema), next_cursor: nextCursorSchema });

const entrySchema = Type.Object({
  transaction_id: idSchema,
  leg: Type.Integer({ description: "1, 2, 3 … in its transaction." }),
  kind: Type.String({ description: "What happened.", examples: ["sale"] }),
  reference: Type.String({ description: "What whoever posted it calls it." }),
  direction: directionSchema,
  amount: amountSchema,
  balance: amountSchema,
  version: versionSchema,
  posted_at: momentSchema,
  effective_at: effectiveAtSchema,
});

export const entryListSchema = Type.Object({ data: Type.Array(entrySchema), next_cursor: nextCursorSchema });

export const transactionSchema = Type.Object({
  id: idSchema,
  kind: Type.String({ description: "What happened.", examples: ["sale"] }),
  reference: Type.String({ description: "What whoever posted it calls it; no other transaction has the same." }),
  external_id: Type.Union([Type.String(), Type.Null()], {
    description: "The gateway's id of what moved the money.",
    examples: ["pi_123"],
  }),
  posted_at: momentSchema,
  effective_at: effectiveAtSchema,
  sealed: Type.Boolean({ description: "Whether the hash chain covers it, which it does moments after the posting." }),
  entries: Type.Array(
    Type.Object({
      leg: Type.Integer(),
      account_id: idSchema,
      code: codeSchema,
      currency: currencySchema,
      direction: directionSchema,
      amount: amountSchema,
      balance: amountSchema,
      version: versionSchema,
    }),
    { description: "Debits equal credits in each currency." },
  ),
});

const turnover = { debits: amountSchema, credits: amountSchema };

export const trialBalanceSchema = Type.Object({
  balanced: Type.Boolean({ description: "Whether debits equal credits in every currency." }),
  totals: Type.Array(Type.Object({ currency: currencySchema, ...turnover }), {
    description: "Of all accounts, also those that are not listed.",
  }),
  accounts: Type.Array(
    Type.Object({
      id: idSchema,
      code: codeSchema,
      currency: currencySchema,
      normal_side: sideSchema,
      ...turnover,
      balance: amountSchema,
    }),
    { description: "By code; 1,000 at most. GET /ledger/accounts has them all." },
  ),
  accounts_truncated: Type.Boolean({ description: "Whether there are more accounts than are listed." }),
});

const asOf = {
  as_of: Type.Optional(
    Type.String({
      maxLength: 40,
      description:
        "RFC 3339: balances as of this time. Those of the last seconds may still get postings that are under way.",
      examples: ["2026-01-31T12:00:00Z"],
    }),
  ),
  as_of_kind: Type.Optional(
    Type.Enum(["posted", "effective"], {
      description:
        "posted (the default): what the books said at that time. effective: what is known today of that time, with " +
        "what was posted later and belongs before it, and without what was posted ahead.",
    }),
  ),
};
const paging = {
  cursor: Type.Optional(Type.String({ maxLength: 2_000, description: "The next_cursor of the page before." })),
  limit: Type.Optional(
    Type.String({
      pattern: "^([1-9]|[1-9][0-9]|100)$",
      description: "1 to 100; 20 when nothing is said.",
      examples: ["20"],
    }),
  ),
};
const period = {
  from: Type.Optional(Type.String({ maxLength: 40, description: "RFC 3339: posted at this time or later." })),
  to: Type.Optional(Type.String({ maxLength: 40, description: "RFC 3339: posted before this time." })),
};

export const accountListQuery = Type.Object(
  {
    code: Type.Optional(
      Type.String({
        maxLength: 300,
        pattern: "^[^\\u0000]*$",
        description: "Only codes that begin so.",
        examples: ["seller:s_123:"],
      }),
    ),
    ...asOf,
    ...paging,
  },
  { additionalProperties: false },
);
export type AccountListQuery = Static<typeof accountListQuery>;

export const accountQuery = Type.Object(asOf, { additionalProperties: false });
export type AccountQuery = Static<typeof accountQuery>;

export const entryListQuery = Type.Object(
  {
    ...period,
    order: Type.Optional(
      Type.Enum(["desc", "asc"], { description: "desc (the default) is newest first, asc is oldest first." }),
    ),
    ...paging,
  },
  { additionalProperties: false },
);
export type EntryListQuery = Static<typeof entryListQuery>;

export const exportQuery = Type.Object(
  {
    format: Type.Optional(
      Type.Enum(["csv", "hledger"], {
        description:
          "csv (the default): RFC 4180, a row for each leg; texts that a spreadsheet would run as a formula begin " +
          "with an apostrophe. hledger: a journal that `hledger check --strict` accepts, debits positive; its last " +
          "line says that it is complete.",
      }),
    ),
    ...period,
  },
  { additionalProperties: false },
);
export type ExportQuery = Static<typeof exportQuery>;

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

/** Both formats of an export, as OpenAPI has it for answers that are no JSON. */
export const exportContent = {
  description: "The journal, streamed: what was posted while it is read is not in it.",
  content: {
    "text/csv": { schema: Type.String() },
    "text/plain": { schema: Type.String() },
  },
};
