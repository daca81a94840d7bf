drop table payouts.statement_totals;
drop table payouts.statement_lines;
drop function events.forget_receipts(timestamptz, integer);
drop function events.receive(text, uuid[]);
drop table events.inbox;
