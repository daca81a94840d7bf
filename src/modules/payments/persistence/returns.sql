/* What a payment's money did. A change is decided on this and committed only where the version is still the same. */
/* @name readFunds */
select p.id as "id!", p.version as "version!", p.status as "status!", p.currency as "currency!",
       p.gateway as "gateway!", p.seller_id as "sellerId", p.last_attempt as "lastAttempt!",
       coalesce(p.captured_minor, 0) as "capturedMinor!", coalesce(p.fee_minor, 0) as "feeMinor!",
       p.returned_minor as "returnedMinor!", p.returned_fee_minor as "returnedFeeMinor!",
       p.refunding_minor as "refundingMinor!", p.refunded_minor as "refundedMinor!",
       a.stripe_payment_intent_id as "intentId"
from payments.payments p
join payments.attempts a on a.payment_id = p.id and a.number = 1
where p.id = :paymentId! and (:scope::text is null or p.scope = :scope);

/* @name findPaymentOfIntent */
select payment_id as "paymentId!" from payments.attempts where stripe_payment_intent_id = :intentId!;

/* @name readRefund */
select id as "id!", payment_id as "paymentId!", amount_minor as "amountMinor!", fee_minor as "feeMinor!",
       status as "status!", gateway_refund_id as "gatewayRefundId", hold_id as "holdId"
from payments.refunds
where id = :refundId!;

/* @name findRefundByKey */
select r.id as "id!", r.payment_id as "paymentId!", encode(r.fingerprint, 'hex') as "fingerprint!",
       r.amount_minor as "amountMinor!", p.currency as "currency!", r.reason, r.status as "status!",
       r.failure_code as "failureCode", r.failure_message as "failureMessage", r.created_at as "createdAt!",
       exists (
         select from payments.attempts a where a.payment_id = r.payment_id and a.refund_id = r.id and a.state = 'open'
       ) as "underWay!"
from payments.refunds r
join payments.payments p on p.id = r.payment_id
where r.scope = :scope! and r.idempotency_key = :key!;

/* @name listRefunds */
select r.id as "id!", r.payment_id as "paymentId!", r.amount_minor as "amountMinor!", p.currency as "currency!",
       r.reason, r.status as "status!", r.failure_code as "failureCode", r.failure_message as "failureMessage",
       r.created_at as "createdAt!"
from payments.refunds r
join payments.payments p on p.id = r.payment_id
where r.payment_id = :paymentId!
order by r.id
limit :limit!::integer;

/* @name readDispute */
select id as "id!", payment_id as "paymentId!", amount_minor as "amountMinor!", borne_minor as "borneMinor!",
       fee_minor as "feeMinor!", status as "status!", hold_id as "holdId"
from payments.disputes
where id = :disputeId!;

/* @name listDisputes */
select id as "id!" from payments.disputes where payment_id = :paymentId! order by created_at, id limit :limit!::integer;

/* @name readInboxEvent */
select processed_at as "processedAt" from payments.webhook_inbox where event_id = :eventId!;

/* Keeps an event that changes nothing, or nothing yet. */
/* @name keepEvent */
insert into payments.webhook_inbox (event_id, type, intent_id, payment_id, payload, processed_at, disposition)
values (
  :eventId!, :type!, :intentId, :paymentId, :payload!::json,
  case when :disposition! <> 'waiting' then now() end, :disposition!
)
on conflict (event_id) do update
set processed_at = excluded.processed_at, payment_id = excluded.payment_id, disposition = excluded.disposition
where webhook_inbox.processed_at is null
returning disposition as "disposition!";

/*
  Commits one change of what a payment's money did: the sums, the refund or dispute, the attempt, the hold, the ledger's
  postings, the event and the gateway's event are one commit, or nothing where the payment has changed since it was read
  (no row is returned then). Each part that is null is left out. Every part hangs on the guarded update, so that none is
  done without it.
*/
/* @name commitChange */
with guarded as (
  update payments.payments
  set returned_minor = :returnedMinor!, returned_fee_minor = :returnedFeeMinor!, refunding_minor = :refundingMinor!,
      refunded_minor = :refundedMinor!, last_attempt = :lastAttempt!, updated_at = now(),
      -- The version counts the events. What has none (an attempt is closed, an event is kept) changes no sum.
      version = version + case when :eventType::text is null then 0 else 1 end
  where id = :paymentId! and version = :version!
  returning id, version, scope, currency, gateway, traceparent
),
held as materialized (
  select ledger.must_hold(
    'default', :holdReference::text, :holdAccount::text, currency, :holdMinor::bigint, null, :holdPartially::boolean
  ) as id
  from guarded
  where :holdReference::text is not null
),
freed as materialized (
  select ledger.void_holds('default', array[:voidHoldId::bigint]) as refused
  from guarded
  where :voidHoldId::bigint is not null
),
posted as materialized (
  select ledger.post_all(
    'default', :kinds::text[], :references::text[], :externalIds::text[], null, :holdIds::bigint[],
    :legItems::integer[], :legAccounts::text[], array_fill(currency, array[cardinality(:legItems::integer[])]),
    :legAmounts::bigint[]
  ) as first_id
  -- After what was held is free again: a posting that takes less or more than its hold posts without it.
  from guarded left join freed on true
  where :references::text[] is not null
),
refund as (
  insert into payments.refunds (
    id, payment_id, scope, idempotency_key, fingerprint, amount_minor, fee_minor, reason, status, gateway_refund_id,
    hold_id, failure_code, failure_message, created_at, updated_at
  )
  select :refundId::uuid, g.id, g.scope, :refundKey::text, decode(:refundFingerprint::text, 'hex'),
         :refundMinor::bigint, :refundFeeMinor::bigint, :refundReason::text, :refundStatus::text,
         :gatewayRefundId::text, h.id, :failureCode::text, :failureMessage::text, now(), now()
  from guarded g left join held h on true
  where :refundId::uuid is not null
  on conflict (id) do update
  set status = excluded.status, gateway_refund_id = coalesce(excluded.gateway_refund_id, refunds.gateway_refund_id),
      failure_code = excluded.failure_code, failure_message = excluded.failure_message, updated_at = now()
  returning created_at
),
dispute as (
  insert into payments.disputes (
    id, payment_id, amount_minor, borne_minor, fee_minor, status, hold_id, created_at, updated_at
  )
  select :disputeId::text, g.id, :disputeMinor::bigint, :disputeBorneMinor::bigint, :disputeFeeMinor::bigint,
         :disputeStatus::text, h.id, now(), now()
  from guarded g left join held h on true
  where :disputeId::text is not null
  on conflict (id) do update
  set status = excluded.status, borne_minor = excluded.borne_minor, fee_minor = excluded.fee_minor, updated_at = now()
),
opened as (
  insert into payments.attempts (
    payment_id, number, operation, gateway, state, tries, due_at, accepted_at, amount_minor, refund_id
  )
  select id, :lastAttempt!, 'refund', gateway, 'open', 1, now() + :leaseMs::integer * interval '1 millisecond', now(),
         :refundMinor::bigint, :refundId::uuid
  from guarded
  where :leaseMs::integer is not null
),
closed as (
  update payments.attempts a
  set state = :attemptState::text, settled_at = now(), last_error = :failureCode::text
  from guarded
  -- The parameter and not the guarded row, so that the attempt is found by its whole key, whatever the statistics say.
  where a.payment_id = :paymentId! and a.number = :attemptNumber::integer and a.settled_at is null
),
logged as materialized (
  select events.append(
    'payment', array[id], array[version], array[:eventType::text], array[:eventData::text::jsonb], array[traceparent]
  ) as appended
  from guarded
  where :eventType::text is not null
),
received as (
  insert into payments.webhook_inbox (event_id, type, intent_id, payment_id, payload, processed_at, disposition)
  select :eventId::text, :inboxType::text, :intentId::text, id, :payload::json, now(), 'applied'
  from guarded
  where :eventId::text is not null
  on conflict (event_id) do update
  set processed_at = excluded.processed_at, payment_id = excluded.payment_id, disposition = excluded.disposition
  where webhook_inbox.processed_at is null
)
select g.version as "version!", r.created_at as "refundCreatedAt", h.id as "heldId", p.first_id as "postedId",
       f.refused as "freed", l.appended as "logged"
from guarded g
left join held h on true left join freed f on true left join posted p on true left join refund r on true
left join logged l on true;

/*
  Refunds that the gateway took and a bank has not decided, and that nobody has asked about for a while; asking again is
  noted, so that each has its turn. Usually the gateway tells by an event: this is for the one that was lost.
*/
/* @name claimUndecidedRefunds */
update payments.refunds r
set updated_at = now()
from (
  select id from payments.refunds
  where status = 'pending' and gateway_refund_id is not null
    and updated_at < now() - :quietMs!::bigint * interval '1 millisecond'
  order by updated_at
  limit :limit!::integer
  for update skip locked
) due
join payments.refunds d on d.id = due.id
join payments.attempts c on c.payment_id = d.payment_id and c.number = 1
where r.id = due.id
returning r.id as "id!", r.payment_id as "paymentId!", r.gateway_refund_id as "gatewayRefundId!",
          c.stripe_payment_intent_id as "intentId!";
