drop function events.log_name;
drop table events.identity;
