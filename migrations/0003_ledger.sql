-- The ledger is a vault: it has an owner of its own, and the application's role may read it and call its functions.
-- Roles belong to the cluster and not to the database: another database's migration may be making the same ones now,
-- which PostgreSQL reports as a duplicate or as a tuple that was concurrently updated (internal_error).
do $$
begin
  if not exists (select from pg_roles where rolname = 'marketflow_ledger') then
    create role marketflow_ledger nologin;
  end if;
exception
  when duplicate_object or unique_violation then null;
  when insufficient_privilege then
    raise exception '% may not make roles. Once, as a superuser: create role marketflow_ledger nologin; '
      'grant marketflow_ledger to %;', current_user, current_user using errcode = 'insufficient_privilege';
end
$$;
do $$
begin
  -- Whoever migrates must be able to act as the owner.
  if not pg_has_role(current_user, 'marketflow_ledger', 'usage') then
    execute format('grant marketflow_ledger to %I', current_user);
  end if;
exception
  when internal_error or unique_violation then null;
  when insufficient_privilege then
    raise exception '% is no member of marketflow_ledger. Once, as a superuser: grant marketflow_ledger to %;',
      current_user, current_user using errcode = 'insufficient_privilege';
end
$$;

create schema ledger authorization marketflow_ledger;
set local role marketflow_ledger;
grant usage on schema ledger to marketflow_app;

-- The same list as src/kernel/currency.ts: how many decimals amounts of a currency have. All amounts here are whole
-- minor units.
create table ledger.currencies (
  code     text     collate "C" primary key,
  exponent smallint not null check (exponent between 0 and 4)
);

insert into ledger.currencies (code, exponent)
select unnest(string_to_array(codes, ' ')), exponent
from (values
  (0::smallint, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'),
  (2::smallint,
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP '
    'CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR '
    'IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN '
    'NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP '
    'STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG'),
  (3::smallint, 'BHD IQD JOD KWD LYD OMR TND')
) as c (exponent, codes);

-- The chart of accounts, the same as in src/modules/ledger/domain/chart.ts: an account can be opened only where its
-- code is like a pattern of the chart, which decides its normal side and its floor.
create table ledger.chart (
  pattern     text   primary key,
  normal_side text   not null check (normal_side in ('debit', 'credit')),
  -- The least that may be available in an account, in minor units, when it is opened; null is no floor.
  floor       bigint
);

insert into ledger.chart (pattern, normal_side, floor) values
  ('gateway:%:clearing',  'debit',  null),
  ('gateway:%:disputed',  'debit',  null),
  ('seller:%:available',  'credit', 0),
  ('seller:%:pending',    'credit', 0),
  ('seller:%:receivable', 'debit',  null),
  ('platform:commission', 'credit', null),
  ('platform:losses',     'debit',  null),
  ('platform:suspense',   'credit', null),
  ('affiliate:%',         'credit', 0),
  ('bills:%',             'credit', null);

-- Every call that writes is one batch. Its rows have ids from batch * 65536 on, so that they are found by it.
create sequence ledger.batch_numbers as bigint;

create table ledger.batches (
  id        bigint      primary key,
  -- Taken while the balances are locked: an account's entries are in the order of their time.
  posted_at timestamptz not null
);

-- The batches that no seal covers yet: the queue of the sealer, and the only rows here that are ever removed.
create table ledger.unsealed (batch_id bigint primary key);

-- Names are compared byte by byte: a language's order would cost a lookup several times as much.
create table ledger.accounts (
  id          bigint   primary key,
  tenant      text     collate "C" not null,
  code        text     collate "C" not null check (length(code) between 3 and 300),
  currency    text     collate "C" not null references ledger.currencies,
  normal_side text     not null check (normal_side in ('debit', 'credit')),
  -- What turns debits - credits into the account's balance.
  sign        smallint not null generated always as (case normal_side when 'debit' then 1 else -1 end) stored,
  -- Whether there is a floor to watch when the account goes down.
  floored     boolean  not null,
  unique (code, currency, tenant)
);

-- The sellers who owe something, for whoever nets it off.
create index accounts_receivable on ledger.accounts (id) where code like 'seller:%:receivable';

-- The state of each account: what its entries add up to. Half empty pages, so that updates stay on them.
create table ledger.balances (
  account_id bigint      primary key references ledger.accounts,
  sign       smallint    not null,
  debits     bigint      not null check (debits >= 0),
  credits    bigint      not null check (credits >= 0),
  -- The sum of the open holds, which cannot be spent.
  held       bigint      not null check (held >= 0),
  floor      bigint,
  -- Counts the entries: the version of the newest one.
  version    bigint      not null,
  posted_at  timestamptz,
  constraint balances_above_floor check (floor is null or sign * (debits - credits) - held >= floor)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

create table ledger.transactions (
  id           bigint      primary key,
  tenant       text        collate "C" not null,
  -- What happened: sale, refund, chargeback, …
  kind         text        not null check (octet_length(kind) between 1 and 40),
  -- The caller's name for it: the same reference can never be posted twice.
  reference    text        collate "C" not null check (length(reference) between 1 and 255),
  -- The gateway's id of what moved the money (pi_…, re_…, dp_…).
  external_id  text,
  posted_at    timestamptz not null,
  -- Where what happened belongs to another time than its posting.
  effective_at timestamptz,
  unique (reference, tenant)
);

create table ledger.entries (
  transaction_id bigint      not null,
  leg            smallint    not null,
  account_id     bigint      not null,
  -- 1, 2, 3 … without a gap in each account.
  version        bigint      not null,
  -- Positive is a debit, negative a credit, in minor units.
  amount         bigint      not null check (amount <> 0),
  -- The account's balance after this entry, on its normal side.
  balance        bigint      not null,
  currency       text        not null,
  posted_at      timestamptz not null,
  -- As in the transaction.
  effective_at   timestamptz,
  -- No foreign keys: one function writes all three rows at once, and none is ever removed; the audit compares them.
  primary key (account_id, version)
) with (autovacuum_vacuum_insert_scale_factor = 0.05);

-- The legs of a transaction; ids rise, so that this index grows at its end.
create unique index entries_of_transaction on ledger.entries (transaction_id, leg);

-- Balances as of an effective time need only the entries whose time is not that of their posting.
create index entries_effective on ledger.entries (account_id, effective_at) where effective_at is not null;

-- A sum of amounts that stays what they are: PostgreSQL's makes a numeric of every step, which a posting would feel.
create aggregate ledger.total(bigint) (sfunc = int8pl, stype = bigint, initcond = '0', parallel = safe);

-- Debits equal credits in every transaction and currency, for every way in: whatever inserts legs that do not, fails.
create function ledger.check_zero_sum() returns trigger language plpgsql
set search_path = pg_catalog as $$
declare
  unbalanced record;
begin
  select p.transaction_id, p.currency, ledger.total(p.amount) as difference into unbalanced
  from posted p group by p.transaction_id, p.currency having ledger.total(p.amount) <> 0 limit 1;
  if found then
    raise exception 'transaction % is not balanced: debits - credits = % minor units of %',
      unbalanced.transaction_id, unbalanced.difference, unbalanced.currency
      using errcode = 'check_violation', constraint = 'entries_zero_sum';
  end if;
  return null;
end
$$;
create trigger entries_zero_sum after insert on ledger.entries referencing new table as posted
  for each statement execute function ledger.check_zero_sum();

-- What is written stays as it was written: not even the owner changes it by accident. There is no condition that a NULL
-- could slip through, and the triggers are on the statement, so they fire also where no row is found.
create function ledger.keep() returns trigger language plpgsql
set search_path = pg_catalog as $$
begin
  raise exception 'ledger.% is append-only: % is refused. Post a correction instead.', tg_table_name, tg_op
    using errcode = 'insufficient_privilege';
end
$$;

create function ledger.keep_rows(name text) returns void language plpgsql
set search_path = pg_catalog as $$
begin
  execute format(
    'create trigger %1$I before update or delete or truncate on ledger.%2$I '
    'for each statement execute function ledger.keep()',
    name || '_are_kept', name
  );
end
$$;
select ledger.keep_rows(t)
from unnest(array['currencies', 'chart', 'batches', 'accounts', 'transactions', 'entries']) t;
create trigger balances_are_kept before delete or truncate on ledger.balances
  for each statement execute function ledger.keep();

/*
  Opens the accounts that are not there yet, in the order of their codes, so that two calls that open the same ones wait
  for each other instead of deadlocking. A code that is not in the chart is a bug of the caller's.
*/
create function ledger.open_accounts(tenant text, codes text[], currencies text[]) returns void
language plpgsql set search_path = pg_catalog as $$
#variable_conflict use_column
declare
  batch    constant bigint := nextval('ledger.batch_numbers');
  stranger record;
begin
  if cardinality(codes) > 65000 then
    raise exception 'a batch opens at most 65000 accounts' using errcode = 'program_limit_exceeded';
  end if;
  with wanted as (
    select w.code, w.currency, c.normal_side, c.floor, c.pattern, u.exponent
    from (select distinct code, currency from unnest(codes, currencies) as l (code, currency)) w
    left join ledger.chart c on w.code like c.pattern
    left join ledger.currencies u on u.code = w.currency
  )
  select code, currency into stranger from wanted where pattern is null or exponent is null limit 1;
  if found then
    raise exception 'the account % in % is not in the chart of accounts', stranger.code, stranger.currency
      using errcode = 'check_violation', constraint = 'accounts_in_chart';
  end if;
  with opened as (
    insert into ledger.accounts (id, tenant, code, currency, normal_side, floored)
    select batch * 65536 + row_number() over (order by w.code, w.currency), open_accounts.tenant, w.code, w.currency,
           c.normal_side, c.floor is not null
    from (select distinct code, currency from unnest(codes, currencies) as l (code, currency)) w
    join ledger.chart c on w.code like c.pattern
    where not exists (
      select from ledger.accounts a
      where a.code = w.code and a.currency = w.currency and a.tenant = open_accounts.tenant
    )
    order by w.code, w.currency
    on conflict (code, currency, tenant) do nothing
    returning id, code, sign
  ),
  with_balance as (
    insert into ledger.balances (account_id, sign, debits, credits, held, floor, version)
    select o.id, o.sign, 0, 0, 0, c.floor, 0 from opened o join ledger.chart c on o.code like c.pattern
    returning 1
  ),
  numbered as (
    insert into ledger.batches (id, posted_at) select batch, clock_timestamp() where exists (select from opened)
    returning id
  )
  insert into ledger.unsealed (batch_id) select id from numbered;
end
$$;

/*
  Whether what stands under a reference is what an item asks for: {"result": "already_posted"} where it is,
  "reference_conflict" where it is something else. Where a leg of zero names an account that bears shortages, what
  stands may differ by what that account took over of the accounts with floors.
*/
create function ledger.compare(
  tenant text, kind text, reference text, external_id text, effective_at timestamptz, legs bigint[], amounts bigint[]
) returns jsonb language sql stable
set search_path = pg_catalog
begin atomic
  with asked as (
    select l.id, sum(l.amount) as amount, bool_or(l.amount = 0) as bears
    from unnest(legs, amounts) as l (id, amount) group by l.id
  ),
  stands as (
    select e.account_id as id, sum(e.amount) as amount
    from ledger.transactions t join ledger.entries e on e.transaction_id = t.id
    where t.reference = compare.reference and t.tenant = compare.tenant
    group by e.account_id
  ),
  differences as (
    select a.currency, coalesce(stands.amount, 0) - coalesce(asked.amount, 0) as difference,
           coalesce(
             asked.bears or a.floored and a.sign * asked.amount < 0
               and (select bool_or(asked.bears) from asked)
               and coalesce(stands.amount, 0) between least(asked.amount, 0) and greatest(asked.amount, 0),
             false
           ) as may_differ
    from asked full join stands using (id)
    cross join lateral (select * from ledger.accounts a where a.id = coalesce(asked.id, stands.id) offset 0) a
  )
  select jsonb_build_object(
    'id', t.id::text,
    'result',
    case when t.kind = compare.kind and t.external_id is not distinct from compare.external_id
           and t.effective_at is not distinct from compare.effective_at
           and not exists (select from differences d where d.difference <> 0 and not d.may_differ)
           and not exists (select from differences d group by d.currency having sum(d.difference) <> 0)
      then 'already_posted' else 'reference_conflict' end
  )
  from ledger.transactions t where t.reference = compare.reference and t.tenant = compare.tenant;
end;

/* How many decimals amounts of a currency have, for those who have decimals and need minor units; or null. */
create function ledger.exponent_of(currency text) returns integer
language sql stable security definer
set search_path = pg_catalog
begin atomic
  select c.exponent from ledger.currencies c where c.code = exponent_of.currency;
end;

grant select on all tables in schema ledger to marketflow_app;
-- Functions are for everybody unless said otherwise.
revoke execute on all functions in schema ledger from public;
grant execute on function ledger.exponent_of to marketflow_app;
reset role;
