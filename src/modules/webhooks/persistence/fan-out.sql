/* Which events are wanted by whom; an endpoint takes none that was recorded before it was there. */
/* @name listWebhookFilters */
select e.id as "id!", e.event_types as "eventTypes!", date_trunc('milliseconds', e.created_at) as "createdAt!"
from webhooks.endpoints e
where e.enabled and e.deleted_at is null
order by e.id;

/*
  Decides on the deliveries of a page of the log and moves the cursor behind it, in one commit; both happen only where
  the cursor still stands at the page's beginning, so that each event is decided on once however many processes read it.
  An event whose id there is already is the same event.
*/
/* @name storeWebhookDeliveries */
with moved as materialized (
  select events.move_cursor('webhooks', 0, :from!::bigint, :upTo!::bigint) as ok
), messages as (
  insert into webhooks.messages (event_id, position, type, payload)
  select m.event_id, m.position, m.type, m.payload
  from moved
  cross join unnest(:eventIds!::uuid[], :positions!::bigint[], :types!::text[], :payloads!::text[])
    as m (event_id, position, type, payload)
  where moved.ok
  on conflict (event_id) do nothing
), deliveries as (
  insert into webhooks.deliveries (id, endpoint_id, event_id, type, due_at)
  select d.id, d.endpoint_id, d.event_id, d.type, :now!::timestamptz
  from moved
  cross join unnest(:ids!::uuid[], :endpointIds!::uuid[], :deliveryEventIds!::uuid[], :deliveryTypes!::text[])
    as d (id, endpoint_id, event_id, type)
  where moved.ok
  on conflict (event_id, endpoint_id) do nothing
  returning 1
)
select moved.ok as "moved!", (select count(*) from deliveries) as "stored!" from moved;

/* One message that no event stands behind, to one endpoint. */
/* @name storeWebhookTest */
with endpoint as (
  select e.id from webhooks.endpoints e where e.id = :endpointId! and e.enabled and e.deleted_at is null
), message as (
  insert into webhooks.messages (event_id, type, payload)
  select :eventId!::uuid, :type!::text, :payload!::text from endpoint
)
insert into webhooks.deliveries (id, endpoint_id, event_id, type, due_at)
select :id!::uuid, e.id, :eventId!::uuid, :type!::text, :now!::timestamptz from endpoint e
returning id as "id!";
