/*
  The intent is committed here, before any gateway hears of it: payment, first attempt and event in one statement.
  A key that is taken inserts nothing and returns nothing, also when it is taken twice within the batch. Nothing here
  joins the batch to itself: for a batch of 128 each such join would cost as much as an index.
*/
/* @name acceptPayments */
with accepted as (
  insert into payments.payments (
    id, scope, idempotency_key, fingerprint, amount, currency, status, capture, gateway, seller_id, reference,
    metadata, traceparent, version, created_at, updated_at, commission_basis_points
  )
  select id, scope, idempotency_key, decode(fingerprint, 'hex'), amount, currency, 'pending', capture, gateway,
         seller_id, reference, metadata::jsonb, traceparent, 1, now(), now(),
         -- Where there is no rate but everybody's it is looked up once, and not for each payment.
         case when (select exists (select from payments.commission_rates where seller_id <> '' or category <> ''))
           then payments.commission_rate(seller_id, metadata::jsonb ->> 'category')
           else (select payments.commission_rate(null, null)) end
  from unnest(
    :ids!::uuid[], :scopes!::text[], :idempotencyKeys!::text[], :fingerprints!::text[], :amounts!::numeric[],
    :currencies!::text[], :captures!::text[], :gateways!::text[], :sellerIds!::text[], :references!::text[],
    :metadata!::text[], :traceparents!::text[]
  ) as i (
    id, scope, idempotency_key, fingerprint, amount, currency, capture, gateway, seller_id, reference,
    metadata, traceparent
  )
  on conflict (scope, idempotency_key) do nothing
  returning id, gateway, traceparent, amount, currency, seller_id, reference
),
opened as (
  insert into payments.attempts (payment_id, number, operation, gateway, state, tries, due_at, accepted_at)
  select id, 1, 'create', gateway, 'open', 1, now() + :leaseMs!::integer * interval '1 millisecond', now()
  from accepted
),
logged as (
  select events.append(
    'payment', array_agg(id), array_agg(1), array_agg('payment.created'::text),
    array_agg(
      jsonb_build_object(
        'amount', trim_scale(amount)::text, 'currency', currency, 'seller_id', seller_id, 'reference', reference
      )
    ),
    array_agg(traceparent)
  )
  from accepted
)
-- One row for the whole batch, because a row for each payment costs the reader as much as the payment's own answer.
select coalesce(string_agg(accepted.id::text, ','), '') as "acceptedIds!", now() as "createdAt!",
       max(logged.append) as "logged"
from accepted, logged;

/*
  The one way in which an attempt ends, whoever learned of the outcome: the request, recovery, or both at once. Status,
  the ledger's postings and the event are one commit.
  Guarded by the attempt being open, so the second to come changes nothing. The payment is touched only where its
  status moves, and then locked in the order of the ids, here and in receiveEvents: two batches that share payments
  wait for each other instead of deadlocking. A payment that stays pending is not looked up.
*/
/* @name settleAttempts */
with input as (
  select *
  from unnest(
    :paymentIds!::uuid[], :numbers!::integer[], :states!::text[], :intentIds!::text[], :clientSecrets!::text[],
    :statuses!::text[], :capturedMinor!::bigint[], :failureCodes!::text[], :failureMessages!::text[]
  ) as i (payment_id, number, state, intent_id, client_secret, status, captured_minor, failure_code, failure_message)
),
closed as (
  update payments.attempts a
  set state = i.state, settled_at = now(), last_error = i.failure_code,
      -- Only the creation names the intent: a cancellation is about the same one.
      stripe_payment_intent_id = case when a.number = 1 then i.intent_id end,
      client_secret            = case when a.number = 1 then i.client_secret end
  from input i
  -- Not settled is what open means; the partial index of the open ones would lead the planner astray.
  where a.payment_id = i.payment_id and a.number = i.number and a.settled_at is null
  returning i.*
),
locked as materialized (
  select p.id, p.status, c.status as learned, c.intent_id, c.captured_minor, c.failure_code, c.failure_message,
         payments.status_rank(c.status) > payments.status_rank(p.status) as moves
  from payments.payments p join closed c on c.payment_id = p.id
  where c.status <> 'pending'
  order by p.id
  for update of p
),
changed as (
  update payments.payments p
  set status          = l.learned,
      captured_minor  = case when l.learned = 'succeeded' then l.captured_minor end,
      fee_minor       = case when l.learned = 'succeeded'
                          then payments.commission(l.captured_minor, p.commission_basis_points) end,
      failure_code    = case when l.learned = 'failed' then l.failure_code end,
      failure_message = case when l.learned = 'failed' then l.failure_message end,
      version         = p.version + 1,
      updated_at      = now()
  from locked l
  where p.id = l.id and l.moves
  returning p.id, p.status, p.version, p.traceparent, p.gateway, p.seller_id, p.currency, p.captured_minor,
            p.fee_minor, l.intent_id,
            jsonb_build_object(
              'amount', trim_scale(p.amount)::text, 'currency', p.currency, 'seller_id', p.seller_id,
              'reference', p.reference, 'captured_minor', p.captured_minor::text, 'fee_minor', p.fee_minor::text,
              'intent_id', l.intent_id, 'failure_code', l.failure_code
            ) as payload
),
posted as (
  select payments.post_sales(
    array_agg(id), array_agg(gateway), array_agg(seller_id), array_agg(currency), array_agg(captured_minor),
    array_agg(fee_minor), array_agg(intent_id)
  )
  from changed
  where status = 'succeeded'
),
logged as (
  select events.append(
    'payment', array_agg(id), array_agg(version), array_agg('payment.' || status), array_agg(payload),
    array_agg(traceparent)
  )
  from changed
)
-- One row: the payments whose attempts are closed now, and the status of those whose is not what the batch said.
select coalesce((select string_agg(payment_id::text, ',') from closed), '') as "settledIds!",
       (select jsonb_object_agg(id, status) from locked where not moves) as "otherStatuses",
       logged.append as "logged", posted.post_sales as "posted"
from logged, posted;

/*
  Webhook events: the inbox row and its effect are one commit. An event that was processed before has no effect; one
  whose payment is not here yet waits in the inbox and is received again later. A payment only moves up the order of
  statuses, so that events in any order end in the same state. An event whose amount or gateway id is not the
  payment's is kept aside and moves nothing.
*/
/* @name receiveEvents */
with input as (
  select *
  from unnest(
    :eventIds!::text[], :types!::text[], :intentIds!::text[], :paymentIds!::uuid[], :statuses!::text[],
    :amounts!::numeric[], :currencies!::text[], :capturedMinor!::bigint[], :failureCodes!::text[],
    :failureMessages!::text[], :payloads!::text[]
  ) as i (
    event_id, type, intent_id, payment_id, status, amount, currency, captured_minor, failure_code, failure_message,
    payload
  )
),
fresh as materialized (
  -- Our own id comes with the intent's metadata; an event that does not have it is found by the intent.
  select i.*, coalesce(i.payment_id, a.payment_id) as target_id, p.id is not null as is_here
  from input i
  left join payments.attempts a on i.payment_id is null and a.stripe_payment_intent_id = i.intent_id
  left join payments.payments p on p.id = coalesce(i.payment_id, a.payment_id)
  where not exists (
    select from payments.webhook_inbox w where w.event_id = i.event_id and w.processed_at is not null
  )
),
locked as materialized (
  select f.*, payments.status_rank(f.status) > payments.status_rank(p.status) as moves,
         p.amount = f.amount and p.currency = f.currency
           and coalesce(a.stripe_payment_intent_id, f.intent_id) = f.intent_id as agrees
  from fresh f
  join payments.payments p on p.id = f.target_id
  join payments.attempts a on a.payment_id = p.id and a.number = 1
  where f.status is not null
  order by p.id
  for update of p
),
changed as (
  update payments.payments p
  set status          = l.status,
      captured_minor  = case when l.status = 'succeeded' then l.captured_minor end,
      fee_minor       = case when l.status = 'succeeded'
                          then payments.commission(l.captured_minor, p.commission_basis_points) end,
      failure_code    = l.failure_code,
      failure_message = l.failure_message,
      version         = p.version + 1,
      updated_at      = now()
  from locked l
  where p.id = l.target_id and l.agrees and l.moves
  returning p.id, p.status, p.version, p.traceparent, p.gateway, p.seller_id, p.currency, p.captured_minor,
            p.fee_minor, l.intent_id,
            jsonb_build_object(
              'amount', trim_scale(p.amount)::text, 'currency', p.currency, 'seller_id', p.seller_id,
              'reference', p.reference, 'captured_minor', p.captured_minor::text, 'fee_minor', p.fee_minor::text,
              'intent_id', l.intent_id, 'failure_code', l.failure_code, 'gateway_event', l.event_id
            ) as payload
),
posted as (
  select payments.post_sales(
    array_agg(id), array_agg(gateway), array_agg(seller_id), array_agg(currency), array_agg(captured_minor),
    array_agg(fee_minor), array_agg(intent_id)
  )
  from changed
  where status = 'succeeded'
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
  select event_id, type, intent_id, target_id, payload::json, now(),
         case when not agrees then 'mismatched' when moves then 'applied' else 'superseded' end
  from locked
  union all
  select event_id, type, intent_id, target_id, payload::json, case when status is null then now() end,
         case when status is null then 'recorded' else 'waiting' end
  from fresh
  where status is null or not is_here
  on conflict (event_id) do update
  set processed_at = excluded.processed_at, payment_id = excluded.payment_id, disposition = excluded.disposition
  where webhook_inbox.processed_at is null
  returning event_id, disposition
)
select kept.event_id as "eventId!", kept.disposition as "disposition!", logged.append as "logged",
       posted.post_sales as "posted"
from kept, logged, posted;

/*
  Events that came before what they are about, oldest first: those that can be applied by now. One that cannot is not
  among them, so that those which wait for days keep no other from its turn: money goes back only where it has come,
  and while a refund of ours is under way what was refunded elsewhere cannot be told from it.
*/
/* @name listWaitingEvents */
select w.event_id as "eventId!", w.payload::text as "payload!"
from payments.webhook_inbox w
-- Lateral and with an offset, so that each payment is looked up in the index, whatever the statistics say.
cross join lateral (
  select * from payments.payments
  where id = coalesce(
    w.payment_id, (select a.payment_id from payments.attempts a where a.stripe_payment_intent_id = w.intent_id)
  )
  offset 0
) p
where w.processed_at is null
  and (w.type not like 'charge.%' or p.status = 'succeeded')
  and (w.type <> 'charge.refunded' or p.refunding_minor = 0)
order by w.received_at
limit :limit!::integer;

/*
  Accepts the cancellation or the capture of a pending payment that its gateway knows, with what it takes. Where one of
  them is under way already nothing is changed and nothing returned.
*/
/* @name acceptMove */
with numbered as (
  update payments.payments p
  set last_attempt = p.last_attempt + 1
  from payments.attempts c
  -- The scope decides and does not find, so that no plan walks over all payments of a scope.
  where p.id = :paymentId! and (p.scope = :scope!) is true and p.status = 'pending'
    and c.payment_id = p.id and c.number = 1 and c.stripe_payment_intent_id is not null
    and not exists (
      select from payments.attempts a
      where a.payment_id = p.id and a.operation in ('cancel', 'capture') and a.state = 'open'
    )
  returning p.id, p.last_attempt, p.gateway
)
insert into payments.attempts (
  payment_id, number, operation, gateway, state, tries, due_at, accepted_at, amount_minor
)
select id, last_attempt, :operation!, gateway, 'open', 1, now() + :leaseMs!::integer * interval '1 millisecond', now(),
       :amountMinor::bigint
from numbered
on conflict (payment_id) where operation in ('cancel', 'capture') and state = 'open' do nothing
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
from due
join payments.payments p on p.id = due.payment_id
join payments.attempts c on c.payment_id = due.payment_id and c.number = 1
where a.payment_id = due.payment_id and a.number = due.number
returning a.payment_id as "paymentId!", a.number as "number!", a.operation as "operation!", a.tries as "tries!",
          a.absences as "absences!",
          p.traceparent, a.accepted_at as "acceptedAt!", c.stripe_payment_intent_id as "intentId",
          p.amount as "amount!", p.currency as "currency!", p.capture as "capture!", p.reference,
          a.amount_minor as "amountMinor", a.refund_id as "refundId";

/* An attempt whose outcome is not known yet: recovery goes on with it after the delay, a person where it is parked. */
/* @name postponeAttempt */
update payments.attempts
set due_at   = now() + :delayMs!::integer * interval '1 millisecond', last_error = :error!,
    absences = :absences!, state = case when :park!::boolean then 'parked' else state end
-- By its key, and not by the index of the open ones, of which there are many while a gateway is away.
where payment_id = :paymentId! and number = :number! and (state = 'open') is true;

/* @name countDueAttempts */
select count(*) as "due!" from payments.attempts where state = 'open' and due_at <= now();
