set local role marketflow_ledger;

-- The hash chain: each seal covers batches that were committed since the one before it, and the hash of that one.
-- docs/ledger-proof.md has the algorithm in words, src/modules/ledger/domain/canonical.ts in TypeScript, for the audit.
create table ledger.seals (
  number    bigint      primary key check (number > 0),
  batches   bigint[]    not null,
  rows      integer     not null,
  sealed_at timestamptz not null,
  -- The hash of the seal before; 32 zero bytes before the first.
  previous  bytea       not null check (length(previous) = 32),
  hash      bytea       not null check (length(hash) = 32),
  -- The first 8 bytes of each row's digest, in order: says which row was changed, where the hash says that one was.
  marks     bytea       not null
);
select ledger.keep_rows('seals');
grant select on ledger.seals to marketflow_app;

/*
  A text in canonical form: its length in 4 bytes and its UTF-8, or the length -1 for NULL. Lengths first, so that
  nothing in a text can fake a border.
*/
create function ledger.text_bytes(value text) returns bytea
language sql stable parallel safe
return coalesce(int4send(octet_length(value)) || convert_to(value, 'UTF8'), '\xffffffff'::bytea);

/* A moment that may be missing, in the same way: microseconds since 2000-01-01 UTC in 8 bytes. */
create function ledger.moment_bytes(value timestamptz) returns bytea
language sql stable parallel safe
return coalesce(int4send(8) || timestamptz_send(value), '\xffffffff'::bytea);

/*
  The digests of every row of some batches: SHA-256 of the row in canonical form, in the order in which seals hash them:
  batches by id, and within one the batch, accounts, transactions, entries, holds, resolutions of holds and changes of
  floors, each by id. Binary and not text: that took 36 us for each payment, this takes 12.
*/
create function ledger.digest_rows(batch_ids bigint[])
returns table (batch_id bigint, kind integer, id bigint, leg integer, digest bytea)
language sql stable
set search_path = pg_catalog set plan_cache_mode = force_generic_plan set enable_seqscan = off
begin atomic
  with chosen as (
    select b.id as batch_id, b.id * 65536 as first, b.id * 65536 + 65535 as last from unnest(batch_ids) as b (id)
  )
  select r.batch_id, 1, r.batch_id, 0, sha256('\x01'::bytea || int8send(b.id) || timestamptz_send(b.posted_at))
  from chosen r join ledger.batches b on b.id = r.batch_id
  union all
  select r.batch_id, 2, a.id, 0,
         sha256(
           '\x02'::bytea || int8send(a.id) || ledger.text_bytes(a.tenant) || ledger.text_bytes(a.code)
             || ledger.text_bytes(a.currency) || ledger.text_bytes(a.normal_side) || boolsend(a.floored)
         )
  from chosen r join ledger.accounts a on a.id between r.first and r.last
  union all
  select r.batch_id, 3, t.id, 0,
         sha256(
           '\x03'::bytea || int8send(t.id) || ledger.text_bytes(t.tenant) || ledger.text_bytes(t.kind)
             || ledger.text_bytes(t.reference) || ledger.text_bytes(t.external_id) || timestamptz_send(t.posted_at)
             || ledger.moment_bytes(t.effective_at)
         )
  from chosen r join ledger.transactions t on t.id between r.first and r.last
  union all
  select r.batch_id, 4, e.transaction_id, e.leg,
         sha256(
           '\x04'::bytea || int8send(e.transaction_id) || int2send(e.leg) || int8send(e.account_id)
             || int8send(e.version) || int8send(e.amount) || int8send(e.balance) || ledger.text_bytes(e.currency)
             || timestamptz_send(e.posted_at) || ledger.moment_bytes(e.effective_at)
         )
  from chosen r join ledger.entries e on e.transaction_id between r.first and r.last
  union all
  select r.batch_id, 5, h.id, 0,
         sha256(
           '\x05'::bytea || int8send(h.id) || ledger.text_bytes(h.tenant) || ledger.text_bytes(h.reference)
             || int8send(h.account_id) || int8send(h.amount) || timestamptz_send(h.held_at)
             || ledger.moment_bytes(h.expires_at)
         )
  from chosen r join ledger.holds h on h.id between r.first and r.last
  union all
  select r.batch_id, 6, x.hold_id, 0,
         sha256(
           '\x06'::bytea || int8send(x.hold_id) || ledger.text_bytes(x.resolution)
             || ledger.text_bytes(x.transaction_id::text) || int8send(x.batch_id)
         )
  from chosen r join ledger.hold_resolutions x on x.batch_id = r.batch_id
  union all
  select r.batch_id, 7, f.id, 0,
         sha256(
           '\x07'::bytea || int8send(f.id) || int8send(f.account_id) || int8send(f.floor)
             || ledger.text_bytes(f.reason) || ledger.text_bytes(f.changed_by) || timestamptz_send(f.changed_at)
         )
  from chosen r join ledger.floor_changes f on f.id between r.first and r.last;
end;

/*
  Seals the oldest batches that no seal covers, at most so many, and returns the seal; no row where there are none.
  A batch that is being committed now is not seen and comes with a later seal: nothing here waits for anybody, and a
  long transaction elsewhere holds nothing up. Computed in the database, so that nobody who can only call it can lie.
*/
create function ledger.seal(most_batches integer) returns setof ledger.seals
language plpgsql volatile security definer
set search_path = pg_catalog as $$
declare
  ids    bigint[];
  before record;
  made   ledger.seals;
begin
  -- One sealer at a time; readers are not held up.
  lock table ledger.seals in share row exclusive mode;
  with taken as (
    delete from ledger.unsealed
    where batch_id in (
      -- Whoever asks for more, or for NULL, which is no limit: the audit reads a seal's list of batches as one value.
      select u.batch_id from ledger.unsealed u order by u.batch_id limit least(most_batches, 1000)
    )
    returning batch_id
  )
  select array_agg(batch_id order by batch_id) into ids from taken;
  if ids is null then return; end if;
  select s.number, s.hash into before from ledger.seals s order by s.number desc limit 1;
  made.number := coalesce(before.number, 0) + 1;
  made.previous := coalesce(before.hash, decode(repeat('00', 32), 'hex'));
  made.batches := ids;
  made.sealed_at := clock_timestamp();
  select count(*), string_agg(substr(d.digest, 1, 8), ''::bytea order by d.batch_id, d.kind, d.id, d.leg),
         sha256(
           int8send(made.number) || made.previous || int4send(cardinality(ids))
             || (select string_agg(int8send(i.id), ''::bytea order by i.place)
                 from unnest(ids) with ordinality as i (id, place))
             || timestamptz_send(made.sealed_at) || int4send(count(*)::integer)
             || string_agg(d.digest, ''::bytea order by d.batch_id, d.kind, d.id, d.leg)
         )
  into made.rows, made.marks, made.hash
  from ledger.digest_rows(ids) d;
  insert into ledger.seals select (made).*;
  return next made;
end
$$;

revoke execute on all functions in schema ledger from public;
grant execute on function ledger.seal to marketflow_app;
reset role;
