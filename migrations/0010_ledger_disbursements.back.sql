set local role marketflow_ledger;

alter table ledger.holds
  add constraint holds_account_id_fkey foreign key (account_id) references ledger.accounts;
alter table ledger.hold_resolutions
  add constraint hold_resolutions_hold_id_fkey foreign key (hold_id) references ledger.holds;
alter table ledger.open_holds
  add constraint open_holds_hold_id_fkey foreign key (hold_id) references ledger.holds;

/*
  Reserves money of accounts, one account for each item. Item i becomes hold first_id + i - 1, but for those in
  exceptions, by item: "already_held" (with the original's id), "reference_conflict", "insufficient_funds". With
  `partially` an item takes what there is, and is "nothing_held" where there is nothing.
*/
create or replace function ledger.hold(
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
  Frees holds without posting anything: resolution is "voided" or "expired". Exceptions, by item: "hold_unknown",
  "hold_resolved" (with what became of it). Freeing a hold that is freed already changes nothing.
  Rows are looked up laterally and with an offset: the planner would find the tenant's holds first, which are all, and
  go through all resolutions.
*/
create or replace function ledger.end_holds(tenant text, hold_ids bigint[], resolution text) returns jsonb
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

drop function ledger.judge_holds, ledger.compare_holds, ledger.standing_hold;

alter table ledger.chart disable trigger chart_are_kept;
delete from ledger.chart
where pattern in ('gateway:%:bills', 'gateway:%:funding', 'gateway:%:payouts', 'platform:funding', 'affiliate:%:paid');
alter table ledger.chart enable trigger chart_are_kept;
insert into ledger.chart (pattern, normal_side, floor) values ('affiliate:%', 'credit', 0);
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

reset role;
