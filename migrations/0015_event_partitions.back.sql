-- One table again, with what all partitions have; positions go on.
lock table events.log in access exclusive mode;
drop function events.version_of, events.drop_partition, events.is_done_with, events.make_partitions,
  events.make_partition;
drop table events.retention;

create table events.log_whole (
  position       bigint      not null,
  transaction_id xid8        not null default pg_current_xact_id(),
  category       text        not null,
  stream         uuid        not null,
  stream_version integer     not null constraint log_stream_version_check check (stream_version > 0),
  type           text        not null,
  data           jsonb       not null,
  traceparent    text,
  recorded_at    timestamptz not null default clock_timestamp()
);
insert into events.log_whole select * from events.log order by position;

create or replace function events.append(
  category text, streams uuid[], versions integer[], types text[], payloads jsonb[], traceparents text[]
) returns bigint
language sql volatile security definer
set search_path = pg_catalog
begin atomic
  select pg_current_xact_id();
  with appended as (
    insert into events.log_whole (category, stream, stream_version, type, data, traceparent)
    select append.category, e.stream, e.version, e.type, e.payload, e.traceparent
    from unnest(streams, versions, types, payloads, traceparents) as e (stream, version, type, payload, traceparent)
    returning 1
  )
  select count(*) from appended;
end;
create or replace function events.count_of(category text) returns bigint
language sql stable security definer
set search_path = pg_catalog set enable_seqscan = off
begin atomic
  select coalesce((select t.events from events.tallies t where t.category = count_of.category), 0) + (
    select count(*) from events.log_whole l
    where l.position > (select p.counted_to from events.tally_progress p) and l.category = count_of.category
  );
end;

do $$
declare
  drawn bigint;
begin
  drawn := pg_sequence_last_value('events.log_position_seq');
  drop table events.log;
  alter table events.log_whole rename to log;
  alter table events.log alter column position add generated always as identity;
  if drawn is not null then perform setval('events.log_position_seq', drawn); end if;
end
$$;
alter table events.log add primary key (position), add unique (stream, stream_version);
grant select on events.log to marketflow_app;
drop function events.lowest_stream;
