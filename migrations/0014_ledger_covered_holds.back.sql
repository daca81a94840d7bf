set local role marketflow_ledger;

/*
  Posts a batch of transactions, each with any number of legs in any currencies; leg_items says to which item a leg
  belongs (1, 2, 3), in their order. Item i becomes transaction first_id + i - 1, but for those in exceptions, by item:
  "already_posted" (with the original's id), "reference_conflict", "insufficient_funds", "hold_unknown",
  "hold_resolved", "hold_exceeded". What could be no item at all (an account that is not in the chart, legs that do not
  add up to zero) fails the call. A leg of zero names the account that bears what a floor refuses (see ledger.judge).

  The balances are locked in the order of the accounts' ids, by everybody, so that calls that share accounts wait for
  each other instead of deadlocking; each account is updated once for the batch, however many entries it gets.
  An item with a hold takes what it needs of the hold's account out of the hold and frees the rest of it.
*/
create or replace function ledger.post(
  tenant text, kinds text[], refs text[], external_ids text[], effective_ats timestamptz[], hold_ids bigint[],
  leg_items integer[], leg_codes text[], leg_currencies text[], leg_amounts bigint[],
  out first_id bigint, out exceptions jsonb
) language plpgsql volatile security definer
set search_path = pg_catalog set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
declare
  items    constant integer := coalesce(cardinality(refs), 0);
  leg_item integer;
  last     integer := 0;
  number   integer := 0;
  numbers  integer[] := '{}';
  legs     bigint[];
  locked   bigint[];
  ids      bigint[];
  versions bigint[];
  signs    bigint[];
  lefts    bigint[];
  missing  boolean;
  risky    boolean;
  bearing  boolean;
  amounts  bigint[] := leg_amounts;
  refusals text[];
  batch    bigint;
  at       timestamptz;
  expected integer := items;
  written  integer;
begin
  if items = 0 then return; end if;
  if items > 65000 then
    raise exception 'a batch has at most 65000 transactions' using errcode = 'program_limit_exceeded';
  end if;
  -- A leg of an item that is not there would be an entry of no transaction. A loop costs the least.
  foreach leg_item in array leg_items loop
    if leg_item is distinct from last and leg_item is distinct from last + 1 or leg_item = 0 then
      raise exception 'a leg is of item % after one of %', leg_item, last using errcode = 'invalid_parameter_value';
    end if;
    number := case when leg_item = last then number + 1 else 1 end;
    numbers := numbers || number;
    last := leg_item;
  end loop;
  if last <> items or cardinality(hold_ids) <> items then
    raise exception 'legs or holds are not for % items', items using errcode = 'invalid_parameter_value';
  end if;
  loop
    select array_agg(a.id order by l.place), bool_or(a.id is null), bool_or(a.floored and a.sign * l.amount < 0),
           bool_or(l.amount = 0)
    into legs, missing, risky, bearing
    from unnest(leg_codes, leg_currencies, leg_amounts) with ordinality as l (code, currency, amount, place)
    -- Lateral and with an offset, so that each code is looked up in the index; as a join it reads all accounts.
    left join lateral (
      select a.id, a.floored, a.sign from ledger.accounts a
      where a.code = l.code and a.currency = l.currency and a.tenant = post.tenant offset 0
    ) a on true;
    exit when not missing;
    -- It opens what is missing or raises, so that this ends.
    perform ledger.open_accounts(tenant, leg_codes, leg_currencies);
  end loop;
  -- A hold's account changes also where no leg touches it.
  select legs || array_agg(h.account_id) into locked
  from unnest(hold_ids) as i (id)
  cross join lateral (select h.account_id, h.tenant from ledger.holds h where h.id = i.id offset 0) h
  where h.tenant = post.tenant;
  -- In a statement of its own: what follows must see what those that we waited for have left.
  select greatest(clock_timestamp(), max(b.posted_at)), array_agg(b.account_id), array_agg(b.version),
         array_agg(b.sign), array_agg(b.debits - b.credits)
  into at, ids, versions, signs, lefts
  from (select * from ledger.balances where account_id = any(locked) order by account_id for update) b;

  if risky or hold_ids is not null then
    select j.amounts, j.refusals into amounts, refusals
    from ledger.judge(tenant, refs, hold_ids, leg_items, legs, leg_currencies, leg_amounts) j;
    expected := items - cardinality(array_remove(refusals, null));
  end if;

  batch := nextval('ledger.batch_numbers');
  first_id := batch * 65536 + 1;
  -- In the order of the references, so that two calls with the same ones in another order do not deadlock; of two
  -- items with one reference the first is posted.
  insert into ledger.transactions (id, tenant, kind, reference, external_id, effective_at, posted_at)
  select batch * 65536 + i.item, post.tenant, i.kind, i.reference, i.external_id, i.effective_at, at
  from unnest(kinds, refs, external_ids, effective_ats, refusals)
    with ordinality as i (kind, reference, external_id, effective_at, refusal, item)
  where i.item <= items and i.refusal is null
  order by i.reference, i.item
  on conflict (reference, tenant) do nothing;
  get diagnostics written = row_count;
  if written < expected and refusals is not null then
    -- The judgement counted on items that somebody else posted meanwhile, or that the batch has twice.
    if (select count(distinct r.reference) from unnest(refs) as r (reference)) = items then
      raise exception 'a reference was posted by another session meanwhile' using errcode = 'serialization_failure';
    end if;
    raise exception 'a batch that needs judgement has a reference twice' using errcode = 'unique_violation';
  end if;
  if written > 0 then
    insert into ledger.batches (id, posted_at) values (batch, at);
    insert into ledger.unsealed (batch_id) values (batch);
    if bearing then numbers := ledger.number_legs(leg_items, amounts); end if;
    perform ledger.write_entries(
      batch, at, written < items, effective_ats, leg_items, legs, leg_currencies, amounts, numbers,
      ids, versions, signs, lefts
    );
    if hold_ids is not null then perform ledger.consume_holds(batch, hold_ids, refusals); end if;
    perform ledger.move_balances(batch, at, written < items, leg_items, legs, amounts);
  end if;
  if written < items then
    select jsonb_object_agg(i.item, case when coalesce(i.refusal, 'standing') <> 'standing'
      then jsonb_build_object('result', i.refusal)
      else ledger.compare(
        post.tenant, i.kind, i.reference, i.external_id, i.effective_at,
        array(select legs[l.place] from unnest(leg_items) with ordinality l (item, place) where l.item = i.item),
        array(select leg_amounts[l.place] from unnest(leg_items) with ordinality l (item, place) where l.item = i.item)
      ) end)
    into exceptions
    from unnest(kinds, refs, external_ids, effective_ats, refusals)
      with ordinality as i (kind, reference, external_id, effective_at, refusal, item)
    where i.item <= items
      and not exists (select from ledger.transactions t where t.id = batch * 65536 + i.item offset 0);
  end if;
end
$$;

drop function ledger.move_balances;
/* One update for each account of the batch; the CHECK of the floors is the last word. */
create function ledger.move_balances(
  batch bigint, at timestamptz, partly boolean, leg_items integer[], legs bigint[], amounts bigint[]
) returns void language plpgsql
set search_path = pg_catalog as $$
begin
  update ledger.balances b
  set debits = b.debits + s.debits, credits = b.credits + s.credits, version = b.version + s.entries, posted_at = at
  from (
    select i.account_id, ledger.total(greatest(i.amount, 0)) as debits, ledger.total(-least(i.amount, 0)) as credits,
           count(*) as entries
    from unnest(leg_items, legs, amounts) as i (item, account_id, amount)
    where i.amount <> 0
      and (not partly or exists (select from ledger.transactions t where t.id = batch * 65536 + i.item offset 0))
    group by i.account_id
  ) s
  where b.account_id = s.account_id;
end
$$;

/* The holds that a batch's transactions took: resolved, and not held any more before the balances move. */
create or replace function ledger.consume_holds(batch bigint, hold_ids bigint[], refusals text[]) returns void
language plpgsql set search_path = pg_catalog as $$
begin
  insert into ledger.hold_resolutions (hold_id, resolution, transaction_id, batch_id)
  select i.hold_id, 'posted', batch * 65536 + i.item, batch
  from unnest(hold_ids, refusals) with ordinality as i (hold_id, refusal, item)
  where i.hold_id is not null and i.refusal is null
  order by i.hold_id;
  delete from ledger.open_holds o using unnest(hold_ids, refusals) as i (hold_id, refusal)
  where o.hold_id = i.hold_id and i.refusal is null;
  update ledger.balances b
  set held = b.held - s.amount
  from (
    select h.account_id, sum(h.amount)::bigint as amount
    from unnest(hold_ids, refusals) as i (hold_id, refusal) join ledger.holds h on h.id = i.hold_id
    where i.refusal is null
    group by h.account_id
  ) s
  where b.account_id = s.account_id;
end
$$;

drop function ledger.are_covered, ledger.standing_items;
revoke execute on all functions in schema ledger from public;
reset role;
