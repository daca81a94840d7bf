create schema payments;
grant usage on schema payments to marketflow_app;

create table payments.payments (
  -- uuidv7, so that the primary key is also the order of creation: lists page by it, inserts append to it.
  id                       uuid           primary key,
  -- Whose keys these are: the same idempotency key of two accounts is two keys.
  scope                    text           not null,
  idempotency_key          text           not null check (length(idempotency_key) between 1 and 255),
  -- SHA-256 of the canonical request, to tell a repeated request from a reused key.
  fingerprint              bytea          not null,
  amount                   decimal(19, 4) not null check (amount > 0),
  currency                 text           not null check (length(currency) = 3),
  status                   text           not null check (status in ('pending', 'succeeded', 'failed', 'cancelled')),
  capture                  text           not null check (capture in ('automatic', 'manual')),
  gateway                  text           not null,
  seller_id                text,
  reference                text,
  metadata                 jsonb          not null default '{}',
  failure_code             text,
  failure_message          text,
  -- W3C traceparent of the request, so that recovery and events continue its trace.
  traceparent              text,
  -- Counts the changes of this payment; the event log's stream_version.
  version                  integer        not null,
  created_at               timestamptz    not null,
  updated_at               timestamptz    not null,
  unique (scope, idempotency_key)
) with (fillfactor = 80, autovacuum_vacuum_insert_scale_factor = 0.05);

-- Finds the payments that did not go well among millions that did. Partial, so that the others pay nothing for it.
create index payments_not_succeeded on payments.payments (status, id) where status in ('failed', 'cancelled');

-- What we asked a gateway to do: committed before the gateway hears of it. The gateway's idempotency key is derived
-- from (payment_id, number), so a second try of an attempt can never charge again.
create table payments.attempts (
  -- No foreign key: the row is made by the very statement that makes the payment, and neither is ever deleted.
  payment_id   uuid        not null,
  number       integer     not null check (number > 0),
  operation    text        not null check (operation in ('create', 'cancel')),
  gateway      text        not null,
  -- open: not settled. parked: recovery gave up asking, a person must look.
  state        text        not null check (state in ('open', 'succeeded', 'declined', 'parked')),
  tries        integer     not null default 0,
  -- How often the gateway said that it never heard of the attempt, and then gave no answer to it either.
  absences     integer     not null default 0,
  -- Until then the process that accepted it is expected to settle it; afterwards recovery may claim it.
  due_at       timestamptz not null,
  -- What the gateway made of attempt 1, the creation. It is here and not in payments so that the answer of the gateway
  -- rewrites this small row and two indexes, and not the payment with all of its.
  stripe_payment_intent_id text,
  client_secret            text,
  last_error   text,
  accepted_at  timestamptz not null,
  settled_at   timestamptz,
  primary key (payment_id, number)
) with (fillfactor = 80);

-- Which payment an event of the gateway is about. Partial, so that an attempt enters it once, when it is settled.
create unique index attempts_intent on payments.attempts (stripe_payment_intent_id)
  where stripe_payment_intent_id is not null;

-- What recovery looks at: only what is under way, so it stays small however many payments there are.
create index attempts_open on payments.attempts (due_at) where state = 'open';

-- A payment has at most one cancellation under way.
create unique index attempts_one_open_cancel on payments.attempts (payment_id)
  where operation = 'cancel' and state = 'open';

-- Every webhook event that carried a good signature, once. The row and its effect are one commit.
create table payments.webhook_inbox (
  event_id     text        primary key,
  type         text        not null,
  intent_id    text,
  payment_id   uuid,
  -- As it came, not jsonb: jsonb refuses some texts that are valid JSON, and nothing searches in it.
  payload      json        not null,
  received_at  timestamptz not null default now(),
  -- Null while the event waits for a payment that is not here yet.
  processed_at timestamptz,
  disposition  text        not null
    check (disposition in ('applied', 'superseded', 'recorded', 'waiting', 'mismatched'))
);

create index webhook_inbox_payment on payments.webhook_inbox (payment_id) where payment_id is not null;
create index webhook_inbox_waiting on payments.webhook_inbox (received_at) where processed_at is null;

-- Events come in any order, so a payment's status only ever moves up this order: a late payment_failed does not undo
-- a success, and a success after a failure is the truth. The same order is `statusRank` in domain.ts.
create function payments.status_rank(status text) returns integer
language sql immutable parallel safe
return case status when 'pending' then 0 when 'failed' then 1 when 'cancelled' then 2 when 'succeeded' then 3 end;

grant select, insert, update on payments.payments, payments.attempts, payments.webhook_inbox to marketflow_app;
