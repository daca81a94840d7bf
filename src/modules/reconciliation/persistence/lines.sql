/* Lines of a file, as long as nobody has discarded the run. */
/* @name addFileLines */
with reached as (
  update reconciliation.runs
  set gateway_lines = gateway_lines + cardinality(:lineIds!::text[]),
      due_at        = now() + :leaseMs!::integer * interval '1 millisecond'
  where id = :runId! and step = 'receive'
  returning id
),
added as (
  insert into reconciliation.lines (
    run_id, bucket, side, kind, gateway_id, amount, currency, occurred_at, is_part, line_id
  )
  select reached.id, reconciliation.bucket_of(i.kind, i.gateway_id), 'gateway', i.kind, i.gateway_id, i.amount,
         i.currency, i.occurred_at, i.is_part, i.line_id
  from reached, unnest(
    :kinds!::text[], :gatewayIds!::text[], :amounts!::bigint[], :currencies!::text[],
    :occurredAts!::text[]::timestamptz[], :areParts!::text[]::boolean[], :lineIds!::text[]
  ) as i (kind, gateway_id, amount, currency, occurred_at, is_part, line_id)
)
select id as "id!" from reached;

/* Pages of the gateway's report, guarded by the cursor that they were asked with: the same pages again add nothing. */
/* @name addGatewayLines */
with reached as (
  update reconciliation.runs
  set gateway_lines = gateway_lines + cardinality(:lineIds!::text[]), tries = 0,
      cursor        = :nextCursor,
      step          = case when :nextCursor::text is null then 'ledger' else step end,
      due_at        = now() + :leaseMs!::integer * interval '1 millisecond'
  where id = :runId! and status = 'running' and step = 'gateway' and cursor is not distinct from :cursor
  returning id, step
),
added as (
  insert into reconciliation.lines (run_id, bucket, side, kind, gateway_id, amount, currency, occurred_at, line_id)
  select reached.id, reconciliation.bucket_of(i.kind, i.gateway_id), 'gateway', i.kind, i.gateway_id, i.amount,
         i.currency, i.occurred_at, i.line_id
  from reached, unnest(
    :kinds!::text[], :gatewayIds!::text[], :amounts!::bigint[], :currencies!::text[],
    :occurredAts!::text[]::timestamptz[], :lineIds!::text[]
  ) as i (kind, gateway_id, amount, currency, occurred_at, line_id)
)
select step as "step!" from reached;

/* A page of the ledger's movements, guarded likewise. */
/* @name addLedgerLines */
with reached as (
  update reconciliation.runs
  set ledger_lines = ledger_lines + cardinality(:lineIds!::text[]), tries = 0,
      cursor       = :nextCursor,
      step         = case when :nextCursor::text is null then 'match' else step end,
      due_at       = now() + :leaseMs!::integer * interval '1 millisecond'
  where id = :runId! and status = 'running' and step = 'ledger' and cursor is not distinct from :cursor
  returning id, step
),
added as (
  insert into reconciliation.lines (
    run_id, bucket, side, kind, gateway_id, amount, currency, occurred_at, is_part, line_id
  )
  select reached.id, reconciliation.bucket_of(i.kind, i.gateway_id), 'ledger', i.kind, i.gateway_id, i.amount,
         i.currency, i.occurred_at, i.is_part, i.line_id
  from reached, unnest(
    :kinds!::text[], :gatewayIds!::text[], :amounts!::bigint[], :currencies!::text[],
    :occurredAts!::text[]::timestamptz[], :areParts!::text[]::boolean[], :lineIds!::text[]
  ) as i (kind, gateway_id, amount, currency, occurred_at, is_part, line_id)
)
select step as "step!" from reached;

/* Some lines of a run that came to nothing. */
/* @name removeLines */
with picked as (
  select ctid from reconciliation.lines where run_id = :runId! limit :limit!::integer
),
removed as (
  delete from reconciliation.lines l using picked where l.ctid = picked.ctid returning 1
),
held as (
  update reconciliation.runs set due_at = now() + :leaseMs!::integer * interval '1 millisecond', tries = 0
  where id = :runId!
)
select count(*) as "removed!" from removed;
