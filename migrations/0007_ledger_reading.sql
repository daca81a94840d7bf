set local role marketflow_ledger;

-- Lists of accounts go by code, byte by byte, so that a prefix is a range of the index in every database's collation.
create index accounts_by_code on ledger.accounts (tenant, code collate "C", currency collate "C");

-- The journal in the order of time, for exports of a period. One row for each batch, so that posting hardly feels it.
create index batches_by_time on ledger.batches (posted_at, id);

/* A moment as RFC 3339 in UTC, with all of its microseconds: what is shown can be asked for again, exactly. */
create function ledger.moment_text(moment timestamptz) returns text
language sql stable parallel safe
return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- What follows walks along indexes and reads no more than it returns, whatever the statistics say: left to itself the
-- planner sorts what is left of an account for each page of it (16 ms at 50 thousand entries, and rising), or keeps a
-- plan from when the tables were small, which reads all transactions for each page (450 ms at 60 thousand). At 10
-- million entries of one account a balance as of a posted time takes 0.3 ms, and a page of 100 entries 1 ms.

/*
  The version of an account's newest entry that was posted at or before a moment; 0 where there is none. Versions are
  gapless and their times never decrease, so this is a binary search: 24 look-ups in the primary key at 10 million
  entries.
*/
create function ledger.version_at(account bigint, moment timestamptz) returns bigint
language plpgsql stable
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  low    bigint := 0;
  high   bigint;
  middle bigint;
  newest timestamptz;
  at     timestamptz;
begin
  select b.version, b.posted_at into high, newest from ledger.balances b where b.account_id = account;
  if not found or high = 0 then return 0; end if;
  if newest <= moment then return high; end if;
  -- The entry `low` is at or before the moment (there is none 0), `high` is after it.
  while high - low > 1 loop
    middle := (low + high) / 2;
    select e.posted_at into at from ledger.entries e where e.account_id = account and e.version = middle;
    if at <= moment then low := middle; else high := middle; end if;
  end loop;
  return low;
end
$$;

/* An account's balance as of a posted time, on its normal side, and the version that left it there. */
create function ledger.balance_at(account bigint, moment timestamptz, out version bigint, out balance bigint)
language plpgsql stable
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  version := ledger.version_at(account, moment);
  select e.balance into balance from ledger.entries e where e.account_id = account and e.version = balance_at.version;
  balance := coalesce(balance, 0);
end
$$;

/*
  An account's balance as of an effective time: the one as of the same posted time, with the entries that were posted
  later and belong before it, and without those that were posted earlier and belong after it. Reads the account's
  entries that have an effective time of their own, which are few; the others take effect when they are posted.
*/
create function ledger.balance_effective_at(account bigint, moment timestamptz) returns bigint
language plpgsql stable
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  posted bigint := (ledger.balance_at(account, moment)).balance;
  late   numeric;
  early  numeric;
begin
  select sum(e.amount) into late from ledger.entries e
  where e.account_id = account and e.effective_at <= moment and e.posted_at > moment;
  select sum(e.amount) into early from ledger.entries e
  where e.account_id = account and e.effective_at > moment and e.posted_at <= moment;
  return posted + (
    select a.sign * (coalesce(late, 0) - coalesce(early, 0)) from ledger.accounts a where a.id = account
  );
end
$$;

/* A page of an account's entries with versions above `low` and up to `high`, from either end. */
create function ledger.entries_page(account bigint, low bigint, high bigint, backward boolean, most integer)
returns table (
  transaction_id bigint, leg smallint, kind text, reference text, external_id text, account_id bigint, currency text,
  amount bigint, balance bigint, version bigint, posted_at timestamptz, effective_at timestamptz
)
language plpgsql stable
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1 as $$
#variable_conflict use_column
begin
  if backward then
    return query
      select e.transaction_id, e.leg, t.kind, t.reference, t.external_id, e.account_id, e.currency, e.amount, e.balance,
             e.version, e.posted_at, e.effective_at
      from (
        select * from ledger.entries e where e.account_id = account and e.version > low and e.version <= high
        order by e.version desc limit most
      ) e
      join ledger.transactions t on t.id = e.transaction_id
      order by e.version desc;
  else
    return query
      select e.transaction_id, e.leg, t.kind, t.reference, t.external_id, e.account_id, e.currency, e.amount, e.balance,
             e.version, e.posted_at, e.effective_at
      from (
        select * from ledger.entries e where e.account_id = account and e.version > low and e.version <= high
        order by e.version limit most
      ) e
      join ledger.transactions t on t.id = e.transaction_id
      order by e.version;
  end if;
end
$$;

/*
  A page of what was posted in a period (its end excluded) to the accounts with one code, in all currencies: by account,
  and in each by version, after a place where the last page ended.
*/
create function ledger.movements_page(
  tenant text, code text, since timestamptz, until timestamptz, after_account bigint, after_version bigint, most integer
) returns table (
  transaction_id bigint, leg smallint, kind text, reference text, external_id text, account_id bigint, currency text,
  amount bigint, balance bigint, version bigint, posted_at timestamptz, effective_at timestamptz
)
language plpgsql stable
set search_path = pg_catalog as $$
#variable_conflict use_column
declare
  account bigint;
  low     bigint;
  high    bigint;
  rest    integer := most;
  written integer;
begin
  for account in
    select a.id from ledger.accounts a
    where a.code = movements_page.code and a.tenant = movements_page.tenant and a.id >= after_account
    order by a.id
  loop
    low := ledger.version_at(account, since - interval '1 microsecond');
    if account = after_account then low := greatest(low, after_version); end if;
    high := ledger.version_at(account, until - interval '1 microsecond');
    return query select * from ledger.entries_page(account, low, high, false, rest);
    get diagnostics written = row_count;
    rest := rest - written;
    exit when rest = 0;
  end loop;
end
$$;

/*
  A page of the journal in the order of time, leg by leg, so that a page is bounded whatever the transactions are like:
  after the leg where the last page ended, before `until`, in batches up to `horizon`.
*/
create function ledger.journal_page(
  tenant text, after_at timestamptz, after_batch bigint, after_id bigint, after_leg integer, until timestamptz,
  horizon bigint, most integer
) returns table (
  batch bigint, transaction_id bigint, leg smallint, kind text, reference text, external_id text, code text,
  currency text, amount bigint, balance bigint, version bigint, posted_at timestamptz, effective_at timestamptz
)
language plpgsql stable
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set join_collapse_limit = 1 as $$
#variable_conflict use_column
declare
  b       record;
  rest    integer := most;
  written integer;
begin
  for b in
    select h.id, h.posted_at, h.id = after_batch as begun from ledger.batches h
    where (h.posted_at, h.id) >= (after_at, after_batch) and h.posted_at < until and h.id <= horizon
    order by h.posted_at, h.id
  loop
    return query
      select b.id, e.transaction_id, e.leg, t.kind, t.reference, t.external_id, a.code, e.currency, e.amount, e.balance,
             e.version, b.posted_at, e.effective_at
      from (
        select * from ledger.entries e
        where (e.transaction_id, e.leg) > (
            case when b.begun then after_id else b.id * 65536 end, case when b.begun then after_leg else 0 end
          )
          and e.transaction_id < (b.id + 1) * 65536
        order by e.transaction_id, e.leg
        limit rest
      ) e
      -- A batch is of one tenant's: the page is not cut short by entries that fall out here.
      join ledger.transactions t on t.id = e.transaction_id and t.tenant = journal_page.tenant
      join ledger.accounts a on a.id = e.account_id
      order by e.transaction_id, e.leg;
    get diagnostics written = row_count;
    rest := rest - written;
    exit when rest = 0;
  end loop;
end
$$;

/*
  Who is posting now: the transactions that have locked, or are about to lock, balances. What they post may have a lower
  batch number than what others have committed. Ids of transactions that never come again while the server runs.
*/
create function ledger.posting_now() returns text[]
language sql volatile
set search_path = pg_catalog
begin atomic
  select coalesce(array_agg(distinct l.virtualtransaction), '{}')
  from pg_locks l
  where l.locktype = 'relation' and l.relation = 'ledger.balances'::regclass and l.pid <> pg_backend_pid()
    and l.database = (select d.oid from pg_database d where d.datname = current_database())
    and l.mode in ('RowShareLock', 'RowExclusiveLock');
end;

/*
  Where an export that starts now ends: no transaction of a batch above it belongs to it, and once those that are
  posting now have ended, no other one will ever join the batches up to it. An account's entries are written in the
  order of their batches (ledger.post locks, and then takes its number), so the cut leaves no gap in any account.
*/
create function ledger.export_horizon(out batch bigint, out posting text[])
language plpgsql volatile security definer
set search_path = pg_catalog as $$
begin
  select s.last_value into batch from ledger.batch_numbers s;
  posting := ledger.posting_now();
end
$$;

revoke execute on all functions in schema ledger from public;
grant execute on function ledger.moment_text, ledger.version_at, ledger.balance_at, ledger.balance_effective_at,
  ledger.entries_page, ledger.movements_page, ledger.journal_page, ledger.posting_now, ledger.export_horizon
  to marketflow_app;
reset role;
