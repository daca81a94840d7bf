/*
  What stands under idempotency keys. A payment is under way while its first attempt is open and no webhook has told
  what became of it either.
*/
/* @name findPaymentsByKey */
select i.place as "place!", p.id as "id!", encode(p.fingerprint, 'hex') as "fingerprint!",
       a.stripe_payment_intent_id as "intentId", p.amount as "amount!", p.currency as "currency!",
       p.status as "status!", p.created_at as "createdAt!",
       (a.state = 'open' and p.status = 'pending') as "underWay!"
from unnest(:scopes!::text[], :idempotencyKeys!::text[]) with ordinality as i (scope, idempotency_key, place)
-- Lateral and with an offset, so that whatever the statistics say each key is looked up in the index.
cross join lateral (
  select * from payments.payments where scope = i.scope and idempotency_key = i.idempotency_key offset 0
) p
cross join lateral (select * from payments.attempts where payment_id = p.id and number = 1 offset 0) a;

/* The scope decides and does not find, so that no plan walks over all payments of a scope. */
/* @name getPayment */
select p.id as "id!", a.stripe_payment_intent_id as "intentId", a.client_secret as "clientSecret",
       p.idempotency_key as "idempotencyKey!", p.amount as "amount!", p.currency as "currency!", p.status as "status!",
       p.capture as "capture!", p.seller_id as "sellerId", p.reference, p.metadata as "metadata!",
       p.failure_code as "failureCode", p.failure_message as "failureMessage",
       p.captured_minor as "capturedMinor", p.fee_minor as "feeMinor", p.refunded_minor as "refundedMinor!",
       p.created_at as "createdAt!", p.updated_at as "updatedAt!"
from payments.payments p
join payments.attempts a on a.payment_id = p.id and a.number = 1
where p.id = :id! and (p.scope = :scope!) is true;

/*
  A page of payments, newest first: the primary key is the order, and both ends of the walk over it are always given, so
  that a plan for any parameters begins at the page and not at the newest payment. A uuidv7 begins with its
  milliseconds, so that notBefore bounds the walk in time; created_at then decides.
*/
/* @name listPayments */
select p.id as "id!", a.stripe_payment_intent_id as "intentId", a.client_secret as "clientSecret",
       p.idempotency_key as "idempotencyKey!", p.amount as "amount!", p.currency as "currency!", p.status as "status!",
       p.capture as "capture!", p.seller_id as "sellerId", p.reference, p.metadata as "metadata!",
       p.failure_code as "failureCode", p.failure_message as "failureMessage",
       p.captured_minor as "capturedMinor", p.fee_minor as "feeMinor", p.refunded_minor as "refundedMinor!",
       p.created_at as "createdAt!", p.updated_at as "updatedAt!"
from payments.payments p
join payments.attempts a on a.payment_id = p.id and a.number = 1
where p.scope = :scope!
  and (:status::text is null or p.status = :status)
  and (:currency::text is null or p.currency = :currency)
  and (:createdAfter::timestamptz is null or p.created_at > :createdAfter)
  and p.id >= :notBefore!
  and p.id < :before!
  -- The same of the attempts, because a plan that merges both would walk over theirs from the newest.
  and a.payment_id >= :notBefore!
  and a.payment_id < :before!
order by p.id desc
limit :limit!::integer;

/* @name listAttempts */
select number as "number!", operation as "operation!", gateway as "gateway!", state as "state!", tries as "tries!",
       last_error as "lastError", accepted_at as "acceptedAt!", settled_at as "settledAt"
from payments.attempts
where payment_id = :paymentId!
order by number;

/* @name listReceivedEvents */
select event_id as "eventId!", type as "type!", disposition as "disposition!", received_at as "receivedAt!",
       processed_at as "processedAt"
from payments.webhook_inbox
where payment_id = :paymentId!
order by received_at, event_id
limit :limit!::integer;
