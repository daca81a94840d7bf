/*
  What stands under idempotency keys. A payout is running until it is settled or was left to recovery, which may take
  long: then it is answered as it stands.
*/
/* @name findPayoutsByKey */
select i.place as "place!", p.id as "id!", encode(p.fingerprint, 'hex') as "fingerprint!",
       p.recipient_kind as "recipientKind!", p.recipient_id as "recipientId!", p.amount_minor as "amountMinor!",
       p.currency as "currency!", p.status as "status!", p.gateway_reference as "gatewayReference",
       p.failure_code as "failureCode", p.failure_message as "failureMessage", p.created_at as "createdAt!",
       p.processed_at as "processedAt", coalesce(u.last_error is null and u.tries = 1, false) as "running!"
from unnest(:scopes!::text[], :idempotencyKeys!::text[]) with ordinality as i (scope, idempotency_key, place)
-- Lateral and with an offset, so that whatever the statistics say each key is looked up in the index.
cross join lateral (
  select * from payouts.payouts where scope = i.scope and idempotency_key = i.idempotency_key offset 0
) p
left join lateral (select * from payouts.under_way where payout_id = p.id offset 0) u on true;

/* The scope decides and does not find, so that no plan walks over all payouts of a scope. */
/* @name getPayout */
select id as "id!", recipient_kind as "recipientKind!", recipient_id as "recipientId!",
       amount_minor as "amountMinor!", currency as "currency!", status as "status!",
       gateway_reference as "gatewayReference", failure_code as "failureCode", failure_message as "failureMessage",
       created_at as "createdAt!", processed_at as "processedAt"
from payouts.payouts
where id = :id! and (scope = :scope!) is true and (recipient_kind = :recipientKind!) is true;

/* A page of payouts to sellers, newest first: an index of theirs is the order. */
/* @name listSellerPayouts */
select id as "id!", recipient_kind as "recipientKind!", recipient_id as "recipientId!",
       amount_minor as "amountMinor!", currency as "currency!", status as "status!",
       gateway_reference as "gatewayReference", failure_code as "failureCode", failure_message as "failureMessage",
       created_at as "createdAt!", processed_at as "processedAt"
from payouts.payouts
where recipient_kind = 'seller' and id < :before! and (scope = :scope!) is true
  and (:status::text is null or status = :status)
order by id desc
limit :limit!::integer;

/* The same of one seller. */
/* @name listPayoutsOfSeller */
select id as "id!", recipient_kind as "recipientKind!", recipient_id as "recipientId!",
       amount_minor as "amountMinor!", currency as "currency!", status as "status!",
       gateway_reference as "gatewayReference", failure_code as "failureCode", failure_message as "failureMessage",
       created_at as "createdAt!", processed_at as "processedAt"
from payouts.payouts
where recipient_kind = 'seller' and recipient_id = :sellerId! and id < :before! and (scope = :scope!) is true
  and (:status::text is null or status = :status)
order by recipient_id desc, id desc
limit :limit!::integer;
