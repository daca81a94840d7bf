-- Money out: payouts to affiliates (pagos) and to sellers. States and events are in the words of the pagos contract.
create schema payouts;
grant usage on schema payouts to marketflow_app;

-- A file of payouts, up to 10,000 lines. Its payouts begin in the order of their lines.
create table payouts.batches (
  id              uuid        primary key,
  scope           text        not null,
  idempotency_key text        check (length(idempotency_key) between 1 and 255),
  fingerprint     bytea       not null,
  lines           integer     not null check (lines between 1 and 10000),
  -- The first line that has not begun. Lines are taken by moving it, in the commit that begins them, so that none
  -- begins twice whoever works on the batch.
  next_line       integer     not null default 1 check (next_line between 1 and lines + 1),
  -- The highest fence of a lock that this batch was worked on under: the holder of an older lock is refused.
  fence           bigint      not null default 0,
  traceparent     text,
  created_at      timestamptz not null,
  unique (scope, idempotency_key)
);
-- Those with lines that have not begun: few, however many there are.
create index batches_unfinished on payouts.batches (id) where next_line <= lines;

create table payouts.payouts (
  id                uuid        primary key,
  scope             text        not null,
  -- Null on a payout that was asked for without a key, and on those of a batch, whose line is their key.
  idempotency_key   text        check (length(idempotency_key) between 1 and 255),
  fingerprint       bytea,
  batch_id          uuid,
  line              integer,
  recipient_kind    text        not null check (recipient_kind in ('affiliate', 'seller')),
  recipient_id      text        not null check (length(recipient_id) between 1 and 255),
  amount_minor      bigint      not null check (amount_minor > 0),
  currency          text        not null,
  status            text        not null check (status in ('PENDIENTE', 'PROCESANDO', 'EXITOSO', 'FALLIDO')),
  gateway           text        not null,
  -- The gateway's id of the payout.
  gateway_reference text,
  failure_code      text,
  failure_message   text,
  traceparent       text,
  -- Counts its events.
  version           integer     not null default 0,
  created_at        timestamptz not null,
  -- When its money was reserved, and when it was settled: between them is what the gateway and we took.
  begun_at          timestamptz,
  processed_at      timestamptz,
  check ((status in ('EXITOSO', 'FALLIDO')) = (processed_at is not null)),
  check ((status = 'EXITOSO') = (gateway_reference is not null)),
  check ((status = 'FALLIDO') = (failure_message is not null))
-- No index has a column that a movement changes, and pages have room: every update stays on its page.
) with (fillfactor = 60);
create unique index payouts_of_key on payouts.payouts (scope, idempotency_key) where idempotency_key is not null;
create unique index payouts_of_batch on payouts.payouts (batch_id, line) where batch_id is not null;
-- The marketplace's lists. Payouts to affiliates, of which there are many, are read by their ids only and pay for
-- neither.
create index payouts_to_sellers on payouts.payouts (id) where recipient_kind = 'seller';
create index payouts_of_seller on payouts.payouts (recipient_id, id) where recipient_kind = 'seller';

-- The payouts that have begun and are not settled: a working list, so that finding them costs nothing later. A payout
-- is settled by removing it here, which only one can.
create table payouts.under_way (
  payout_id   uuid        primary key,
  -- The hold on the money; null where there was not enough of it: the payout is declined without asking the gateway.
  hold_id     bigint,
  tries       integer     not null,
  absences    integer     not null default 0,
  -- Until then the process that began it is expected to settle it; afterwards recovery may claim it.
  due_at      timestamptz not null,
  -- A person has to look: the gateway has not said for a day what became of it.
  parked      boolean     not null default false,
  last_error  text,
  accepted_at timestamptz not null
-- Rows come and go as fast as payouts do: what they leave is swept long before it is a fifth of anything.
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
create index under_way_due on payouts.under_way (due_at) where not parked;

grant select, insert, update on payouts.payouts, payouts.batches to marketflow_app;
grant select, insert, update, delete on payouts.under_way to marketflow_app;
