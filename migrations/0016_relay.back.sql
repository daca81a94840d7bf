drop table events.skipped, events.parked, events.published;
drop function events.forget_cursor, events.move_cursor, events.settle;
revoke select on events.tallies, events.tally_progress from marketflow_app;
alter table events.cursors drop column epoch;
