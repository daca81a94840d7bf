/* @name readStream */
select stream_version as "version!", type as "type!", data as "data!", recorded_at as "recordedAt!"
from events.log
where stream = :stream!
order by stream_version
limit :limit!::integer;

/* What a consumer has handled is in one statement with what there is, so that it can never be more. */
/* @name readStatistics */
select events.count_of(:category!) as "total!",
       coalesce((select sum(c.handled) from events.cursors c where c.consumer = :consumer!), 0)::bigint as "handled!";

/* @name tallyEvents */
select events.tally(:most!::integer) as "left!";
