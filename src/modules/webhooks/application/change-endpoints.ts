import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { type Endpoint, type EventTypesRefusal, mostEndpoints, readEventTypes } from "../domain/endpoint.ts";
import {
  addWebhookEndpoint,
  changeWebhookEndpoint,
  removeWebhookEndpoint,
  rotateWebhookSecret,
} from "../persistence/endpoints.queries.ts";
import type { AddressFault } from "../ports.ts";
import type { WebhooksContext } from "./context.ts";
import { type EndpointNotFound, endpointOf, getEndpoint } from "./read-endpoints.ts";
import { newSecret } from "./secret.ts";

export type EndpointRequest = {
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly description: string | null;
};

/** What is to be otherwise; what is left out stays. */
export type EndpointChanges = Partial<EndpointRequest> & { readonly enabled?: boolean };

type RequestRefusal = AddressFault | EventTypesRefusal;
export type RegisterRefusal = RequestRefusal | { type: "too_many_webhook_endpoints" };
export type ChangeRefusal = RequestRefusal | EndpointNotFound;

/**
 * Registers an endpoint, which gets what happens from now on. Its secret is returned here and by rotations only.
 * Refuses addresses that may not be sent to, types that there are not, and more than a hundred endpoints.
 */
export async function registerEndpoint(
  context: WebhooksContext,
  { url, eventTypes, description }: EndpointRequest,
): Promise<Result<{ endpoint: Endpoint; secret: string }, RegisterRefusal>> {
  const fault = context.client.faultOf(url);
  if (fault !== null) return refuse(fault);
  const types = readEventTypes(eventTypes, context.knownTypes);
  if (!types.ok) return types;
  const id = context.newId();
  const secret = newSecret();
  const wanted = { id, url, eventTypes: types.value, description, secret, most: mostEndpoints };
  const [row] = await addWebhookEndpoint.run(wanted, context.database);
  if (row?.added !== true) return refuse({ type: "too_many_webhook_endpoints" });
  const endpoint = await getEndpoint(context.database, id);
  if (!endpoint.ok) throw new Error(`the endpoint ${id} was registered and is not there`);
  return accept({ endpoint: endpoint.value, secret });
}

/**
 * Changes an endpoint. One that is disabled keeps what was still to be sent, and gets it once it is enabled again; what
 * happens meanwhile it does not get.
 */
export async function changeEndpoint(
  { database, client, knownTypes }: WebhooksContext,
  id: string,
  { url, eventTypes, description, enabled }: EndpointChanges,
): Promise<Result<Endpoint, ChangeRefusal>> {
  const fault = url === undefined ? null : client.faultOf(url);
  if (fault !== null) return refuse(fault);
  const types = eventTypes === undefined ? undefined : readEventTypes(eventTypes, knownTypes);
  if (types?.ok === false) return types;
  const changesDescription = description !== undefined;
  const changes = { id, url, eventTypes: types?.value, description, changesDescription, enabled };
  const [row] = await changeWebhookEndpoint.run(changes, database);
  return row === undefined ? refuse({ type: "webhook_endpoint_not_found" }) : accept(endpointOf(row));
}

/** Removes an endpoint with its secrets. What it was sent can be read for as long as deliveries are kept. */
export async function removeEndpoint(
  { database }: WebhooksContext,
  id: string,
): Promise<Result<undefined, EndpointNotFound>> {
  const [row] = await removeWebhookEndpoint.run({ id }, database);
  return row === undefined ? refuse({ type: "webhook_endpoint_not_found" }) : accept(undefined);
}

/**
 * Gives an endpoint another secret and returns it. The one before signs beside it for the given time, in milliseconds,
 * so that the receiver can change over without missing anything; 0 where it has become known to others.
 */
export async function rotateSecret(
  { database, nowMs }: WebhooksContext,
  id: string,
  oldValidMs: number,
): Promise<Result<{ secret: string; oldValidUntil: Date }, EndpointNotFound>> {
  const now = new Date(nowMs());
  const oldUntil = new Date(now.getTime() + oldValidMs);
  const secret = newSecret();
  const [row] = await rotateWebhookSecret.run({ id, secret, now, oldUntil }, database);
  if (row?.rotated !== true) return refuse({ type: "webhook_endpoint_not_found" });
  return accept({ secret, oldValidUntil: oldUntil });
}
