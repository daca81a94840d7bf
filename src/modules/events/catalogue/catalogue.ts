import type { Static } from "typebox";
import { billEvents } from "./bills.ts";
import type { EventDefinition } from "./definition.ts";
import { ledgerEvents } from "./ledger.ts";
import { paymentEvents } from "./payments.ts";
import { pagoEvents, payoutEvents } from "./payouts.ts";

const definitions = [...paymentEvents, ...billEvents, ...pagoEvents, ...payoutEvents, ...ledgerEvents] as const;

type Definition = (typeof definitions)[number];

/** The name of every event that there is ("payment.succeeded", "PagoExitoso"). */
export type EventType = Definition["type"];

/** What `data` holds in the events of a type, as they leave. */
export type EventData<Type extends EventType> = Static<Extract<Definition, { type: Type }>["data"]>;

/** Every event that any module appends to the log. */
export const catalogue: readonly EventDefinition[] = definitions;

/** Their names. */
export const eventTypes: readonly EventType[] = definitions.map(({ type }) => type);

const byType = new Map(catalogue.map((definition) => [definition.type, definition]));

/** The definition of a type; undefined where there is none. */
export function definitionOf(type: string): EventDefinition | undefined {
  return byType.get(type);
}
