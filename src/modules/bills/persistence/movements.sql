/*
  The intent is committed here, before any gateway hears of it: key, payment and event in one statement. A key that is
  taken gets no payment; one whose time is over is taken over. Items come in the order of their keys, so that two
  batches with the same keys wait for each other instead of deadlocking, and each key once. Who got a key is looked up
  in a hash, because joining a batch of 256 to itself would cost as much as an index.
*/
/* @name acceptBills */
with keyed as (
  insert into bills.idempotency_keys as k (scope, key, payment_id, expires_at)
  select scope, key, id, now() + :ttlMs!::bigint * interval '1 millisecond'
  from unnest(:scopes!::text[], :keys!::text[], :ids!::uuid[]) as i (scope, key, id)
  on conflict (scope, key) do update
  set payment_id = excluded.payment_id, expires_at = excluded.expires_at
  where k.expires_at <= now()
  returning payment_id
),
accepted as (
  insert into bills.payments (
    id, scope, reference, amount_minor, currency, status, gateway, due_at, traceparent, created_at, updated_at
  )
  select id, scope, reference, amount_minor, currency, 'PENDING', gateway,
         now() + :leaseMs!::integer * interval '1 millisecond', traceparent, now(), now()
  from unnest(
    :ids!::uuid[], :scopes!::text[], :references!::text[], :amounts!::bigint[], :currencies!::text[],
    :gateways!::text[], :traceparents!::text[]
  ) as i (id, scope, reference, amount_minor, currency, gateway, traceparent)
  where (i.id in (select payment_id from keyed)) is true
  returning id, scope
),
tallied as (
  insert into bills.changes (scope, bucket, pending)
  select scope, bills.bucket_of(id), count(*) from accepted group by 1, 2
),
logged as (
  select events.append(
    'bill', array_agg(id), array_agg(1), array_agg('bill.created'::text), array_agg(payload::jsonb),
    array_agg(traceparent)
  )
  from unnest(:ids!::uuid[], :payloads!::text[], :traceparents!::text[]) as i (id, payload, traceparent)
  where (i.id in (select payment_id from keyed)) is true
)
-- One row for the whole batch, because a row for each payment costs the reader as much as the payment's own answer.
select coalesce((select string_agg(id::text, ',') from accepted), '') as "acceptedIds!", now() as "createdAt!",
       logged.append as "logged"
from logged;

/*
  The one way in which an attempt ends, whoever learned of the outcome: the request, recovery, or both at once. Status,
  the ledger's posting and the event are one commit. Guarded by the attempt being under way, so the second to come
  changes nothing. Items come in the order of their ids, so that two batches with the same payments wait for each
  other instead of deadlocking.
*/
/* @name settleBills */
with changed as (
  update bills.payments p
  set status            = i.status,
      retries           = i.retries,
      gateway_reference = i.gateway_reference,
      last_error        = i.failure_code,
      due_at            = null,
      version           = p.version + 1,
      updated_at        = now()
  from unnest(
    :ids!::uuid[], :attempts!::integer[], :statuses!::text[], :retries!::integer[], :gatewayReferences!::text[],
    :failureCodes!::text[], :payloads!::text[]
  ) as i (id, attempt, status, retries, gateway_reference, failure_code, payload)
  -- The status decides and does not find, so that no plan walks over the pending ones.
  where p.id = i.id and p.attempt = i.attempt and (p.status = 'PENDING') is true
  returning p.id, p.scope, p.status, p.version, p.gateway, p.currency, p.amount_minor, p.gateway_reference,
            p.traceparent, i.payload
),
posted as (
  select bills.post_paid(
    array_agg(id), array_agg(gateway), array_agg(currency), array_agg(amount_minor), array_agg(gateway_reference)
  )
  from changed
  where status = 'SUCCESS'
),
tallied as (
  insert into bills.changes (scope, bucket, pending, success, failed, exhausted)
  select scope, bills.bucket_of(id), -count(*), count(*) filter (where status = 'SUCCESS'),
         count(*) filter (where status = 'FAILED'), count(*) filter (where status = 'EXHAUSTED')
  from changed
  group by 1, 2
),
logged as (
  select events.append(
    'bill', array_agg(id), array_agg(version), array_agg('bill.' || lower(case status
      when 'SUCCESS' then 'succeeded' else status end)), array_agg(payload::jsonb), array_agg(traceparent)
  )
  from changed
)
select coalesce((select string_agg(id::text, ',') from changed), '') as "settledIds!", now() as "settledAt!",
       logged.append as "logged", posted.post_paid as "posted"
from logged, posted;

/*
  Begins retries, each of a payment that is FAILED and has had no attempt since the one before it was looked at: of
  several retries at the same time one begins, whichever process they come to. Returns what stands of every payment,
  and which of the batch's items began; an item that is missing is about no payment of its scope. The rows are locked
  before they are judged, in the order of the ids, because who waits for another's retry must see what it left.
*/
/* @name retryBills */
with standing as materialized (
  select p.id, p.status, p.attempt, i.attempt as wanted, i.traceparent, i.place
  from (
    select distinct on (u.id) u.id, u.scope, u.attempt, u.traceparent, u.place
    from unnest(:ids!::uuid[], :scopes!::text[], :attempts!::integer[], :traceparents!::text[])
      with ordinality as u (id, scope, attempt, traceparent, place)
    order by u.id, u.place
  ) i
  join bills.payments p on p.id = i.id and (p.scope = i.scope) is true
  order by p.id
  for update of p
),
started as (
  update bills.payments p
  set status      = 'PENDING',
      attempt     = s.wanted,
      tries       = 1,
      absences    = 0,
      due_at      = now() + :leaseMs!::integer * interval '1 millisecond',
      last_error  = null,
      traceparent = s.traceparent,
      version     = p.version + 1,
      updated_at  = now()
  from standing s
  where p.id = s.id and s.status = 'FAILED' and s.attempt = s.wanted - 1
  returning p.id, p.scope, p.version, p.traceparent, p.updated_at, s.place,
            jsonb_build_object('retry', p.attempt - 1) as payload
),
tallied as (
  insert into bills.changes (scope, bucket, pending, failed)
  select scope, bills.bucket_of(id), count(*), -count(*) from started group by 1, 2
),
logged as (
  select events.append(
    'bill', array_agg(id), array_agg(version), array_agg('bill.retrying'::text), array_agg(payload),
    array_agg(traceparent)
  )
  from started
)
select started.id as "id!", started.place as "place!", 'PENDING' as "status!", started.updated_at as "startedAt",
       logged.append as "logged"
from started, logged
union all
select id, place, status, null, null from standing where status <> 'FAILED' or attempt <> wanted - 1;

/*
  Hands open attempts whose time has come to whoever asks, each to one: locked rows are somebody else's, and a claimed
  one is not due again until its lease has passed. The partial index keeps this as cheap with a million payments.
*/
/* @name claimDueBills */
with due as materialized (
  select id
  from bills.payments
  where due_at <= now()
  order by due_at
  limit :limit!::integer
  for update skip locked
)
update bills.payments p
set tries = p.tries + 1, due_at = now() + :leaseMs!::integer * interval '1 millisecond'
from due
where p.id = due.id
returning p.id as "id!", p.reference as "reference!", p.amount_minor as "amountMinor!", p.currency as "currency!",
          p.retries as "retries!", p.attempt as "attempt!", p.tries as "tries!", p.absences as "absences!",
          p.traceparent, p.created_at as "createdAt!", p.updated_at as "updatedAt!";

/* An attempt whose outcome is not known yet: recovery goes on with it after the delay, a person where it is parked. */
/* @name postponeBill */
update bills.payments
set due_at     = case when :park!::boolean then null else now() + :delayMs!::integer * interval '1 millisecond' end,
    last_error = :error!, absences = :absences!
where id = :id! and attempt = :attempt! and (status = 'PENDING') is true;

/* @name countDueBills */
select count(*) as "due!" from bills.payments where due_at <= now();

/* Forgets the keys whose time is over, the oldest first. */
/* @name forgetBillKeys */
with expired as materialized (
  select scope, key
  from bills.idempotency_keys
  where expires_at <= now()
  order by expires_at
  limit :limit!::integer
  for update skip locked
)
delete from bills.idempotency_keys k
using expired e
where k.scope = e.scope and k.key = e.key
returning 1 as "forgotten!";

/*
  Adds what batches left to the tallies of all levels. A reader sees a change either here or there. Rows of changes are
  never updated, so their places name them.
*/
/* @name foldBillChanges */
with taken as (
  delete from bills.changes
  where ctid = any (array(select ctid from bills.changes limit :limit!::integer for update skip locked))
  returning scope, bucket, pending, success, failed, exhausted
),
folded as (
  insert into bills.tallies as t (scope, level, bucket, pending, success, failed, exhausted)
  select scope, level, bucket >> (7 * level), sum(pending), sum(success), sum(failed), sum(exhausted)
  from taken cross join generate_series(0, 2) as l (level)
  group by 1, 2, 3
  order by 1, 2, 3
  on conflict (scope, level, bucket) do update
  set pending = t.pending + excluded.pending, success = t.success + excluded.success,
      failed = t.failed + excluded.failed, exhausted = t.exhausted + excluded.exhausted
)
select count(*) as "folded!" from taken;
