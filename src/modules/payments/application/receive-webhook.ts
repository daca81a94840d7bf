import { accept, type Result } from "../../../kernel/result.ts";
import type { Trace } from "../../../movements/index.ts";
import { type EventRefusal, readGatewayEvent } from "../domain/gateway-event.ts";
import { listWaitingEvents } from "../persistence/movements.queries.ts";
import type { PaymentsContext } from "./context.ts";
import type { Disposition } from "./lanes.ts";
import { receiveReturn } from "./receive-return.ts";

/**
 * Takes in an event whose signature was good: its row in the inbox and its effect on a payment are one commit, and the
 * same event again has no effect. `body` is the event as it came, `parsed` is the same parsed.
 */
export async function receiveEvent(
  context: PaymentsContext,
  parsed: unknown,
  body: string,
  trace: Trace,
): Promise<Result<Disposition, EventRefusal>> {
  const read = readGatewayEvent(parsed, (units, currency) => context.gateway.readAmount(units, currency));
  if (!read.ok) return read;
  const event = read.value;
  if (event.about !== "payment") {
    const disposition = await trace.span("settle", () => receiveReturn(context, event, body));
    context.observe.eventReceived(event.type, disposition);
    return accept(disposition);
  }
  const item = { event, payload: body };
  const disposition = await trace.span("settle", () => context.lanes.receive.submit(item));
  context.observe.eventReceived(event.type, disposition);
  if (disposition === "applied" && event.effect !== null) context.observe.statusReached(event.effect.status);
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
