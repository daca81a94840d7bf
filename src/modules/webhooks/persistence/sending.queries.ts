/** Types generated for queries found in "src/modules/webhooks/persistence/sending.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type numberArray = readonly (number | null)[];

export type stringArray = readonly (string | null)[];

/** 'ClaimWebhookDeliveries' parameters type */
export interface ClaimWebhookDeliveriesParams {
  busy: stringArray;
  inFlight: numberArray;
  mostOfEndpoint: number;
  mostOfFailing: number;
  mostSecrets: number;
  now: Date;
  room: number;
  until: Date;
}

/** 'ClaimWebhookDeliveries' return type */
export interface ClaimWebhookDeliveriesResult {
  claim: number;
  endpointId: string;
  eventId: string;
  failingSince: Date | null;
  id: string;
  payload: string;
  secrets: stringArray;
  tries: number;
  url: string;
}

const claimWebhookDeliveriesIR = {"statement":"with endpoints as materialized (\n  select e.id, e.url, e.failing_since, coalesce(b.in_flight, 0) as in_flight\n  from webhooks.endpoints e\n  left join unnest(:busy!::uuid[], :inFlight!::integer[]) as b (id, in_flight) on b.id = e.id\n  where e.enabled and e.deleted_at is null\n), due as materialized (\n  select d.id, d.due_at, e.in_flight + row_number() over (partition by e.id order by d.due_at, d.id) as turn\n  from endpoints e\n  cross join lateral (\n    select p.id, p.due_at\n    from webhooks.deliveries p\n    where p.endpoint_id = e.id and p.status = 'pending' and p.due_at <= :now!::timestamptz\n    order by p.due_at\n    limit greatest(\n      case when e.failing_since is null then :mostOfEndpoint!::integer else :mostOfFailing!::integer end - e.in_flight,\n      0\n    )\n    for update skip locked\n  ) d\n), chosen as materialized (\n  select id from due order by turn, due_at limit :room!::integer\n), claimed as (\n  update webhooks.deliveries d\n  set due_at = :until!::timestamptz, leased_until = :until!::timestamptz, claim = d.claim + 1\n  from chosen c\n  where d.id = c.id\n  returning d.id, d.claim, d.endpoint_id, d.event_id, d.tries\n)\nselect k.id as \"id\" , k.claim as \"claim\" , k.tries as \"tries\" , k.endpoint_id as \"endpointId\" , e.url as \"url\" ,\n       e.failing_since as \"failingSince\", k.event_id as \"eventId\" , m.payload as \"payload\" ,\n       array(\n         select s.secret from webhooks.secrets s\n         where s.endpoint_id = k.endpoint_id and (s.expires_at is null or s.expires_at > :now!::timestamptz)\n         order by s.number desc\n         limit :mostSecrets!::integer\n       ) as \"secrets\" \nfrom claimed k\njoin endpoints e on e.id = k.endpoint_id\ncross join lateral (select p.payload from webhooks.messages p where p.event_id = k.event_id offset 0) m","params":[{"name":"busy","locs":[{"a":157,"b":163}]},{"name":"inFlight","locs":[{"a":173,"b":183}]},{"name":"now","locs":[{"a":580,"b":585},{"a":1500,"b":1505}]},{"name":"mostOfEndpoint","locs":[{"a":686,"b":702}]},{"name":"mostOfFailing","locs":[{"a":717,"b":732}]},{"name":"room","locs":[{"a":885,"b":891}]},{"name":"until","locs":[{"a":963,"b":970},{"a":1000,"b":1007}]},{"name":"mostSecrets","locs":[{"a":1567,"b":1580}]}]};

/**
 * Query generated from SQL:
 * ```
 * with endpoints as materialized (
 *   select e.id, e.url, e.failing_since, coalesce(b.in_flight, 0) as in_flight
 *   from webhooks.endpoints e
 *   left join unnest(:busy!::uuid[], :inFlight!::integer[]) as b (id, in_flight) on b.id = e.id
 *   where e.enabled and e.deleted_at is null
 * ), due as materialized (
 *   select d.id, d.due_at, e.in_flight + row_number() over (partition by e.id order by d.due_at, d.id) as turn
 *   from endpoints e
 *   cross join lateral (
 *     select p.id, p.due_at
 *     from webhooks.deliveries p
 *     where p.endpoint_id = e.id and p.status = 'pending' and p.due_at <= :now!::timestamptz
 *     order by p.due_at
 *     limit greatest(
 *       case when e.failing_since is null then :mostOfEndpoint!::integer else :mostOfFailing!::integer end - e.in_flight,
 *       0
 *     )
 *     for update skip locked
 *   ) d
 * ), chosen as materialized (
 *   select id from due order by turn, due_at limit :room!::integer
 * ), claimed as (
 *   update webhooks.deliveries d
 *   set due_at = :until!::timestamptz, leased_until = :until!::timestamptz, claim = d.claim + 1
 *   from chosen c
 *   where d.id = c.id
 *   returning d.id, d.claim, d.endpoint_id, d.event_id, d.tries
 * )
 * select k.id as "id!", k.claim as "claim!", k.tries as "tries!", k.endpoint_id as "endpointId!", e.url as "url!",
 *        e.failing_since as "failingSince", k.event_id as "eventId!", m.payload as "payload!",
 *        array(
 *          select s.secret from webhooks.secrets s
 *          where s.endpoint_id = k.endpoint_id and (s.expires_at is null or s.expires_at > :now!::timestamptz)
 *          order by s.number desc
 *          limit :mostSecrets!::integer
 *        ) as "secrets!"
 * from claimed k
 * join endpoints e on e.id = k.endpoint_id
 * cross join lateral (select p.payload from webhooks.messages p where p.event_id = k.event_id offset 0) m                                                                                                                                                                                                                                                                                                                    
 * ```
 */
export const claimWebhookDeliveries = new PreparedStatement<ClaimWebhookDeliveriesParams, ClaimWebhookDeliveriesResult>("webhooks.claimWebhookDeliveries", claimWebhookDeliveriesIR);

/** 'SettleWebhookDeliveries' parameters type */
export interface SettleWebhookDeliveriesParams {
  answers: stringArray;
  ats: stringArray;
  claims: numberArray;
  dueAts: stringArray;
  durationsMs: numberArray;
  errors: stringArray;
  ids: stringArray;
  statusCodes: numberArray;
  statuses: stringArray;
}

/** 'SettleWebhookDeliveries' return type */
export interface SettleWebhookDeliveriesResult {
  id: string;
}

const settleWebhookDeliveriesIR = {"statement":"with outcome as materialized (\n  select *\n  from unnest(\n    :ids!::uuid[], :claims!::integer[], :statuses!::text[], :dueAts!::text[], :ats!::text[], :statusCodes!::integer[],\n    :durationsMs!::integer[], :errors!::text[], :answers!::text[]\n  ) as o (id, claim, status, due_at, at, status_code, duration_ms, error, answer)\n), settled as (\n  update webhooks.deliveries d\n  set status = o.status, due_at = o.due_at::timestamptz, leased_until = null, tries = d.tries + 1,\n      attempts = d.attempts + 1, ended_at = case when o.status <> 'pending' then o.at::timestamptz end\n  from outcome o\n  where d.id = o.id and d.claim = o.claim and d.leased_until is not null\n  returning d.id, d.claim, d.attempts\n)\ninsert into webhooks.attempts (delivery_id, number, at, status_code, duration_ms, error, answer)\nselect s.id, s.attempts, o.at::timestamptz, o.status_code, o.duration_ms, o.error, o.answer\nfrom settled s\njoin outcome o on o.id = s.id and o.claim = s.claim\nreturning delivery_id as \"id\"","params":[{"name":"ids","locs":[{"a":61,"b":66}]},{"name":"claims","locs":[{"a":76,"b":84}]},{"name":"statuses","locs":[{"a":97,"b":107}]},{"name":"dueAts","locs":[{"a":117,"b":125}]},{"name":"ats","locs":[{"a":135,"b":140}]},{"name":"statusCodes","locs":[{"a":150,"b":163}]},{"name":"durationsMs","locs":[{"a":180,"b":193}]},{"name":"errors","locs":[{"a":206,"b":214}]},{"name":"answers","locs":[{"a":224,"b":233}]}]};

/**
 * Query generated from SQL:
 * ```
 * with outcome as materialized (
 *   select *
 *   from unnest(
 *     :ids!::uuid[], :claims!::integer[], :statuses!::text[], :dueAts!::text[], :ats!::text[], :statusCodes!::integer[],
 *     :durationsMs!::integer[], :errors!::text[], :answers!::text[]
 *   ) as o (id, claim, status, due_at, at, status_code, duration_ms, error, answer)
 * ), settled as (
 *   update webhooks.deliveries d
 *   set status = o.status, due_at = o.due_at::timestamptz, leased_until = null, tries = d.tries + 1,
 *       attempts = d.attempts + 1, ended_at = case when o.status <> 'pending' then o.at::timestamptz end
 *   from outcome o
 *   where d.id = o.id and d.claim = o.claim and d.leased_until is not null
 *   returning d.id, d.claim, d.attempts
 * )
 * insert into webhooks.attempts (delivery_id, number, at, status_code, duration_ms, error, answer)
 * select s.id, s.attempts, o.at::timestamptz, o.status_code, o.duration_ms, o.error, o.answer
 * from settled s
 * join outcome o on o.id = s.id and o.claim = s.claim
 * returning delivery_id as "id!"                                                                                          
 * ```
 */
export const settleWebhookDeliveries = new PreparedStatement<SettleWebhookDeliveriesParams, SettleWebhookDeliveriesResult>("webhooks.settleWebhookDeliveries", settleWebhookDeliveriesIR);

/** 'ReleaseWebhookDeliveries' parameters type */
export interface ReleaseWebhookDeliveriesParams {
  claims: numberArray;
  ids: stringArray;
  now: Date;
}

/** 'ReleaseWebhookDeliveries' return type */
export type ReleaseWebhookDeliveriesResult = void;

const releaseWebhookDeliveriesIR = {"statement":"update webhooks.deliveries d\nset due_at = :now!::timestamptz, leased_until = null\nfrom unnest(:ids!::uuid[], :claims!::integer[]) as r (id, claim)\nwhere d.id = r.id and d.claim = r.claim and d.leased_until is not null","params":[{"name":"now","locs":[{"a":42,"b":47}]},{"name":"ids","locs":[{"a":94,"b":99}]},{"name":"claims","locs":[{"a":109,"b":117}]}]};

/**
 * Query generated from SQL:
 * ```
 * update webhooks.deliveries d
 * set due_at = :now!::timestamptz, leased_until = null
 * from unnest(:ids!::uuid[], :claims!::integer[]) as r (id, claim)
 * where d.id = r.id and d.claim = r.claim and d.leased_until is not null
 * ```
 */
export const releaseWebhookDeliveries = new PreparedStatement<ReleaseWebhookDeliveriesParams, ReleaseWebhookDeliveriesResult>("webhooks.releaseWebhookDeliveries", releaseWebhookDeliveriesIR);
