/*
  Compares the buckets [bucket, until) of a run: its lines are taken out, what does not agree is kept as exceptions, the
  counts go up, and the run moves on, all in one commit that is guarded by where the run stands. Locking the run first
  makes a second worker wait, and then find that these buckets are done.

  What one gateway object comes to is compared for each currency, corrections of earlier resolutions included. Lines
  are one to one: more than one on a side is an exception, unless corrections have made both sides even. Whether a
  refund that failed is told as nothing, as a refund, or as a refund and its reversal is up to each side. A pair belongs
  to the period in which the gateway has it, so that runs over adjacent periods tell of each pair once.
*/
/* @name matchBuckets */
with run as materialized (
  select *
  from reconciliation.runs
  where id = :runId! and status = 'running' and step = 'match' and next_bucket = :bucket!::integer
  for update
),
taken as (
  delete from reconciliation.lines l
  using run
  where l.run_id = run.id and l.run_id = :runId! and l.bucket >= :bucket!::integer and l.bucket < :until!::integer
  returning l.*
),
line as materialized (
  select t.side, t.kind, t.gateway_id, t.amount, t.currency, t.occurred_at, t.is_part, t.line_id,
         t.occurred_at >= run.period_from and t.occurred_at < run.period_to as is_inside,
         t.is_part and t.kind = 'refund' as is_reversal
  from taken t, run
  union all
  select 'ledger', c.kind, c.gateway_id, c.amount, c.currency, null, true, null, false, false
  from run
  join reconciliation.corrections c
    on c.gateway = run.gateway and c.bucket >= :bucket!::integer and c.bucket < :until!::integer
),
by_currency as (
  select kind, gateway_id, currency,
         coalesce(sum(amount) filter (where side = 'gateway'), 0) as gateway_amount,
         coalesce(sum(amount) filter (where side = 'ledger'), 0)  as ledger_amount,
         coalesce(sum(amount) filter (where side = 'gateway' and not is_reversal), 0) as gateway_gross,
         coalesce(sum(amount) filter (where side = 'ledger' and not is_reversal), 0)  as ledger_gross,
         count(*) filter (where side = 'gateway' and is_part)     as gateway_parts,
         count(*) filter (where side = 'gateway' and not is_part) as gateway_count,
         count(*) filter (where side = 'ledger' and not is_part)  as ledger_count,
         count(*) filter (where side = 'ledger' and is_part)      as corrections,
         bool_or(is_inside) filter (where side = 'gateway')       as gateway_is_inside,
         bool_or(is_inside) filter (where side = 'ledger')        as ledger_is_inside
  from line
  group by kind, gateway_id, currency
),
judged as materialized (
  select kind, gateway_id,
         case
           -- Of what was taken back here the line itself is in another report.
           when sum(gateway_count) = 0 and (sum(ledger_count) = 0 or sum(gateway_parts) > 0) then 'elsewhere'
           when not coalesce(bool_or(gateway_is_inside), bool_or(ledger_is_inside)) then 'elsewhere'
           when (bool_and(gateway_amount = ledger_amount) or bool_and(gateway_gross = ledger_gross))
             and (sum(corrections) > 0 or (sum(gateway_count) <= 1 and sum(ledger_count) <= 1)) then 'matched'
           when sum(gateway_count) > 1 then 'duplicate_at_gateway'
           when sum(ledger_count) > 1 then 'duplicate_here'
           when sum(gateway_count) = 0 then 'missing_at_gateway'
           when sum(ledger_count) = 0 then 'missing_here'
           when count(*) filter (where gateway_count > 0 and ledger_count > 0) = 0 then 'currency_differs'
           else 'amount_differs'
         end as reason
  from by_currency
  group by kind, gateway_id
),
differing as (
  select j.kind, j.gateway_id, j.reason,
         count(*) filter (where l.side = 'gateway' and not l.is_part)    as gateway_count,
         sum(l.amount) filter (where l.side = 'gateway')                 as gateway_amount,
         min(l.currency) filter (where l.side = 'gateway')               as gateway_currency,
         max(l.currency) filter (where l.side = 'gateway')               as other_gateway_currency,
         min(l.occurred_at) filter (where l.side = 'gateway')            as gateway_occurred_at,
         array_agg(l.line_id order by l.line_id) filter (where l.side = 'gateway') as gateway_line_ids,
         count(*) filter (where l.side = 'ledger' and not l.is_part)     as ledger_count,
         sum(l.amount) filter (where l.side = 'ledger')                  as ledger_amount,
         min(l.currency) filter (where l.side = 'ledger')                as ledger_currency,
         max(l.currency) filter (where l.side = 'ledger')                as other_ledger_currency,
         min(l.occurred_at) filter (where l.side = 'ledger')             as ledger_occurred_at,
         array_agg(l.line_id order by l.line_id) filter (where l.side = 'ledger' and not l.is_part) as ledger_line_ids
  from judged j join line l using (kind, gateway_id)
  where j.reason not in ('matched', 'elsewhere')
  group by j.kind, j.gateway_id, j.reason
),
kept as (
  insert into reconciliation.exceptions (
    run_id, number, reason, kind, gateway_id,
    gateway_count, gateway_amount, gateway_currency, gateway_occurred_at, gateway_line_ids,
    ledger_count, ledger_amount, ledger_currency, ledger_occurred_at, ledger_line_ids, at_border
  )
  -- What is in several currencies has no amount. Some ids are enough to begin looking.
  select run.id,
         run.missing_here + run.missing_at_gateway + run.amount_differs + run.currency_differs
           + run.duplicate_at_gateway + run.duplicate_here + row_number() over (order by d.kind, d.gateway_id),
         d.reason, d.kind, d.gateway_id,
         d.gateway_count, case when d.gateway_currency = d.other_gateway_currency then d.gateway_amount end,
         case when d.gateway_currency = d.other_gateway_currency then d.gateway_currency end, d.gateway_occurred_at,
         coalesce(d.gateway_line_ids[1:10], '{}'),
         d.ledger_count, case when d.ledger_currency = d.other_ledger_currency then d.ledger_amount end,
         case when d.ledger_currency = d.other_ledger_currency then d.ledger_currency end, d.ledger_occurred_at,
         coalesce(d.ledger_line_ids[1:10], '{}'),
         -- A file ends where its period ends; the gateway itself was asked for what lies around it.
         run.source = 'file' and d.reason = 'missing_at_gateway'
           and (d.ledger_occurred_at < run.period_from + run.tolerance_ms * interval '1 millisecond'
                or d.ledger_occurred_at >= run.period_to - run.tolerance_ms * interval '1 millisecond')
  from run, differing d
)
update reconciliation.runs r
set matched              = r.matched + c.matched,
    missing_here         = r.missing_here + c.missing_here,
    missing_at_gateway   = r.missing_at_gateway + c.missing_at_gateway,
    amount_differs       = r.amount_differs + c.amount_differs,
    currency_differs     = r.currency_differs + c.currency_differs,
    duplicate_at_gateway = r.duplicate_at_gateway + c.duplicate_at_gateway,
    duplicate_here       = r.duplicate_here + c.duplicate_here,
    next_bucket          = :until!::integer,
    tries                = 0,
    due_at               = now() + :leaseMs!::integer * interval '1 millisecond',
    step                 = case when :isLast!::boolean then 'done' else r.step end,
    status               = case when :isLast!::boolean then 'completed' else r.status end,
    completed_at         = case when :isLast!::boolean then now() end
from run, (
  select count(*) filter (where reason = 'matched')              as matched,
         count(*) filter (where reason = 'missing_here')         as missing_here,
         count(*) filter (where reason = 'missing_at_gateway')   as missing_at_gateway,
         count(*) filter (where reason = 'amount_differs')       as amount_differs,
         count(*) filter (where reason = 'currency_differs')     as currency_differs,
         count(*) filter (where reason = 'duplicate_at_gateway') as duplicate_at_gateway,
         count(*) filter (where reason = 'duplicate_here')       as duplicate_here
  from judged
) c
where r.id = run.id
returning r.step as "step!";
