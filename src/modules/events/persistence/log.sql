/* @name readStream */
select stream_version as "version!", type as "type!", data as "data!", recorded_at as "recordedAt!"
from events.log
where stream = :stream!
order by stream_version
limit :limit!::integer;

/* What a consumer has handled is in one statement with what there is, so that it can never be more. */
/* @name readStatistics */
select events.count_of(:category!) as "total!",
       coalesce((
         select sum(p.events) from events.published p where p.consumer = :consumer! and p.category = :category!
       ), 0)::bigint as "handled!";

/* @name tallyEvents */
select events.tally(:most!::integer) as "left!";

/* @name settleLog */
select s.known as "known!", s.settled as "settled!", s.drawn as "drawn!", s.mark
from events.settle(:session!::text, :markedPosition!::bigint, :markedXid::xid8) s;

/*
  One page of the log in the order of its positions: the rows of the lanes, how far the page reaches with the others in
  it, and which log it is of. The page ends after so many events, or after the one that makes it as large as that.
  Without an answer to "known" the session is another one than the horizon is of (see events.settle).
*/
/* @name readPage */
with page as materialized (
  select l.position, l.category, l.stream, l.stream_version, l.type, l.traceparent, l.recorded_at,
         l.data::text as data
  from events.log l
  where l.position > :after!::bigint and l.position <= :upTo!::bigint
  order by l.position
  limit :limit!::integer
), sized as materialized (
  select p.*, sum(length(p.data)) over (order by p.position) - length(p.data) as before from page p
), bound as (
  select max(s.position) as up_to,
         (select count(*) from page) >= :limit or count(*) < (select count(*) from page) as more,
         coalesce(:session!::text = current_setting('marketflow.log_reader', true), false) as known,
         events.log_name() as log_name
  from sized s where s.before < :bytes!::bigint
)
select b.known as "known!", b.log_name as "logName!", b.up_to as "upTo", b.more as "more!",
       s.position, s.category, s.stream, s.stream_version as "version", s.type, s.data, s.traceparent,
       s.recorded_at as "recordedAt"
from bound b
left join sized s on s.position <= b.up_to and get_byte(uuid_send(s.stream), 15) & 7 = any (:lanes!::integer[])
order by s.position;
