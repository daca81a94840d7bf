/** Types generated for queries found in "src/modules/reconciliation/persistence/matching.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

/** 'MatchBuckets' parameters type */
export interface MatchBucketsParams {
  bucket: number;
  isLast: boolean;
  leaseMs: number;
  runId: string;
  until: number;
}

/** 'MatchBuckets' return type */
export interface MatchBucketsResult {
  step: string;
}

const matchBucketsIR = {"statement":"with run as materialized (\n  select *\n  from reconciliation.runs\n  where id = :runId! and status = 'running' and step = 'match' and next_bucket = :bucket!::integer\n  for update\n),\ntaken as (\n  delete from reconciliation.lines l\n  using run\n  where l.run_id = run.id and l.run_id = :runId! and l.bucket >= :bucket!::integer and l.bucket < :until!::integer\n  returning l.*\n),\nline as materialized (\n  select t.side, t.kind, t.gateway_id, t.amount, t.currency, t.occurred_at, t.is_part, t.line_id,\n         t.occurred_at >= run.period_from and t.occurred_at < run.period_to as is_inside,\n         t.is_part and t.kind = 'refund' as is_reversal\n  from taken t, run\n  union all\n  select 'ledger', c.kind, c.gateway_id, c.amount, c.currency, null, true, null, false, false\n  from run\n  join reconciliation.corrections c\n    on c.gateway = run.gateway and c.bucket >= :bucket!::integer and c.bucket < :until!::integer\n),\nby_currency as (\n  select kind, gateway_id, currency,\n         coalesce(sum(amount) filter (where side = 'gateway'), 0) as gateway_amount,\n         coalesce(sum(amount) filter (where side = 'ledger'), 0)  as ledger_amount,\n         coalesce(sum(amount) filter (where side = 'gateway' and not is_reversal), 0) as gateway_gross,\n         coalesce(sum(amount) filter (where side = 'ledger' and not is_reversal), 0)  as ledger_gross,\n         count(*) filter (where side = 'gateway' and is_part)     as gateway_parts,\n         count(*) filter (where side = 'gateway' and not is_part) as gateway_count,\n         count(*) filter (where side = 'ledger' and not is_part)  as ledger_count,\n         count(*) filter (where side = 'ledger' and is_part)      as corrections,\n         bool_or(is_inside) filter (where side = 'gateway')       as gateway_is_inside,\n         bool_or(is_inside) filter (where side = 'ledger')        as ledger_is_inside\n  from line\n  group by kind, gateway_id, currency\n),\njudged as materialized (\n  select kind, gateway_id,\n         case\n           -- Of what was taken back here the line itself is in another report.\n           when sum(gateway_count) = 0 and (sum(ledger_count) = 0 or sum(gateway_parts) > 0) then 'elsewhere'\n           when not coalesce(bool_or(gateway_is_inside), bool_or(ledger_is_inside)) then 'elsewhere'\n           when (bool_and(gateway_amount = ledger_amount) or bool_and(gateway_gross = ledger_gross))\n             and (sum(corrections) > 0 or (sum(gateway_count) <= 1 and sum(ledger_count) <= 1)) then 'matched'\n           when sum(gateway_count) > 1 then 'duplicate_at_gateway'\n           when sum(ledger_count) > 1 then 'duplicate_here'\n           when sum(gateway_count) = 0 then 'missing_at_gateway'\n           when sum(ledger_count) = 0 then 'missing_here'\n           when count(*) filter (where gateway_count > 0 and ledger_count > 0) = 0 then 'currency_differs'\n           else 'amount_differs'\n         end as reason\n  from by_currency\n  group by kind, gateway_id\n),\ndiffering as (\n  select j.kind, j.gateway_id, j.reason,\n         count(*) filter (where l.side = 'gateway' and not l.is_part)    as gateway_count,\n         sum(l.amount) filter (where l.side = 'gateway')                 as gateway_amount,\n         min(l.currency) filter (where l.side = 'gateway')               as gateway_currency,\n         max(l.currency) filter (where l.side = 'gateway')               as other_gateway_currency,\n         min(l.occurred_at) filter (where l.side = 'gateway')            as gateway_occurred_at,\n         array_agg(l.line_id order by l.line_id) filter (where l.side = 'gateway') as gateway_line_ids,\n         count(*) filter (where l.side = 'ledger' and not l.is_part)     as ledger_count,\n         sum(l.amount) filter (where l.side = 'ledger')                  as ledger_amount,\n         min(l.currency) filter (where l.side = 'ledger')                as ledger_currency,\n         max(l.currency) filter (where l.side = 'ledger')                as other_ledger_currency,\n         min(l.occurred_at) filter (where l.side = 'ledger')             as ledger_occurred_at,\n         array_agg(l.line_id order by l.line_id) filter (where l.side = 'ledger' and not l.is_part) as ledger_line_ids\n  from judged j join line l using (kind, gateway_id)\n  where j.reason not in ('matched', 'elsewhere')\n  group by j.kind, j.gateway_id, j.reason\n),\nkept as (\n  insert into reconciliation.exceptions (\n    run_id, number, reason, kind, gateway_id,\n    gateway_count, gateway_amount, gateway_currency, gateway_occurred_at, gateway_line_ids,\n    ledger_count, ledger_amount, ledger_currency, ledger_occurred_at, ledger_line_ids, at_border\n  )\n  -- What is in several currencies has no amount. Some ids are enough to begin looking.\n  select run.id,\n         run.missing_here + run.missing_at_gateway + run.amount_differs + run.currency_differs\n           + run.duplicate_at_gateway + run.duplicate_here + row_number() over (order by d.kind, d.gateway_id),\n         d.reason, d.kind, d.gateway_id,\n         d.gateway_count, case when d.gateway_currency = d.other_gateway_currency then d.gateway_amount end,\n         case when d.gateway_currency = d.other_gateway_currency then d.gateway_currency end, d.gateway_occurred_at,\n         coalesce(d.gateway_line_ids[1:10], '{}'),\n         d.ledger_count, case when d.ledger_currency = d.other_ledger_currency then d.ledger_amount end,\n         case when d.ledger_currency = d.other_ledger_currency then d.ledger_currency end, d.ledger_occurred_at,\n         coalesce(d.ledger_line_ids[1:10], '{}'),\n         -- A file ends where its period ends; the gateway itself was asked for what lies around it.\n         run.source = 'file' and d.reason = 'missing_at_gateway'\n           and (d.ledger_occurred_at < run.period_from + run.tolerance_ms * interval '1 millisecond'\n                or d.ledger_occurred_at >= run.period_to - run.tolerance_ms * interval '1 millisecond')\n  from run, differing d\n)\nupdate reconciliation.runs r\nset matched              = r.matched + c.matched,\n    missing_here         = r.missing_here + c.missing_here,\n    missing_at_gateway   = r.missing_at_gateway + c.missing_at_gateway,\n    amount_differs       = r.amount_differs + c.amount_differs,\n    currency_differs     = r.currency_differs + c.currency_differs,\n    duplicate_at_gateway = r.duplicate_at_gateway + c.duplicate_at_gateway,\n    duplicate_here       = r.duplicate_here + c.duplicate_here,\n    next_bucket          = :until!::integer,\n    tries                = 0,\n    due_at               = now() + :leaseMs!::integer * interval '1 millisecond',\n    step                 = case when :isLast!::boolean then 'done' else r.step end,\n    status               = case when :isLast!::boolean then 'completed' else r.status end,\n    completed_at         = case when :isLast!::boolean then now() end\nfrom run, (\n  select count(*) filter (where reason = 'matched')              as matched,\n         count(*) filter (where reason = 'missing_here')         as missing_here,\n         count(*) filter (where reason = 'missing_at_gateway')   as missing_at_gateway,\n         count(*) filter (where reason = 'amount_differs')       as amount_differs,\n         count(*) filter (where reason = 'currency_differs')     as currency_differs,\n         count(*) filter (where reason = 'duplicate_at_gateway') as duplicate_at_gateway,\n         count(*) filter (where reason = 'duplicate_here')       as duplicate_here\n  from judged\n) c\nwhere r.id = run.id\nreturning r.step as \"step\"","params":[{"name":"runId","locs":[{"a":78,"b":85},{"a":281,"b":288}]},{"name":"bucket","locs":[{"a":146,"b":154},{"a":305,"b":313},{"a":861,"b":869}]},{"name":"until","locs":[{"a":338,"b":345},{"a":894,"b":901},{"a":6401,"b":6408}]},{"name":"leaseMs","locs":[{"a":6484,"b":6493}]},{"name":"isLast","locs":[{"a":6568,"b":6576},{"a":6652,"b":6660},{"a":6743,"b":6751}]}]};

/**
 * Query generated from SQL:
 * ```
 * with run as materialized (
 *   select *
 *   from reconciliation.runs
 *   where id = :runId! and status = 'running' and step = 'match' and next_bucket = :bucket!::integer
 *   for update
 * ),
 * taken as (
 *   delete from reconciliation.lines l
 *   using run
 *   where l.run_id = run.id and l.run_id = :runId! and l.bucket >= :bucket!::integer and l.bucket < :until!::integer
 *   returning l.*
 * ),
 * line as materialized (
 *   select t.side, t.kind, t.gateway_id, t.amount, t.currency, t.occurred_at, t.is_part, t.line_id,
 *          t.occurred_at >= run.period_from and t.occurred_at < run.period_to as is_inside,
 *          t.is_part and t.kind = 'refund' as is_reversal
 *   from taken t, run
 *   union all
 *   select 'ledger', c.kind, c.gateway_id, c.amount, c.currency, null, true, null, false, false
 *   from run
 *   join reconciliation.corrections c
 *     on c.gateway = run.gateway and c.bucket >= :bucket!::integer and c.bucket < :until!::integer
 * ),
 * by_currency as (
 *   select kind, gateway_id, currency,
 *          coalesce(sum(amount) filter (where side = 'gateway'), 0) as gateway_amount,
 *          coalesce(sum(amount) filter (where side = 'ledger'), 0)  as ledger_amount,
 *          coalesce(sum(amount) filter (where side = 'gateway' and not is_reversal), 0) as gateway_gross,
 *          coalesce(sum(amount) filter (where side = 'ledger' and not is_reversal), 0)  as ledger_gross,
 *          count(*) filter (where side = 'gateway' and is_part)     as gateway_parts,
 *          count(*) filter (where side = 'gateway' and not is_part) as gateway_count,
 *          count(*) filter (where side = 'ledger' and not is_part)  as ledger_count,
 *          count(*) filter (where side = 'ledger' and is_part)      as corrections,
 *          bool_or(is_inside) filter (where side = 'gateway')       as gateway_is_inside,
 *          bool_or(is_inside) filter (where side = 'ledger')        as ledger_is_inside
 *   from line
 *   group by kind, gateway_id, currency
 * ),
 * judged as materialized (
 *   select kind, gateway_id,
 *          case
 *            -- Of what was taken back here the line itself is in another report.
 *            when sum(gateway_count) = 0 and (sum(ledger_count) = 0 or sum(gateway_parts) > 0) then 'elsewhere'
 *            when not coalesce(bool_or(gateway_is_inside), bool_or(ledger_is_inside)) then 'elsewhere'
 *            when (bool_and(gateway_amount = ledger_amount) or bool_and(gateway_gross = ledger_gross))
 *              and (sum(corrections) > 0 or (sum(gateway_count) <= 1 and sum(ledger_count) <= 1)) then 'matched'
 *            when sum(gateway_count) > 1 then 'duplicate_at_gateway'
 *            when sum(ledger_count) > 1 then 'duplicate_here'
 *            when sum(gateway_count) = 0 then 'missing_at_gateway'
 *            when sum(ledger_count) = 0 then 'missing_here'
 *            when count(*) filter (where gateway_count > 0 and ledger_count > 0) = 0 then 'currency_differs'
 *            else 'amount_differs'
 *          end as reason
 *   from by_currency
 *   group by kind, gateway_id
 * ),
 * differing as (
 *   select j.kind, j.gateway_id, j.reason,
 *          count(*) filter (where l.side = 'gateway' and not l.is_part)    as gateway_count,
 *          sum(l.amount) filter (where l.side = 'gateway')                 as gateway_amount,
 *          min(l.currency) filter (where l.side = 'gateway')               as gateway_currency,
 *          max(l.currency) filter (where l.side = 'gateway')               as other_gateway_currency,
 *          min(l.occurred_at) filter (where l.side = 'gateway')            as gateway_occurred_at,
 *          array_agg(l.line_id order by l.line_id) filter (where l.side = 'gateway') as gateway_line_ids,
 *          count(*) filter (where l.side = 'ledger' and not l.is_part)     as ledger_count,
 *          sum(l.amount) filter (where l.side = 'ledger')                  as ledger_amount,
 *          min(l.currency) filter (where l.side = 'ledger')                as ledger_currency,
 *          max(l.currency) filter (where l.side = 'ledger')                as other_ledger_currency,
 *          min(l.occurred_at) filter (where l.side = 'ledger')             as ledger_occurred_at,
 *          array_agg(l.line_id order by l.line_id) filter (where l.side = 'ledger' and not l.is_part) as ledger_line_ids
 *   from judged j join line l using (kind, gateway_id)
 *   where j.reason not in ('matched', 'elsewhere')
 *   group by j.kind, j.gateway_id, j.reason
 * ),
 * kept as (
 *   insert into reconciliation.exceptions (
 *     run_id, number, reason, kind, gateway_id,
 *     gateway_count, gateway_amount, gateway_currency, gateway_occurred_at, gateway_line_ids,
 *     ledger_count, ledger_amount, ledger_currency, ledger_occurred_at, ledger_line_ids, at_border
 *   )
 *   -- What is in several currencies has no amount. Some ids are enough to begin looking.
 *   select run.id,
 *          run.missing_here + run.missing_at_gateway + run.amount_differs + run.currency_differs
 *            + run.duplicate_at_gateway + run.duplicate_here + row_number() over (order by d.kind, d.gateway_id),
 *          d.reason, d.kind, d.gateway_id,
 *          d.gateway_count, case when d.gateway_currency = d.other_gateway_currency then d.gateway_amount end,
 *          case when d.gateway_currency = d.other_gateway_currency then d.gateway_currency end, d.gateway_occurred_at,
 *          coalesce(d.gateway_line_ids[1:10], '{}'),
 *          d.ledger_count, case when d.ledger_currency = d.other_ledger_currency then d.ledger_amount end,
 *          case when d.ledger_currency = d.other_ledger_currency then d.ledger_currency end, d.ledger_occurred_at,
 *          coalesce(d.ledger_line_ids[1:10], '{}'),
 *          -- A file ends where its period ends; the gateway itself was asked for what lies around it.
 *          run.source = 'file' and d.reason = 'missing_at_gateway'
 *            and (d.ledger_occurred_at < run.period_from + run.tolerance_ms * interval '1 millisecond'
 *                 or d.ledger_occurred_at >= run.period_to - run.tolerance_ms * interval '1 millisecond')
 *   from run, differing d
 * )
 * update reconciliation.runs r
 * set matched              = r.matched + c.matched,
 *     missing_here         = r.missing_here + c.missing_here,
 *     missing_at_gateway   = r.missing_at_gateway + c.missing_at_gateway,
 *     amount_differs       = r.amount_differs + c.amount_differs,
 *     currency_differs     = r.currency_differs + c.currency_differs,
 *     duplicate_at_gateway = r.duplicate_at_gateway + c.duplicate_at_gateway,
 *     duplicate_here       = r.duplicate_here + c.duplicate_here,
 *     next_bucket          = :until!::integer,
 *     tries                = 0,
 *     due_at               = now() + :leaseMs!::integer * interval '1 millisecond',
 *     step                 = case when :isLast!::boolean then 'done' else r.step end,
 *     status               = case when :isLast!::boolean then 'completed' else r.status end,
 *     completed_at         = case when :isLast!::boolean then now() end
 * from run, (
 *   select count(*) filter (where reason = 'matched')              as matched,
 *          count(*) filter (where reason = 'missing_here')         as missing_here,
 *          count(*) filter (where reason = 'missing_at_gateway')   as missing_at_gateway,
 *          count(*) filter (where reason = 'amount_differs')       as amount_differs,
 *          count(*) filter (where reason = 'currency_differs')     as currency_differs,
 *          count(*) filter (where reason = 'duplicate_at_gateway') as duplicate_at_gateway,
 *          count(*) filter (where reason = 'duplicate_here')       as duplicate_here
 *   from judged
 * ) c
 * where r.id = run.id
 * returning r.step as "step!"
 * ```
 */
export const matchBuckets = new PreparedStatement<MatchBucketsParams, MatchBucketsResult>("reconciliation.matchBuckets", matchBucketsIR);
