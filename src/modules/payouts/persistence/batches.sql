/*
  Keeps a batch with all its lines, which have not begun. A key that is taken keeps nothing and returns nothing: the
  index waits for a request with the same key that is still under way.
*/
/* @name storeBatch */
with stored as (
  insert into payouts.batches (id, scope, idempotency_key, fingerprint, lines, traceparent, created_at)
  values (
    :id!, :scope!, :idempotencyKey, decode(:fingerprint!, 'hex'), cardinality(:ids!::uuid[]), :traceparent, now()
  )
  on conflict (scope, idempotency_key) do nothing
  returning id, scope, traceparent, created_at
),
kept as (
  insert into payouts.payouts (
    id, scope, batch_id, line, recipient_kind, recipient_id, amount_minor, currency, status, gateway, traceparent,
    created_at
  )
  select i.id, s.scope, s.id, i.line, 'affiliate', i.recipient_id, i.amount_minor, i.currency, 'PENDIENTE',
         :gateway!, s.traceparent, s.created_at
  from stored s
  cross join unnest(:ids!::uuid[], :recipientIds!::text[], :amountsMinor!::bigint[], :currencies!::text[])
    with ordinality as i (id, recipient_id, amount_minor, currency, line)
)
select created_at as "createdAt!" from stored;

/* @name findBatchByKey */
select id as "id!", lines as "lines!", encode(fingerprint, 'hex') as "fingerprint!", created_at as "createdAt!"
from payouts.batches
where scope = :scope! and idempotency_key = :idempotencyKey!;

/*
  A batch and how far it is, of one moment. Counting reads its payouts, of which there are 10,000 at most (5 ms): a
  counter would be one row that every settlement waits for.
*/
/* @name getBatch */
select b.id as "id!", b.lines as "lines!", b.created_at as "createdAt!", c.pending as "pending!",
       c.processing as "processing!", c.succeeded as "succeeded!", c.failed as "failed!", c.last_processed as "lastAt"
from payouts.batches b
cross join lateral (
  select count(*) filter (where p.status = 'PENDIENTE')::integer  as pending,
         count(*) filter (where p.status = 'PROCESANDO')::integer as processing,
         count(*) filter (where p.status = 'EXITOSO')::integer    as succeeded,
         count(*) filter (where p.status = 'FALLIDO')::integer    as failed,
         max(p.processed_at)                                      as last_processed
  from payouts.payouts p
  where p.batch_id = b.id
) c
where b.id = :id! and b.scope = :scope!;

/* A page of a batch's lines in their order; with a status only those. */
/* @name listBatchLines */
select id as "id!", line as "line!", recipient_id as "recipientId!", amount_minor as "amountMinor!",
       currency as "currency!", status as "status!", failure_message as "failureMessage"
from payouts.payouts
where batch_id = :batchId! and line > :after!::integer and (:status::text is null or status = :status)
order by line
limit :limit!::integer;

/*
  Begins the next lines of the oldest batch that has any: reserves their money, in one call for all of them, and marks
  them as under way. The batch's row stays locked until the commit that moves next_line, so that of two who begin lines
  the second waits and takes those after the first one's. A lower fence than the batch has seen begins nothing: its
  holder has lost the lock and does not know it yet.
  A line without enough money behind it is under way without a hold, and is declined by whoever settles it.
  The money is reserved last, because until the commit nobody else can begin or settle what is paid from the account.
  Costs some 22 us of PostgreSQL's time for each line, in groups of 64 to 256.
*/
/* @name startLines */
with batch as materialized (
  select id, next_line, least(lines, next_line + :most!::integer - 1) as last_line,
         :fence::bigint is not null and fence > :fence as is_fenced
  from payouts.batches
  where next_line <= lines
  order by id
  limit 1
  for update
),
moved as (
  update payouts.batches b
  set next_line = t.last_line + 1, fence = greatest(b.fence, :fence)
  from batch t
  where b.id = t.id and not t.is_fenced
),
begun as (
  update payouts.payouts p
  set status = 'PROCESANDO', gateway = :gateway!, begun_at = now()
  from batch t
  where p.batch_id = t.id and p.line between t.next_line and t.last_line and not t.is_fenced
  returning p.id, p.line, p.recipient_id, p.amount_minor, p.currency, p.traceparent
),
columns as materialized (
  select array_agg(id order by line) as ids,
         array_agg('payout:' || id order by line) as refs,
         array_agg('gateway:' || :gateway! || ':funding' order by line) as codes,
         array_agg(currency order by line) as currencies,
         array_agg(amount_minor order by line) as amounts,
         json_agg(json_build_array(id, recipient_id, amount_minor::text, currency) order by line) as attempts,
         max(traceparent) as traceparent
  from begun
  -- Nothing is asked of the ledger where nothing begins, which is most of the time.
  having count(*) > 0
),
held as materialized (
  select h.first_id, h.exceptions
  from columns c
  cross join lateral ledger.hold(:tenant!, c.refs, c.codes, c.currencies, c.amounts, null, false) h
),
opened as (
  insert into payouts.under_way (payout_id, hold_id, tries, due_at, accepted_at)
  select i.id,
         case when h.exceptions is null or not h.exceptions ? i.place::text then h.first_id + i.place - 1 end,
         1, now() + :leaseMs!::integer * interval '1 millisecond', now()
  from held h
  cross join columns c
  cross join lateral unnest(c.ids) with ordinality as i (id, place)
)
-- One row for all the lines: its reader has less to do than with a row for each.
select t.is_fenced as "isFenced!", c.attempts, c.traceparent, h.first_id as "firstHoldId", h.exceptions as "unheld"
from batch t
left join columns c on true
left join held h on true;
