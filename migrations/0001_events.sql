-- The application's role: a group that logins join. It owns nothing, so it can do only what is granted to it.
-- Roles belong to the cluster and not to the database: another database's migration may be creating it right now.
do $$
begin
  if not exists (select from pg_roles where rolname = 'marketflow_app') then
    create role marketflow_app nologin;
  end if;
exception when duplicate_object or unique_violation then null;
end
$$;

create schema events;
grant usage on schema events to marketflow_app;

-- Every state change of every module, appended in the commit that made it. It is the outbox, the timeline and the
-- audit trail at once.
create table events.log (
  position       bigint      generated always as identity primary key,
  -- Sequences commit out of order. A reader stays below pg_snapshot_xmin(pg_current_snapshot()) of this column, so
  -- that no event can appear behind its cursor.
  transaction_id xid8        not null default pg_current_xact_id(),
  category       text        not null,
  stream         uuid        not null,
  stream_version integer     not null check (stream_version > 0),
  type           text        not null,
  data           jsonb       not null,
  traceparent    text,
  recorded_at    timestamptz not null default clock_timestamp(),
  -- One event for each version of a stream: two writers cannot both have made the same change.
  unique (stream, stream_version)
);

-- The only way in. One call appends what one batch of movements changed.
create function events.append(
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

revoke execute on function events.append from public;
grant execute on function events.append to marketflow_app;
grant select on events.log to marketflow_app;
