/** Types generated for queries found in "src/modules/webhooks/persistence/keeping.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

/** 'ForgetWebhookDeliveries' parameters type */
export interface ForgetWebhookDeliveriesParams {
  before: Date;
  below: string;
  limit: number;
}

/** 'ForgetWebhookDeliveries' return type */
export interface ForgetWebhookDeliveriesResult {
  forgotten: bigint;
}

const forgetWebhookDeliveriesIR = {"statement":"with page as materialized (\n  select d.id, d.event_id\n  from webhooks.deliveries d\n  where d.id < :below! and (d.status <> 'pending' or d.due_at < :before!::timestamptz)\n  order by d.id\n  limit :limit!::integer\n  for update skip locked\n), forgotten as (\n  delete from webhooks.deliveries d using page p where d.id = p.id returning d.id\n), messages as (\n  delete from webhooks.messages m\n  where m.event_id = any (array(\n    select g.event_id\n    from (select p.event_id, count(*) as forgotten from page p group by p.event_id) g\n    cross join lateral (select count(*) as known from webhooks.deliveries d where d.event_id = g.event_id offset 0) k\n    where k.known = g.forgotten\n  ))\n)\nselect count(*) as \"forgotten\"  from forgotten","params":[{"name":"below","locs":[{"a":98,"b":105}]},{"name":"before","locs":[{"a":147,"b":155}]},{"name":"limit","locs":[{"a":194,"b":201}]}]};

/**
 * Query generated from SQL:
 * ```
 * with page as materialized (
 *   select d.id, d.event_id
 *   from webhooks.deliveries d
 *   where d.id < :below! and (d.status <> 'pending' or d.due_at < :before!::timestamptz)
 *   order by d.id
 *   limit :limit!::integer
 *   for update skip locked
 * ), forgotten as (
 *   delete from webhooks.deliveries d using page p where d.id = p.id returning d.id
 * ), messages as (
 *   delete from webhooks.messages m
 *   where m.event_id = any (array(
 *     select g.event_id
 *     from (select p.event_id, count(*) as forgotten from page p group by p.event_id) g
 *     cross join lateral (select count(*) as known from webhooks.deliveries d where d.event_id = g.event_id offset 0) k
 *     where k.known = g.forgotten
 *   ))
 * )
 * select count(*) as "forgotten!" from forgotten                                                                                         
 * ```
 */
export const forgetWebhookDeliveries = new PreparedStatement<ForgetWebhookDeliveriesParams, ForgetWebhookDeliveriesResult>("webhooks.forgetWebhookDeliveries", forgetWebhookDeliveriesIR);

/** 'GiveUpWebhookDeliveries' parameters type */
export interface GiveUpWebhookDeliveriesParams {
  limit: number;
  now: Date;
}

/** 'GiveUpWebhookDeliveries' return type */
export interface GiveUpWebhookDeliveriesResult {
  id: string;
}

const giveUpWebhookDeliveriesIR = {"statement":"with page as materialized (\n  select d.id\n  from webhooks.endpoints e\n  cross join lateral (\n    select p.id from webhooks.deliveries p\n    where p.endpoint_id = e.id and p.status = 'pending'\n    order by p.due_at\n    limit :limit!::integer\n    for update skip locked\n  ) d\n  where e.deleted_at is not null\n  limit :limit!::integer\n)\nupdate webhooks.deliveries d\nset status = 'failed', due_at = null, leased_until = null, ended_at = :now!::timestamptz\nfrom page p\nwhere d.id = p.id\nreturning d.id as \"id\"","params":[{"name":"limit","locs":[{"a":224,"b":231},{"a":315,"b":322}]},{"name":"now","locs":[{"a":433,"b":438}]}]};

/**
 * Query generated from SQL:
 * ```
 * with page as materialized (
 *   select d.id
 *   from webhooks.endpoints e
 *   cross join lateral (
 *     select p.id from webhooks.deliveries p
 *     where p.endpoint_id = e.id and p.status = 'pending'
 *     order by p.due_at
 *     limit :limit!::integer
 *     for update skip locked
 *   ) d
 *   where e.deleted_at is not null
 *   limit :limit!::integer
 * )
 * update webhooks.deliveries d
 * set status = 'failed', due_at = null, leased_until = null, ended_at = :now!::timestamptz
 * from page p
 * where d.id = p.id
 * returning d.id as "id!"                                                                                                                  
 * ```
 */
export const giveUpWebhookDeliveries = new PreparedStatement<GiveUpWebhookDeliveriesParams, GiveUpWebhookDeliveriesResult>("webhooks.giveUpWebhookDeliveries", giveUpWebhookDeliveriesIR);

/** 'ForgetWebhookEndpoints' parameters type */
export interface ForgetWebhookEndpointsParams {
  before: Date;
  now: Date;
}

/** 'ForgetWebhookEndpoints' return type */
export interface ForgetWebhookEndpointsResult {
  id: string;
}

const forgetWebhookEndpointsIR = {"statement":"with secrets as (\n  delete from webhooks.secrets s where s.expires_at <= :now!::timestamptz\n)\ndelete from webhooks.endpoints e\nwhere e.deleted_at < :before!::timestamptz\n  and not exists (select from webhooks.deliveries d where d.endpoint_id = e.id)\nreturning e.id as \"id\"","params":[{"name":"now","locs":[{"a":73,"b":78}]},{"name":"before","locs":[{"a":148,"b":156}]}]};

/**
 * Query generated from SQL:
 * ```
 * with secrets as (
 *   delete from webhooks.secrets s where s.expires_at <= :now!::timestamptz
 * )
 * delete from webhooks.endpoints e
 * where e.deleted_at < :before!::timestamptz
 *   and not exists (select from webhooks.deliveries d where d.endpoint_id = e.id)
 * returning e.id as "id!"                                                                                                                                                                                                          
 * ```
 */
export const forgetWebhookEndpoints = new PreparedStatement<ForgetWebhookEndpointsParams, ForgetWebhookEndpointsResult>("webhooks.forgetWebhookEndpoints", forgetWebhookEndpointsIR);

/** 'CountDueWebhooks' parameters type */
export interface CountDueWebhooksParams {
  most: number;
  now: Date;
}

/** 'CountDueWebhooks' return type */
export interface CountDueWebhooksResult {
  deliveries: bigint;
  oldest: Date | null;
}

const countDueWebhooksIR = {"statement":"select count(*) as \"deliveries\" , min(d.due_at) as \"oldest\"\nfrom webhooks.endpoints e\ncross join lateral (\n  select p.due_at from webhooks.deliveries p\n  where p.endpoint_id = e.id and p.status = 'pending' and p.due_at <= :now!::timestamptz\n  order by p.due_at\n  limit :most!::integer\n) d\nwhere e.enabled and e.deleted_at is null","params":[{"name":"now","locs":[{"a":222,"b":227}]},{"name":"most","locs":[{"a":269,"b":275}]}]};

/**
 * Query generated from SQL:
 * ```
 * select count(*) as "deliveries!", min(d.due_at) as "oldest"
 * from webhooks.endpoints e
 * cross join lateral (
 *   select p.due_at from webhooks.deliveries p
 *   where p.endpoint_id = e.id and p.status = 'pending' and p.due_at <= :now!::timestamptz
 *   order by p.due_at
 *   limit :most!::integer
 * ) d
 * where e.enabled and e.deleted_at is null
 * ```
 */
export const countDueWebhooks = new PreparedStatement<CountDueWebhooksParams, CountDueWebhooksResult>("webhooks.countDueWebhooks", countDueWebhooksIR);
