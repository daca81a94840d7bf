import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";

/** Kept in the file as `user_version`: files from before it was kept have 0. */
const schemaVersion = 2;

/**
 * The tables of the book. A failed intent can still be paid (a card that is declined and then accepted), and nothing
 * in the journal is unique: it must be able to witness what was charged or paid out twice.
 */
const tables = `
create table if not exists book (name text primary key, value text not null) strict, without rowid;

create table if not exists intents (
  n          integer primary key,
  attempt    text unique,
  payment_id text not null,
  reference  text,
  metadata   text,
  amount     integer not null,
  currency   text not null,
  capture    text not null check (capture in ('automatic', 'manual')),
  status     text not null check (status in ('pending', 'requires_capture', 'succeeded', 'failed', 'cancelled')),
  received   integer not null default 0,
  failure    text,
  plan       text,
  due_at     integer,
  created_at integer not null
) strict;
-- What the simulated buyer does next, read in pages by due_at.
create index if not exists intents_due on intents (due_at) where due_at is not null;

create table if not exists journal (
  n          integer primary key,
  kind       text not null check (kind in
               ('charge', 'refund', 'cancel', 'dispute', 'dispute_reversal', 'bill_payment', 'payout')),
  -- Null where money was paid out: no intent is behind it.
  intent     integer,
  -- The payment; of a payout, the payout.
  payment_id text not null,
  amount     integer not null,
  currency   text not null,
  at         integer not null,
  -- The number of the refund, of the dispute or of the disbursement that the line is about.
  source     integer,
  -- Who was paid; null where it is no payout.
  recipient  text
) strict;
create trigger if not exists journal_keeps_rows before delete on journal
begin select raise(abort, 'the journal is append-only'); end;
create trigger if not exists journal_keeps_values before update on journal
begin select raise(abort, 'the journal is append-only'); end;

create table if not exists events (
  n          integer primary key,
  intent     integer not null,
  type       text not null,
  status     text not null,
  received   integer not null,
  failure    text,
  created_at integer not null,
  tries      integer not null default 0,
  due_at     integer,
  delivered_at integer,
  -- The event's object as JSON where that is a charge or a dispute; the intent's follows from the columns above.
  object     text
) strict;
-- What is to be delivered, and also the lease of what is being delivered: a claim moves due_at into the future.
create index if not exists events_due on events (due_at) where due_at is not null;

create table if not exists refunds (
  n          integer primary key,
  intent     integer not null,
  amount     integer not null,
  reason     text,
  metadata   text not null,
  created_at integer not null,
  -- Null where the refund came over HTTP, whose idempotency keys are among the replies.
  attempt    text
) strict;
-- How much of an intent was given back.
create index if not exists refunds_of_intent on refunds (intent);
-- One attempt makes one refund.
create unique index if not exists refunds_of_attempt on refunds (attempt) where attempt is not null;

create table if not exists disputes (
  n          integer primary key,
  intent     integer not null,
  amount     integer not null,
  status     text not null check (status in ('needs_response', 'won', 'lost')),
  created_at integer not null
) strict;
-- What a dispute holds back of an intent, and the one that is to be closed.
create index if not exists disputes_of_intent on disputes (intent);

-- Bills that were paid and payouts that were made, and those that were declined: each attempt was decided once.
create table if not exists disbursements (
  n          integer primary key,
  -- Null where it came over HTTP, whose idempotency keys are among the replies.
  attempt    text unique,
  kind       text not null check (kind in ('bill_payment', 'payout')),
  -- The payment whose bill it is, or the payout.
  subject    text not null,
  recipient  text,
  reference  text,
  amount     integer not null,
  currency   text not null,
  -- Why it was declined; null where it was paid.
  failure    text,
  message    text,
  -- As JSON; null where it did not come over HTTP.
  metadata   text,
  created_at integer not null
) strict;
-- The transfers of one group: only HTTP lists them, and only what came over HTTP pays for the index.
create index if not exists transfers_of_group on disbursements (subject) where metadata is not null;

-- What the HTTP stand-in answered, by idempotency key.
create table if not exists replies (
  key         text primary key,
  fingerprint text not null,
  status      integer not null,
  body        text not null,
  created_at  integer not null
) strict, without rowid;
`;

/** Makes room for today's journal, whose checks are others than they were: a check cannot be changed. */
const makeRoom = `
drop trigger journal_keeps_rows;
drop trigger journal_keeps_values;
alter table journal rename to journal_before;
`;
const moveJournal = `
insert into journal (n, kind, intent, payment_id, amount, currency, at, source)
select n, kind, intent, payment_id, amount, currency, at, source from journal_before order by n;
drop table journal_before;
`;
/**
 * Makes version 1 of version 0, once there is room. Each refund was journalled as it was booked, so the n-th line of
 * that kind is about the n-th refund.
 */
const makeVersion1 = `
alter table events add column object text;
alter table refunds add column attempt text;
alter table journal_before add column source integer;
update journal_before set source = refund.n
  from (select n, row_number() over (order by n) as nth from journal_before where kind = 'refund') line
  join (select n, row_number() over (order by n) as nth from refunds) refund on refund.nth = line.nth
 where journal_before.n = line.n;
`;

/** Makes the tables, or makes those of an earlier version today's. Runs inside a transaction. */
function bringUpToDate(database: DatabaseSync): void {
  const { user_version: version } = database.prepare("pragma user_version").get() as { user_version: number };
  if (version > schemaVersion) throw new Error(`the book is of version ${version}, and this is for ${schemaVersion}`);
  const isOld = version < schemaVersion && database.prepare("select 1 from sqlite_schema where name = 'journal'").get();
  if (isOld) database.exec(makeRoom);
  if (isOld && version === 0) database.exec(makeVersion1);
  database.exec(tables);
  if (isOld) database.exec(moveJournal);
  database.exec(`pragma user_version = ${schemaVersion}`);
}

/** How long another process may hold the book. */
const patienceMs = 5_000;
const sqliteBusy = 5;

/**
 * Of two processes that open a new book at once, or one that was just killed, SQLite tells the second that it is locked
 * without waiting for it, whatever its timeout says (sqlite.org/pragma.html#pragma_journal_mode): it is asked again.
 */
function useWriteAheadLog(database: DatabaseSync): void {
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    try {
      database.exec("pragma journal_mode = wal");
      return;
    } catch (error) {
      const isBusy = error instanceof Error && "errcode" in error && error.errcode === sqliteBusy;
      if (!isBusy || performance.now() > untilMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

/**
 * Opens the book's database, which several processes may share, and makes it where it is not there yet; a book of an
 * earlier version is brought up to date. Throws where the file cannot be opened, is not a database, or is a book of
 * a later version.
 */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: patienceMs });
  try {
    useWriteAheadLog(database);
    database.exec("pragma synchronous = normal; pragma wal_autocheckpoint = 4000");
    database.exec("begin immediate");
    bringUpToDate(database);
    database.exec("commit");
    const tag = randomBytes(5).readUIntBE(0, 5).toString(36).padStart(8, "0");
    database.prepare("insert into book (name, value) values ('tag', ?) on conflict do nothing").run(tag);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
