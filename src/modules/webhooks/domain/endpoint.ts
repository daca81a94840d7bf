import { accept, type Result, refuse } from "../../../kernel/result.ts";

/** Why an endpoint is sent nothing: somebody asked for that, it answered 410, or it failed for days. */
export type DisabledReason = "request" | "gone" | "failing";

/** Where an integrator takes events. Its secrets are not in here. */
export type Endpoint = {
  readonly id: string;
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly description: string | null;
  readonly state: { readonly enabled: true } | { readonly enabled: false; readonly reason: DisabledReason; at: Date };
  /** When the first delivery failed after the last one that arrived; null while they arrive. */
  readonly failingSince: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** So many endpoints at most; each event may have to be sent to all of them. */
export const mostEndpoints = 100;

/** An endpoint that was not reached for so long is disabled: as long as a delivery is tried. In milliseconds. */
export const disabledAfterMs = 3 * 86_400_000;

export type EventTypesRefusal = { type: "event_type_unknown"; eventType: string };

/**
 * Reads which events an endpoint wants: types by their names, all that begin alike ("payment.*"), or all ("*"). Each is
 * taken once. Refuses what no type there is can match.
 */
export function readEventTypes(
  wanted: readonly string[],
  known: readonly string[],
): Result<string[], EventTypesRefusal> {
  const unknown = wanted.find((filter) => !known.some((type) => matches(filter, type)));
  return unknown === undefined
    ? accept([...new Set(wanted)])
    : refuse({ type: "event_type_unknown", eventType: unknown });
}

/** Whether an endpoint with these filters is sent events of the type. */
export function isWanted(filters: readonly string[], type: string): boolean {
  return filters.some((filter) => matches(filter, type));
}

function matches(filter: string, type: string): boolean {
  return filter === "*" || filter === type || (filter.endsWith(".*") && type.startsWith(filter.slice(0, -1)));
}
