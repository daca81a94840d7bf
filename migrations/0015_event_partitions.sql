/*
  The log becomes partitions by stream. A stream is a uuidv7, which begins with the time when it began: a partition is
  a month of streams, each whole, however late its last event comes. So one event for each version of a stream holds
  over all of them (a unique key needs the partition's key in it), what a stream did is read from one of them, and an
  old month goes as a file and not row by row. docs/decisions/0013-event-log.md has the figures.
*/
lock table events.log in access exclusive mode;
alter table events.log rename to log_before;

/* The lowest uuidv7 of a moment: its milliseconds since 1970 in 48 bits, then zeros. */
create function events.lowest_stream(moment timestamptz) returns uuid
language sql immutable
return rpad(lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0'), 32, '0')::uuid;

/*
  A sequence of its own and no identity column, which a partitioned table may have from PostgreSQL 17 on only. It goes
  on where the other one stopped: cursors and tallies are positions. It must not cache, because positions of one stream
  are drawn in different sessions.
*/
do $$
declare
  drawn bigint;
begin
  drawn := pg_sequence_last_value('events.log_position_seq');
  alter table events.log_before alter column position drop identity;
  create sequence events.log_position_seq as bigint cache 1;
  if drawn is not null then perform setval('events.log_position_seq', drawn); end if;
end
$$;

create table events.log (
  position       bigint      not null default nextval('events.log_position_seq'),
  -- The transaction has its number before it draws a position (see events.append): so whoever reads the log knows
  -- which transactions can still put an event below a position.
  transaction_id xid8        not null default pg_current_xact_id(),
  category       text        not null,
  stream         uuid        not null,
  stream_version integer     not null constraint log_stream_version_check check (stream_version > 0),
  type           text        not null,
  data           jsonb       not null,
  traceparent    text,
  recorded_at    timestamptz not null default clock_timestamp()
) partition by range (stream);
alter sequence events.log_position_seq owned by events.log.position;
grant select on events.log to marketflow_app;

/*
  Streams that never end have uuids below those of any month, and a partition that is never dropped. What no other
  partition takes is in log_others, so that appending never fails for want of one: it is empty while months are made
  ahead, and it should be, because a new month is compared with every row in it.
*/
do $$
begin
  execute format(
    'create table events.log_endless partition of events.log for values from (minvalue) to (%L)',
    events.lowest_stream('2020-01-01 00:00:00+00')
  );
end
$$;
create table events.log_others partition of events.log default;

/*
  Makes the partition of a month (of UTC) and moves into it what log_others has of it, at most so many events: false
  where it is there already or there are more. Whoever appends to log_others or reads the log waits meanwhile: 20 ms for
  a month, and 7 us for each event that is moved. Nobody waits longer than the lock's timeout for it to begin.
*/
create function events.make_partition(month timestamp, most_moved integer) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog set lock_timeout = '200ms' as $$
declare
  partition  constant text := 'log_' || to_char(month, 'YYYY_MM');
  from_here  constant uuid := events.lowest_stream(month at time zone 'UTC');
  until_here constant uuid := events.lowest_stream((month + interval '1 month') at time zone 'UTC');
begin
  if to_regclass('events.' || partition) is not null then return false; end if;
  -- Who makes or drops partitions waits here for others who do, and looks again.
  lock table only events.log in share update exclusive mode;
  if to_regclass('events.' || partition) is not null then return false; end if;
  lock table events.log_others in access exclusive mode;
  if (
    select count(*) > most_moved
    from (select from events.log_others where stream >= from_here and stream < until_here limit most_moved + 1) o
  ) then
    raise warning 'events.log_others has more than % events of %: the owner of the schema can move them all',
      most_moved, partition;
    return false;
  end if;
  execute format(
    'create table events.%I (like events.log including defaults including constraints including indexes)', partition
  );
  -- Removed and inserted, and not copied and truncated: whoever reads by position with a snapshot from before sees each
  -- event once. (By their streams such a reader does not find them: that looks into the new partition only.)
  execute format(
    'with moved as (delete from events.log_others where stream >= $1 and stream < $2 returning *)
     insert into events.%I select * from moved', partition
  ) using from_here, until_here;
  execute format(
    'alter table events.log attach partition events.%I for values from (%L) to (%L)', partition, from_here, until_here
  );
  return true;
end
$$;

/* Makes this month's partition and those of so many months after it, 12 at most. Returns how many were missing. */
create function events.make_partitions(ahead integer) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog as $$
declare
  this_month constant timestamp := date_trunc('month', now() at time zone 'UTC');
  made       integer := 0;
begin
  for later in 0..least(ahead, 12) loop
    made := made + events.make_partition(this_month + make_interval(months => later), 20000)::integer;
  end loop;
  return made;
end
$$;

-- How long events are kept, which is for the owner of the schema to say: for ever, as it is.
create table events.retention (
  only_row boolean primary key default true check (only_row),
  -- So many months after the month in which a stream began, and after the last event of any stream of that month.
  months   integer check (months > 0)
);
insert into events.retention (months) values (null);

/*
  Whether nothing is lost to anybody where a partition goes: its last event is older than the horizon, is in the
  tallies, which stay, and is behind the cursors of everybody who follows the log; of the relay's there must be all 8.
  And no stream of it waits to be published once more. (events.parked is made by the next migration.)
*/
create function events.is_done_with(partition name, horizon timestamptz) returns boolean
language plpgsql stable
set search_path = pg_catalog set enable_seqscan = off as $$
declare
  month  constant timestamp := to_date(substr(partition, 5), 'YYYY_MM');
  newest record;
begin
  if exists (
    select from events.parked p
    where p.stream >= events.lowest_stream(month at time zone 'UTC')
      and p.stream < events.lowest_stream((month + interval '1 month') at time zone 'UTC')
  ) then
    return false;
  end if;
  execute format('select position, recorded_at from events.%I order by position desc limit 1', partition) into newest;
  if newest.position is null then return true; end if;
  return newest.recorded_at <= horizon
    and (select t.counted_to >= newest.position from events.tally_progress t)
    and (
      select count(*) filter (where c.consumer = 'relay') >= 8 and min(c.position) >= newest.position
      from events.cursors c
    );
end
$$;

/*
  Drops the oldest partition that the retention has done with, and returns its name; null where there is none. Those
  who append wait for it, some milliseconds: it begins at once or, after the lock's timeout, not this time.
*/
create function events.drop_partition() returns text
language plpgsql volatile security definer
set search_path = pg_catalog set lock_timeout = '200ms' as $$
declare
  horizon timestamptz;
  oldest  name;
begin
  select now() - make_interval(months => r.months) into horizon from events.retention r;
  if horizon is null then return null; end if;
  select c.relname into oldest
  from pg_inherits i join pg_class c on c.oid = i.inhrelid
  where i.inhparent = 'events.log'::regclass and c.relname ~ '^log_\d{4}_\d{2}$'
    and substr(c.relname, 5) < to_char(horizon at time zone 'UTC', 'YYYY_MM')
    and events.is_done_with(c.relname, horizon)
  order by c.relname
  limit 1;
  if oldest is null then return null; end if;
  lock table only events.log in access exclusive mode;
  -- Nobody is appending now; what happened in the meantime is seen.
  if to_regclass('events.' || oldest) is null or not events.is_done_with(oldest, horizon) then return null; end if;
  execute format('drop table events.%I', oldest);
  raise log 'events.% was dropped: it is older than the retention', oldest;
  return oldest;
end
$$;

revoke execute on function events.lowest_stream, events.make_partition, events.make_partitions, events.is_done_with,
  events.drop_partition from public;
grant execute on function events.make_partitions, events.drop_partition to marketflow_app;
grant select on events.retention to marketflow_app;

-- The months that there are streams of, from one to the next by the old table's key. A uuid of another kind (its
-- version is in the 15th character) has no time in it.
do $$
declare
  from_here uuid := events.lowest_stream('2020-01-01 00:00:00+00');
  began_ms  bigint;
  month     timestamp;
begin
  loop
    select ('x' || left(replace(b.stream::text, '-', ''), 12))::bit(48)::bigint into began_ms
    from events.log_before b
    where b.stream >= from_here and b.stream < events.lowest_stream(now() + interval '1 month')
      and substr(b.stream::text, 15, 1) = '7'
    order by b.stream
    limit 1;
    exit when began_ms is null;
    month := date_trunc('month', to_timestamp(began_ms / 1000) at time zone 'UTC');
    perform events.make_partition(month, 0);
    from_here := events.lowest_stream((month + interval '1 month') at time zone 'UTC');
  end loop;
  perform events.make_partitions(2);
end
$$;

-- About 5 us for each event, with the indexes that come afterwards.
insert into events.log select * from events.log_before order by position;

-- The functions that are bound to the table, as they were.
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
create or replace function events.count_of(category text) returns bigint
language sql stable security definer
set search_path = pg_catalog set enable_seqscan = off
begin atomic
  select coalesce((select t.events from events.tallies t where t.category = count_of.category), 0) + (
    select count(*) from events.log l
    where l.position > (select p.counted_to from events.tally_progress p) and l.category = count_of.category
  );
end;
drop table events.log_before;

/* The version of a stream's newest event; 0 where it has none. */
create function events.version_of(stream uuid) returns integer
language sql stable security definer
set search_path = pg_catalog set enable_seqscan = off
begin atomic
  select coalesce(max(l.stream_version), 0) from events.log l where l.stream = version_of.stream;
end;
revoke execute on function events.version_of from public;

-- One event for each version of a stream: two writers cannot both have made the same change.
alter table events.log add primary key (stream, stream_version);
-- The order in which the log is read. It is unique because the sequence is; an index over partitions cannot say so.
create index log_position_idx on events.log (position);
