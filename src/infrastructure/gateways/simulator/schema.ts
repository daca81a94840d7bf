import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";

/**
 * The tables of the book. A failed intent can still be paid (a card that is declined and then accepted), and nothing
 * in the journal is unique: it must be able to witness a payment that was charged twice.
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
  kind       text not null check (kind in ('charge', 'refund', 'cancel')),
  intent     integer not null,
  payment_id text not null,
  amount     integer not null,
  currency   text not null,
  at         integer not null
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
  delivered_at integer
) strict;
-- What is to be delivered, and also the lease of what is being delivered: a claim moves due_at into the future.
create index if not exists events_due on events (due_at) where due_at is not null;

create table if not exists refunds (
  n          integer primary key,
  intent     integer not null,
  amount     integer not null,
  reason     text,
  metadata   text not null,
  created_at integer not null
) strict;
create index if not exists refunds_of_intent on refunds (intent);

-- What the HTTP stand-in answered, by idempotency key.
create table if not exists replies (
  key         text primary key,
  fingerprint text not null,
  status      integer not null,
  body        text not null,
  created_at  integer not null
) strict, without rowid;
`;

/**
 * Opens the book's database, which several processes may share, and makes it where it is not there yet. Every commit
 * is on the disk when it returns. Throws where the file cannot be opened or is not a database.
 */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5000 });
  try {
    database.exec("pragma journal_mode = wal; pragma synchronous = normal; pragma wal_autocheckpoint = 4000");
    database.exec(`begin immediate; ${tables} commit`);
    const tag = randomBytes(5).readUIntBE(0, 5).toString(36).padStart(8, "0");
    database.prepare("insert into book (name, value) values ('tag', ?) on conflict do nothing").run(tag);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
