/* What stands open of the vault itself: triggers that are off or gone, floors that nothing watches, rights too many. */
/* @name findOpenings */
with kept as (
  select name, name || '_are_kept' as trigger
  from unnest(array[
    'currencies', 'chart', 'batches', 'accounts', 'transactions', 'entries', 'holds', 'hold_resolutions',
    'floor_changes', 'seals', 'balances'
  ]) as k (name)
  union all
  select 'entries', 'entries_zero_sum'
),
tables as (
  select c.oid, c.relname as name from pg_class c
  where c.relnamespace = 'ledger'::regnamespace and c.relkind in ('r', 'p')
)
select 'trigger ' || k.trigger || ' of ledger.' || k.name as "where!", 'is missing or switched off' as "what!"
from kept k
where not exists (
  select from tables t join pg_trigger g on g.tgrelid = t.oid
  where t.name = k.name and g.tgname = k.trigger and g.tgenabled in ('O', 'A')
)
union all
select 'constraint ' || k.name || ' of ledger.' || k.owner, 'is missing or not validated'
from (values ('balances', 'balances_above_floor'), ('entries', 'entries_pkey')) as k (owner, name)
where not exists (
  select from tables t join pg_constraint c on c.conrelid = t.oid
  where t.name = k.owner and c.conname = k.name and c.convalidated
)
union all
select 'ledger.' || t.name, 'can be written to by marketflow_app'
from tables t
where has_table_privilege('marketflow_app', t.oid, 'insert, update, delete, truncate, trigger')
union all
select 'role marketflow_app', 'can act as the owner of the ledger'
where pg_has_role('marketflow_app', 'marketflow_ledger', 'member');
