-- The posting function that a good developer writes first: one call and one transaction for each payment, which goes
-- from leg to leg, locks the balance, computes, updates. It writes the same rows to MarketFlow's own tables, under the
-- same constraints, and does what the vault does: a reference is posted once, accounts are locked in one order,
-- entries have versions and running balances. The entries are inserted together at the end, in its favour: the
-- trigger that checks the zero sum runs once for the payment then.
create schema baseline authorization marketflow_ledger;
set role marketflow_ledger;
grant usage on schema baseline to marketflow_app;

create function baseline.post_transaction(
  tenant text, kind text, reference text, codes text[], currencies text[], amounts bigint[],
  external_id text default null
) returns bigint language plpgsql volatile security definer
set search_path = pg_catalog as $$
#variable_conflict use_column
declare
  batch    constant bigint := nextval('ledger.batch_numbers');
  id       constant bigint := batch * 65536 + 1;
  leg      record;
  balance  ledger.balances;
  places   smallint[] := '{}';
  accounts bigint[] := '{}';
  versions bigint[] := '{}';
  left_at  bigint[] := '{}';
  moved    bigint[] := '{}';
  at       timestamptz;
begin
  for leg in
    select l.place, l.amount, a.id as account_id
    from unnest(codes, currencies, amounts) with ordinality as l (code, currency, amount, place)
    join ledger.accounts a
      on a.code = l.code and a.currency = l.currency and a.tenant = post_transaction.tenant
    order by a.id
  loop
    select * into balance from ledger.balances b where b.account_id = leg.account_id for update;
    at := greatest(clock_timestamp(), at, balance.posted_at);
    balance.debits := balance.debits + greatest(leg.amount, 0);
    balance.credits := balance.credits + greatest(-leg.amount, 0);
    balance.version := balance.version + 1;
    update ledger.balances b
    set debits = balance.debits, credits = balance.credits, version = balance.version, posted_at = at
    where b.account_id = leg.account_id;
    places := places || leg.place::smallint;
    accounts := accounts || leg.account_id;
    versions := versions || balance.version;
    left_at := left_at || balance.sign * (balance.debits - balance.credits);
    moved := moved || leg.amount;
  end loop;
  if cardinality(accounts) <> cardinality(codes) then
    raise exception 'an account is not open' using errcode = 'check_violation';
  end if;
  insert into ledger.transactions (id, tenant, kind, reference, external_id, posted_at)
  values (
    id, post_transaction.tenant, post_transaction.kind, post_transaction.reference, post_transaction.external_id, at
  );
  insert into ledger.entries (transaction_id, leg, account_id, version, amount, balance, currency, posted_at)
  select id, e.leg, e.account_id, e.version, e.amount, e.balance, currencies[e.leg], at
  from unnest(places, accounts, versions, moved, left_at) as e (leg, account_id, version, amount, balance);
  insert into ledger.batches (id, posted_at) values (batch, at);
  insert into ledger.unsealed (batch_id) values (batch);
  return id;
end
$$;
reset role;
