-- One row: which log this is. A log that is made anew counts from the first position again.
create table events.identity (
  only_row boolean primary key default true check (only_row),
  id       uuid    not null default gen_random_uuid()
);
insert into events.identity default values;

/*
  The name under which a position is one event for ever, so that a broker can drop what it has by the position. A copy
  of the database has another oid or another cluster, and one that was restored to an earlier moment, or promoted
  without the last commits, has another timeline: positions are drawn there once more, for other events. Only a copy of
  the files that is started as it is (a disk's snapshot) has the same name. Whoever starts one gives it another id
  before the relay runs, or the broker drops what it has other events for:
  update events.identity set id = gen_random_uuid().
*/
create function events.log_name() returns text
language sql stable security definer
set search_path = pg_catalog
begin atomic
  select left(encode(sha256(convert_to(concat_ws(
    ' ', i.id, (select s.system_identifier from pg_control_system() s), d.oid,
    left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
  ), 'UTF8')), 'hex'), 16)
  from events.identity i join pg_database d on d.datname = current_database();
end;

revoke execute on function events.log_name from public;
grant execute on function events.log_name to marketflow_app;
