import { randomUUID } from "node:crypto";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { deliveryStatuses, firstIdAt } from "../domain/delivery.ts";
import {
  knowsWebhookEndpoint,
  replayWebhookDeliveries,
  replayWebhookDelivery,
} from "../persistence/deliveries.queries.ts";
import { storeWebhookTest } from "../persistence/fan-out.queries.ts";
import type { WebhooksContext } from "./context.ts";
import { type DeliveryInFull, type DeliveryNotFound, getDelivery } from "./read-deliveries.ts";
import type { EndpointNotFound } from "./read-endpoints.ts";

export type EndpointDisabled = { type: "webhook_endpoint_disabled" };

/**
 * Sends a delivery again, whatever became of it, with the same webhook-id and the whole schedule of tries before it.
 * One that is being sent right now is left to that.
 */
export async function replayDelivery(
  { database, nowMs }: WebhooksContext,
  id: string,
): Promise<Result<DeliveryInFull, DeliveryNotFound | EndpointDisabled>> {
  const before = await getDelivery(database, id);
  if (!before.ok) return before;
  if (!before.value.isReplayable) return refuse({ type: "webhook_endpoint_disabled" });
  await replayWebhookDelivery.run({ id, now: new Date(nowMs()) }, database);
  return await getDelivery(database, id);
}

export type ReplayRequest = {
  readonly since: Date;
  /** Up to here, and not at it; null: up to now. */
  readonly until: Date | null;
  readonly status: "failed" | "all";
  /** The `next` of the page before; null for the first one. */
  readonly from: string | null;
};

const replayedAtOnce = 1_000;
const mostReplayed = 10_000;

/**
 * Sends again what an endpoint was to be sent in a period: what failed, or everything. At most 10,000 deliveries at
 * once; `next` continues where there may be more.
 */
export async function replayDeliveries(
  { database, nowMs }: WebhooksContext,
  endpointId: string,
  { since, until, status, from }: ReplayRequest,
): Promise<Result<{ replayed: number; next: string | null }, EndpointNotFound | EndpointDisabled>> {
  const [known] = await knowsWebhookEndpoint.run({ id: endpointId }, database);
  if (known === undefined) return refuse({ type: "webhook_endpoint_not_found" });
  if (!known.isReplayable) return refuse({ type: "webhook_endpoint_disabled" });
  const now = new Date(nowMs());
  const statuses = status === "all" ? deliveryStatuses : [status];
  const below = firstIdAt((until ?? now).getTime() + (until === null ? 1 : 0));
  let next: string | null = from ?? firstIdAt(since.getTime());
  let replayed = 0;
  while (next !== null && replayed < mostReplayed) {
    const page = { endpointId, statuses, from: next, below, now, limit: replayedAtOnce };
    const rows: { id: string }[] = await replayWebhookDeliveries.run(page, database);
    replayed += rows.length;
    const last = rows.at(-1)?.id;
    next = last === undefined || rows.length < replayedAtOnce ? null : idAfter(last);
  }
  return accept({ replayed, next });
}

function idAfter(id: string): string {
  const digits = (BigInt(`0x${id.replaceAll("-", "")}`) + 1n).toString(16).padStart(32, "0");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The type of an event that nothing stands behind: it shows whether an endpoint works, and is sent to whoever asks. */
const testEventType = "webhook.test";

/** Sends an endpoint a test, whatever types it takes, by the same way as everything else. */
export async function sendTest(
  { database, newId, nowMs }: WebhooksContext,
  endpointId: string,
): Promise<Result<DeliveryInFull, EndpointNotFound | EndpointDisabled>> {
  const [known] = await knowsWebhookEndpoint.run({ id: endpointId }, database);
  if (known === undefined) return refuse({ type: "webhook_endpoint_not_found" });
  const now = new Date(nowMs());
  const id = newId();
  const eventId = randomUUID();
  const payload = JSON.stringify({
    event_type: testEventType,
    event_id: eventId,
    timestamp: now.toISOString(),
    data: { endpoint_id: endpointId },
  });
  const test = { id, endpointId, eventId, type: testEventType, payload, now };
  const [stored] = await storeWebhookTest.run(test, database);
  if (stored === undefined) return refuse({ type: "webhook_endpoint_disabled" });
  const delivery = await getDelivery(database, id);
  if (!delivery.ok) throw new Error(`the test ${id} was stored and is not there`);
  return accept(delivery.value);
}
