set local role marketflow_ledger;

-- What bills and payouts post to. An affiliate was a credit account until now that nothing could post to; what we know
-- of one is what they were paid.
alter table ledger.chart disable trigger chart_are_kept;
delete from ledger.chart where pattern = 'affiliate:%';
alter table ledger.chart enable trigger chart_are_kept;
insert into ledger.chart (pattern, normal_side, floor) values
  ('gateway:%:bills',   'debit',  null),
  ('gateway:%:funding', 'debit',  0),
  ('gateway:%:payouts', 'debit',  null),
  ('platform:funding',  'credit', null),
  ('affiliate:%:paid',  'debit',  null);

-- Holds were rare and are now one for each payout. As with entries: the functions that write them look the other row up
-- anyway, none is ever removed, and the audit compares them; a key costs a statement for each row, some 4 us.
alter table ledger.holds drop constraint holds_account_id_fkey;
alter table ledger.hold_resolutions drop constraint hold_resolutions_hold_id_fkey;
alter table ledger.open_holds drop constraint open_holds_hold_id_fkey;

/*
  Reserves money of accounts, one account for each item. Item i becomes hold first_id + i - 1, but for those in
  exceptions, by item: "already_held" (with the original's id), "reference_conflict", "insufficient_funds". With
  `partially` an item takes what there is, and is "nothing_held" where there is nothing.

  Where every account has what the batch asks of it, no item depends on another one, and none is looked at by itself:
  in batches of 256 a hold costs 9 us of PostgreSQL's time on one account and 16 us on 256 of them (23 and 31 us with
  a query for each item and with foreign keys).
*/
create or replace function ledger.hold(
  tenant text, refs text[], codes text[], currencies text[], amounts bigint[], expires_ats timestamptz[],
  partially boolean, out first_id bigint, out exceptions jsonb
) language plpgsql volatile security definer
set search_path = pg_catalog set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
declare
  items    constant integer := coalesce(cardinality(refs), 0);
  is_one   constant boolean := coalesce(codes[1] = all(codes) and currencies[1] = all(currencies), false)
    and cardinality(codes) = items and cardinality(currencies) = items;
  accounts bigint[];
  missing  boolean;
  ids      bigint[];
  rooms    bigint[];
  enough   boolean;
  taken    bigint[] := amounts;
  refusals jsonb[];
  batch    constant bigint := nextval('ledger.batch_numbers');
  at       timestamptz;
  expected integer := items;
  written  integer;
begin
  if items = 0 then return; end if;
  if items > 65000 then
    raise exception 'a batch has at most 65000 holds' using errcode = 'program_limit_exceeded';
  end if;
  loop
    if is_one then
      select array_fill(a.id, array[items]) into accounts
      from ledger.accounts a where a.code = codes[1] and a.currency = currencies[1] and a.tenant = hold.tenant;
      exit when found;
    end if;
    select array_agg(a.id order by l.place), bool_or(a.id is null) into accounts, missing
    from unnest(codes, currencies) with ordinality as l (code, currency, place)
    left join lateral (
      select a.id from ledger.accounts a
      where a.code = l.code and a.currency = l.currency and a.tenant = hold.tenant offset 0
    ) a on true;
    exit when not missing;
    perform ledger.open_accounts(tenant, codes, currencies);
  end loop;
  select greatest(clock_timestamp(), max(b.posted_at)), array_agg(b.account_id),
         array_agg(b.sign * (b.debits - b.credits) - b.held - b.floor)
  into at, ids, rooms
  from (select * from ledger.balances where account_id = any(accounts) order by account_id for update) b;
  select coalesce(bool_and(s.positive and (b.room is null or s.amount <= b.room)), false) into enough
  from (
    select i.account_id, sum(i.amount) as amount, coalesce(bool_and(i.amount > 0), false) as positive
    from unnest(accounts, amounts) as i (account_id, amount) group by i.account_id
  ) s
  join unnest(ids, rooms) as b (account_id, room) on b.account_id = s.account_id;
  if not enough then
    select j.taken, j.refusals into taken, refusals
    from ledger.judge_holds(tenant, refs, accounts, amounts, partially, ids, rooms) j;
    expected := items - cardinality(array_remove(refusals, null));
  end if;

  first_id := batch * 65536 + 1;
  insert into ledger.holds (id, tenant, reference, account_id, amount, held_at, expires_at)
  select batch * 65536 + i.item, hold.tenant, i.reference, i.account_id, i.amount, at, i.expires_at
  from unnest(refs, accounts, taken, expires_ats, refusals)
    with ordinality as i (reference, account_id, amount, expires_at, refusal, item)
  where i.item <= items and i.refusal is null
  order by i.reference
  on conflict (reference, tenant) do nothing;
  get diagnostics written = row_count;
  if written < expected then
    if enough then
      refusals := ledger.compare_holds(tenant, batch, refs, accounts, amounts, partially);
    elsif (select count(distinct r.reference) from unnest(refs) as r (reference)) = items then
      -- The rooms counted on a hold that somebody else made meanwhile.
      raise exception 'a reference was held by another session meanwhile' using errcode = 'serialization_failure';
    else
      raise exception 'a batch of holds has a reference twice' using errcode = 'unique_violation';
    end if;
  end if;
  if written > 0 then
    insert into ledger.batches (id, posted_at) values (batch, at);
    insert into ledger.unsealed (batch_id) values (batch);
    insert into ledger.open_holds (hold_id, expires_at)
    select batch * 65536 + i.item, i.expires_at
    from unnest(refs, expires_ats, refusals) with ordinality as i (reference, expires_at, refusal, item)
    where i.item <= items and i.refusal is null;
    update ledger.balances b
    set held = b.held + s.amount
    from (
      select i.account_id, sum(i.amount)::bigint as amount
      from unnest(accounts, taken, refusals) as i (account_id, amount, refusal)
      where i.refusal is null group by i.account_id
    ) s
    where b.account_id = s.account_id;
  end if;
  if written < items then
    select jsonb_object_agg(i.item, i.refusal) into exceptions
    from unnest(refusals) with ordinality as i (refusal, item) where i.refusal is not null;
  end if;
end
$$;

/* Decides item by item what can be held where there is not enough for all: each sees what those before it left. */
create function ledger.judge_holds(
  tenant text, refs text[], accounts bigint[], amounts bigint[], partially boolean, ids bigint[], rooms bigint[],
  out taken bigint[], out refusals jsonb[]
) language plpgsql
set search_path = pg_catalog as $$
declare
  items constant integer := cardinality(refs);
  place integer;
begin
  taken := amounts;
  select array_agg(
           ledger.standing_hold(h.id, h.account_id, h.amount, i.account_id, i.amount, partially) order by i.item
         )
  into refusals
  from unnest(refs, accounts, amounts) with ordinality as i (reference, account_id, amount, item)
  left join lateral (
    select h.id, h.account_id, h.amount from ledger.holds h
    where h.reference = i.reference and h.tenant = judge_holds.tenant offset 0
  ) h on true
  where i.item <= items;
  for item in 1..items loop
    continue when refusals[item] is not null;
    place := array_position(ids, accounts[item]);
    continue when rooms[place] is null;
    if rooms[place] < amounts[item] and not partially then
      refusals[item] := '{"result": "insufficient_funds"}';
      continue;
    end if;
    taken[item] := least(amounts[item], greatest(rooms[place], 0));
    rooms[place] := rooms[place] - taken[item];
    if taken[item] = 0 then refusals[item] := '{"result": "nothing_held"}'; end if;
  end loop;
end
$$;

/* What is said of an item whose reference stands: whether the hold under it is what the item asks for. */
create function ledger.standing_hold(
  id bigint, account_id bigint, amount bigint, wanted_account bigint, wanted_amount bigint, partially boolean
) returns jsonb language sql immutable
return case when id is not null then jsonb_build_object(
  'id', id::text,
  'result', case when account_id = wanted_account and (partially or amount = wanted_amount)
              then 'already_held' else 'reference_conflict' end
) end;

/* What stands in the way of the items of a batch that were not held, though there was enough for all of them. */
create function ledger.compare_holds(
  tenant text, batch bigint, refs text[], accounts bigint[], amounts bigint[], partially boolean
) returns jsonb[] language plpgsql
set search_path = pg_catalog as $$
declare
  refusals jsonb[];
  doubled  boolean;
begin
  select array_agg(
           case when h.id <> batch * 65536 + i.item
             then ledger.standing_hold(h.id, h.account_id, h.amount, i.account_id, i.amount, partially) end
           order by i.item
         ),
         bool_or(h.id >> 16 = batch and h.id <> batch * 65536 + i.item)
  into refusals, doubled
  from unnest(refs, accounts, amounts) with ordinality as i (reference, account_id, amount, item)
  cross join lateral (
    select h.id, h.account_id, h.amount from ledger.holds h
    where h.reference = i.reference and h.tenant = compare_holds.tenant offset 0
  ) h
  where i.item <= cardinality(refs);
  if doubled then
    raise exception 'a batch of holds has a reference twice' using errcode = 'unique_violation';
  end if;
  return refusals;
end
$$;

/*
  Frees holds without posting anything: resolution is "voided" or "expired". Exceptions, by item: "hold_unknown",
  "hold_resolved" (with what became of it). Freeing a hold that is freed already changes nothing.
  Rows are looked up laterally and with an offset: the planner would find the tenant's holds first, which are all, and
  go through all resolutions. In batches of 256 a hold costs 6 to 10 us (15 to 20 us where each was looked up again).
*/
create or replace function ledger.end_holds(tenant text, hold_ids bigint[], resolution text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
declare
  batch    constant bigint := nextval('ledger.batch_numbers');
  at       timestamptz;
  ids      bigint[];
  accounts bigint[];
  amounts  bigint[];
  freed    bigint[];
begin
  select array_agg(h.id), array_agg(h.account_id), array_agg(h.amount) into ids, accounts, amounts
  from (select distinct id from unnest(hold_ids) as i (id)) i
  cross join lateral (select * from ledger.holds h where h.id = i.id offset 0) h
  where h.tenant = end_holds.tenant;
  select greatest(clock_timestamp(), max(b.posted_at)) into at
  from (select b.posted_at from ledger.balances b where account_id = any(accounts) order by account_id for update) b;
  -- Whoever removes a hold from the open ones ends it.
  with freed as (delete from ledger.open_holds o where o.hold_id = any(ids) returning o.hold_id)
  select array_agg(f.hold_id order by f.hold_id) into freed from freed f;
  if freed is not null then
    insert into ledger.hold_resolutions (hold_id, resolution, batch_id)
    select f.id, end_holds.resolution, batch from unnest(freed) as f (id);
    insert into ledger.batches (id, posted_at) values (batch, at);
    insert into ledger.unsealed (batch_id) values (batch);
    update ledger.balances b
    set held = b.held - s.amount
    from (
      select i.account_id, sum(i.amount)::bigint as amount
      from unnest(ids, accounts, amounts) as i (id, account_id, amount)
      where cardinality(freed) = cardinality(ids) or i.id = any(freed)
      group by i.account_id
    ) s
    where b.account_id = s.account_id;
  end if;
  if cardinality(freed) = cardinality(hold_ids) then return null; end if;
  return (
    select jsonb_object_agg(i.item, case
      when h.id is null then jsonb_build_object('result', 'hold_unknown')
      else jsonb_build_object('result', 'hold_resolved', 'resolution', r.resolution) end)
    from unnest(hold_ids) with ordinality as i (id, item)
    left join lateral (select h.id, h.tenant from ledger.holds h where h.id = i.id offset 0) h
      on h.tenant = end_holds.tenant
    left join lateral (
      select r.batch_id, r.resolution from ledger.hold_resolutions r where r.hold_id = h.id offset 0
    ) r on true
    where r.batch_id is distinct from batch
  );
end
$$;

/*
  Opens the accounts of a list that are not there yet; fails where one is not in the chart. Whom nobody had paid before
  is opened with their first payout, so this is as hot as posting: each is looked up in the index, where the anti-join
  of before compared every one of a batch with all there were (217 ms for 256 new ones beside 10,000).
*/
create or replace function ledger.open_accounts(tenant text, codes text[], currencies text[]) returns void
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
    left join lateral (
      select a.id from ledger.accounts a
      where a.code = w.code and a.currency = w.currency and a.tenant = open_accounts.tenant offset 0
    ) a on true
    where a.id is null
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

revoke execute on all functions in schema ledger from public;
reset role;
