import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { Database } from "../../../kernel/statement.ts";
import type { DisabledReason, Endpoint } from "../domain/endpoint.ts";
import {
  type GetWebhookEndpointResult,
  getWebhookEndpoint,
  listWebhookEndpoints,
} from "../persistence/endpoints.queries.ts";

export type EndpointNotFound = { type: "webhook_endpoint_not_found" };

/** One endpoint, as it stands. */
export async function getEndpoint(database: Database, id: string): Promise<Result<Endpoint, EndpointNotFound>> {
  const [row] = await getWebhookEndpoint.run({ id }, database);
  return row === undefined ? refuse({ type: "webhook_endpoint_not_found" }) : accept(endpointOf(row));
}

/** All endpoints, oldest first; there are at most a hundred. */
export async function listEndpoints(database: Database): Promise<Endpoint[]> {
  return (await listWebhookEndpoints.run(undefined, database)).map(endpointOf);
}

/** The row of an endpoint. Throws where it is none of ours. */
export function endpointOf(row: GetWebhookEndpointResult): Endpoint {
  const { enabled, disabledReason, disabledAt, eventTypes, ...others } = row;
  const rest = { ...others, eventTypes: eventTypes as readonly string[] };
  if (enabled) return { ...rest, state: { enabled } };
  if (disabledReason === null || disabledAt === null)
    throw new Error(`endpoint ${row.id} is disabled without a reason`);
  return { ...rest, state: { enabled, reason: disabledReason as DisabledReason, at: disabledAt } };
}
