create schema reconciliation;
grant usage on schema reconciliation to marketflow_app;

-- One comparison of a gateway's report with our clearing account, over one period. Every step of it is one statement
-- that is guarded by where the run stands, so that a step is done once however often and by whomever it is begun.
create table reconciliation.runs (
  -- uuidv7: lists page by it.
  id                   uuid        primary key,
  gateway              text        not null,
  source               text        not null check (source in ('gateway', 'file')),
  -- [from, to); null until the file has been read whose lines say it.
  period_from          timestamptz,
  period_to            timestamptz,
  -- How far around the period counterparts are looked for.
  tolerance_ms         bigint      not null check (tolerance_ms >= 0),
  -- receiving: a file is being read. discarded: it was bad or its upload broke off, and nothing of it is kept.
  status               text        not null
    check (status in ('receiving', 'discarded', 'running', 'completed', 'failed')),
  -- What comes next: the file's lines or the gateway's, the ledger's, the comparison; where that came to nothing, the
  -- removal of the lines.
  step                 text        not null check (step in ('receive', 'gateway', 'ledger', 'match', 'clear', 'done')),
  -- Where the step goes on: the page that comes next, null for the first one.
  cursor               text,
  -- The first bucket that is not compared yet.
  next_bucket          integer     not null default 0,
  -- Since it last got on.
  tries                integer     not null default 0,
  -- Until then the process that works on it is expected to get on; afterwards another one may take it over.
  due_at               timestamptz not null,
  gateway_lines        bigint      not null default 0,
  ledger_lines         bigint      not null default 0,
  -- Lines of the file that are about no payment: fees, payouts.
  ignored_lines        bigint      not null default 0,
  matched              bigint      not null default 0,
  missing_here         bigint      not null default 0,
  missing_at_gateway   bigint      not null default 0,
  amount_differs       bigint      not null default 0,
  currency_differs     bigint      not null default 0,
  duplicate_at_gateway bigint      not null default 0,
  duplicate_here       bigint      not null default 0,
  resolved             bigint      not null default 0,
  failure_code         text,
  failure_message      text,
  created_at           timestamptz not null default now(),
  completed_at         timestamptz,
  check (period_from < period_to),
  check (status = 'receiving' or status = 'discarded' or period_from is not null)
);

-- What the background work looks at: only what is under way.
create index runs_open on reconciliation.runs (due_at) where step <> 'done';

-- Both sides of a run until they are compared. All lines of one gateway object are in one bucket, so that the buckets
-- can be compared one after another, in any number at a time.
create table reconciliation.lines (
  run_id         uuid        not null,
  bucket         smallint    not null,
  side           text        not null check (side in ('gateway', 'ledger')),
  kind           text        not null check (kind in ('charge', 'refund', 'dispute', 'dispute_reversal')),
  -- What both sides call it: the intent of a charge, the refund or the dispute otherwise.
  gateway_id     text        not null,
  -- Minor units in the direction of the kind: positive as a rule, whichever way the money moved.
  amount         bigint      not null,
  currency       text        not null,
  occurred_at    timestamptz not null,
  -- A correction of another line (what a partial capture did not take) and no line of its own.
  is_part        boolean     not null default false,
  -- The line's id at the gateway, or our transaction's.
  line_id        text        not null
) with (autovacuum_vacuum_scale_factor = 0.05);

-- The comparison and the removal of a run walk its buckets in order.
create index lines_of_run on reconciliation.lines (run_id, bucket);

-- What did not agree. Never changed: what became of it is a row of its own.
create table reconciliation.exceptions (
  run_id              uuid    not null references reconciliation.runs,
  number              integer not null check (number > 0),
  reason              text    not null check (reason in (
    'missing_here', 'missing_at_gateway', 'amount_differs', 'currency_differs', 'duplicate_at_gateway', 'duplicate_here'
  )),
  kind                text    not null,
  gateway_id          text    not null,
  -- The gateway's side: how many lines, what they add up to, and some of their ids.
  gateway_count       integer not null,
  gateway_amount      bigint,
  gateway_currency    text,
  gateway_occurred_at timestamptz,
  gateway_line_ids    text[]  not null,
  -- Ours, likewise; the ids are transactions of the ledger.
  ledger_count        integer not null,
  ledger_amount       bigint,
  ledger_currency     text,
  ledger_occurred_at  timestamptz,
  ledger_line_ids     text[]  not null,
  -- The other side's line may be in the report before or after this one.
  at_border           boolean not null,
  primary key (run_id, number)
);

-- Exceptions of one reason, in pages.
create index exceptions_by_reason on reconciliation.exceptions (run_id, reason, number);

-- How an exception was resolved, once. Append-only.
create table reconciliation.resolutions (
  run_id         uuid        not null,
  number         integer     not null,
  note           text        not null check (length(note) between 1 and 2000),
  posting        text        not null check (posting in ('none', 'suggested', 'custom')),
  -- The ledger's transaction.
  transaction_id text,
  resolved_by    text        not null,
  resolved_at    timestamptz not null default now(),
  primary key (run_id, number),
  foreign key (run_id, number) references reconciliation.exceptions,
  check ((posting = 'none') = (transaction_id is null))
);

-- What resolutions posted to the clearing account, so that a later run over the same lines finds them even.
-- Append-only.
create table reconciliation.corrections (
  run_id     uuid     not null,
  number     integer  not null,
  gateway    text     not null,
  bucket     smallint not null,
  kind       text     not null,
  gateway_id text     not null,
  -- As in lines.
  amount     bigint   not null,
  currency   text     not null,
  primary key (run_id, number, currency),
  foreign key (run_id, number) references reconciliation.resolutions
);

-- A comparison looks its buckets' corrections up.
create index corrections_of_gateway on reconciliation.corrections (gateway, bucket);

-- Resolutions under way: written before the ledger hears of a posting and removed with the resolution's row, so that a
-- process that dies between the two leaves the work to another, and nobody can resolve otherwise meanwhile.
create table reconciliation.open_resolutions (
  run_id      uuid        not null,
  number      integer     not null,
  note        text        not null,
  posting     text        not null,
  -- The transaction's legs, none where nothing is posted: [{"account", "amount_minor", "currency"}].
  legs        jsonb       not null,
  resolved_by text        not null,
  due_at      timestamptz not null,
  primary key (run_id, number),
  foreign key (run_id, number) references reconciliation.exceptions
);

-- Lines are spread over 1,024 buckets by what they are compared by.
create function reconciliation.bucket_of(kind text, gateway_id text) returns smallint
language sql immutable parallel safe
return (hashtextextended(kind || ' ' || gateway_id, 0) & 1023)::smallint;

revoke execute on function reconciliation.bucket_of from public;
grant execute on function reconciliation.bucket_of to marketflow_app;
grant select, insert, update, delete on reconciliation.runs to marketflow_app;
grant select, insert, delete on reconciliation.lines, reconciliation.open_resolutions to marketflow_app;
grant update (due_at) on reconciliation.open_resolutions to marketflow_app;
grant select, insert on reconciliation.exceptions, reconciliation.resolutions, reconciliation.corrections
  to marketflow_app;
