/*
  What the audit recomputes the chain from: plain values of the columns, and no digest that the database has made.
  Moments are seconds since 1970 with six decimals, as texts, because a Date has milliseconds only.
*/
/* @name chainSeals */
select number as "number!", array_to_string(batches, ',', 'none') as "batches!",
       coalesce(array_ndims(batches) = 1 and array_lower(batches, 1) = 1, false) as "isList!", rows as "rows!",
       extract(epoch from sealed_at) as "sealedAt!", previous as "previous!",
       hash as "hash!", sha256(marks) as "marksDigest!"
from ledger.seals
where number >= :from!::bigint
order by number
limit :page!::integer;

/* @name chainMarks */
select marks as "marks!" from ledger.seals where number = :number!::bigint;

/* @name chainBatches */
select b.id as "id!", extract(epoch from b.posted_at) as "postedAt!"
from unnest(:batchIds!::bigint[]) as r (id) join ledger.batches b on b.id = r.id
order by b.id;

/* @name chainAccounts */
select a.id as "id!", a.tenant as "tenant!", a.code as "code!", a.currency as "currency!",
       a.normal_side as "normalSide!", a.floored as "floored!"
from unnest(:batchIds!::bigint[]) as r (id)
join ledger.accounts a on a.id between r.id * 65536 and r.id * 65536 + 65535
order by a.id;

/* @name chainTransactions */
select t.id as "id!", t.tenant as "tenant!", t.kind as "type!", t.reference as "reference!",
       t.external_id as "externalId",
       extract(epoch from t.posted_at) as "postedAt!",
       extract(epoch from t.effective_at) as "effectiveAt"
from unnest(:batchIds!::bigint[]) as r (id)
join ledger.transactions t on t.id between r.id * 65536 and r.id * 65536 + 65535
order by t.id;

/* @name chainEntries */
select e.transaction_id as "id!", e.leg as "leg!", e.account_id as "accountId!", e.version as "version!",
       e.amount as "amount!", e.balance as "balance!", e.currency as "currency!",
       extract(epoch from e.posted_at) as "postedAt!",
       extract(epoch from e.effective_at) as "effectiveAt"
from unnest(:batchIds!::bigint[]) as r (id)
join ledger.entries e on e.transaction_id between r.id * 65536 and r.id * 65536 + 65535
order by e.transaction_id, e.leg;

/* @name chainHolds */
select h.id as "id!", h.tenant as "tenant!", h.reference as "reference!", h.account_id as "accountId!",
       h.amount as "amount!", extract(epoch from h.held_at) as "heldAt!",
       extract(epoch from h.expires_at) as "expiresAt"
from unnest(:batchIds!::bigint[]) as r (id)
join ledger.holds h on h.id between r.id * 65536 and r.id * 65536 + 65535
order by h.id;

/* @name chainResolutions */
select x.hold_id as "id!", x.resolution as "resolution!", x.transaction_id as "transactionId", x.batch_id as "batchId!"
from unnest(:batchIds!::bigint[]) as r (id) join ledger.hold_resolutions x on x.batch_id = r.id
order by x.hold_id;

/* @name chainFloorChanges */
select f.id as "id!", f.account_id as "accountId!", f.floor as "floor!", f.reason as "reason!",
       f.changed_by as "changedBy!",
       extract(epoch from f.changed_at) as "changedAt!"
from unnest(:batchIds!::bigint[]) as r (id)
join ledger.floor_changes f on f.id between r.id * 65536 and r.id * 65536 + 65535
order by f.id;

/* What an account is called, where a finding names it. */
/* @name chainAccountCode */
select code as "code!" from ledger.accounts where id = :id!::bigint;
