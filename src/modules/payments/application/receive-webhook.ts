import { accept, type Result } from "../../../kernel/result.ts";
import type { Trace } from "../../../movements/index.ts";
import { type EventRefusal, readGatewayEvent } from "../domain.ts";
import { listWaitingEvents } from "../persistence.queries.ts";
import type { PaymentsContext } from "./context.ts";
import type { Disposition } from "./lanes.ts";

/**
 * Takes in an event whose signature was good: its row in the inbox and its effect on a payment are one commit, and the
 * same event again has no effect. `body` is the event as it came, `event` is the same parsed.
 */
export async function receiveEvent(
  context: PaymentsContext,
  event: unknown,
  body: string,
  trace: Trace,
): Promise<Result<Disposition, EventRefusal>> {
  const read = readGatewayEvent(event, (units, currency) => context.gateway.readAmount(units, currency));
  if (!read.ok) return read;
  const item = { event: read.value, payload: body };
  const disposition = await trace.span("settle", () => context.lanes.receive.submit(item));
  context.observe.eventReceived(read.value.type, disposition);
  if (disposition === "applied" && read.value.effect !== null) context.observe.statusReached(read.value.effect.status);
  return accept(disposition);
}

const waitingAtOnce = 100;

/**
 * Applies events that had come before their payment was here. Returns how many found it, so that the sweeper goes on
 * while there are more.
 */
export async function applyWaitingEvents(context: PaymentsContext, trace: Trace): Promise<number> {
  const waiting = await listWaitingEvents.run({ limit: waitingAtOnce }, context.database);
  const received = await Promise.all(
    waiting.map(({ payload }) => receiveEvent(context, JSON.parse(payload), payload, trace)),
  );
  return received.filter((result) => result.ok && result.value !== "waiting").length;
}
