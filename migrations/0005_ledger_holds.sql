set local role marketflow_ledger;

/*
  Reserves money of accounts, one account for each item. Item i becomes hold first_id + i - 1, but for those in
  exceptions, by item: "already_held" (with the original's id), "reference_conflict", "insufficient_funds". With
  `partially` an item takes what there is, and is "nothing_held" where there is nothing.
*/
create function ledger.hold(
  tenant text, refs text[], codes text[], currencies text[], amounts bigint[], expires_ats timestamptz[],
  partially boolean, out first_id bigint, out exceptions jsonb
) language plpgsql volatile security definer
set search_path = pg_catalog set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
declare
  items    constant integer := coalesce(cardinality(refs), 0);
  accounts bigint[];
  missing  boolean;
  ids      bigint[];
  rooms    bigint[];
  place    integer;
  taken    bigint[] := amounts;
  refusals jsonb[] := array_fill(null::jsonb, array[items]);
  standing record;
  batch    constant bigint := nextval('ledger.batch_numbers');
  at       timestamptz;
  written  integer;
begin
  if items = 0 then return; end if;
  if items > 65000 then
    raise exception 'a batch has at most 65000 holds' using errcode = 'program_limit_exceeded';
  end if;
  loop
    select array_agg(a.id order by l.place), bool_or(a.id is null) into accounts, missing
    from unnest(codes, currencies) with ordinality as l (code, currency, place)
    left join lateral (
      select a.id from ledger.accounts a
      where a.code = l.code and a.currency = l.currency and a.tenant = hold.tenant offset 0
    ) a on true;
    exit when not missing;
    perform ledger.open_accounts(tenant, codes, currencies);
  end loop;
  select greatest(clock_timestamp(), max(b.posted_at)) into at
  from (select posted_at from ledger.balances where account_id = any(accounts) order by account_id for update) b;
  select array_agg(b.account_id), array_agg(b.sign * (b.debits - b.credits) - b.held - b.floor) into ids, rooms
  from ledger.balances b where b.account_id = any(accounts) and b.floor is not null;

  for item in 1..items loop
    select h.id, h.account_id, h.amount into standing
    from ledger.holds h where h.reference = refs[item] and h.tenant = hold.tenant;
    if found then
      refusals[item] := jsonb_build_object(
        'id', standing.id::text,
        'result', case when standing.account_id = accounts[item] and (partially or standing.amount = amounts[item])
                    then 'already_held' else 'reference_conflict' end
      );
      continue;
    end if;
    place := array_position(ids, accounts[item]);
    continue when place is null;
    if rooms[place] < amounts[item] and not partially then
      refusals[item] := jsonb_build_object('result', 'insufficient_funds');
      continue;
    end if;
    taken[item] := least(amounts[item], greatest(rooms[place], 0));
    rooms[place] := rooms[place] - taken[item];
    if taken[item] = 0 then refusals[item] := jsonb_build_object('result', 'nothing_held'); end if;
  end loop;

  first_id := batch * 65536 + 1;
  insert into ledger.holds (id, tenant, reference, account_id, amount, held_at, expires_at)
  select batch * 65536 + i.item, hold.tenant, i.reference, i.account_id, i.amount, at, i.expires_at
  from unnest(refs, accounts, taken, expires_ats, refusals)
    with ordinality as i (reference, account_id, amount, expires_at, refusal, item)
  where i.item <= items and i.refusal is null
  order by i.reference
  on conflict (reference, tenant) do nothing;
  get diagnostics written = row_count;
  if written < items - cardinality(array_remove(refusals, null)) then
    -- The rooms counted on a hold that somebody else made meanwhile, or that the batch has twice.
    if (select count(distinct r.reference) from unnest(refs) as r (reference)) = items then
      raise exception 'a reference was held by another session meanwhile' using errcode = 'serialization_failure';
    end if;
    raise exception 'a batch of holds has a reference twice' using errcode = 'unique_violation';
  end if;
  if written > 0 then
    insert into ledger.batches (id, posted_at) values (batch, at);
    insert into ledger.unsealed (batch_id) values (batch);
    insert into ledger.open_holds (hold_id, expires_at)
    select h.id, h.expires_at from ledger.holds h where h.id between batch * 65536 and batch * 65536 + 65535;
    update ledger.balances b
    set held = b.held + s.amount
    from (
      select h.account_id, sum(h.amount)::bigint as amount from ledger.holds h
      where h.id between batch * 65536 and batch * 65536 + 65535 group by h.account_id
    ) s
    where b.account_id = s.account_id;
  end if;
  if written < items then
    select jsonb_object_agg(i.item, i.refusal) into exceptions
    from unnest(refusals) with ordinality as i (refusal, item) where i.refusal is not null;
  end if;
end
$$;

/*
  As ledger.hold for one account, where it must be held afterwards: fails the statement, and with it what it is a part
  of, where it cannot be. Returns the hold's id; null where there was nothing to hold partially.
*/
create function ledger.must_hold(
  tenant text, reference text, code text, currency text, amount bigint, expires_at timestamptz, partially boolean
) returns bigint language plpgsql volatile security definer
set search_path = pg_catalog as $$
declare
  held    record;
  refusal text;
begin
  select * into held
  from ledger.hold(tenant, array[reference], array[code], array[currency], array[amount], array[expires_at], partially);
  refusal := held.exceptions -> '1' ->> 'result';
  if refusal is null then return held.first_id; end if;
  if refusal = 'already_held' then return (held.exceptions -> '1' ->> 'id')::bigint; end if;
  if refusal = 'nothing_held' then return null; end if;
  raise exception 'the ledger cannot hold % of % in % for %: %', amount, code, currency, reference, refusal
    using errcode = 'check_violation', constraint = 'ledger_must_hold';
end
$$;

/*
  Frees holds without posting anything: resolution is "voided" or "expired". Exceptions, by item: "hold_unknown",
  "hold_resolved" (with what became of it). Freeing a hold that is freed already changes nothing.
  Rows are looked up laterally and with an offset: the planner would find the tenant's holds first, which are all, and
  go through all resolutions.
*/
create function ledger.end_holds(tenant text, hold_ids bigint[], resolution text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
declare
  batch   constant bigint := nextval('ledger.batch_numbers');
  at      timestamptz;
  written integer;
begin
  select greatest(clock_timestamp(), max(b.posted_at)) into at
  from (
    select b.posted_at from ledger.balances b
    where b.account_id in (
      select h.account_id from unnest(hold_ids) as i (id)
      cross join lateral (select h.account_id, h.tenant from ledger.holds h where h.id = i.id offset 0) h
      where h.tenant = end_holds.tenant
    )
    order by b.account_id for update
  ) b;
  insert into ledger.hold_resolutions (hold_id, resolution, batch_id)
  select distinct h.id, end_holds.resolution, batch
  from unnest(hold_ids) as i (id)
  cross join lateral (select h.id, h.tenant from ledger.holds h where h.id = i.id offset 0) h
  where h.tenant = end_holds.tenant
    and not exists (select from ledger.hold_resolutions r where r.hold_id = h.id offset 0)
  order by h.id;
  get diagnostics written = row_count;
  if written > 0 then
    insert into ledger.batches (id, posted_at) values (batch, at);
    insert into ledger.unsealed (batch_id) values (batch);
    update ledger.balances b
    set held = b.held - s.amount
    from (
      select h.account_id, sum(h.amount)::bigint as amount
      from ledger.hold_resolutions r join ledger.holds h on h.id = r.hold_id
      where r.batch_id = batch group by h.account_id
    ) s
    where b.account_id = s.account_id;
    delete from ledger.open_holds o using ledger.hold_resolutions r
    where r.batch_id = batch and o.hold_id = r.hold_id;
  end if;
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

/* Frees holds: what they were made for did not happen. */
create function ledger.void_holds(tenant text, hold_ids bigint[]) returns jsonb
language sql volatile security definer
set search_path = pg_catalog
begin atomic
  select ledger.end_holds(void_holds.tenant, void_holds.hold_ids, 'voided');
end;

/* Frees the holds whose time is over, the oldest first, at most so many. Returns how many. */
create function ledger.expire_holds(tenant text, most integer) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog as $$
declare
  due bigint[];
begin
  select array_agg(o.hold_id) into due
  from (
    select o.hold_id from ledger.open_holds o
    cross join lateral (select h.tenant from ledger.holds h where h.id = o.hold_id offset 0) h
    where o.expires_at <= clock_timestamp() and h.tenant = expire_holds.tenant
    order by o.expires_at limit most
  ) o;
  if due is not null then perform ledger.end_holds(tenant, due, 'expired'); end if;
  return coalesce(cardinality(due), 0);
end
$$;

-- What an account's floor was set to, by whom and why: only the owner can, so this is where policy is written down.
create table ledger.floor_changes (
  id         bigint      primary key,
  account_id bigint      not null references ledger.accounts,
  floor      bigint      not null,
  reason     text        not null check (length(reason) between 1 and 500),
  changed_by text        not null,
  changed_at timestamptz not null
);
select ledger.keep_rows('floor_changes');
grant select on ledger.floor_changes to marketflow_app;

/*
  Lets an account that has a floor go down to another one: below zero where a seller may owe (later sales then net it
  off), or above it where a reserve is to stay. Refused by the balance's CHECK where the account is below it already.
  Not granted to the application: policy is the operator's.
*/
create function ledger.set_floor(tenant text, code text, currency text, floor bigint, reason text) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog as $$
#variable_conflict use_column
declare
  batch   constant bigint := nextval('ledger.batch_numbers');
  account record;
begin
  perform ledger.open_accounts(tenant, array[set_floor.code], array[set_floor.currency])
  where not exists (
    select from ledger.accounts a
    where a.code = set_floor.code and a.currency = set_floor.currency and a.tenant = set_floor.tenant
  );
  select a.id, a.floored into account from ledger.accounts a
  where a.code = set_floor.code and a.currency = set_floor.currency and a.tenant = set_floor.tenant;
  if not account.floored then
    raise exception 'accounts like % have no floor', set_floor.code using errcode = 'invalid_parameter_value';
  end if;
  update ledger.balances b set floor = set_floor.floor where b.account_id = account.id;
  insert into ledger.floor_changes (id, account_id, floor, reason, changed_by, changed_at)
  values (batch * 65536 + 1, account.id, set_floor.floor, set_floor.reason, session_user, clock_timestamp());
  insert into ledger.batches (id, posted_at) values (batch, clock_timestamp());
  insert into ledger.unsealed (batch_id) values (batch);
  return account.id;
end
$$;

revoke execute on all functions in schema ledger from public;
grant execute on function ledger.hold, ledger.must_hold, ledger.void_holds, ledger.expire_holds to marketflow_app;
reset role;
