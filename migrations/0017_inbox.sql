-- What consumers of published events have taken: a broker delivers at least once, and this makes it once in effect.
-- A row is written in the commit of what the event does, by events.receive.
create table events.inbox (
  consumer    text        not null,
  event_id    uuid        not null,
  received_at timestamptz not null default now(),
  primary key (consumer, event_id)
);
-- The oldest are removed first, a page at a time.
create index inbox_by_age on events.inbox (received_at);

/*
  Takes the ids that the consumer has not taken before and returns them, each once. Another transaction that is taking
  one of them is waited for. In the order of the ids, by everybody: two consumers that are given the same batch wait
  for each other instead of deadlocking.
*/
create function events.receive(consumer text, event_ids uuid[]) returns setof uuid
language sql volatile security definer
set search_path = pg_catalog
begin atomic
  insert into events.inbox (consumer, event_id)
  select distinct receive.consumer, e.id from unnest(receive.event_ids) as e (id)
  order by e.id
  on conflict (consumer, event_id) do nothing
  returning event_id;
end;

/*
  Removes so many of the receipts from before a time, oldest first, and returns how many it removed. By their places:
  a receipt is never updated, so a place that was found is that receipt's until it is removed.
*/
create function events.forget_receipts(before timestamptz, most integer) returns bigint
language sql volatile security definer
set search_path = pg_catalog set enable_seqscan = off
begin atomic
  with removed as (
    delete from events.inbox i
    where i.ctid = any (
      array(select o.ctid from events.inbox o where o.received_at < before order by o.received_at limit most)
    )
    returning 1
  )
  select count(*) from removed;
end;

revoke execute on function events.receive, events.forget_receipts from public;
grant execute on function events.receive, events.forget_receipts to marketflow_app;
grant select on events.inbox to marketflow_app;

-- The affiliates' statement: what each was paid, and what was not paid to them, as the published events of pagos say.
-- Events carry no scope, so neither do these.
create table payouts.statement_lines (
  -- A pago ends once: whatever is delivered again, however late, is no second line.
  pago_id         uuid        primary key,
  affiliate_id    text        not null check (length(affiliate_id) between 1 and 255),
  currency        text        not null,
  status          text        not null check (status in ('EXITOSO', 'FALLIDO')),
  amount_minor    bigint      not null check (amount_minor > 0),
  reference       text        not null,
  failure_message text,
  -- The event's time, which has milliseconds.
  processed_at    timestamptz not null,
  check ((status = 'FALLIDO') = (failure_message is not null))
);
-- A page of a statement, newest first, in one currency; a statement in all of them merges theirs.
create index statement_lines_of_affiliate
  on payouts.statement_lines (affiliate_id, currency, processed_at, pago_id);

-- The sums of the lines, moved in the commit of the lines.
create table payouts.statement_totals (
  affiliate_id  text        not null,
  currency      text        not null,
  paid_minor    bigint      not null check (paid_minor >= 0),
  succeeded     bigint      not null,
  failed        bigint      not null,
  last_paid_at  timestamptz,
  last_event_at timestamptz not null,
  primary key (affiliate_id, currency)
-- A hot affiliate's row is updated by every batch, on its page: no index has a column that changes.
) with (fillfactor = 50);

grant select, insert on payouts.statement_lines to marketflow_app;
grant select, insert, update on payouts.statement_totals to marketflow_app;
