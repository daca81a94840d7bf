import Type, { type TObject } from "typebox";
import { type EventDefinition, exactly, moment } from "./definition.ts";

/** What a consumer reads of an event of this kind: the payload of its message and the body of its webhook, exactly. */
export function envelopeSchema({ type, data, category }: EventDefinition): TObject {
  return exactly({
    event_type: Type.Literal(type),
    event_id: Type.String({
      format: "uuid",
      description: "The same at every delivery of the event: who has handled it has handled the event.",
    }),
    timestamp: moment(category === "pago" ? "When the pago was processed." : "When it was written to the log."),
    data,
  });
}

/** What stands beside an event, as properties of its message. */
export const propertiesSchema = exactly({
  event_id: Type.String({ format: "uuid", description: "As in the payload." }),
  event_type: Type.String({ description: "As in the payload." }),
  event_version: Type.String({ pattern: String.raw`^\d+$`, description: "The version of what `data` holds." }),
  stream: Type.String({ format: "uuid", description: "What it is about: the payment, the pago, the payout." }),
  stream_version: Type.String({
    pattern: String.raw`^\d+$`,
    description: "Rises with each event of its stream: whoever has seen a higher one has seen what came after.",
  }),
  position: Type.String({
    pattern: String.raw`^\d+$`,
    description: "Its place in the log. It rises within a stream; numbers may be missing.",
  }),
  traceparent: Type.Optional(
    Type.String({ description: "The W3C trace of the request that caused it; absent where that was not traced." }),
  ),
});
