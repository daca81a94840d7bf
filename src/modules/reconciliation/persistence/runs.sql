/* @name beginRun */
insert into reconciliation.runs (
  id, gateway, source, period_from, period_to, tolerance_ms, status, step, due_at
)
values (
  :id!, :gateway!, 'gateway', :from!, :to!, :toleranceMs!, 'running', 'gateway',
  now() + :leaseMs!::integer * interval '1 millisecond'
);

/* A run whose file is being read: nobody sees it before the whole file has turned out good. */
/* @name beginReceiving */
insert into reconciliation.runs (id, gateway, source, tolerance_ms, status, step, due_at)
values (
  :id!, :gateway!, 'file', :toleranceMs!, 'receiving', 'receive', now() + :leaseMs!::integer * interval '1 millisecond'
);

/* The file was good to its end: from here on the run is a run like any other. */
/* @name endReceiving */
update reconciliation.runs
set period_from   = :from!, period_to = :to!, ignored_lines = :ignoredLines!, status = 'running', step = 'ledger',
    due_at        = now() + :leaseMs!::integer * interval '1 millisecond'
where id = :runId! and step = 'receive'
returning id as "id!";

/*
  Hands the runs that nobody works on, or whose worker is past its lease, to whoever asks, each to one: locked rows are
  somebody else's. One that waits for another try has counted it already; one whose worker died counts it now.
*/
/* @name claimDueRun */
with due as materialized (
  select id
  from reconciliation.runs
  where step <> 'done' and due_at <= now()
  order by due_at
  limit 1
  for update skip locked
)
update reconciliation.runs r
set due_at          = now() + :leaseMs!::integer * interval '1 millisecond',
    tries           = r.tries + case when r.failure_code is null then 1 else 0 end,
    failure_code    = case when r.status = 'failed' then r.failure_code end,
    failure_message = case when r.status = 'failed' then r.failure_message end
from due
where r.id = due.id
returning r.id as "id!";

/* Where a run stands, for whoever works on it. */
/* @name getProgress */
select id as "id!", gateway as "gateway!", status as "status!", step as "step!", cursor, next_bucket as "nextBucket!",
       tries as "tries!", gateway_lines + ledger_lines as "lines!", period_from as "from", period_to as "to",
       tolerance_ms as "toleranceMs!"
from reconciliation.runs
where id = :runId!;

/* The run goes on after the delay, whoever takes it up then. */
/* @name postponeRun */
update reconciliation.runs
set due_at       = now() + :delayMs!::integer * interval '1 millisecond', tries = tries + 1,
    failure_code = :failureCode!, failure_message = :failureMessage!
where id = :runId! and step = :step!;

/* The run comes to nothing: what it compared so far is told, its lines are removed next. */
/* @name failRun */
update reconciliation.runs
set status = 'failed', step = 'clear', failure_code = :failureCode!, failure_message = :failureMessage!,
    completed_at = now(), due_at = now()
where id = :runId! and status = 'running' and step = :step!;

/* @name discardRun */
update reconciliation.runs set status = 'discarded', step = 'clear', due_at = now()
where id = :runId! and step = 'receive';

/* Nothing of a discarded run stays; a failed one stays without its lines. */
/* @name endClearing */
with gone as (
  delete from reconciliation.runs where id = :runId! and step = 'clear' and status = 'discarded'
)
update reconciliation.runs set step = 'done' where id = :runId! and step = 'clear' and status = 'failed';

/* Whoever works on the run stops here, and anybody may go on. */
/* @name releaseRun */
update reconciliation.runs set due_at = now(), tries = 0 where id = :runId! and step <> 'done';
