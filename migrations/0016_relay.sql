/*
  How far the log is settled: up to a position that can never be followed by a lower one that is not visible yet.
  Positions are not drawn in the order of the commits. A reader leaves a mark: the last position that was drawn, and
  then its own transaction's number. A transaction with a later number draws its positions after that; once all with a
  lower number have ended, every event up to the mark is visible or never will be. (A snapshot's xmax would not do as
  the number: it is one past the last transaction that has ended, and others above it may be running.)

  One call says whether the mark has settled, and leaves the next one where it has and there is something new. So a
  log in which nothing happens burns no transaction number, and a busy one burns one for each page that is read.

  What a session has learned is void in another one: after a crash, positions and numbers that were only drawn are
  drawn once more. So the session remembers the reader's name for it, and says where it does not know it.
*/
create function events.settle(
  session text, marked_position bigint, marked_xid xid8,
  out known boolean, out settled boolean, out drawn bigint, out mark xid8
)
language plpgsql volatile security definer
set search_path = pg_catalog as $$
begin
  known := session = current_setting('marketflow.log_reader', true);
  if known is distinct from true then
    known := false;
    perform set_config('marketflow.log_reader', session, false);
  end if;
  settled := known and (marked_xid is null or marked_xid <= pg_snapshot_xmin(pg_current_snapshot()));
  drawn := coalesce(pg_sequence_last_value('events.log_position_seq'), 0);
  if drawn > marked_position and (settled or not known) then mark := pg_current_xact_id(); end if;
end
$$;

-- Counted up by whoever takes a lane, under its lock: what an owner that has lost it still sends moves nothing.
alter table events.cursors add column epoch bigint not null default 0;

/*
  Moves a consumer's cursor, in the commit of what it handled, where it still stands at the position from which was
  read; false where it does not: somebody else has handled that already. A consumer begins at position 0.
*/
create function events.move_cursor(consumer text, lane integer, from_position bigint, to_position bigint)
returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog as $$
begin
  if to_position < from_position then
    raise exception 'a cursor moves forward, not from % to %', from_position, to_position
      using errcode = 'invalid_parameter_value';
  end if;
  update events.cursors c
  set position = to_position, updated_at = now()
  where c.consumer = move_cursor.consumer and c.lane = move_cursor.lane and c.position = from_position;
  if found then return true; end if;
  if from_position <> 0 then return false; end if;
  insert into events.cursors as c (consumer, lane, position)
  values (move_cursor.consumer, move_cursor.lane, to_position)
  on conflict on constraint cursors_pkey do nothing;
  return found;
end
$$;

-- A consumer that is no more holds back no month. For the owner: whoever comes by that name later begins at position 0.
create function events.forget_cursor(consumer text) returns void
language sql volatile security definer
set search_path = pg_catalog
begin atomic
  delete from events.cursors c where c.consumer = forget_cursor.consumer;
end;

-- What a consumer has handled of each category, counted in the commit that moved its cursor.
create table events.published (
  consumer text    not null,
  lane     integer not null,
  category text    not null,
  events   bigint  not null check (events >= 0),
  primary key (consumer, lane, category)
-- Each page changes all of its rows: they find room on their own page.
) with (fillfactor = 20);

-- Streams of which an event was refused for good: from that event on nothing of the stream was published.
create table events.parked (
  consumer    text        not null,
  stream      uuid        not null,
  lane        integer     not null,
  -- Its first event that is not published.
  position    bigint      not null,
  version     integer     not null,
  category    text        not null,
  type        text        not null,
  reason      text        not null,
  parked_at   timestamptz not null default now(),
  -- Set by a person: the lane's owner publishes what was withheld, from there on.
  released_at timestamptz,
  released_by text,
  -- Why the first event is to be passed over; null: it is tried again.
  skip_reason text,
  primary key (consumer, stream),
  check ((released_at is null) = (released_by is null)),
  check (skip_reason is null or released_at is not null)
);
-- Asked for every second by the owners, and empty nearly always.
create index parked_released on events.parked (consumer, lane, released_at) where released_at is not null;
create index parked_of_lane on events.parked (consumer, lane);

-- Events that a person had passed over: they count as handled, and were never published.
create table events.skipped (
  consumer   text        not null,
  position   bigint      not null,
  stream     uuid        not null,
  version    integer     not null,
  category   text        not null,
  type       text        not null,
  -- Why it was refused, and why it was passed over.
  refusal    text        not null,
  reason     text        not null,
  actor      text        not null,
  skipped_at timestamptz not null default now(),
  primary key (consumer, position)
);

revoke execute on function events.settle, events.move_cursor, events.forget_cursor from public;
grant execute on function events.settle, events.move_cursor to marketflow_app;
grant select on events.tallies, events.tally_progress to marketflow_app;
grant select, insert, update on events.published to marketflow_app;
grant select, insert, update, delete on events.parked to marketflow_app;
grant select, insert on events.skipped to marketflow_app;
