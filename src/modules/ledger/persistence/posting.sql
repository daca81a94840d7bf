/*
  A batch of transactions, posted by the vault: balances locked in the order of the accounts, one update for each
  account, one result for each item. Costs some 45 us of PostgreSQL's time for a transaction of three legs.
*/
/* @name postTransactions */
select first_id::text as "firstId", exceptions
from ledger.post(
  :tenant!, :kinds!::text[], :references!::text[], :externalIds!::text[],
  :effectiveAts!::text[]::timestamptz[], :holdIds::bigint[], :legItems!::integer[], :legAccounts!::text[],
  :legCurrencies!::text[], :legAmounts!::bigint[]
);

/* @name holdFunds */
select first_id::text as "firstId", exceptions
from ledger.hold(
  :tenant!, array[:reference!]::text[], array[:account!]::text[], array[:currency!]::text[],
  array[:amountMinor!]::bigint[], array[:expiresAt]::timestamptz[], :partially!::boolean
);

/* @name voidHolds */
select ledger.void_holds(:tenant!, :holdIds!::bigint[]) as "exceptions";

/* @name expireHolds */
select ledger.expire_holds(:tenant!, :most!::integer) as "expired!";

/*
  Sellers who owe something and have something: both accounts, and what can be netted off. The partial index on the
  accounts keeps this to those who ever owed.
*/
/* @name listNettable */
select a.id::text as "availableId!", a.code as "availableCode!", r.id::text as "receivableId!",
       r.code as "receivableCode!", r.currency as "currency!", rb.version::text as "version!",
       least(rb.debits - rb.credits, ab.credits - ab.debits - ab.held) as "amountMinor!"
from ledger.accounts r
join ledger.balances rb on rb.account_id = r.id
join ledger.accounts a
  on a.code = regexp_replace(r.code, ':receivable$', ':available') and a.currency = r.currency and a.tenant = r.tenant
join ledger.balances ab on ab.account_id = a.id
where r.code like 'seller:%:receivable' and r.tenant = :tenant! and r.id > :after!::bigint
  and rb.debits > rb.credits and ab.credits - ab.debits - ab.held > 0
order by r.id
limit :limit!::integer;

/* Every transaction of some kinds, in the order of the ids: for whoever must explain them. */
/* @name listReferencesOfKinds */
select id as "id!", kind as "kind!", reference as "reference!"
from ledger.transactions
where tenant = :tenant! and id > :after!::bigint and kind = any(:kinds!::text[])
order by id
limit :limit!::integer;

/* @name setAccountFloor */
select ledger.set_floor(:tenant!, :account!, :currency!, :floorMinor!::bigint, :reason!) as "accountId!";
