import Type, { type Static } from "typebox";
import { type Delivery, deliveryStatuses } from "../domain/delivery.ts";
import type { Endpoint } from "../domain/endpoint.ts";

const timestampSchema = Type.String({ format: "date-time", description: "RFC 3339, UTC." });
const nullableTimestamp = (description: string) => Type.Union([timestampSchema, Type.Null()], { description });
const nullableText = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const statusSchema = Type.Enum([...deliveryStatuses], {
  description: "pending until it arrives or has failed for good; failed ones can be replayed.",
});

const urlSchema = Type.String({
  maxLength: 2_000,
  description: "Where events are posted to: https, a public host, no user name, port 443 or from 1024 on.",
  examples: ["https://shop.example.com/webhooks"],
});
const eventTypesSchema = Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
  minItems: 1,
  maxItems: 50,
  description: 'Which events are sent: types, beginnings of types ("payment.*"), or all ("*").',
  examples: [["payment.succeeded", "payout.*"]],
});
const descriptionSchema = Type.Union([Type.String({ maxLength: 500 }), Type.Null()], {
  description: "For people.",
  examples: ["The shop's order desk"],
});

export const endpointBody = Type.Object(
  { url: urlSchema, event_types: eventTypesSchema, description: Type.Optional(descriptionSchema) },
  { additionalProperties: false },
);
export type EndpointBody = Static<typeof endpointBody>;

export const changesBody = Type.Object(
  {
    url: Type.Optional(urlSchema),
    event_types: Type.Optional(eventTypesSchema),
    description: Type.Optional(descriptionSchema),
    enabled: Type.Optional(Type.Boolean({ description: "false holds back what is still to be sent; true sends it." })),
  },
  { additionalProperties: false },
);
export type ChangesBody = Static<typeof changesBody>;

export const endpointSchema = Type.Object({
  id: Type.String({ format: "uuid" }),
  url: urlSchema,
  event_types: eventTypesSchema,
  description: descriptionSchema,
  enabled: Type.Boolean(),
  disabled_reason: Type.Union([Type.Enum(["request", "gone", "failing"]), Type.Null()], {
    description: "request: by PATCH. gone: it answered 410. failing: nothing arrived there for three days.",
  }),
  disabled_at: nullableTimestamp("When it was disabled; null while it is enabled."),
  failing_since: nullableTimestamp("When the first delivery failed after the last one that arrived."),
  created_at: timestampSchema,
  updated_at: timestampSchema,
});

const secretSchema = Type.String({
  description: "Signs what is sent. It is shown in this answer only: keep it.",
  examples: ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
});

export const registeredSchema = Type.Object({ ...endpointSchema.properties, secret: secretSchema });
export const endpointListSchema = Type.Object({ data: Type.Array(endpointSchema) });

export const rotationBody = Type.Union([
  Type.Object(
    {
      old_secret_valid_seconds: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 604_800,
          description: "For so long the old secret signs as well; 86400 when nothing is said, 0 if it has leaked.",
        }),
      ),
    },
    { additionalProperties: false },
  ),
  Type.Null(),
]);
export type RotationBody = Static<typeof rotationBody>;

export const rotationSchema = Type.Object({ secret: secretSchema, old_secret_valid_until: timestampSchema });

const attemptSchema = Type.Object({
  at: timestampSchema,
  status_code: Type.Union([Type.Integer(), Type.Null()], { description: "null where there was no answer." }),
  duration_ms: Type.Integer(),
  error: nullableText("What went wrong; null where it arrived."),
  answer: nullableText("The first 1024 bytes of the answer."),
});

export const deliverySchema = Type.Object({
  id: Type.String({ format: "uuid" }),
  endpoint_id: Type.String({ format: "uuid" }),
  event_id: Type.String({ format: "uuid", description: "What the endpoint gets as webhook-id, at every try." }),
  event_type: Type.String(),
  status: statusSchema,
  attempt_count: Type.Integer({ description: "All tries, with those before a replay." }),
  attempts: Type.Array(attemptSchema, { description: "The newest 20 tries, newest first." }),
  next_attempt_at: nullableTimestamp("null where none follows."),
  created_at: timestampSchema,
  ended_at: nullableTimestamp("When it arrived or had failed for good."),
});

export const deliveryInFullSchema = Type.Object({
  ...deliverySchema.properties,
  payload: Type.String({ description: "The body, exactly as it is sent and signed." }),
});

export const deliveryListSchema = Type.Object({
  data: Type.Array(deliverySchema),
  next_cursor: Type.Union([Type.String(), Type.Null()], {
    description: "Pass it as `cursor` to get the next page; null on the last one.",
  }),
});

export const deliveryListQuery = Type.Object(
  {
    status: Type.Optional(statusSchema),
    event_type: Type.Optional(
      Type.String({
        maxLength: 100,
        description: "Only this type. A page may be short then, or empty: go on while there is a next_cursor.",
      }),
    ),
    cursor: Type.Optional(Type.String({ maxLength: 64 })),
    limit: Type.Optional(
      Type.String({ pattern: "^([1-9]|[1-9][0-9]|100)$", description: "1 to 100; 20 when nothing is said." }),
    ),
  },
  { additionalProperties: false },
);
export type DeliveryListQuery = Static<typeof deliveryListQuery>;

export const replayBody = Type.Object(
  {
    since: Type.String({ maxLength: 40, description: "Deliveries of events from then on.", format: "date-time" }),
    until: Type.Optional(Type.String({ maxLength: 40, description: "And before then; now.", format: "date-time" })),
    status: Type.Optional(Type.Enum(["failed", "all"], { description: "failed when nothing is said." })),
    cursor: Type.Optional(Type.String({ maxLength: 64, description: "The next_cursor of the answer before." })),
  },
  { additionalProperties: false },
);
export type ReplayBody = Static<typeof replayBody>;

export const replaySchema = Type.Object({
  replayed: Type.Integer({ description: "How many deliveries are sent again; 10,000 at most." }),
  next_cursor: Type.Union([Type.String(), Type.Null()], {
    description: "Send the same with it as `cursor` to go on; null where the period is done.",
  }),
});

export const idParams = Type.Object({ id: Type.String() });

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

/** An endpoint as the API shows it, without its secret. */
export function presentEndpoint(endpoint: Endpoint): Static<typeof endpointSchema> {
  const { state } = endpoint;
  return {
    id: endpoint.id,
    url: endpoint.url,
    event_types: [...endpoint.eventTypes],
    description: endpoint.description,
    enabled: state.enabled,
    disabled_reason: state.enabled ? null : state.reason,
    disabled_at: state.enabled ? null : state.at.toISOString(),
    failing_since: endpoint.failingSince?.toISOString() ?? null,
    created_at: endpoint.createdAt.toISOString(),
    updated_at: endpoint.updatedAt.toISOString(),
  };
}

/** A delivery as the API shows it in a list. */
export function presentDelivery(delivery: Delivery): Static<typeof deliverySchema> {
  return {
    id: delivery.id,
    endpoint_id: delivery.endpointId,
    event_id: delivery.eventId,
    event_type: delivery.eventType,
    status: delivery.status,
    attempt_count: delivery.attemptCount,
    attempts: delivery.attempts.map(({ at, statusCode, durationMs, error, answer }) => ({
      at: at.toISOString(),
      status_code: statusCode,
      duration_ms: durationMs,
      error,
      answer,
    })),
    next_attempt_at: delivery.nextAttemptAt?.toISOString() ?? null,
    created_at: delivery.createdAt.toISOString(),
    ended_at: delivery.endedAt?.toISOString() ?? null,
  };
}
