/* @name readCursor */
select c.position as "position!" from events.cursors c where c.consumer = :consumer! and c.lane = :lane!::integer;

/*
  Makes the lane's cursor this owner's: what an earlier owner still sends has a lower epoch, and moves nothing. The
  owner holds the lane's lock, so that there is one at a time.
*/
/* @name takeLane */
insert into events.cursors as c (consumer, lane, position, epoch)
values (:consumer!, :lane!::integer, 0, 1)
on conflict (consumer, lane) do update set epoch = c.epoch + 1
returning c.position as "position!", c.epoch as "epoch!", events.log_name() as "logName!";

/* @name readParkedStreams */
select p.stream as "stream!", p.position as "position!"
from events.parked p
where p.consumer = :consumer! and p.lane = :lane!::integer;

/*
  Parks streams before what comes after them is published, as long as the lanes are this owner's: a broker that drops
  what is below the last number it has seen would drop the refused event, should it be taken at a second try. The lock
  lets nobody take a lane meanwhile, who would not know of the stream. One that is parked already was so by this
  statement, the answer to which was lost, or further on; what was decided about another event is void.
*/
/* @name parkStreams */
insert into events.parked as p (consumer, stream, lane, position, version, category, type, reason)
select :consumer!, r.stream, r.lane, r.position, r.version, r.category, r.type, r.reason
from unnest(
  :streams!::uuid[], :lanes!::integer[], :epochs!::bigint[], :positions!::bigint[], :versions!::integer[],
  :categories!::text[], :types!::text[], :reasons!::text[]
) as r (stream, lane, epoch, position, version, category, type, reason)
join events.cursors c on c.consumer = :consumer! and c.lane = r.lane and c.epoch = r.epoch
for share of c
on conflict (consumer, stream) do update
set position = excluded.position, version = excluded.version, type = excluded.type, reason = excluded.reason,
    released_at = case when p.position = excluded.position then p.released_at end,
    released_by = case when p.position = excluded.position then p.released_by end,
    skip_reason = case when p.position = excluded.position then p.skip_reason end
where p.position >= excluded.position
returning p.stream as "stream!";

/*
  One page of every lane is done: the cursors move, what was published is counted, and streams are parked, in one
  commit and only for lanes that are still this owner's. It is not waited for on the disk: a crash of the database
  takes it back as a whole, and the events are published once more under the same positions. Without that wait it
  costs the payments nothing of their disk. A stream may be parked already, at an event of the same page that is no
  message: then it is from here on, and what was decided about the other event is void.
*/
/* @name advanceLanes */
with done as materialized (
  select d.* from unnest(:lanes!::integer[], :epochs!::bigint[], :froms!::bigint[], :tos!::bigint[])
    as d (lane, epoch, from_position, to_position)
), moved as (
  update events.cursors c
  set position = d.to_position, updated_at = now()
  from done d
  where c.consumer = :consumer! and c.lane = d.lane and c.epoch = d.epoch and c.position = d.from_position
  returning c.lane
), counted as (
  insert into events.published as p (consumer, lane, category, events)
  select :consumer!, n.lane, n.category, n.events
  from unnest(:countedLanes!::integer[], :countedCategories!::text[], :counts!::bigint[])
    as n (lane, category, events)
  join moved m on m.lane = n.lane
  on conflict (consumer, lane, category) do update set events = p.events + excluded.events
), parked as (
  insert into events.parked as p (consumer, stream, lane, position, version, category, type, reason)
  select :consumer!, r.stream, r.lane, r.position, r.version, r.category, r.type, r.reason
  from unnest(
    :parkedStreams!::uuid[], :parkedLanes!::integer[], :parkedPositions!::bigint[], :parkedVersions!::integer[],
    :parkedCategories!::text[], :parkedTypes!::text[], :reasons!::text[]
  ) as r (stream, lane, position, version, category, type, reason)
  join moved m on m.lane = r.lane
  on conflict (consumer, stream) do update
  set position = excluded.position, version = excluded.version, type = excluded.type, reason = excluded.reason,
      released_at = null, released_by = null, skip_reason = null
  where p.position > excluded.position
)
select m.lane as "lane!", set_config('synchronous_commit', 'off', true) as durability from moved m;

/* Those that their lane has come to: what is before a cursor is published as if nothing had been. */
/* @name readReleased */
select p.stream as "stream!", p.lane as "lane!", p.position as "position!", p.version as "version!",
       p.skip_reason as "skipReason"
from unnest(:lanes!::integer[], :cursors!::bigint[]) as l (lane, cursor)
cross join lateral (
  select r.* from events.parked r
  where r.consumer = :consumer! and r.lane = l.lane and r.released_at is not null
    and r.position <= l.cursor
  order by r.released_at
  limit :limit!::integer
) p;

/* What is there of a stream from one of its versions on. */
/* @name readWithheld */
select l.position as "position!", l.category as "category!", l.stream as "stream!", l.stream_version as "version!",
       l.type as "type!", l.data::text as "data!", l.traceparent, l.recorded_at as "recordedAt!"
from events.log l
where l.stream = :stream! and l.stream_version >= :fromVersion!::integer
order by l.stream_version
limit :limit!::integer;

/*
  Some of what was withheld of a released stream is published: the first of it may have been passed over. The stream
  stays parked where something of it is left (next_version), released still, or held again where that was refused
  (next_reason). Only as long as the lane is this owner's and stands where it stood.
*/
/* @name resumeStream */
with own as materialized (
  select c.lane from events.cursors c
  where c.consumer = :consumer! and c.lane = :lane!::integer and c.epoch = :epoch!::bigint
    and c.position = :cursor!::bigint
  for update
), released as materialized (
  select p.* from events.parked p join own o on o.lane = p.lane
  where p.consumer = :consumer! and p.stream = :stream!::uuid and p.position = :position!::bigint
    and p.released_at is not null
  for update of p
), passed_over as (
  insert into events.skipped (consumer, position, stream, version, category, type, refusal, reason, actor)
  select r.consumer, r.position, r.stream, r.version, r.category, r.type, r.reason, r.skip_reason, r.released_by
  from released r
  where :skipped!::boolean
), counted as (
  insert into events.published as p (consumer, lane, category, events)
  select r.consumer, r.lane, r.category, :count!::bigint from released r where :count! > 0
  on conflict (consumer, lane, category) do update set events = p.events + excluded.events
), ended as (
  delete from events.parked p using released r
  where p.consumer = r.consumer and p.stream = r.stream and :nextVersion::integer is null
), left_over as (
  update events.parked p
  set position = :nextPosition::bigint, version = :nextVersion, type = :nextType::text, skip_reason = null,
      reason = coalesce(:nextReason::text, p.reason),
      parked_at = case when :nextReason is null then p.parked_at else now() end,
      released_at = case when :nextReason is null then p.released_at end,
      released_by = case when :nextReason is null then p.released_by end
  from released r
  where p.consumer = r.consumer and p.stream = r.stream and :nextVersion is not null
)
select r.stream as "stream!" from released r;
