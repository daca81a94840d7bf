/* A page of an endpoint's deliveries, newest first: merged of the states that are asked for. */
/* @name listWebhookDeliveries */
select d.id as "id!", d.endpoint_id as "endpointId!", d.event_id as "eventId!", d.type as "eventType!",
       d.status as "status!", d.attempts as "attemptCount!", d.due_at as "nextAttemptAt", d.ended_at as "endedAt"
from unnest(:statuses!::text[]) as s (status)
cross join lateral (
  select p.id, p.endpoint_id, p.event_id, p.type, p.status, p.attempts, p.due_at, p.ended_at
  from webhooks.deliveries p
  where p.endpoint_id = :endpointId! and p.status = s.status and p.id < :before!
  order by p.id desc
  limit :limit!::integer
) d
order by d.id desc
limit :limit!::integer;

/* @name getWebhookDelivery */
select d.id as "id!", d.endpoint_id as "endpointId!", d.event_id as "eventId!", d.type as "eventType!",
       d.status as "status!", d.attempts as "attemptCount!", d.due_at as "nextAttemptAt", d.ended_at as "endedAt",
       m.payload as "payload!", e.enabled and e.deleted_at is null as "isReplayable!"
from webhooks.deliveries d
join webhooks.messages m on m.event_id = d.event_id
join webhooks.endpoints e on e.id = d.endpoint_id
where d.id = :id!;

/* The newest tries of each of some deliveries. */
/* @name listWebhookAttempts */
select a.delivery_id as "deliveryId!", a.at as "at!", a.status_code as "statusCode", a.duration_ms as "durationMs!",
       a.error, a.answer
from unnest(:deliveryIds!::uuid[]) as i (id)
cross join lateral (
  select t.delivery_id, t.number, t.at, t.status_code, t.duration_ms, t.error, t.answer
  from webhooks.attempts t
  where t.delivery_id = i.id
  order by t.number desc
  limit :limit!::integer
) a
order by a.delivery_id, a.number desc;

/* Whether an endpoint has ever been there and is remembered; one that was removed is, as long as its deliveries. */
/* @name knowsWebhookEndpoint */
select e.enabled and e.deleted_at is null as "isReplayable!" from webhooks.endpoints e where e.id = :id!;

/* Sends one again, from the first try on. One that is being sent right now is left alone. */
/* @name replayWebhookDelivery */
update webhooks.deliveries d
set status = 'pending', due_at = :now!::timestamptz, leased_until = null, tries = 0, ended_at = null
where d.id = :id! and (d.leased_until is null or d.leased_until <= :now!::timestamptz)
  and exists (select from webhooks.endpoints e where e.id = d.endpoint_id and e.enabled and e.deleted_at is null);

/* The same of a page of an endpoint's deliveries in the order of their ids, from one on and below another. */
/* @name replayWebhookDeliveries */
with page as materialized (
  select d.id
  from unnest(:statuses!::text[]) as s (status)
  cross join lateral (
    select p.id
    from webhooks.deliveries p
    where p.endpoint_id = :endpointId! and p.status = s.status and p.id >= :from! and p.id < :below!
      and (p.leased_until is null or p.leased_until <= :now!::timestamptz)
    order by p.id
    limit :limit!::integer
    -- Those that a sender has just taken are under way.
    for update skip locked
  ) d
  order by d.id
  limit :limit!::integer
), replayed as (
  update webhooks.deliveries d
  set status = 'pending', due_at = :now!::timestamptz, leased_until = null, tries = 0, ended_at = null
  from page p
  where d.id = p.id
)
select p.id as "id!" from page p order by p.id;
