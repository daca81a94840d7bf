-- How many events there are of each category, counted as they come: counting ten million rows takes seconds. What is
-- not counted yet is behind a position, where whoever asks counts it.
create table events.tallies (
  category text   primary key,
  events   bigint not null
);

-- One row. An event is in the tallies where its position is at most counted_to, and only there.
create table events.tally_progress (
  only_row      boolean primary key default true check (only_row),
  counted_to    bigint  not null,
  -- No event that is not visible yet can have a position up to here.
  settled_to    bigint  not null check (settled_to >= counted_to),
  -- Every transaction from mark_xid on draws its positions above mark_position.
  mark_position bigint  not null,
  mark_xid      xid8    not null
);
insert into events.tally_progress (counted_to, settled_to, mark_position, mark_xid) values (0, 0, 0, '0');

-- How far a consumer of the log has come: it moves its rows in the commit of what it handled.
create table events.cursors (
  consumer   text        not null,
  -- A consumer may share its work out over several.
  lane       integer     not null,
  -- The last one that it has read; it stays below the transactions that are under way (see events.log).
  position   bigint      not null,
  handled    bigint      not null default 0 check (handled >= 0),
  updated_at timestamptz not null default now(),
  primary key (consumer, lane)
);

/*
  As before, but the transaction has its number before it draws a position: defaults are evaluated in the order of the
  columns, so the position came first where this was the first that the transaction wrote. events.tally counts on it.
*/
create or replace function events.append(
  category text, streams uuid[], versions integer[], types text[], payloads jsonb[], traceparents text[]
) returns bigint
language sql volatile security definer
set search_path = pg_catalog
begin atomic
  select pg_current_xact_id();
  with appended as (
    insert into events.log (category, stream, stream_version, type, data, traceparent)
    select append.category, e.stream, e.version, e.type, e.payload, e.traceparent
    from unnest(streams, versions, types, payloads, traceparents) as e (stream, version, type, payload, traceparent)
    returning 1
  )
  select count(*) from appended;
end;

/*
  Counts the next events into the tallies, so many positions at most; returns how many positions could be counted
  still. Positions are not drawn in the order of the commits, so each run leaves a mark: the last position that was
  drawn, and then its own transaction's number. A transaction with a later number draws its positions after that. When
  all with a lower number have ended, every event up to the mark's position is visible or will never be.
*/
create function events.tally(most integer) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  drawn    bigint;
  own      xid8;
  progress record;
  upto     bigint;
begin
  if pg_current_xact_id_if_assigned() is not null then
    raise exception 'events are tallied by a transaction that has not written yet'
      using errcode = 'active_sql_transaction';
  end if;
  drawn := coalesce(pg_sequence_last_value('events.log_position_seq'), 0);
  if exists (select from events.tally_progress p where p.counted_to = drawn) then return 0; end if;
  own := pg_current_xact_id();
  select * into progress from events.tally_progress for update;
  if progress.mark_xid <= pg_snapshot_xmin(pg_current_snapshot()) then
    progress.settled_to := greatest(progress.settled_to, progress.mark_position);
    progress.mark_position := drawn;
    progress.mark_xid := own;
  end if;
  upto := least(progress.settled_to, progress.counted_to + most);
  insert into events.tallies as t (category, events)
  select l.category, count(*) from events.log l
  where l.position > progress.counted_to and l.position <= upto
  group by l.category
  on conflict (category) do update set events = t.events + excluded.events;
  update events.tally_progress
  set counted_to = upto, settled_to = progress.settled_to, mark_position = progress.mark_position,
      mark_xid = progress.mark_xid;
  return progress.settled_to - upto;
end
$$;

/*
  How many events of a category there are, exactly as the caller's statement sees them. By index: statistics that are
  old, as they are under load, would have the whole log read.
*/
create function events.count_of(category text) returns bigint
language sql stable security definer
set search_path = pg_catalog set enable_seqscan = off
begin atomic
  select coalesce((select t.events from events.tallies t where t.category = count_of.category), 0) + (
    select count(*) from events.log l
    where l.position > (select p.counted_to from events.tally_progress p) and l.category = count_of.category
  );
end;

revoke execute on function events.tally, events.count_of from public;
grant execute on function events.tally, events.count_of to marketflow_app;
grant select, insert, update on events.cursors to marketflow_app;
