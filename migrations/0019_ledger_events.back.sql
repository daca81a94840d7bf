set local role marketflow_ledger;
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
  return next made;
end
$$;
drop function ledger.tell_seal;
reset role;
revoke execute on function events.append(text, uuid[], integer[], text[], jsonb[], text[]) from marketflow_ledger;
revoke execute on function events.version_of(uuid) from marketflow_ledger;
revoke usage on schema events from marketflow_ledger;
