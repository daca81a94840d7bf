/*
  The intent is committed here, before any gateway hears of it: the payouts, the holds on their money and the working
  list, in one statement. A key that is taken inserts nothing and returns nothing. A payout whose money is not there is
  kept as well, without a hold: it is declined without asking the gateway.
  The holds are numbered in the order in which they are asked for, so that nothing is joined to find them again.
  In batches of 256 it takes 20 to 27 µs of PostgreSQL's time for each payout, the hold included.
*/
/* @name acceptPayouts */
with accepted as (
  insert into payouts.payouts (
    id, scope, idempotency_key, fingerprint, recipient_kind, recipient_id, amount_minor, currency, status, gateway,
    traceparent, created_at, begun_at
  )
  select id, scope, idempotency_key, decode(fingerprint, 'hex'), recipient_kind, recipient_id, amount_minor, currency,
         'PROCESANDO', gateway, traceparent, now(), now()
  from unnest(
    :ids!::uuid[], :scopes!::text[], :idempotencyKeys!::text[], :fingerprints!::text[], :recipientKinds!::text[],
    :recipientIds!::text[], :amounts!::bigint[], :currencies!::text[], :gateways!::text[],
    :traceparents!::text[]
  ) as i (
    id, scope, idempotency_key, fingerprint, recipient_kind, recipient_id, amount_minor, currency, gateway, traceparent
  )
  on conflict (scope, idempotency_key) where idempotency_key is not null do nothing
  returning id, recipient_kind, recipient_id, amount_minor, currency, gateway
),
held as materialized (
  select a.ids, h.first_id, h.exceptions
  from (
    select array_agg(id) as ids, array_agg('payout:' || id) as refs,
           array_agg(
             case recipient_kind when 'affiliate' then 'gateway:' || gateway || ':funding'
               else 'seller:' || recipient_id || ':available' end
           ) as codes,
           array_agg(currency) as currencies, array_agg(amount_minor) as amounts,
           array_agg(null::timestamptz) as expires_ats
    from accepted
  ) a
  cross join lateral ledger.hold(:tenant!::text, a.refs, a.codes, a.currencies, a.amounts, a.expires_ats, false) h
),
begun as materialized (
  select i.id,
         case when held.exceptions is null or held.exceptions -> i.item::text is null
           then held.first_id + i.item - 1 end as hold_id
  from held cross join lateral unnest(held.ids) with ordinality as i (id, item)
),
listed as (
  insert into payouts.under_way (payout_id, hold_id, tries, due_at, accepted_at)
  select id, hold_id, 1, now() + :leaseMs!::integer * interval '1 millisecond', now()
  from begun
)
-- One row for the whole batch; a payout without a hold has nothing between its commas.
select coalesce(string_agg(id::text, ','), '') as "acceptedIds!",
       coalesce(string_agg(coalesce(hold_id::text, ''), ','), '') as "holdIds!",
       now() as "createdAt!"
from begun;

/*
  Payouts that were made. Guarded by the working list, whose rows only one can remove, whoever learned of the outcome:
  the request, recovery, or both at once. State, posting and event are one commit.
  Declined ones have a statement of their own: it frees holds, and a statement that posted and freed would lock balances
  twice, in an order in which two processes could wait for each other.
  In batches of 256 it takes 24 µs for each payout besides what ledger.post_all takes: 8 for the two rows, 4 for the
  legs, 11 for the event.
*/
/* @name settlePaidPayouts */
with input as (
  select * from unnest(:ids!::uuid[], :gatewayReferences!::text[], :amounts!::numeric[])
    as i (id, gateway_reference, amount)
),
ended as (
  delete from payouts.under_way u using input i where u.payout_id = i.id
  returning i.id, i.gateway_reference, i.amount, u.hold_id
),
paid as (
  update payouts.payouts p
  set status = 'EXITOSO', gateway_reference = e.gateway_reference, version = p.version + 1, processed_at = now()
  from ended e
  where p.id = e.id
  returning p.id, p.recipient_kind, p.recipient_id, p.amount_minor, p.currency, p.gateway, p.gateway_reference,
            p.version, p.traceparent, e.hold_id, e.amount
),
numbered as materialized (
  select (row_number() over ())::integer as item, paid.* from paid
),
posted as (
  select ledger.post_all(
    :tenant!::text, t.kinds, t.refs, t.external_ids, null, t.hold_ids, l.items, l.codes, l.currencies, l.amounts
  )
  from (
    select array_agg('payout'::text) as kinds, array_agg('payout:' || id order by item) as refs,
           array_agg(gateway_reference order by item) as external_ids, array_agg(hold_id order by item) as hold_ids
    from numbered
    having count(*) > 0
  ) t
  cross join (
    select array_agg(n.item order by n.item, g.leg) as items, array_agg(g.code order by n.item, g.leg) as codes,
           array_agg(n.currency order by n.item, g.leg) as currencies,
           array_agg(g.amount order by n.item, g.leg) as amounts
    from numbered n
    cross join lateral (
      values (1, case n.recipient_kind when 'affiliate' then 'affiliate:' || n.recipient_id || ':paid'
                   else 'seller:' || n.recipient_id || ':available' end, n.amount_minor),
             (2, case n.recipient_kind when 'affiliate' then 'gateway:' || n.gateway || ':funding'
                   else 'gateway:' || n.gateway || ':payouts' end, -n.amount_minor)
    ) as g (leg, code, amount)
  ) l
),
moment as materialized (
  select to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as text
),
logged as (
  select events.append(
    case recipient_kind when 'affiliate' then 'pago' else 'payout' end, array_agg(id), array_agg(version),
    array_agg(case recipient_kind when 'affiliate' then 'PagoExitoso' else 'payout.succeeded' end),
    array_agg(
      case recipient_kind
        when 'affiliate' then jsonb_build_object(
          'event_type', 'PagoExitoso', 'event_id', gen_random_uuid(), 'timestamp', moment.text,
          'data', jsonb_build_object(
            'id_pago', id, 'id_afiliado', recipient_id, 'monto', trim_scale(amount), 'moneda', currency,
            'referencia_pago', 'ref_' || replace(id::text, '-', '')
          )
        )
        else jsonb_build_object(
          'seller_id', recipient_id, 'amount', trim_scale(amount)::text, 'currency', currency,
          'gateway_reference', gateway_reference
        )
      end
    ),
    array_agg(traceparent)
  ) as appended
  from numbered cross join moment
  group by recipient_kind
)
-- The posting comes last: it locks the account that everybody is paid from until the commit.
select coalesce((select string_agg(id::text, ',') from numbered), '') as "settledIds!", now() as "processedAt!",
       (select sum(appended) from logged) as "logged", (select post_all from posted) as "posted";

/* Payouts that were not made, or whose money was not there: what was held for them is free again. */
/* @name settleDeclinedPayouts */
with input as (
  select * from unnest(:ids!::uuid[], :failureCodes!::text[], :failureMessages!::text[], :amounts!::numeric[])
    as i (id, failure_code, failure_message, amount)
),
ended as (
  delete from payouts.under_way u using input i where u.payout_id = i.id
  returning i.id, i.failure_code, i.failure_message, i.amount, u.hold_id
),
failed as (
  update payouts.payouts p
  set status = 'FALLIDO', failure_code = e.failure_code, failure_message = e.failure_message,
      version = p.version + 1, processed_at = now()
  from ended e
  where p.id = e.id
  returning p.id, p.recipient_kind, p.recipient_id, p.currency, p.version, p.traceparent, p.failure_code,
            p.failure_message, e.hold_id, e.amount
),
freed as (
  select ledger.void_holds(:tenant!::text, array_agg(hold_id)) from failed
  where hold_id is not null
  having count(*) > 0
),
moment as materialized (
  select to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as text
),
logged as (
  select events.append(
    case recipient_kind when 'affiliate' then 'pago' else 'payout' end, array_agg(id), array_agg(version),
    array_agg(case recipient_kind when 'affiliate' then 'PagoFallido' else 'payout.failed' end),
    array_agg(
      case recipient_kind
        when 'affiliate' then jsonb_build_object(
          'event_type', 'PagoFallido', 'event_id', gen_random_uuid(), 'timestamp', moment.text,
          'data', jsonb_build_object(
            'id_pago', id, 'id_afiliado', recipient_id, 'monto', trim_scale(amount), 'moneda', currency,
            'referencia_pago', 'ref_' || replace(id::text, '-', ''), 'mensaje_error', failure_message
          )
        )
        else jsonb_build_object(
          'seller_id', recipient_id, 'amount', trim_scale(amount)::text, 'currency', currency,
          'failure_code', failure_code, 'failure_message', failure_message
        )
      end
    ),
    array_agg(traceparent)
  ) as appended
  from failed cross join moment
  group by recipient_kind
)
-- The holds come last, as the posting does above.
select coalesce((select string_agg(id::text, ',') from failed), '') as "settledIds!", now() as "processedAt!",
       (select sum(appended) from logged) as "logged", (select void_holds from freed) as "notFreed";

/*
  Hands payouts under way whose time has come to whoever asks, each to one: locked rows are somebody else's, and a
  claimed one is not due again until its lease has passed. Those of another gateway wait for a process that has it:
  asked about them, ours would say that it never heard of them.
*/
/* @name claimDuePayouts */
with due as materialized (
  select u.payout_id
  from payouts.under_way u
  cross join lateral (select p.gateway from payouts.payouts p where p.id = u.payout_id offset 0) p
  where not u.parked and u.due_at <= now() and p.gateway = :gateway!
  order by u.due_at
  limit :limit!::integer
  for update of u skip locked
)
update payouts.under_way u
set tries = u.tries + 1, due_at = now() + :leaseMs!::integer * interval '1 millisecond'
from due
join payouts.payouts p on p.id = due.payout_id
where u.payout_id = due.payout_id
returning u.payout_id as "payoutId!", u.hold_id as "holdId", u.tries as "tries!", u.absences as "absences!",
          p.recipient_kind as "recipientKind!", p.recipient_id as "recipientId!", p.amount_minor as "amountMinor!",
          p.currency as "currency!", p.traceparent;

/* A payout whose outcome is not known yet: recovery goes on with it after the delay, a person where it is parked. */
/* @name postponePayout */
update payouts.under_way
set due_at = now() + :delayMs!::integer * interval '1 millisecond', last_error = :error!, absences = :absences!,
    parked = :park!
where payout_id = :payoutId!;

/* @name countDuePayouts */
select count(*) as "due!" from payouts.under_way where not parked and due_at <= now();
