/*
  What stands under idempotency keys that are not forgotten, and for how long they will be remembered. A request is
  under way while nobody but it has taken its attempt up, and it has not left it to recovery.
*/
/* @name findBillsByKey */
select i.place as "place!", p.id as "id!", p.reference as "reference!", p.amount_minor as "amountMinor!",
       p.currency as "currency!", p.status as "status!", p.retries as "retries!", p.attempt as "attempt!",
       p.gateway_reference as "gatewayReference", p.last_error as "lastError", p.created_at as "createdAt!",
       p.updated_at as "updatedAt!",
       (p.status = 'PENDING' and p.attempt = 1 and p.tries = 1 and p.last_error is null and p.due_at > now())
         as "underWay!",
       (extract(epoch from k.expires_at - now()) * 1000)::bigint as "leftMs!"
from unnest(:scopes!::text[], :keys!::text[]) with ordinality as i (scope, key, place)
-- Lateral and with an offset, so that whatever the statistics say each key is looked up in the index.
cross join lateral (
  select payment_id, expires_at from bills.idempotency_keys
  where scope = i.scope and key = i.key and expires_at > now() offset 0
) k
cross join lateral (select * from bills.payments where id = k.payment_id offset 0) p;

/* The scope decides and does not find, so that no plan walks over all payments of a scope. */
/* @name getBill */
select id as "id!", reference as "reference!", amount_minor as "amountMinor!", currency as "currency!",
       status as "status!", retries as "retries!", attempt as "attempt!", gateway_reference as "gatewayReference",
       last_error as "lastError", created_at as "createdAt!", updated_at as "updatedAt!"
from bills.payments
where id = :id! and (scope = :scope!) is true;

/*
  A page of payments, newest first, and how many there are: one statement, so that both are of one moment. The walk
  begins where the tallies say; the primary key is its order. An empty page is one row without a payment.
*/
/* @name listBills */
select f.total as "total!", p.id, p.reference, p.amount_minor as "amountMinor", p.currency, p.status, p.retries,
       p.attempt, p.gateway_reference as "gatewayReference", p.last_error as "lastError", p.created_at as "createdAt",
       p.updated_at as "updatedAt"
from bills.locate(:scope!, null, :skip!) f
left join lateral (
  select * from bills.payments
  where (scope = :scope!) is true and id < least(f.below, :before!::uuid)
  order by id desc
  limit :limit!::integer offset f.skipped
) p on true;

/*
  The same of one status, however rare. Scope and status are compared as rows and not by themselves, because then only
  the index by status has the order: from equalities a plan for any status would conclude that the primary key has it
  too, and walk over millions of others to find a few.
*/
/* @name listBillsOfStatus */
select f.total as "total!", p.id, p.reference, p.amount_minor as "amountMinor", p.currency, p.status, p.retries,
       p.attempt, p.gateway_reference as "gatewayReference", p.last_error as "lastError", p.created_at as "createdAt",
       p.updated_at as "updatedAt"
from bills.locate(:scope!, :status!, :skip!) f
left join lateral (
  select * from bills.payments
  where (scope, status) >= (:scope!, :status!)
    and (scope, status, id) < (:scope!, :status!, least(f.below, :before!::uuid))
  order by scope desc, status desc, id desc
  limit :limit!::integer offset f.skipped
) p on true;
