/* @name addWebhookEndpoint */
select webhooks.add_endpoint(
  :id!::uuid, :url!::text, :eventTypes!::text[], :description::text, :secret!::text, :most!::integer
) as "added!";

/* All there are, oldest first; they are bounded. */
/* @name listWebhookEndpoints */
select e.id as "id!", e.url as "url!", e.event_types as "eventTypes!", e.description, e.enabled as "enabled!",
       e.disabled_reason as "disabledReason", e.disabled_at as "disabledAt", e.failing_since as "failingSince",
       e.created_at as "createdAt!", e.updated_at as "updatedAt!"
from webhooks.endpoints e
where e.deleted_at is null
order by e.id;

/* @name getWebhookEndpoint */
select e.id as "id!", e.url as "url!", e.event_types as "eventTypes!", e.description, e.enabled as "enabled!",
       e.disabled_reason as "disabledReason", e.disabled_at as "disabledAt", e.failing_since as "failingSince",
       e.created_at as "createdAt!", e.updated_at as "updatedAt!"
from webhooks.endpoints e
where e.id = :id! and e.deleted_at is null;

/*
  Changes what is given. One that is enabled again, or gets another address, begins anew with the days after which it is
  disabled.
*/
/* @name changeWebhookEndpoint */
update webhooks.endpoints e
set url             = coalesce(:url::text, e.url),
    event_types     = coalesce(:eventTypes::text[], e.event_types),
    description     = case when :changesDescription!::boolean then :description::text else e.description end,
    enabled         = coalesce(:enabled::boolean, e.enabled),
    disabled_reason = case
      when :enabled is true then null
      when :enabled is false then coalesce(e.disabled_reason, 'request')
      else e.disabled_reason
    end,
    disabled_at     = case
      when :enabled is true then null
      when :enabled is false then coalesce(e.disabled_at, clock_timestamp())
      else e.disabled_at
    end,
    failing_since   = case
      when :url <> e.url or (:enabled is true and not e.enabled) then null
      else e.failing_since
    end,
    updated_at      = clock_timestamp()
where e.id = :id! and e.deleted_at is null
returning e.id as "id!", e.url as "url!", e.event_types as "eventTypes!", e.description, e.enabled as "enabled!",
          e.disabled_reason as "disabledReason", e.disabled_at as "disabledAt", e.failing_since as "failingSince",
          e.created_at as "createdAt!", e.updated_at as "updatedAt!";

/* Its secrets go at once; what it was sent stays to be read until it is forgotten. */
/* @name removeWebhookEndpoint */
with removed as (
  update webhooks.endpoints e set deleted_at = clock_timestamp()
  where e.id = :id! and e.deleted_at is null
  returning e.id
), forgotten as (
  delete from webhooks.secrets s using removed r where s.endpoint_id = r.id
)
select r.id as "id!" from removed r;

/* @name rotateWebhookSecret */
select webhooks.rotate_secret(:id!::uuid, :secret!::text, :now!::timestamptz, :oldUntil!::timestamptz) as "rotated!";

/* A delivery arrived at an endpoint where the one before had not. */
/* @name noteWebhookRecovery */
update webhooks.endpoints e set failing_since = null where e.id = :id! and e.failing_since is not null;

/* A delivery did not arrive where the one before had. */
/* @name noteWebhookFailure */
update webhooks.endpoints e set failing_since = :now!::timestamptz where e.id = :id! and e.failing_since is null;

/*
  Not where somebody has registered another address meanwhile: the answer was not of that one. One that fails is
  disabled only where it has failed since the given time: something may have arrived while this try was under way.
*/
/* @name disableWebhookEndpoint */
update webhooks.endpoints e
set enabled = false, disabled_reason = :reason!, disabled_at = :now!::timestamptz, updated_at = clock_timestamp()
where e.id = :id! and e.url = :url! and e.enabled and e.deleted_at is null
  and (:failingSince::timestamptz is null or e.failing_since <= :failingSince)
returning e.id as "id!";
