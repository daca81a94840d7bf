drop function events.count_of, events.tally;
drop table events.cursors, events.tally_progress, events.tallies;
create or replace function events.append(
  category text, streams uuid[], versions integer[], types text[], payloads jsonb[], traceparents text[]
) returns bigint
language sql volatile security definer
set search_path = pg_catalog
begin atomic
  with appended as (
    insert into events.log (category, stream, stream_version, type, data, traceparent)
    select append.category, e.stream, e.version, e.type, e.payload, e.traceparent
    from unnest(streams, versions, types, payloads, traceparents) as e (stream, version, type, payload, traceparent)
    returning 1
  )
  select count(*) from appended;
end;
