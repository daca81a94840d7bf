/* What a consumer's lanes have done, and who owns them: the locks are those of whoever takes lanes. */
/* @name listLanes */
select l.lane as "lane!", coalesce(c.position, 0) as "position!",
       coalesce((select sum(p.events) from events.published p where p.consumer = :consumer! and p.lane = l.lane), 0)
         ::bigint as "published!",
       (select count(*) from events.parked p where p.consumer = :consumer! and p.lane = l.lane) as "parked!",
       c.updated_at as "movedAt?",
       (
         select k.pid from pg_locks k
         where k.locktype = 'advisory' and k.objsubid = 2 and k.granted and k.mode = 'ExclusiveLock'
           and k.classid = hashtext('marketflow ' || :consumer!)::oid and k.objid = l.lane
           and k.database = (select d.oid from pg_database d where d.datname = current_database())
         limit 1
       ) as "ownerPid?",
       next.recorded_at as "oldestPending?"
from generate_series(0, :lanes!::integer - 1) as l (lane)
left join events.cursors c on c.consumer = :consumer! and c.lane = l.lane
left join lateral (
  -- The first that it has before it. Nothing is far behind a cursor that moves.
  select e.recorded_at from events.log e
  where e.position > coalesce(c.position, 0) and get_byte(uuid_send(e.stream), 15) & 7 = l.lane
  order by e.position
  limit 1
) next on true
order by l.lane;

/* Categories that were tallied, and those of the events that are not yet. */
/* @name listCategories */
select n.category as "category!", events.count_of(n.category) as "total!",
       coalesce((
         select sum(p.events) from events.published p where p.consumer = :consumer! and p.category = n.category
       ), 0)::bigint as "published!",
       (select count(*) from events.parked p where p.consumer = :consumer! and p.category = n.category) as "parked!",
       (select count(*) from events.skipped s where s.consumer = :consumer! and s.category = n.category) as "skipped!"
from (
  select t.category from events.tallies t
  union
  select l.category from events.log l where l.position > (select p.counted_to from events.tally_progress p)
) n
order by n.category;

/* The last position that was drawn: no mark is left behind a position that there never is. */
/* @name readDrawn */
select s.drawn as "drawn!" from events.settle('', 9223372036854775807, null) s;

/* Each is looked up by its keys, whatever the tables' sizes. */
/* @name listParked */
with page as materialized (
  select p.* from events.parked p
  where p.consumer = :consumer! and (:stream::uuid is null or p.stream = :stream)
  order by p.parked_at, p.stream
  limit :limit!::integer
)
select p.stream as "stream!", p.lane as "lane!", p.position as "position!", p.version as "version!",
       p.category as "category!", p.type as "type!", p.reason as "reason!", p.parked_at as "parkedAt!",
       p.released_at as "releasedAt", p.released_by as "releasedBy", p.skip_reason as "skipReason",
       first.recorded_at as "recordedAt?",
       (
         select count(*) from events.log l
         where l.stream = p.stream and l.stream_version >= p.version
           and l.position <= coalesce(
             (select c.position from events.cursors c where c.consumer = p.consumer and c.lane = p.lane), 0
           )
       ) as "withheld!"
from page p
left join lateral (
  select l.recorded_at from events.log l where l.stream = p.stream and l.stream_version = p.version offset 0
) first on true
order by p.parked_at, p.stream;

/* Releases what is parked: one stream, or all of them. */
/* @name releaseParked */
update events.parked p
set released_at = now(), released_by = :actor!, skip_reason = :skipReason
where p.consumer = :consumer! and (:stream::uuid is null or p.stream = :stream) and p.released_at is null
returning p.stream as "stream!";

/* @name readLogged */
select l.position as "position!", l.category as "category!", l.stream as "stream!", l.stream_version as "version!",
       l.type as "type!", l.data::text as "data!", l.traceparent, l.recorded_at as "recordedAt!"
from events.log l
where l.stream = coalesce(:stream::uuid, (select e.stream from events.log e where e.position = :position::bigint))
  and (:position::bigint is null or l.position = :position)
order by l.stream_version
limit :limit!::integer;

/* @name readSkipped */
select s.position as "position!", s.refusal as "refusal!", s.reason as "reason!", s.actor as "actor!",
       s.skipped_at as "skippedAt!"
from events.skipped s
where s.consumer = :consumer! and s.position = any (:positions!::bigint[]);

/* @name readStreamCursor */
select c.position as "position!" from events.cursors c
where c.consumer = :consumer! and c.lane = get_byte(uuid_send(:stream!::uuid), 15) & 7;
