import Type, { type Static } from "typebox";
import { type Money, toJsonAmount } from "../../../kernel/money.ts";
import { type Exception, exceptionReasons, type PostingLeg, type Side } from "../domain/exceptions.ts";
import { lineKinds } from "../domain/lines.ts";
import type { Run } from "../domain/runs.ts";

const timestampSchema = Type.String({ format: "date-time", description: "RFC 3339, UTC." });
const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const amountSchema = Type.Union([Type.Number(), Type.String()], {
  description: "A decimal in the currency's major unit; as a string where a number could not carry it exactly.",
});
const nullableAmount = Type.Union([Type.Number(), Type.String(), Type.Null()], {
  description: "What the lines add up to; null where there are none, or in several currencies.",
});
const count = (description: string) => Type.Integer({ minimum: 0, description });
const toleranceDescription = "How many days around the period counterparts are looked for; 3 when nothing is said.";

export const createBody = Type.Object(
  {
    source: Type.Literal("gateway", { description: "The lines are pulled from the payment gateway." }),
    from: Type.String({ description: "RFC 3339. The first moment of the period.", examples: ["2026-01-31T00:00:00Z"] }),
    to: Type.String({
      description: "RFC 3339. The first moment after the period.",
      examples: ["2026-02-01T00:00:00Z"],
    }),
    tolerance_days: Type.Optional(Type.Integer({ minimum: 0, maximum: 31, description: toleranceDescription })),
  },
  { additionalProperties: false },
);
export type CreateBody = Static<typeof createBody>;

export const createQuery = Type.Object(
  {
    from: Type.Optional(Type.String({ description: "Of a CSV: the period; what its lines span when left out." })),
    to: Type.Optional(Type.String({ description: "RFC 3339. Goes with from." })),
    tolerance_days: Type.Optional(
      Type.String({ pattern: "^([0-9]|[12][0-9]|3[01])$", description: toleranceDescription }),
    ),
  },
  { additionalProperties: false },
);
export type CreateQuery = Static<typeof createQuery>;

const limitSchema = Type.Optional(
  Type.String({ pattern: "^([1-9]|[1-9][0-9]|100)$", description: "1 to 100; 20 when nothing is said." }),
);
const cursorParameter = Type.Optional(Type.String({ maxLength: 64, description: "A next_cursor of this list." }));

export const listQuery = Type.Object({ cursor: cursorParameter, limit: limitSchema }, { additionalProperties: false });
export type ListQuery = Static<typeof listQuery>;

export const exceptionsQuery = Type.Object(
  {
    reason: Type.Optional(Type.Enum([...exceptionReasons], { description: "Only exceptions of this reason." })),
    resolved: Type.Optional(Type.Enum(["true", "false"], { description: "Only those that are resolved, or are not." })),
    cursor: cursorParameter,
    limit: limitSchema,
  },
  { additionalProperties: false },
);
export type ExceptionsQuery = Static<typeof exceptionsQuery>;

const decimal = (description: string) =>
  Type.Optional(Type.Union([Type.Number(), Type.String({ maxLength: 64 })], { description, examples: [10.0] }));

const legBody = Type.Object(
  {
    account: Type.String({ minLength: 3, maxLength: 300, examples: ["platform:suspense"] }),
    currency: Type.String({ maxLength: 16, examples: ["USD"] }),
    debit: decimal("A decimal in the major unit. A leg has a debit or a credit."),
    credit: decimal("A decimal in the major unit."),
  },
  { additionalProperties: false },
);

export const resolveBody = Type.Object(
  {
    note: Type.String({ minLength: 1, maxLength: 2000, description: "Why it is resolved so, for whoever asks later." }),
    posting: Type.Union(
      [
        Type.Enum(["none", "suggested"]),
        Type.Object({ legs: Type.Array(legBody, { minItems: 2, maxItems: 100 }) }, { additionalProperties: false }),
      ],
      { description: "What is posted to the ledger: nothing, the exception's suggested_posting, or these legs." },
    ),
  },
  { additionalProperties: false },
);
export type ResolveBody = Static<typeof resolveBody>;

export const runParams = Type.Object({ id: Type.String() });
export const exceptionParams = Type.Object({ id: Type.String(), n: Type.String() });

export const runSchema = Type.Object({
  id: Type.String({ format: "uuid" }),
  status: Type.Enum(["running", "completed", "failed"]),
  gateway: Type.String(),
  source: Type.Enum(["gateway", "file"]),
  from: timestampSchema,
  to: timestampSchema,
  tolerance_days: Type.Number(),
  counts: Type.Object({
    gateway_lines: count("Lines read of the gateway, around the period included."),
    ledger_lines: count("Entries read of our clearing account, around the period included."),
    ignored_lines: count("Lines of a file that are about no payment: fees, payouts."),
    matched: count("Gateway objects on which both sides agree."),
    missing_here: count("The gateway has it and our ledger has not."),
    missing_at_gateway: count("Our ledger has it and the gateway has not."),
    amount_differs: count("Both have it, with other amounts."),
    currency_differs: count("Both have it, in other currencies."),
    duplicate_at_gateway: count("The gateway has it more than once."),
    duplicate_here: count("Our ledger has it more than once."),
    exceptions: count("All that did not agree."),
    resolved: count("Exceptions that are resolved."),
  }),
  failure: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }), Type.Null()]),
  created_at: timestampSchema,
  completed_at: Type.Union([timestampSchema, Type.Null()]),
});

const cursorSchema = nullable("Pass it as `cursor` to get the next page; null on the last one.");
export const runListSchema = Type.Object({ data: Type.Array(runSchema), next_cursor: cursorSchema });

const sideSchema = Type.Object({
  lines: Type.Integer({ description: "How many lines." }),
  amount: nullableAmount,
  currency: nullable("An ISO 4217 code."),
  occurred_at: Type.Union([timestampSchema, Type.Null()]),
  ids: Type.Array(Type.String(), { description: "At most ten: the gateway's lines, or transactions of our ledger." }),
});

const legSchema = Type.Object({
  account: Type.String(),
  currency: Type.String(),
  debit: Type.Optional(amountSchema),
  credit: Type.Optional(amountSchema),
});

export const exceptionSchema = Type.Object({
  number: Type.Integer(),
  reason: Type.Enum([...exceptionReasons]),
  kind: Type.Enum([...lineKinds]),
  gateway_id: Type.String({ description: "The intent of a charge (pi_…), the refund (re_…) or the dispute (dp_…)." }),
  gateway: sideSchema,
  ledger: sideSchema,
  at_border: Type.Boolean({ description: "The counterpart may be in the report before or after this one." }),
  suggested_posting: Type.Union([Type.Object({ legs: Type.Array(legSchema) }), Type.Null()]),
  resolution: Type.Union([
    Type.Object({
      note: Type.String(),
      posting: Type.Enum(["none", "suggested", "custom"]),
      transaction_id: nullable("The ledger's transaction; null where nothing was posted."),
      resolved_by: Type.String(),
      resolved_at: timestampSchema,
    }),
    Type.Null(),
  ]),
});
export const exceptionListSchema = Type.Object({ data: Type.Array(exceptionSchema), next_cursor: cursorSchema });

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

const dayMs = 86_400_000;

export function presentRun(run: Run): Static<typeof runSchema> {
  const { gatewayLines, ledgerLines, ignoredLines, matched, resolved, ...reasons } = run.counts;
  return {
    id: run.id,
    status: run.status,
    gateway: run.gateway,
    source: run.source,
    from: run.from.toISOString(),
    to: run.to.toISOString(),
    tolerance_days: run.toleranceMs / dayMs,
    counts: {
      gateway_lines: gatewayLines,
      ledger_lines: ledgerLines,
      ignored_lines: ignoredLines,
      matched,
      ...reasons,
      exceptions: Object.values(reasons).reduce((sum, reason) => sum + reason, 0),
      resolved,
    },
    failure: run.status === "failed" ? run.failure : null,
    created_at: run.createdAt.toISOString(),
    completed_at: run.status === "running" ? null : run.completedAt.toISOString(),
  };
}

export function presentException(
  exception: Exception,
  suggestion: readonly PostingLeg[] | null,
): Static<typeof exceptionSchema> {
  const { number, reason, kind, gatewayId, resolution } = exception;
  return {
    number,
    reason,
    kind,
    gateway_id: gatewayId,
    gateway: presentSide(exception.gatewaySide),
    ledger: presentSide(exception.ledgerSide),
    at_border: exception.atBorder,
    suggested_posting: suggestion === null ? null : { legs: suggestion.map(presentLeg) },
    resolution:
      resolution === null
        ? null
        : {
            note: resolution.note,
            posting: resolution.posting,
            transaction_id: resolution.transactionId,
            resolved_by: resolution.resolvedBy,
            resolved_at: resolution.resolvedAt.toISOString(),
          },
  };
}

function presentSide({ count: lines, amount, occurredAt, ids }: Side): Static<typeof sideSchema> {
  return {
    lines,
    amount: amount === null ? null : toJsonAmount(amount),
    currency: amount?.currency ?? null,
    occurred_at: occurredAt?.toISOString() ?? null,
    ids: [...ids],
  };
}

function presentLeg({ account, amount }: PostingLeg): Static<typeof legSchema> {
  const { currency, amountMinor } = amount;
  const size: Money = { currency, amountMinor: amountMinor < 0n ? -amountMinor : amountMinor };
  const side = toJsonAmount(size);
  return amountMinor < 0n ? { account, currency, credit: side } : { account, currency, debit: side };
}
