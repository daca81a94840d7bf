import { messageOf } from "../application/outgoing.ts";
import type { EventDefinition } from "../catalogue/definition.ts";
import { routes, type Topics } from "../catalogue/topics.ts";

const recordedAt = new Date("2026-03-14T09:26:53.589Z");
const sealsStream = "00000000-0000-8000-8000-6c6564676572";

type Example = { readonly payload: string; readonly properties: Readonly<Record<string, string>> };

/** The message by which the example of a definition would leave. Throws where it would not, which is a bug. */
export function exampleMessage({ category, type, example }: EventDefinition, topics: Topics): Example {
  const { idField } = routes[category];
  const fields: Record<string, unknown> = { ...example };
  const stream = idField === null ? sealsStream : String(fields[idField]);
  const logged = category === "pago" ? pagoOf(type, fields) : without(fields, idField);
  const message = messageOf(
    {
      position: 1_048_577n,
      category,
      stream,
      version: 2,
      type,
      data: JSON.stringify(logged),
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      recordedAt,
    },
    topics,
  );
  if (!message.ok) throw new Error(`the example of ${type} cannot leave: ${message.refusal.type}`);
  return message.value;
}

/** Pagos are appended with their envelope, the others get it on the way out. */
function pagoOf(type: string, data: object): object {
  const eventId = "0b8e2c9d-6a3f-4e17-9d52-c7f1a4b6e830";
  return { event_type: type, event_id: eventId, timestamp: recordedAt.toISOString(), data };
}

function without(fields: Record<string, unknown>, field: string | null): object {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== field));
}
