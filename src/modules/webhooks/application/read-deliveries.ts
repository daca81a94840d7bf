import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { Database } from "../../../kernel/statement.ts";
import { type Attempt, type Delivery, type DeliveryStatus, deliveryStatuses, timeOfId } from "../domain/delivery.ts";
import {
  getWebhookDelivery,
  knowsWebhookEndpoint,
  type ListWebhookDeliveriesResult,
  listWebhookAttempts,
  listWebhookDeliveries,
} from "../persistence/deliveries.queries.ts";
import type { EndpointNotFound } from "./read-endpoints.ts";

export type DeliveryNotFound = { type: "webhook_delivery_not_found" };

export type DeliveryFilter = {
  readonly endpointId: string;
  readonly status: DeliveryStatus | null;
  readonly eventType: string | null;
  /** The `next` of the page before; null for the first one. */
  readonly before: string | null;
  readonly limit: number;
};

const aboveEveryId = "ffffffff-ffff-ffff-ffff-ffffffffffff";
/** Of each delivery so many of its newest tries are shown: as many as there are unless it was replayed often. */
const attemptsShown = 20;
/** Deliveries that are looked at for one page where a type is asked for: some 10 ms of PostgreSQL's time. */
const scannedAtOnce = 1_000;
const scans = 5;

/**
 * A page of an endpoint's deliveries, newest first, of endpoints that were removed too; `next` continues after it, null
 * where it was the last. Where a type is asked for a page may be shorter than its limit, or empty, and not the last.
 */
export async function listDeliveries(
  database: Database,
  filter: DeliveryFilter,
): Promise<Result<{ deliveries: Delivery[]; next: string | null }, EndpointNotFound>> {
  const [known] = await knowsWebhookEndpoint.run({ id: filter.endpointId }, database);
  if (known === undefined) return refuse({ type: "webhook_endpoint_not_found" });
  const { rows, next } = await findPage(database, filter);
  return accept({ deliveries: await withAttempts(database, rows), next });
}

async function findPage(
  database: Database,
  { endpointId, status, eventType, before, limit }: DeliveryFilter,
): Promise<{ rows: ListWebhookDeliveriesResult[]; next: string | null }> {
  const statuses = status === null ? deliveryStatuses : [status];
  const atOnce = eventType === null ? limit + 1 : scannedAtOnce;
  const rows: ListWebhookDeliveriesResult[] = [];
  let from = before ?? aboveEveryId;
  for (let scan = 0; scan < scans; scan++) {
    const scanned = await listWebhookDeliveries.run({ endpointId, statuses, before: from, limit: atOnce }, database);
    rows.push(...scanned.filter((row) => eventType === null || row.eventType === eventType));
    if (rows.length > limit) {
      const page = rows.slice(0, limit);
      return { rows: page, next: page.at(-1)?.id ?? null };
    }
    const last = scanned.at(-1);
    if (last === undefined || scanned.length < atOnce) return { rows, next: null };
    from = last.id;
  }
  return { rows, next: from };
}

/** A delivery with what it sends, exactly. */
export type DeliveryInFull = Delivery & { readonly payload: string; readonly isReplayable: boolean };

export async function getDelivery(database: Database, id: string): Promise<Result<DeliveryInFull, DeliveryNotFound>> {
  const [row] = await getWebhookDelivery.run({ id }, database);
  if (row === undefined) return refuse({ type: "webhook_delivery_not_found" });
  const [delivery] = await withAttempts(database, [row]);
  if (delivery === undefined) throw new Error("a delivery has come apart");
  return accept({ ...delivery, payload: row.payload, isReplayable: row.isReplayable });
}

async function withAttempts(database: Database, rows: readonly ListWebhookDeliveriesResult[]): Promise<Delivery[]> {
  if (rows.length === 0) return [];
  const deliveryIds = rows.map(({ id }) => id);
  const attempts = new Map<string, Attempt[]>(deliveryIds.map((id) => [id, []]));
  for (const { deliveryId, ...attempt } of await listWebhookAttempts.run(
    { deliveryIds, limit: attemptsShown },
    database,
  )) {
    attempts.get(deliveryId)?.push(attempt);
  }
  return rows.map((row) => ({
    ...row,
    status: row.status as DeliveryStatus,
    attempts: attempts.get(row.id) ?? [],
    createdAt: timeOfId(row.id),
  }));
}
