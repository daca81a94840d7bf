/*
  Forgets a page of the deliveries below an id, with their tries, and the messages that none is left of. What is to be
  sent still, because it was replayed, stays.
*/
/* @name forgetWebhookDeliveries */
with page as materialized (
  select d.id, d.event_id
  from webhooks.deliveries d
  where d.id < :below! and (d.status <> 'pending' or d.due_at < :before!::timestamptz)
  order by d.id
  limit :limit!::integer
  for update skip locked
), forgotten as (
  delete from webhooks.deliveries d using page p where d.id = p.id returning d.id
), messages as (
  delete from webhooks.messages m
  where m.event_id = any (array(
    select g.event_id
    from (select p.event_id, count(*) as forgotten from page p group by p.event_id) g
    cross join lateral (select count(*) as known from webhooks.deliveries d where d.event_id = g.event_id offset 0) k
    where k.known = g.forgotten
  ))
)
select count(*) as "forgotten!" from forgotten;

/* What was still to be sent to endpoints that were removed is given up, a page of it. */
/* @name giveUpWebhookDeliveries */
with page as materialized (
  select d.id
  from webhooks.endpoints e
  cross join lateral (
    select p.id from webhooks.deliveries p
    where p.endpoint_id = e.id and p.status = 'pending'
    order by p.due_at
    limit :limit!::integer
    for update skip locked
  ) d
  where e.deleted_at is not null
  limit :limit!::integer
)
update webhooks.deliveries d
set status = 'failed', due_at = null, leased_until = null, ended_at = :now!::timestamptz
from page p
where d.id = p.id
returning d.id as "id!";

/* Endpoints that were removed go when the last of their deliveries has; secrets whose time is over go at once. */
/* @name forgetWebhookEndpoints */
with secrets as (
  delete from webhooks.secrets s where s.expires_at <= :now!::timestamptz
)
delete from webhooks.endpoints e
where e.deleted_at < :before!::timestamptz
  and not exists (select from webhooks.deliveries d where d.endpoint_id = e.id)
returning e.id as "id!";

/*
  What is due and nobody is sending, of the endpoints that take something: by the index of what is pending, and no more
  than so many of each, so that a long queue costs no more than a short one.
*/
/* @name countDueWebhooks */
select count(*) as "deliveries!", min(d.due_at) as "oldest"
from webhooks.endpoints e
cross join lateral (
  select p.due_at from webhooks.deliveries p
  where p.endpoint_id = e.id and p.status = 'pending' and p.due_at <= :now!::timestamptz
  order by p.due_at
  limit :most!::integer
) d
where e.enabled and e.deleted_at is null;
