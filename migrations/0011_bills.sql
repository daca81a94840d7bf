-- Bills paid through a gateway, with controlled retries. Statuses are in the words of the bills contract.
create schema bills;
grant usage on schema bills to marketflow_app;

create table bills.payments (
  -- uuidv7, so that the primary key is also the order of creation: lists page by it, inserts append to it.
  id                uuid        primary key,
  -- Whose payment it is: nobody else sees it.
  scope             text        not null,
  -- The bill's own number.
  reference         text        not null check (length(reference) between 1 and 100),
  amount_minor      bigint      not null check (amount_minor > 0),
  currency          text        not null check (length(currency) = 3),
  status            text        not null check (status in ('PENDING', 'SUCCESS', 'FAILED', 'EXHAUSTED')),
  -- How many retries the gateway declined.
  retries           integer     not null default 0 check (retries >= 0),
  gateway           text        not null,
  -- The attempt that is under way, or was the last one: a payment has one at a time, and what became of each is in the
  -- event log, so attempts need no rows of their own. The gateway's idempotency key is derived from (id, attempt), so
  -- that taking up an attempt again can never pay twice.
  attempt           integer     not null default 1 check (attempt > 0),
  tries             integer     not null default 1,
  -- How often the gateway said that it never heard of the attempt, and then gave no answer to it either.
  absences          integer     not null default 0,
  -- Until then the process that accepted the attempt is expected to settle it; afterwards recovery may claim it. Null
  -- where none is under way, and on a PENDING payment that is parked: recovery gave up asking, a person must look.
  due_at            timestamptz,
  last_error        text,
  gateway_reference text,
  -- W3C traceparent of the attempt's request, so that recovery and events continue its trace.
  traceparent       text,
  -- Counts the changes of this payment; the event log's stream_version.
  version           integer     not null default 1,
  created_at        timestamptz not null,
  updated_at        timestamptz not null,
  check (status = 'PENDING' or due_at is null),
  check ((status = 'SUCCESS') = (gateway_reference is not null))
-- A payment is rewritten once, soon after it was made: the new row finds room on its page.
) with (fillfactor = 60, autovacuum_vacuum_insert_scale_factor = 0.05);

-- Pages of one status, however rare it is among millions. Moving a payment costs it one entry.
create index payments_of_status on bills.payments (scope, status, id);

-- What recovery looks at: only what is under way, so it stays small however many payments there are.
create index payments_due on bills.payments (due_at) where due_at is not null;

-- Which payment a key made, for as long as keys are remembered. Apart from the payment, because it is forgotten.
create table bills.idempotency_keys (
  scope      text        not null,
  key        text        not null check (length(key) between 1 and 255),
  payment_id uuid        not null,
  expires_at timestamptz not null,
  primary key (scope, key)
);

-- The reaper finds what is to be forgotten; entries are in the order of time and append.
create index idempotency_keys_expiring on bills.idempotency_keys (expires_at);

/*
  How many payments there are of each status, by when they were made, so that neither a total nor a page at a large
  offset reads payments: a bucket of level 0 is 8.2 seconds of ids, one of level 1 is 128 of those (17 minutes), one of
  level 2 is 128 of these (37 hours).
*/
create table bills.tallies (
  scope     text     not null,
  level     smallint not null check (level between 0 and 2),
  bucket    bigint   not null,
  pending   bigint   not null,
  success   bigint   not null,
  failed    bigint   not null,
  exhausted bigint   not null,
  primary key (scope, level, bucket)
) with (fillfactor = 50);

-- What is to be added to the tallies: each batch leaves a row for each of its buckets here, because updating the
-- tallies themselves would make all batches wait for one row. A job folds them in; what there is, is the sum of both.
create table bills.changes (
  scope     text    not null,
  bucket    bigint  not null,
  pending   integer not null default 0,
  success   integer not null default 0,
  failed    integer not null default 0,
  exhausted integer not null default 0
);

/* The bucket of level 0 that an id is in: the milliseconds that a uuidv7 begins with, in steps of 8,192. */
create function bills.bucket_of(id uuid) returns bigint
language sql immutable parallel safe
return ('x' || substr(id::text, 1, 8) || substr(id::text, 10, 4))::bit(48)::bigint >> 13;

/* The lowest id that a bucket of level 0 can have. */
create function bills.first_id_of(bucket bigint) returns uuid
language sql immutable parallel safe
return (lpad(to_hex(bucket << 13), 12, '0') || repeat('0', 20))::uuid;

/* As many of the given counts as are of the status; all of them where it is null. */
create function bills.count_of(status text, pending bigint, success bigint, failed bigint, exhausted bigint)
returns bigint language sql immutable parallel safe
return case status
  when 'PENDING' then pending when 'SUCCESS' then success when 'FAILED' then failed when 'EXHAUSTED' then exhausted
  else pending + success + failed + exhausted
end;

/*
  How many payments of a scope and a status (null is any) there are, and where the page begins that skips so many of
  the newest of them: below the id `below`, with `skipped` still to be skipped there, which is less than a bucket of
  level 0 holds. All of it is true of one snapshot, the calling statement's.
*/
create function bills.locate(
  scope text, status text, skip bigint, out total bigint, out below uuid, out skipped bigint
) language plpgsql stable parallel safe
set search_path = pg_catalog as $$
#variable_conflict use_column
declare
  lowest  bigint := 0;
  highest bigint := (1::bigint << 48) - 1;
  found_bucket bigint;
  found_above  bigint;
begin
  skipped := skip;
  below := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  select coalesce(sum(bills.count_of(locate.status, n.pending, n.success, n.failed, n.exhausted)), 0) into total
  from (
    select t.pending, t.success, t.failed, t.exhausted from bills.tallies t where t.scope = locate.scope and t.level = 2
    union all
    select c.pending, c.success, c.failed, c.exhausted from bills.changes c where c.scope = locate.scope
  ) n;
  if skip = 0 then return; end if;
  if skip >= total then
    below := '00000000-0000-0000-0000-000000000000';
    return;
  end if;
  for depth in reverse 2..0 loop
    select w.bucket, w.upto - w.here into found_bucket, found_above
    from (
      select b.bucket, b.here, sum(b.here) over (order by b.bucket desc) as upto
      from (
        select n.bucket, sum(bills.count_of(locate.status, n.pending, n.success, n.failed, n.exhausted)) as here
        from (
          select t.bucket, t.pending, t.success, t.failed, t.exhausted from bills.tallies t
          where t.scope = locate.scope and t.level = depth and t.bucket between lowest and highest
          union all
          select c.bucket >> (7 * depth), c.pending, c.success, c.failed, c.exhausted from bills.changes c
          where c.scope = locate.scope and c.bucket >> (7 * depth) between lowest and highest
        ) n
        group by n.bucket
      ) b
    ) w
    where w.upto > skipped
    order by w.bucket desc limit 1;
    skipped := skipped - found_above;
    lowest := found_bucket << 7;
    highest := lowest + 127;
  end loop;
  below := bills.first_id_of(found_bucket + 1);
end
$$;

/*
  Posts paid bills, in the commit that settles them: what the gateway took in, and what is owed to the billers for it.
  The same as `paidBillDraft` in src/modules/bills/application/postings.ts.
*/
create function bills.post_paid(
  ids uuid[], gateways text[], currencies text[], amounts bigint[], gateway_references text[]
) returns bigint language sql volatile
begin atomic
  select ledger.post_all(
    'default', array_fill('bill'::text, array[cardinality(ids)]), array(select 'bill:' || i from unnest(ids) i),
    gateway_references, null, null, l.items, l.codes, l.currencies, l.amounts
  )
  from (
    select array_agg(s.item) as items, array_agg(s.code) as codes, array_agg(s.currency) as currencies,
           array_agg(s.amount) as amounts
    from (
      select i.item::integer as item, g.code, i.currency, g.amount
      from unnest(gateways, currencies, amounts) with ordinality as i (gateway, currency, amount, item)
      cross join lateral (
        values (1, 'gateway:' || i.gateway || ':bills', i.amount), (2, 'bills:payable', -i.amount)
      ) as g (leg, code, amount)
      order by i.item, g.leg
    ) s
  ) l
  where cardinality(ids) > 0;
end;

grant select, insert, update on bills.payments to marketflow_app;
grant select, insert, update, delete on bills.idempotency_keys, bills.tallies, bills.changes to marketflow_app;
