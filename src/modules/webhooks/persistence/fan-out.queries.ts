/** Types generated for queries found in "src/modules/webhooks/persistence/fan-out.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type bigintArray = readonly (bigint | null)[];

export type stringArray = readonly (string | null)[];

/** 'ListWebhookFilters' parameters type */
export type ListWebhookFiltersParams = void;

/** 'ListWebhookFilters' return type */
export interface ListWebhookFiltersResult {
  createdAt: Date;
  eventTypes: stringArray;
  id: string;
}

const listWebhookFiltersIR = {"statement":"select e.id as \"id\" , e.event_types as \"eventTypes\" , date_trunc('milliseconds', e.created_at) as \"createdAt\" \nfrom webhooks.endpoints e\nwhere e.enabled and e.deleted_at is null\norder by e.id","params":[]};

/**
 * Query generated from SQL:
 * ```
 * select e.id as "id!", e.event_types as "eventTypes!", date_trunc('milliseconds', e.created_at) as "createdAt!"
 * from webhooks.endpoints e
 * where e.enabled and e.deleted_at is null
 * order by e.id                                                                                                                                                                                                                                                                                                             
 * ```
 */
export const listWebhookFilters = new PreparedStatement<ListWebhookFiltersParams, ListWebhookFiltersResult>("webhooks.listWebhookFilters", listWebhookFiltersIR);

/** 'StoreWebhookDeliveries' parameters type */
export interface StoreWebhookDeliveriesParams {
  deliveryEventIds: stringArray;
  deliveryTypes: stringArray;
  endpointIds: stringArray;
  eventIds: stringArray;
  from: bigint;
  ids: stringArray;
  now: Date;
  payloads: stringArray;
  positions: bigintArray;
  types: stringArray;
  upTo: bigint;
}

/** 'StoreWebhookDeliveries' return type */
export interface StoreWebhookDeliveriesResult {
  moved: boolean;
  stored: bigint;
}

const storeWebhookDeliveriesIR = {"statement":"with moved as materialized (\n  select events.move_cursor('webhooks', 0, :from!::bigint, :upTo!::bigint) as ok\n), messages as (\n  insert into webhooks.messages (event_id, position, type, payload)\n  select m.event_id, m.position, m.type, m.payload\n  from moved\n  cross join unnest(:eventIds!::uuid[], :positions!::bigint[], :types!::text[], :payloads!::text[])\n    as m (event_id, position, type, payload)\n  where moved.ok\n  on conflict (event_id) do nothing\n), deliveries as (\n  insert into webhooks.deliveries (id, endpoint_id, event_id, type, due_at)\n  select d.id, d.endpoint_id, d.event_id, d.type, :now!::timestamptz\n  from moved\n  cross join unnest(:ids!::uuid[], :endpointIds!::uuid[], :deliveryEventIds!::uuid[], :deliveryTypes!::text[])\n    as d (id, endpoint_id, event_id, type)\n  where moved.ok\n  on conflict (event_id, endpoint_id) do nothing\n  returning 1\n)\nselect moved.ok as \"moved\" , (select count(*) from deliveries) as \"stored\"  from moved","params":[{"name":"from","locs":[{"a":72,"b":78}]},{"name":"upTo","locs":[{"a":88,"b":94}]},{"name":"eventIds","locs":[{"a":279,"b":289}]},{"name":"positions","locs":[{"a":299,"b":310}]},{"name":"types","locs":[{"a":322,"b":329}]},{"name":"payloads","locs":[{"a":339,"b":349}]},{"name":"now","locs":[{"a":602,"b":607}]},{"name":"ids","locs":[{"a":654,"b":659}]},{"name":"endpointIds","locs":[{"a":669,"b":682}]},{"name":"deliveryEventIds","locs":[{"a":692,"b":710}]},{"name":"deliveryTypes","locs":[{"a":720,"b":735}]}]};

/**
 * Query generated from SQL:
 * ```
 * with moved as materialized (
 *   select events.move_cursor('webhooks', 0, :from!::bigint, :upTo!::bigint) as ok
 * ), messages as (
 *   insert into webhooks.messages (event_id, position, type, payload)
 *   select m.event_id, m.position, m.type, m.payload
 *   from moved
 *   cross join unnest(:eventIds!::uuid[], :positions!::bigint[], :types!::text[], :payloads!::text[])
 *     as m (event_id, position, type, payload)
 *   where moved.ok
 *   on conflict (event_id) do nothing
 * ), deliveries as (
 *   insert into webhooks.deliveries (id, endpoint_id, event_id, type, due_at)
 *   select d.id, d.endpoint_id, d.event_id, d.type, :now!::timestamptz
 *   from moved
 *   cross join unnest(:ids!::uuid[], :endpointIds!::uuid[], :deliveryEventIds!::uuid[], :deliveryTypes!::text[])
 *     as d (id, endpoint_id, event_id, type)
 *   where moved.ok
 *   on conflict (event_id, endpoint_id) do nothing
 *   returning 1
 * )
 * select moved.ok as "moved!", (select count(*) from deliveries) as "stored!" from moved                                                               
 * ```
 */
export const storeWebhookDeliveries = new PreparedStatement<StoreWebhookDeliveriesParams, StoreWebhookDeliveriesResult>("webhooks.storeWebhookDeliveries", storeWebhookDeliveriesIR);

/** 'StoreWebhookTest' parameters type */
export interface StoreWebhookTestParams {
  endpointId: string;
  eventId: string;
  id: string;
  now: Date;
  payload: string;
  type: string;
}

/** 'StoreWebhookTest' return type */
export interface StoreWebhookTestResult {
  id: string;
}

const storeWebhookTestIR = {"statement":"with endpoint as (\n  select e.id from webhooks.endpoints e where e.id = :endpointId! and e.enabled and e.deleted_at is null\n), message as (\n  insert into webhooks.messages (event_id, type, payload)\n  select :eventId!::uuid, :type!::text, :payload!::text from endpoint\n)\ninsert into webhooks.deliveries (id, endpoint_id, event_id, type, due_at)\nselect :id!::uuid, e.id, :eventId!::uuid, :type!::text, :now!::timestamptz from endpoint e\nreturning id as \"id\"","params":[{"name":"endpointId","locs":[{"a":72,"b":84}]},{"name":"eventId","locs":[{"a":207,"b":216},{"a":369,"b":378}]},{"name":"type","locs":[{"a":224,"b":230},{"a":386,"b":392}]},{"name":"payload","locs":[{"a":238,"b":247}]},{"name":"id","locs":[{"a":351,"b":355}]},{"name":"now","locs":[{"a":400,"b":405}]}]};

/**
 * Query generated from SQL:
 * ```
 * with endpoint as (
 *   select e.id from webhooks.endpoints e where e.id = :endpointId! and e.enabled and e.deleted_at is null
 * ), message as (
 *   insert into webhooks.messages (event_id, type, payload)
 *   select :eventId!::uuid, :type!::text, :payload!::text from endpoint
 * )
 * insert into webhooks.deliveries (id, endpoint_id, event_id, type, due_at)
 * select :id!::uuid, e.id, :eventId!::uuid, :type!::text, :now!::timestamptz from endpoint e
 * returning id as "id!"
 * ```
 */
export const storeWebhookTest = new PreparedStatement<StoreWebhookTestParams, StoreWebhookTestResult>("webhooks.storeWebhookTest", storeWebhookTestIR);
