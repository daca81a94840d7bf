/** Types generated for queries found in "src/modules/webhooks/persistence/deliveries.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type stringArray = readonly (string | null)[];

/** 'ListWebhookDeliveries' parameters type */
export interface ListWebhookDeliveriesParams {
  before: string;
  endpointId: string;
  limit: number;
  statuses: stringArray;
}

/** 'ListWebhookDeliveries' return type */
export interface ListWebhookDeliveriesResult {
  attemptCount: number;
  endedAt: Date | null;
  endpointId: string;
  eventId: string;
  eventType: string;
  id: string;
  nextAttemptAt: Date | null;
  status: string;
}

const listWebhookDeliveriesIR = {"statement":"select d.id as \"id\" , d.endpoint_id as \"endpointId\" , d.event_id as \"eventId\" , d.type as \"eventType\" ,\n       d.status as \"status\" , d.attempts as \"attemptCount\" , d.due_at as \"nextAttemptAt\", d.ended_at as \"endedAt\"\nfrom unnest(:statuses!::text[]) as s (status)\ncross join lateral (\n  select p.id, p.endpoint_id, p.event_id, p.type, p.status, p.attempts, p.due_at, p.ended_at\n  from webhooks.deliveries p\n  where p.endpoint_id = :endpointId! and p.status = s.status and p.id < :before!\n  order by p.id desc\n  limit :limit!::integer\n) d\norder by d.id desc\nlimit :limit!::integer","params":[{"name":"statuses","locs":[{"a":230,"b":240}]},{"name":"endpointId","locs":[{"a":431,"b":443}]},{"name":"before","locs":[{"a":479,"b":487}]},{"name":"limit","locs":[{"a":517,"b":524},{"a":563,"b":570}]}]};

/**
 * Query generated from SQL:
 * ```
 * select d.id as "id!", d.endpoint_id as "endpointId!", d.event_id as "eventId!", d.type as "eventType!",
 *        d.status as "status!", d.attempts as "attemptCount!", d.due_at as "nextAttemptAt", d.ended_at as "endedAt"
 * from unnest(:statuses!::text[]) as s (status)
 * cross join lateral (
 *   select p.id, p.endpoint_id, p.event_id, p.type, p.status, p.attempts, p.due_at, p.ended_at
 *   from webhooks.deliveries p
 *   where p.endpoint_id = :endpointId! and p.status = s.status and p.id < :before!
 *   order by p.id desc
 *   limit :limit!::integer
 * ) d
 * order by d.id desc
 * limit :limit!::integer
 * ```
 */
export const listWebhookDeliveries = new PreparedStatement<ListWebhookDeliveriesParams, ListWebhookDeliveriesResult>("webhooks.listWebhookDeliveries", listWebhookDeliveriesIR);

/** 'GetWebhookDelivery' parameters type */
export interface GetWebhookDeliveryParams {
  id: string;
}

/** 'GetWebhookDelivery' return type */
export interface GetWebhookDeliveryResult {
  attemptCount: number;
  endedAt: Date | null;
  endpointId: string;
  eventId: string;
  eventType: string;
  id: string;
  isReplayable: boolean;
  nextAttemptAt: Date | null;
  payload: string;
  status: string;
}

const getWebhookDeliveryIR = {"statement":"select d.id as \"id\" , d.endpoint_id as \"endpointId\" , d.event_id as \"eventId\" , d.type as \"eventType\" ,\n       d.status as \"status\" , d.attempts as \"attemptCount\" , d.due_at as \"nextAttemptAt\", d.ended_at as \"endedAt\",\n       m.payload as \"payload\" , e.enabled and e.deleted_at is null as \"isReplayable\" \nfrom webhooks.deliveries d\njoin webhooks.messages m on m.event_id = d.event_id\njoin webhooks.endpoints e on e.id = d.endpoint_id\nwhere d.id = :id!","params":[{"name":"id","locs":[{"a":447,"b":451}]}]};

/**
 * Query generated from SQL:
 * ```
 * select d.id as "id!", d.endpoint_id as "endpointId!", d.event_id as "eventId!", d.type as "eventType!",
 *        d.status as "status!", d.attempts as "attemptCount!", d.due_at as "nextAttemptAt", d.ended_at as "endedAt",
 *        m.payload as "payload!", e.enabled and e.deleted_at is null as "isReplayable!"
 * from webhooks.deliveries d
 * join webhooks.messages m on m.event_id = d.event_id
 * join webhooks.endpoints e on e.id = d.endpoint_id
 * where d.id = :id!                                                  
 * ```
 */
export const getWebhookDelivery = new PreparedStatement<GetWebhookDeliveryParams, GetWebhookDeliveryResult>("webhooks.getWebhookDelivery", getWebhookDeliveryIR);

/** 'ListWebhookAttempts' parameters type */
export interface ListWebhookAttemptsParams {
  deliveryIds: stringArray;
  limit: number;
}

/** 'ListWebhookAttempts' return type */
export interface ListWebhookAttemptsResult {
  answer: string | null;
  at: Date;
  deliveryId: string;
  durationMs: number;
  error: string | null;
  statusCode: number | null;
}

const listWebhookAttemptsIR = {"statement":"select a.delivery_id as \"deliveryId\" , a.at as \"at\" , a.status_code as \"statusCode\", a.duration_ms as \"durationMs\" ,\n       a.error, a.answer\nfrom unnest(:deliveryIds!::uuid[]) as i (id)\ncross join lateral (\n  select t.delivery_id, t.number, t.at, t.status_code, t.duration_ms, t.error, t.answer\n  from webhooks.attempts t\n  where t.delivery_id = i.id\n  order by t.number desc\n  limit :limit!::integer\n) a\norder by a.delivery_id, a.number desc","params":[{"name":"deliveryIds","locs":[{"a":154,"b":167}]},{"name":"limit","locs":[{"a":385,"b":392}]}]};

/**
 * Query generated from SQL:
 * ```
 * select a.delivery_id as "deliveryId!", a.at as "at!", a.status_code as "statusCode", a.duration_ms as "durationMs!",
 *        a.error, a.answer
 * from unnest(:deliveryIds!::uuid[]) as i (id)
 * cross join lateral (
 *   select t.delivery_id, t.number, t.at, t.status_code, t.duration_ms, t.error, t.answer
 *   from webhooks.attempts t
 *   where t.delivery_id = i.id
 *   order by t.number desc
 *   limit :limit!::integer
 * ) a
 * order by a.delivery_id, a.number desc                                                                                                                    
 * ```
 */
export const listWebhookAttempts = new PreparedStatement<ListWebhookAttemptsParams, ListWebhookAttemptsResult>("webhooks.listWebhookAttempts", listWebhookAttemptsIR);

/** 'KnowsWebhookEndpoint' parameters type */
export interface KnowsWebhookEndpointParams {
  id: string;
}

/** 'KnowsWebhookEndpoint' return type */
export interface KnowsWebhookEndpointResult {
  isReplayable: boolean;
}

const knowsWebhookEndpointIR = {"statement":"select e.enabled and e.deleted_at is null as \"isReplayable\"  from webhooks.endpoints e where e.id = :id!","params":[{"name":"id","locs":[{"a":100,"b":104}]}]};

/**
 * Query generated from SQL:
 * ```
 * select e.enabled and e.deleted_at is null as "isReplayable!" from webhooks.endpoints e where e.id = :id!                                                                                             
 * ```
 */
export const knowsWebhookEndpoint = new PreparedStatement<KnowsWebhookEndpointParams, KnowsWebhookEndpointResult>("webhooks.knowsWebhookEndpoint", knowsWebhookEndpointIR);

/** 'ReplayWebhookDelivery' parameters type */
export interface ReplayWebhookDeliveryParams {
  id: string;
  now: Date;
}

/** 'ReplayWebhookDelivery' return type */
export type ReplayWebhookDeliveryResult = void;

const replayWebhookDeliveryIR = {"statement":"update webhooks.deliveries d\nset status = 'pending', due_at = :now!::timestamptz, leased_until = null, tries = 0, ended_at = null\nwhere d.id = :id! and (d.leased_until is null or d.leased_until <= :now!::timestamptz)\n  and exists (select from webhooks.endpoints e where e.id = d.endpoint_id and e.enabled and e.deleted_at is null)","params":[{"name":"now","locs":[{"a":62,"b":67},{"a":197,"b":202}]},{"name":"id","locs":[{"a":143,"b":147}]}]};

/**
 * Query generated from SQL:
 * ```
 * update webhooks.deliveries d
 * set status = 'pending', due_at = :now!::timestamptz, leased_until = null, tries = 0, ended_at = null
 * where d.id = :id! and (d.leased_until is null or d.leased_until <= :now!::timestamptz)
 *   and exists (select from webhooks.endpoints e where e.id = d.endpoint_id and e.enabled and e.deleted_at is null)                                                                                                              
 * ```
 */
export const replayWebhookDelivery = new PreparedStatement<ReplayWebhookDeliveryParams, ReplayWebhookDeliveryResult>("webhooks.replayWebhookDelivery", replayWebhookDeliveryIR);

/** 'ReplayWebhookDeliveries' parameters type */
export interface ReplayWebhookDeliveriesParams {
  below: string;
  endpointId: string;
  from: string;
  limit: number;
  now: Date;
  statuses: stringArray;
}

/** 'ReplayWebhookDeliveries' return type */
export interface ReplayWebhookDeliveriesResult {
  id: string;
}

const replayWebhookDeliveriesIR = {"statement":"with page as materialized (\n  select d.id\n  from unnest(:statuses!::text[]) as s (status)\n  cross join lateral (\n    select p.id\n    from webhooks.deliveries p\n    where p.endpoint_id = :endpointId! and p.status = s.status and p.id >= :from! and p.id < :below!\n      and (p.leased_until is null or p.leased_until <= :now!::timestamptz)\n    order by p.id\n    limit :limit!::integer\n    -- Those that a sender has just taken are under way.\n    for update skip locked\n  ) d\n  order by d.id\n  limit :limit!::integer\n), replayed as (\n  update webhooks.deliveries d\n  set status = 'pending', due_at = :now!::timestamptz, leased_until = null, tries = 0, ended_at = null\n  from page p\n  where d.id = p.id\n)\nselect p.id as \"id\"  from page p order by p.id","params":[{"name":"statuses","locs":[{"a":56,"b":66}]},{"name":"endpointId","locs":[{"a":186,"b":198}]},{"name":"from","locs":[{"a":235,"b":241}]},{"name":"below","locs":[{"a":253,"b":260}]},{"name":"now","locs":[{"a":316,"b":321},{"a":595,"b":600}]},{"name":"limit","locs":[{"a":364,"b":371},{"a":495,"b":502}]}]};

/**
 * Query generated from SQL:
 * ```
 * with page as materialized (
 *   select d.id
 *   from unnest(:statuses!::text[]) as s (status)
 *   cross join lateral (
 *     select p.id
 *     from webhooks.deliveries p
 *     where p.endpoint_id = :endpointId! and p.status = s.status and p.id >= :from! and p.id < :below!
 *       and (p.leased_until is null or p.leased_until <= :now!::timestamptz)
 *     order by p.id
 *     limit :limit!::integer
 *     -- Those that a sender has just taken are under way.
 *     for update skip locked
 *   ) d
 *   order by d.id
 *   limit :limit!::integer
 * ), replayed as (
 *   update webhooks.deliveries d
 *   set status = 'pending', due_at = :now!::timestamptz, leased_until = null, tries = 0, ended_at = null
 *   from page p
 *   where d.id = p.id
 * )
 * select p.id as "id!" from page p order by p.id
 * ```
 */
export const replayWebhookDeliveries = new PreparedStatement<ReplayWebhookDeliveriesParams, ReplayWebhookDeliveriesResult>("webhooks.replayWebhookDeliveries", replayWebhookDeliveriesIR);
