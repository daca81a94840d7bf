create schema webhooks;
grant usage on schema webhooks to marketflow_app;

-- Where integrators take events. One that is removed stays until its deliveries are forgotten, so that they can be
-- read.
create table webhooks.endpoints (
  id              uuid        primary key,
  url             text        not null,
  -- What it is sent: types, beginnings of types ("payment.*") or everything ("*").
  event_types     text[]      not null check (cardinality(event_types) > 0),
  description     text,
  enabled         boolean     not null default true,
  disabled_reason text        check (disabled_reason in ('request', 'gone', 'failing')),
  disabled_at     timestamptz,
  -- When the first delivery failed after the last one that arrived; null while they arrive.
  failing_since   timestamptz,
  -- By the clock that events are recorded with: it is sent none from before.
  created_at      timestamptz not null default clock_timestamp(),
  updated_at      timestamptz not null default clock_timestamp(),
  deleted_at      timestamptz,
  check (enabled = (disabled_reason is null)),
  check (enabled = (disabled_at is null))
);

-- What deliveries are signed with. They are kept as they are, because signing needs them; no statement that answers a
-- request reads them. The current one has no end, those before it sign beside it until theirs.
create table webhooks.secrets (
  endpoint_id uuid        not null references webhooks.endpoints on delete cascade,
  number      integer     not null check (number > 0),
  secret      text        not null,
  expires_at  timestamptz,
  primary key (endpoint_id, number)
);
create unique index secrets_current on webhooks.secrets (endpoint_id) where expires_at is null;

-- What is sent: the same bytes at every try and to everybody, whatever becomes of the log's partitions and of the code
-- that wrote them. Only of events that some endpoint takes.
create table webhooks.messages (
  -- The webhook-id, by which receivers know what they have.
  event_id uuid not null primary key,
  -- Null for a test, which no event stands behind.
  position bigint,
  type     text not null,
  payload  text not null
);

create table webhooks.deliveries (
  -- uuidv7: lists page by it, and its time is when the delivery was decided on.
  id              uuid        primary key,
  endpoint_id     uuid        not null references webhooks.endpoints,
  event_id        uuid        not null references webhooks.messages,
  type            text        not null,
  status          text        not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
  -- When it is tried next; while it is being tried, when whoever tries it is given up.
  due_at          timestamptz,
  leased_until    timestamptz,
  -- Counts who has tried it, so that one that was given up cannot say any more what became of it.
  claim           integer     not null default 0,
  -- Since it was decided on or replayed; what the schedule goes by.
  tries           integer     not null default 0,
  attempts        integer     not null default 0,
  ended_at        timestamptz,
  check ((status = 'pending') = (due_at is not null)),
  check (status = 'pending' or leased_until is null),
  -- One for each event, however often it is fanned out.
  unique (event_id, endpoint_id)
);

-- What senders look at: only what is to be sent, by endpoint, so that a long queue of one hides nobody else's.
create index deliveries_due on webhooks.deliveries (endpoint_id, due_at) where status = 'pending';
-- An endpoint's log, of one state or merged of all three.
create index deliveries_log on webhooks.deliveries (endpoint_id, status, id);

-- Each try of a delivery and what was answered.
create table webhooks.attempts (
  delivery_id uuid        not null references webhooks.deliveries on delete cascade,
  number      integer     not null check (number > 0),
  at          timestamptz not null,
  status_code integer,
  duration_ms integer     not null check (duration_ms >= 0),
  -- Null where the endpoint took it.
  error       text,
  -- The answer's beginning.
  answer      text,
  primary key (delivery_id, number)
);

/*
  Registers an endpoint with its first secret; false where there are as many as there may be. The lock makes those who
  register at the same time count one after the other, because each statement in here sees what was committed before.
*/
create function webhooks.add_endpoint(
  id uuid, url text, event_types text[], description text, secret text, most integer
) returns boolean language plpgsql volatile set search_path = pg_catalog as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('webhooks.endpoints', 0));
  if (select count(*) from webhooks.endpoints e where e.deleted_at is null) >= most then return false; end if;
  insert into webhooks.endpoints (id, url, event_types, description) values (id, url, event_types, description);
  insert into webhooks.secrets (endpoint_id, number, secret) values (id, 1, secret);
  return true;
end
$$;

/*
  Gives an endpoint another secret; those before it sign on until the given time, where they did not end before. False
  where there is no such endpoint. Two rotations at the same time come one after the other, by the endpoint's lock.
*/
create function webhooks.rotate_secret(
  endpoint uuid, new_secret text, at timestamptz, until timestamptz
) returns boolean language plpgsql volatile set search_path = pg_catalog as $$
declare
  latest integer;
begin
  perform from webhooks.endpoints e where e.id = endpoint and e.deleted_at is null for update;
  if not found then return false; end if;
  update webhooks.secrets s set expires_at = least(s.expires_at, until) where s.endpoint_id = endpoint;
  delete from webhooks.secrets s where s.endpoint_id = endpoint and s.expires_at <= at;
  select coalesce(max(s.number), 0) into latest from webhooks.secrets s where s.endpoint_id = endpoint;
  insert into webhooks.secrets (endpoint_id, number, secret) values (endpoint, latest + 1, new_secret);
  update webhooks.endpoints e set updated_at = clock_timestamp() where e.id = endpoint;
  return true;
end
$$;

revoke execute on function webhooks.add_endpoint, webhooks.rotate_secret from public;
grant execute on function webhooks.add_endpoint, webhooks.rotate_secret to marketflow_app;
grant select, insert, update, delete
  on webhooks.endpoints, webhooks.secrets, webhooks.messages, webhooks.deliveries, webhooks.attempts to marketflow_app;

-- Nobody has registered an endpoint yet, so what is in the log is for none: its fan-out begins at the end.
select events.move_cursor('webhooks', 0, 0, coalesce(pg_sequence_last_value('events.log_position_seq'), 0));
