/*
  Takes deliveries that are due, for so long that nobody else sends them meanwhile. Each endpoint has so many under way
  at most in a process, one that fails fewer; and those with the fewest come first, so that an endpoint which is slow or
  has a long queue keeps nobody else waiting. Deliveries of endpoints that are disabled stay where they are.
*/
/* @name claimWebhookDeliveries */
with endpoints as materialized (
  select e.id, e.url, e.failing_since, coalesce(b.in_flight, 0) as in_flight
  from webhooks.endpoints e
  left join unnest(:busy!::uuid[], :inFlight!::integer[]) as b (id, in_flight) on b.id = e.id
  where e.enabled and e.deleted_at is null
), due as materialized (
  select d.id, d.due_at, e.in_flight + row_number() over (partition by e.id order by d.due_at, d.id) as turn
  from endpoints e
  cross join lateral (
    select p.id, p.due_at
    from webhooks.deliveries p
    where p.endpoint_id = e.id and p.status = 'pending' and p.due_at <= :now!::timestamptz
    order by p.due_at
    limit greatest(
      case when e.failing_since is null then :mostOfEndpoint!::integer else :mostOfFailing!::integer end - e.in_flight,
      0
    )
    for update skip locked
  ) d
), chosen as materialized (
  select id from due order by turn, due_at limit :room!::integer
), claimed as (
  update webhooks.deliveries d
  set due_at = :until!::timestamptz, leased_until = :until!::timestamptz, claim = d.claim + 1
  from chosen c
  where d.id = c.id
  returning d.id, d.claim, d.endpoint_id, d.event_id, d.tries
)
select k.id as "id!", k.claim as "claim!", k.tries as "tries!", k.endpoint_id as "endpointId!", e.url as "url!",
       e.failing_since as "failingSince", k.event_id as "eventId!", m.payload as "payload!",
       array(
         select s.secret from webhooks.secrets s
         where s.endpoint_id = k.endpoint_id and (s.expires_at is null or s.expires_at > :now!::timestamptz)
         order by s.number desc
         limit :mostSecrets!::integer
       ) as "secrets!"
from claimed k
join endpoints e on e.id = k.endpoint_id
cross join lateral (select p.payload from webhooks.messages p where p.event_id = k.event_id offset 0) m;

/*
  Writes down what came of tries, and when the next ones are. A try whose claim is not the delivery's any more was given
  up, and somebody else tries: it changes nothing. The lease ends with it, so that a try is counted once also where the
  answer to its commit was lost and it is written down again.
*/
/* @name settleWebhookDeliveries */
with outcome as materialized (
  select *
  from unnest(
    :ids!::uuid[], :claims!::integer[], :statuses!::text[], :dueAts!::text[], :ats!::text[], :statusCodes!::integer[],
    :durationsMs!::integer[], :errors!::text[], :answers!::text[]
  ) as o (id, claim, status, due_at, at, status_code, duration_ms, error, answer)
), settled as (
  update webhooks.deliveries d
  set status = o.status, due_at = o.due_at::timestamptz, leased_until = null, tries = d.tries + 1,
      attempts = d.attempts + 1, ended_at = case when o.status <> 'pending' then o.at::timestamptz end
  from outcome o
  where d.id = o.id and d.claim = o.claim and d.leased_until is not null
  returning d.id, d.claim, d.attempts
)
insert into webhooks.attempts (delivery_id, number, at, status_code, duration_ms, error, answer)
select s.id, s.attempts, o.at::timestamptz, o.status_code, o.duration_ms, o.error, o.answer
from settled s
join outcome o on o.id = s.id and o.claim = s.claim
returning delivery_id as "id!";

/* Gives back what was claimed and not tried to its end, as if it had not been claimed. */
/* @name releaseWebhookDeliveries */
update webhooks.deliveries d
set due_at = :now!::timestamptz, leased_until = null
from unnest(:ids!::uuid[], :claims!::integer[]) as r (id, claim)
where d.id = r.id and d.claim = r.claim and d.leased_until is not null;
