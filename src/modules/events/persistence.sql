/* @name readStream */
select stream_version as "version!", type as "type!", data as "data!", recorded_at as "recordedAt!"
from events.log
where stream = :stream!
order by stream_version
limit :limit!::integer;
