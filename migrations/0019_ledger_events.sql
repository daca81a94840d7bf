-- Each seal is an event: whoever keeps the topic has every head of the hash chain outside of the database.
grant usage on schema events to marketflow_ledger;
grant execute on function events.append(text, uuid[], integer[], text[], jsonb[], text[]) to marketflow_ledger;
grant execute on function events.version_of(uuid) to marketflow_ledger;
set local role marketflow_ledger;

/*
  Appends the event of one seal. All seals are one stream, which never ends ("ledger" in ASCII is the end of its uuid),
  and a seal's number is the version: so one seal cannot have two events.
*/
create function ledger.tell_seal(seal ledger.seals) returns void
language sql volatile
set search_path = pg_catalog
begin atomic
  select events.append(
    'ledger', array['00000000-0000-8000-8000-6c6564676572'::uuid], array[seal.number::integer],
    array['ledger.sealed'],
    array[
      jsonb_build_object(
        'seal', seal.number, 'hash', encode(seal.hash, 'hex'), 'previous_hash', encode(seal.previous, 'hex'),
        'batches', cardinality(seal.batches),
        'sealed_at', to_char(seal.sealed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
      )
    ],
    array[null::text]
  );
end;

/*
  As before, and appends the seal's event in the same commit, here and not by whoever calls it: there is no seal
  without one. The lock on the seals is held meanwhile, so their events are in the order of their numbers.
*/
create or replace function ledger.seal(most_batches integer) returns setof ledger.seals
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
  perform ledger.tell_seal(made);
  return next made;
end
$$;

-- The seals from before have theirs as well, in their order. Going back leaves events where they are, so those that
-- are there already are passed over.
do $$
declare
  one ledger.seals;
begin
  lock table ledger.seals in share row exclusive mode;
  for one in
    select s.* from ledger.seals s
    where s.number > events.version_of('00000000-0000-8000-8000-6c6564676572') order by s.number
  loop
    perform ledger.tell_seal(one);
  end loop;
end
$$;

revoke execute on function ledger.tell_seal from public;
reset role;
