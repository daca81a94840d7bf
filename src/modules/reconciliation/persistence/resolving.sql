/* An exception, how it was resolved, and whether a posting for it is under way. */
/* @name getException */
select e.number as "number!", e.reason as "reason!", e.kind as "kind!", e.gateway_id as "gatewayId!",
       e.gateway_count as "gatewayCount!", e.gateway_amount as "gatewayAmount", e.gateway_currency as "gatewayCurrency",
       e.gateway_occurred_at as "gatewayOccurredAt", e.gateway_line_ids as "gatewayLineIds!",
       e.ledger_count as "ledgerCount!", e.ledger_amount as "ledgerAmount", e.ledger_currency as "ledgerCurrency",
       e.ledger_occurred_at as "ledgerOccurredAt", e.ledger_line_ids as "ledgerLineIds!", e.at_border as "atBorder!",
       r.note as "note?", r.posting as "posting?", r.transaction_id as "transactionId?",
       r.resolved_by as "resolvedBy?", r.resolved_at as "resolvedAt?", u.gateway as "gateway!"
from reconciliation.exceptions e
join reconciliation.runs u on u.id = e.run_id
left join reconciliation.resolutions r on r.run_id = e.run_id and r.number = e.number
where e.run_id = :runId! and e.number = :number!;

/*
  Takes the exception for one resolution, before the ledger hears of it. Nothing is returned where another has taken it.
  Whether it had been resolved before is looked up after this, when nobody else can resolve it any more.
*/
/* @name openResolution */
insert into reconciliation.open_resolutions (run_id, number, note, posting, legs, resolved_by, due_at)
select :runId!, :number!, :note!, :posting!, :legs!::text::jsonb, :resolvedBy!,
       now() + :leaseMs!::integer * interval '1 millisecond'
on conflict do nothing
returning number as "number!";

/* Nothing was posted, and the exception is as it was. */
/* @name closeResolution */
delete from reconciliation.open_resolutions where run_id = :runId! and number = :number!;

/*
  Keeps the resolution and what it posted to the clearing account, and lets go of the exception, in one commit. Once for
  each exception: the second time nothing is returned.
*/
/* @name keepResolution */
with closed as (
  delete from reconciliation.open_resolutions p where p.run_id = :runId! and p.number = :number!
),
kept as (
  insert into reconciliation.resolutions (run_id, number, note, posting, transaction_id, resolved_by)
  values (:runId, :number, :note!, :posting!, :transactionId, :resolvedBy!)
  on conflict do nothing
  returning resolved_at
),
corrected as (
  insert into reconciliation.corrections (run_id, number, gateway, bucket, kind, gateway_id, amount, currency)
  select e.run_id, e.number, u.gateway, reconciliation.bucket_of(e.kind, e.gateway_id), e.kind, e.gateway_id,
         i.amount, i.currency
  from kept
  join reconciliation.exceptions e on e.run_id = :runId and e.number = :number
  join reconciliation.runs u on u.id = e.run_id
  cross join unnest(:amounts!::bigint[], :currencies!::text[]) as i (amount, currency)
),
counted as (
  update reconciliation.runs r set resolved = r.resolved + 1 from kept where r.id = :runId
)
select resolved_at as "resolvedAt!" from kept;

/* Resolutions whose process seems to have died. */
/* @name claimDueResolutions */
with due as materialized (
  select run_id, number
  from reconciliation.open_resolutions
  where due_at <= now()
  order by due_at
  limit :limit!::integer
  for update skip locked
)
update reconciliation.open_resolutions p
set due_at = now() + :leaseMs!::integer * interval '1 millisecond'
from due
where p.run_id = due.run_id and p.number = due.number
returning p.run_id as "runId!", p.number as "number!", p.note as "note!", p.posting as "posting!", p.legs as "legs!",
          p.resolved_by as "resolvedBy!";
