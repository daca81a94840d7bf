/** What a request for a statement can be refused for; a field that does not fit its schema is refused before. */
export type EstadoRefusal =
  | { type: "recipient_malformed" }
  | { type: "moment_malformed"; field: "desde" | "hasta" }
  | { type: "cursor_malformed" };

type Fault = { pointer: string; type: string; detail: string; place: "query" | "path" };

/** Each refusal in the form of the pagos contract: a refusal without an entry does not compile. */
const faults = {
  recipient_malformed: {
    pointer: "id_afiliado",
    type: "value_error",
    detail: "Input should be 1 to 255 storable characters",
    place: "path",
  },
  moment_malformed: {
    pointer: "desde",
    type: "datetime_parsing",
    detail: "Input should be a day or an RFC 3339 time with an offset",
    place: "query",
  },
  cursor_malformed: {
    pointer: "cursor",
    type: "value_error",
    detail: "Input should be a siguiente of this statement",
    place: "query",
  },
} as const satisfies Record<EstadoRefusal["type"], Fault>;

/** The problem that answers a refusal; the partner listener shows it in its contract's form. */
export function problemOfEstado(refusal: EstadoRefusal) {
  const fault: Fault = faults[refusal.type];
  const named = refusal.type === "moment_malformed" ? { ...fault, pointer: refusal.field } : fault;
  return { status: 422, code: fault.type, detail: fault.detail, errors: [named] };
}
