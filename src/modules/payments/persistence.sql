/*
  The intent is committed here, before any gateway hears of it: payment, first attempt and event in one statement.
  A key that is taken inserts nothing and returns nothing, also when it is taken twice within the batch.
*/
/* @name acceptPayments */
with input as (
  select *
  from unnest(
    :ids!::uuid[], :scopes!::text[], :idempotencyKeys!::text[], :fingerprints!::text[], :amounts!::numeric[],
    :currencies!::text[], :captures!::text[], :gateways!::text[], :sellerIds!::text[], :references!::text[],
    :metadata!::text[], :payloads!::text[], :traceparents!::text[]
  ) as i (
    id, scope, idempotency_key, fingerprint, amount, currency, capture, gateway, seller_id, reference,
    metadata, payload, traceparent
  )
),
accepted as (
  insert into payments.payments (
    id, scope, idempotency_key, fingerprint, amount, currency, status, capture, gateway, seller_id, reference,
    metadata, version, created_at, updated_at
  )
  select id, scope, idempotency_key, decode(fingerprint, 'hex'), amount, currency, 'pending', capture, gateway,
         seller_id, reference, metadata::jsonb, 1, now(), now()
  from input
  on conflict (scope, idempotency_key) do nothing
  returning id
),
opened as (
  insert into payments.attempts (payment_id, number, operation, gateway, state, tries, due_at, traceparent, accepted_at)
  select id, 1, 'create', i.gateway, 'open', 1, now() + :leaseMs!::integer * interval '1 millisecond', i.traceparent,
         now()
  from accepted join input i using (id)
),
logged as (
  select events.append(
    'payment', array_agg(id), array_agg(1), array_agg('payment.created'::text), array_agg(i.payload),
    array_agg(i.traceparent)
  )
  from accepted join input i using (id)
)
select accepted.id as "id!", now() as "createdAt!"
from accepted, logged;

/*
  The one way in which an attempt ends, whoever learned of the outcome: the request, recovery, or both at once.
  Guarded by the attempt being open, so the second to come changes nothing. Payments are locked in the order of their
  ids, here and in receiveEvents: two batches that share payments then wait for each other instead of deadlocking.
*/
/* @name settleAttempts */
with input as (
  select *
  from unnest(
    :paymentIds!::uuid[], :numbers!::integer[], :states!::text[], :intentIds!::text[], :clientSecrets!::text[],
    :statuses!::text[], :failureCodes!::text[], :failureMessages!::text[], :payloads!::text[], :traceparents!::text[]
  ) as i (
    payment_id, number, state, intent_id, client_secret, status, failure_code, failure_message, payload, traceparent
  )
),
locked as materialized (
  select p.id, i.number, payments.status_rank(i.status) > payments.status_rank(p.status) as moves
  from payments.payments p join input i on i.payment_id = p.id
  order by p.id
  for update of p
),
closed as (
  update payments.attempts a
  set state = i.state, settled_at = now(), last_error = i.failure_code
  from input i join locked l on l.id = i.payment_id and l.number = i.number
  where a.payment_id = i.payment_id and a.number = i.number and a.state = 'open'
  returning a.payment_id, a.number
),
changed as (
  update payments.payments p
  set stripe_payment_intent_id = coalesce(p.stripe_payment_intent_id, i.intent_id),
      client_secret            = coalesce(p.client_secret, i.client_secret),
      status                   = case when l.moves then i.status else p.status end,
      failure_code             = case when l.moves and i.status = 'failed' then i.failure_code else p.failure_code end,
      failure_message          = case
                                   when l.moves and i.status = 'failed' then i.failure_message
                                   else p.failure_message
                                 end,
      version                  = p.version + l.moves::integer,
      updated_at               = now()
  from input i
  join closed c on c.payment_id = i.payment_id and c.number = i.number
  join locked l on l.id = i.payment_id and l.number = i.number
  where p.id = i.payment_id
  returning p.id, p.stripe_payment_intent_id, p.status, p.version, l.moves, i.payload, i.traceparent
),
logged as (
  select events.append(
    'payment', array_agg(id), array_agg(version), array_agg('payment.' || status), array_agg(payload),
    array_agg(traceparent)
  )
  from changed
  where moves
)
select changed.id as "paymentId!", stripe_payment_intent_id as "intentId", status as "status!"
from changed, logged;

/*
  Webhook events: the inbox row and its effect are one commit. An event that was processed before has no effect; one
  whose payment is not here yet waits in the inbox and is received again later. A payment only moves up the order of
  statuses, so that events in any order end in the same state. An event whose amount or gateway id is not the payment's is kept aside and moves nothing.
*/
/* @name receiveEvents */
with input as (
  select *
  from unnest(
    :eventIds!::text[], :types!::text[], :intentIds!::text[], :paymentIds!::uuid[], :statuses!::text[],
    :amounts!::numeric[], :currencies!::text[], :failureCodes!::text[], :failureMessages!::text[], :payloads!::text[],
    :traceparents!::text[]
  ) as i (
    event_id, type, intent_id, payment_id, status, amount, currency, failure_code, failure_message, payload, traceparent
  )
),
fresh as (
  select i.*, coalesce(by_id.id, by_intent.id) as target_id
  from input i
  left join payments.payments by_id on by_id.id = i.payment_id
  left join payments.payments by_intent on by_id.id is null and by_intent.stripe_payment_intent_id = i.intent_id
  where not exists (
    select from payments.webhook_inbox w where w.event_id = i.event_id and w.processed_at is not null
  )
),
locked as materialized (
  select f.event_id, p.id,
         payments.status_rank(f.status) > payments.status_rank(p.status) as moves,
         p.amount = f.amount and p.currency = f.currency
           and coalesce(p.stripe_payment_intent_id, f.intent_id) = f.intent_id as agrees
  from payments.payments p join fresh f on f.target_id = p.id
  where f.status is not null
  order by p.id
  for update of p
),
changed as (
  update payments.payments p
  set status                   = f.status,
      stripe_payment_intent_id = coalesce(p.stripe_payment_intent_id, f.intent_id),
      failure_code             = f.failure_code,
      failure_message          = f.failure_message,
      version                  = p.version + 1,
      updated_at               = now()
  from fresh f join locked l on l.event_id = f.event_id
  where p.id = l.id and l.agrees and l.moves
  returning p.id, f.event_id, p.status, p.version, f.traceparent,
            jsonb_build_object(
              'amount', f.amount::text, 'currency', p.currency, 'intent_id', p.stripe_payment_intent_id,
              'gateway_event', f.event_id, 'failure_code', f.failure_code
            )::text as payload
),
logged as (
  select events.append(
    'payment', array_agg(id), array_agg(version), array_agg('payment.' || status), array_agg(payload),
    array_agg(traceparent)
  )
  from changed
),
kept as (
  insert into payments.webhook_inbox (event_id, type, intent_id, payment_id, payload, processed_at, disposition)
  select f.event_id, f.type, f.intent_id, coalesce(f.target_id, f.payment_id), f.payload::json,
         case when f.status is null or l.id is not null then now() end,
         case when f.status is null then 'recorded'
              when l.id is null then 'waiting'
              when not l.agrees then 'mismatched'
              when l.moves then 'applied'
              else 'superseded' end
  from fresh f left join locked l using (event_id)
  on conflict (event_id) do update
  set processed_at = excluded.processed_at, payment_id = excluded.payment_id, disposition = excluded.disposition
  where webhook_inbox.processed_at is null
  returning event_id, disposition
)
select kept.event_id as "eventId!", kept.disposition as "disposition!", logged.append as "logged"
from kept, logged;

/* Events that came before their payment, oldest first: those whose payment is here by now. */
/* @name listWaitingEvents */
select w.event_id as "eventId!", w.payload::text as "payload!"
from payments.webhook_inbox w
where w.processed_at is null
  and exists (
    select from payments.payments p
    where p.id = w.payment_id or p.stripe_payment_intent_id = w.intent_id
  )
order by w.received_at
limit :limit!::integer;

/*
  What stands under idempotency keys. A payment is under way while its first attempt is open and no webhook has told
  its gateway id either.
*/
/* @name findPaymentsByKey */
select i.place as "place!", p.id as "id!", encode(p.fingerprint, 'hex') as "fingerprint!",
       p.stripe_payment_intent_id as "intentId", p.amount as "amount!", p.currency as "currency!",
       p.status as "status!", p.created_at as "createdAt!",
       (a.state = 'open' and p.status = 'pending' and p.stripe_payment_intent_id is null) as "underWay!"
from unnest(:scopes!::text[], :idempotencyKeys!::text[]) with ordinality as i (scope, idempotency_key, place)
join payments.payments p using (scope, idempotency_key)
join payments.attempts a on a.payment_id = p.id and a.number = 1;

/* @name getPayment */
select id as "id!", stripe_payment_intent_id as "intentId", client_secret as "clientSecret",
       idempotency_key as "idempotencyKey!", amount as "amount!", currency as "currency!", status as "status!",
       capture as "capture!", seller_id as "sellerId", reference, metadata as "metadata!",
       failure_code as "failureCode", failure_message as "failureMessage",
       created_at as "createdAt!", updated_at as "updatedAt!"
from payments.payments
where id = :id! and scope = :scope!;

/*
  A page of payments, newest first: the primary key is the order. A uuidv7 begins with its milliseconds, so that
  createdAfterId bounds the walk over the key; created_at then decides.
*/
/* @name listPayments */
select id as "id!", stripe_payment_intent_id as "intentId", client_secret as "clientSecret",
       idempotency_key as "idempotencyKey!", amount as "amount!", currency as "currency!", status as "status!",
       capture as "capture!", seller_id as "sellerId", reference, metadata as "metadata!",
       failure_code as "failureCode", failure_message as "failureMessage",
       created_at as "createdAt!", updated_at as "updatedAt!"
from payments.payments
where scope = :scope!
  and (:status::text is null or status = :status)
  and (:currency::text is null or currency = :currency)
  and (:createdAfter::timestamptz is null or created_at > :createdAfter)
  and (:createdAfterId::uuid is null or id >= :createdAfterId)
  and (:before::uuid is null or id < :before)
order by id desc
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

/*
  Accepts the cancellation of a pending payment that its gateway knows. Where one is under way already nothing is
  inserted and nothing returned.
*/
/* @name acceptCancellation */
insert into payments.attempts (payment_id, number, operation, gateway, state, tries, due_at, traceparent, accepted_at)
select p.id, (select max(a.number) + 1 from payments.attempts a where a.payment_id = p.id), 'cancel', p.gateway,
       'open', 1, now() + :leaseMs!::integer * interval '1 millisecond', :traceparent, now()
from payments.payments p
where p.id = :paymentId! and p.scope = :scope! and p.status = 'pending' and p.stripe_payment_intent_id is not null
on conflict do nothing
returning number as "number!";

/*
  Hands open attempts whose time has come to whoever asks, each to one: locked rows are somebody else's, and a claimed
  one is not due again until its lease has passed. The partial index keeps this as cheap with a million payments.
*/
/* @name claimDueAttempts */
with due as materialized (
  select payment_id, number
  from payments.attempts
  where state = 'open' and due_at <= now()
  order by due_at
  limit :limit!::integer
  for update skip locked
)
update payments.attempts a
set tries = a.tries + 1, due_at = now() + :leaseMs!::integer * interval '1 millisecond'
from due join payments.payments p on p.id = due.payment_id
where a.payment_id = due.payment_id and a.number = due.number
returning a.payment_id as "paymentId!", a.number as "number!", a.operation as "operation!", a.tries as "tries!",
          a.traceparent, a.accepted_at as "acceptedAt!", p.stripe_payment_intent_id as "intentId",
          p.amount as "amount!", p.currency as "currency!", p.capture as "capture!", p.reference;

/* An attempt whose outcome is not known yet: recovery goes on with it after the delay, a person where it is parked. */
/* @name postponeAttempt */
update payments.attempts
set due_at = now() + :delayMs!::integer * interval '1 millisecond', last_error = :error!,
    state  = case when :park!::boolean then 'parked' else state end
where payment_id = :paymentId! and number = :number! and state = 'open';

/* @name countDueAttempts */
select count(*) as "due!" from payments.attempts where state = 'open' and due_at <= now();
