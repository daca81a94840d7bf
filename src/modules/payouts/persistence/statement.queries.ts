/** Types generated for queries found in "src/modules/payouts/persistence/statement.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type bigintArray = readonly (bigint | null)[];

export type stringArray = readonly (string | null)[];

/** 'ApplyPagos' parameters type */
export interface ApplyPagosParams {
  affiliateIds: stringArray;
  amounts: bigintArray;
  consumer: string;
  currencies: stringArray;
  eventIds: stringArray;
  failureMessages: stringArray;
  pagoIds: stringArray;
  processedAts: stringArray;
  references: stringArray;
  statuses: stringArray;
}

/** 'ApplyPagos' return type */
export interface ApplyPagosResult {
  newEvents: bigint;
}

const applyPagosIR = {"statement":"with input as (\n  select * from unnest(\n    :eventIds!::uuid[], :pagoIds!::uuid[], :affiliateIds!::text[], :currencies!::text[], :statuses!::text[],\n    :amounts!::bigint[], :references!::text[], :failureMessages!::text[], :processedAts!::text[]\n  ) as i (\n    event_id, pago_id, affiliate_id, currency, status, amount_minor, reference, failure_message, processed_at\n  )\n),\nreceived as materialized (\n  select r as event_id from events.receive(:consumer!::text, :eventIds!::uuid[]) r\n),\nlines as (\n  insert into payouts.statement_lines (\n    pago_id, affiliate_id, currency, status, amount_minor, reference, failure_message, processed_at\n  )\n  select distinct on (i.pago_id)\n         i.pago_id, i.affiliate_id, i.currency, i.status, i.amount_minor, i.reference, i.failure_message,\n         i.processed_at::timestamptz\n  from received join input i using (event_id)\n  order by i.pago_id\n  on conflict (pago_id) do nothing\n  returning affiliate_id, currency, status, amount_minor, processed_at\n),\nsums as (\n  select affiliate_id, currency,\n         coalesce(sum(amount_minor) filter (where status = 'EXITOSO'), 0)::bigint as paid_minor,\n         count(*) filter (where status = 'EXITOSO') as succeeded, count(*) filter (where status = 'FALLIDO') as failed,\n         max(processed_at) filter (where status = 'EXITOSO') as last_paid_at, max(processed_at) as last_event_at\n  from lines\n  group by affiliate_id, currency\n),\nsummed as (\n  insert into payouts.statement_totals as t (\n    affiliate_id, currency, paid_minor, succeeded, failed, last_paid_at, last_event_at\n  )\n  select affiliate_id, currency, paid_minor, succeeded, failed, last_paid_at, last_event_at\n  from sums\n  order by affiliate_id, currency\n  on conflict (affiliate_id, currency) do update\n  set paid_minor = t.paid_minor + excluded.paid_minor, succeeded = t.succeeded + excluded.succeeded,\n      failed = t.failed + excluded.failed, last_paid_at = greatest(t.last_paid_at, excluded.last_paid_at),\n      last_event_at = greatest(t.last_event_at, excluded.last_event_at)\n)\nselect count(*) as \"newEvents\"  from received","params":[{"name":"eventIds","locs":[{"a":44,"b":54},{"a":462,"b":472}]},{"name":"pagoIds","locs":[{"a":64,"b":73}]},{"name":"affiliateIds","locs":[{"a":83,"b":97}]},{"name":"currencies","locs":[{"a":107,"b":119}]},{"name":"statuses","locs":[{"a":129,"b":139}]},{"name":"amounts","locs":[{"a":153,"b":162}]},{"name":"references","locs":[{"a":174,"b":186}]},{"name":"failureMessages","locs":[{"a":196,"b":213}]},{"name":"processedAts","locs":[{"a":223,"b":237}]},{"name":"consumer","locs":[{"a":444,"b":454}]}]};

/**
 * Query generated from SQL:
 * ```
 * with input as (
 *   select * from unnest(
 *     :eventIds!::uuid[], :pagoIds!::uuid[], :affiliateIds!::text[], :currencies!::text[], :statuses!::text[],
 *     :amounts!::bigint[], :references!::text[], :failureMessages!::text[], :processedAts!::text[]
 *   ) as i (
 *     event_id, pago_id, affiliate_id, currency, status, amount_minor, reference, failure_message, processed_at
 *   )
 * ),
 * received as materialized (
 *   select r as event_id from events.receive(:consumer!::text, :eventIds!::uuid[]) r
 * ),
 * lines as (
 *   insert into payouts.statement_lines (
 *     pago_id, affiliate_id, currency, status, amount_minor, reference, failure_message, processed_at
 *   )
 *   select distinct on (i.pago_id)
 *          i.pago_id, i.affiliate_id, i.currency, i.status, i.amount_minor, i.reference, i.failure_message,
 *          i.processed_at::timestamptz
 *   from received join input i using (event_id)
 *   order by i.pago_id
 *   on conflict (pago_id) do nothing
 *   returning affiliate_id, currency, status, amount_minor, processed_at
 * ),
 * sums as (
 *   select affiliate_id, currency,
 *          coalesce(sum(amount_minor) filter (where status = 'EXITOSO'), 0)::bigint as paid_minor,
 *          count(*) filter (where status = 'EXITOSO') as succeeded, count(*) filter (where status = 'FALLIDO') as failed,
 *          max(processed_at) filter (where status = 'EXITOSO') as last_paid_at, max(processed_at) as last_event_at
 *   from lines
 *   group by affiliate_id, currency
 * ),
 * summed as (
 *   insert into payouts.statement_totals as t (
 *     affiliate_id, currency, paid_minor, succeeded, failed, last_paid_at, last_event_at
 *   )
 *   select affiliate_id, currency, paid_minor, succeeded, failed, last_paid_at, last_event_at
 *   from sums
 *   order by affiliate_id, currency
 *   on conflict (affiliate_id, currency) do update
 *   set paid_minor = t.paid_minor + excluded.paid_minor, succeeded = t.succeeded + excluded.succeeded,
 *       failed = t.failed + excluded.failed, last_paid_at = greatest(t.last_paid_at, excluded.last_paid_at),
 *       last_event_at = greatest(t.last_event_at, excluded.last_event_at)
 * )
 * select count(*) as "newEvents!" from received                                                                                                                                                                                                                                                                                                                                                           
 * ```
 */
export const applyPagos = new PreparedStatement<ApplyPagosParams, ApplyPagosResult>("payouts.applyPagos", applyPagosIR);

/** 'ReadStatement' parameters type */
export interface ReadStatementParams {
  affiliateId: string;
  beforeAt: string;
  beforeId: string;
  currency?: string | null | undefined;
  from: string;
  limit: number;
  to: string;
}

/** 'ReadStatement' return type */
export interface ReadStatementResult {
  amountMinor: bigint | null;
  currency: string;
  failed: bigint;
  failureMessage: string | null;
  lastEventAt: Date;
  lastPaidAt: Date | null;
  pagoId: string | null;
  paidMinor: bigint;
  processedAt: Date | null;
  reference: string | null;
  status: string | null;
  succeeded: bigint;
}

const readStatementIR = {"statement":"select t.currency as \"currency\" , t.paid_minor as \"paidMinor\" , t.succeeded as \"succeeded\" , t.failed as \"failed\" ,\n       t.last_paid_at as \"lastPaidAt\" , t.last_event_at as \"lastEventAt\" , l.pago_id as \"pagoId\" ,\n       l.status as \"status\" , l.amount_minor as \"amountMinor\" , l.reference as \"reference\" ,\n       l.failure_message as \"failureMessage\" , l.processed_at as \"processedAt\" \nfrom payouts.statement_totals t\nleft join lateral (\n  select s.pago_id, s.status, s.amount_minor, s.reference, s.failure_message, s.processed_at\n  from payouts.statement_lines s\n  where s.affiliate_id = t.affiliate_id and s.currency = t.currency\n    and (:currency::text is null or t.currency = :currency)\n    and s.processed_at >= :from!::text::timestamptz and s.processed_at < :to!::text::timestamptz\n    and (s.processed_at, s.pago_id) < (:beforeAt!::text::timestamptz, :beforeId!::uuid)\n  order by s.processed_at desc, s.pago_id desc\n  limit :limit!::integer\n) l on true\nwhere t.affiliate_id = :affiliateId!\norder by l.processed_at desc nulls last, l.pago_id desc, t.currency","params":[{"name":"currency","locs":[{"a":643,"b":652},{"a":683,"b":692}]},{"name":"from","locs":[{"a":720,"b":726}]},{"name":"to","locs":[{"a":767,"b":771}]},{"name":"beforeAt","locs":[{"a":830,"b":840}]},{"name":"beforeId","locs":[{"a":861,"b":871}]},{"name":"limit","locs":[{"a":934,"b":941}]},{"name":"affiliateId","locs":[{"a":986,"b":999}]}]};

/**
 * Query generated from SQL:
 * ```
 * select t.currency as "currency!", t.paid_minor as "paidMinor!", t.succeeded as "succeeded!", t.failed as "failed!",
 *        t.last_paid_at as "lastPaidAt?", t.last_event_at as "lastEventAt!", l.pago_id as "pagoId?",
 *        l.status as "status?", l.amount_minor as "amountMinor?", l.reference as "reference?",
 *        l.failure_message as "failureMessage?", l.processed_at as "processedAt?"
 * from payouts.statement_totals t
 * left join lateral (
 *   select s.pago_id, s.status, s.amount_minor, s.reference, s.failure_message, s.processed_at
 *   from payouts.statement_lines s
 *   where s.affiliate_id = t.affiliate_id and s.currency = t.currency
 *     and (:currency::text is null or t.currency = :currency)
 *     and s.processed_at >= :from!::text::timestamptz and s.processed_at < :to!::text::timestamptz
 *     and (s.processed_at, s.pago_id) < (:beforeAt!::text::timestamptz, :beforeId!::uuid)
 *   order by s.processed_at desc, s.pago_id desc
 *   limit :limit!::integer
 * ) l on true
 * where t.affiliate_id = :affiliateId!
 * order by l.processed_at desc nulls last, l.pago_id desc, t.currency
 * ```
 */
export const readStatement = new PreparedStatement<ReadStatementParams, ReadStatementResult>("payouts.readStatement", readStatementIR);
