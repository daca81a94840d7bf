/** Types generated for queries found in "src/modules/payments/persistence/movements.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type bigintArray = readonly (bigint | null)[];

export type numberArray = readonly (number | null)[];

export type stringArray = readonly (string | null)[];

/** 'AcceptPayments' parameters type */
export interface AcceptPaymentsParams {
  amounts: stringArray;
  captures: stringArray;
  currencies: stringArray;
  fingerprints: stringArray;
  gateways: stringArray;
  idempotencyKeys: stringArray;
  ids: stringArray;
  leaseMs: number;
  metadata: stringArray;
  references: stringArray;
  scopes: stringArray;
  sellerIds: stringArray;
  traceparents: stringArray;
}

/** 'AcceptPayments' return type */
export interface AcceptPaymentsResult {
  acceptedIds: string;
  createdAt: Date;
  logged: bigint | null;
}

const acceptPaymentsIR = {"statement":"with accepted as (\n  insert into payments.payments (\n    id, scope, idempotency_key, fingerprint, amount, currency, status, capture, gateway, seller_id, reference,\n    metadata, traceparent, version, created_at, updated_at, commission_basis_points\n  )\n  select id, scope, idempotency_key, decode(fingerprint, 'hex'), amount, currency, 'pending', capture, gateway,\n         seller_id, reference, metadata::jsonb, traceparent, 1, now(), now(),\n         -- Where there is no rate but everybody's it is looked up once, and not for each payment.\n         case when (select exists (select from payments.commission_rates where seller_id <> '' or category <> ''))\n           then payments.commission_rate(seller_id, metadata::jsonb ->> 'category')\n           else (select payments.commission_rate(null, null)) end\n  from unnest(\n    :ids!::uuid[], :scopes!::text[], :idempotencyKeys!::text[], :fingerprints!::text[], :amounts!::numeric[],\n    :currencies!::text[], :captures!::text[], :gateways!::text[], :sellerIds!::text[], :references!::text[],\n    :metadata!::text[], :traceparents!::text[]\n  ) as i (\n    id, scope, idempotency_key, fingerprint, amount, currency, capture, gateway, seller_id, reference,\n    metadata, traceparent\n  )\n  on conflict (scope, idempotency_key) do nothing\n  returning id, gateway, traceparent, amount, currency, seller_id, reference\n),\nopened as (\n  insert into payments.attempts (payment_id, number, operation, gateway, state, tries, due_at, accepted_at)\n  select id, 1, 'create', gateway, 'open', 1, now() + :leaseMs!::integer * interval '1 millisecond', now()\n  from accepted\n),\nlogged as (\n  select events.append(\n    'payment', array_agg(id), array_agg(1), array_agg('payment.created'::text),\n    array_agg(\n      jsonb_build_object(\n        'amount', trim_scale(amount)::text, 'currency', currency, 'seller_id', seller_id, 'reference', reference\n      )\n    ),\n    array_agg(traceparent)\n  )\n  from accepted\n)\n-- One row for the whole batch, because a row for each payment costs the reader as much as the payment's own answer.\nselect coalesce(string_agg(accepted.id::text, ','), '') as \"acceptedIds\" , now() as \"createdAt\" ,\n       max(logged.append) as \"logged\"\nfrom accepted, logged","params":[{"name":"ids","locs":[{"a":825,"b":830}]},{"name":"scopes","locs":[{"a":840,"b":848}]},{"name":"idempotencyKeys","locs":[{"a":858,"b":875}]},{"name":"fingerprints","locs":[{"a":885,"b":899}]},{"name":"amounts","locs":[{"a":909,"b":918}]},{"name":"currencies","locs":[{"a":935,"b":947}]},{"name":"captures","locs":[{"a":957,"b":967}]},{"name":"gateways","locs":[{"a":977,"b":987}]},{"name":"sellerIds","locs":[{"a":997,"b":1008}]},{"name":"references","locs":[{"a":1018,"b":1030}]},{"name":"metadata","locs":[{"a":1044,"b":1054}]},{"name":"traceparents","locs":[{"a":1064,"b":1078}]},{"name":"leaseMs","locs":[{"a":1535,"b":1544}]}]};

/**
 * Query generated from SQL:
 * ```
 * with accepted as (
 *   insert into payments.payments (
 *     id, scope, idempotency_key, fingerprint, amount, currency, status, capture, gateway, seller_id, reference,
 *     metadata, traceparent, version, created_at, updated_at, commission_basis_points
 *   )
 *   select id, scope, idempotency_key, decode(fingerprint, 'hex'), amount, currency, 'pending', capture, gateway,
 *          seller_id, reference, metadata::jsonb, traceparent, 1, now(), now(),
 *          -- Where there is no rate but everybody's it is looked up once, and not for each payment.
 *          case when (select exists (select from payments.commission_rates where seller_id <> '' or category <> ''))
 *            then payments.commission_rate(seller_id, metadata::jsonb ->> 'category')
 *            else (select payments.commission_rate(null, null)) end
 *   from unnest(
 *     :ids!::uuid[], :scopes!::text[], :idempotencyKeys!::text[], :fingerprints!::text[], :amounts!::numeric[],
 *     :currencies!::text[], :captures!::text[], :gateways!::text[], :sellerIds!::text[], :references!::text[],
 *     :metadata!::text[], :traceparents!::text[]
 *   ) as i (
 *     id, scope, idempotency_key, fingerprint, amount, currency, capture, gateway, seller_id, reference,
 *     metadata, traceparent
 *   )
 *   on conflict (scope, idempotency_key) do nothing
 *   returning id, gateway, traceparent, amount, currency, seller_id, reference
 * ),
 * opened as (
 *   insert into payments.attempts (payment_id, number, operation, gateway, state, tries, due_at, accepted_at)
 *   select id, 1, 'create', gateway, 'open', 1, now() + :leaseMs!::integer * interval '1 millisecond', now()
 *   from accepted
 * ),
 * logged as (
 *   select events.append(
 *     'payment', array_agg(id), array_agg(1), array_agg('payment.created'::text),
 *     array_agg(
 *       jsonb_build_object(
 *         'amount', trim_scale(amount)::text, 'currency', currency, 'seller_id', seller_id, 'reference', reference
 *       )
 *     ),
 *     array_agg(traceparent)
 *   )
 *   from accepted
 * )
 * -- One row for the whole batch, because a row for each payment costs the reader as much as the payment's own answer.
 * select coalesce(string_agg(accepted.id::text, ','), '') as "acceptedIds!", now() as "createdAt!",
 *        max(logged.append) as "logged"
 * from accepted, logged                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      
 * ```
 */
export const acceptPayments = new PreparedStatement<AcceptPaymentsParams, AcceptPaymentsResult>("payments.acceptPayments", acceptPaymentsIR);

/** 'SettleAttempts' parameters type */
export interface SettleAttemptsParams {
  capturedMinor: bigintArray;
  clientSecrets: stringArray;
  failureCodes: stringArray;
  failureMessages: stringArray;
  intentIds: stringArray;
  numbers: numberArray;
  paymentIds: stringArray;
  states: stringArray;
  statuses: stringArray;
}

/** 'SettleAttempts' return type */
export interface SettleAttemptsResult {
  logged: bigint | null;
  otherStatuses: Json | null;
  posted: bigint | null;
  settledIds: string;
}

const settleAttemptsIR = {"statement":"with input as (\n  select *\n  from unnest(\n    :paymentIds!::uuid[], :numbers!::integer[], :states!::text[], :intentIds!::text[], :clientSecrets!::text[],\n    :statuses!::text[], :capturedMinor!::bigint[], :failureCodes!::text[], :failureMessages!::text[]\n  ) as i (payment_id, number, state, intent_id, client_secret, status, captured_minor, failure_code, failure_message)\n),\nclosed as (\n  update payments.attempts a\n  set state = i.state, settled_at = now(), last_error = i.failure_code,\n      -- Only the creation names the intent: a cancellation is about the same one.\n      stripe_payment_intent_id = case when a.number = 1 then i.intent_id end,\n      client_secret            = case when a.number = 1 then i.client_secret end\n  from input i\n  -- Not settled is what open means; the partial index of the open ones would lead the planner astray.\n  where a.payment_id = i.payment_id and a.number = i.number and a.settled_at is null\n  returning i.*\n),\nlocked as materialized (\n  select p.id, p.status, c.status as learned, c.intent_id, c.captured_minor, c.failure_code, c.failure_message,\n         payments.status_rank(c.status) > payments.status_rank(p.status) as moves\n  from payments.payments p join closed c on c.payment_id = p.id\n  where c.status <> 'pending'\n  order by p.id\n  for update of p\n),\nchanged as (\n  update payments.payments p\n  set status          = l.learned,\n      captured_minor  = case when l.learned = 'succeeded' then l.captured_minor end,\n      fee_minor       = case when l.learned = 'succeeded'\n                          then payments.commission(l.captured_minor, p.commission_basis_points) end,\n      failure_code    = case when l.learned = 'failed' then l.failure_code end,\n      failure_message = case when l.learned = 'failed' then l.failure_message end,\n      version         = p.version + 1,\n      updated_at      = now()\n  from locked l\n  where p.id = l.id and l.moves\n  returning p.id, p.status, p.version, p.traceparent, p.gateway, p.seller_id, p.currency, p.captured_minor,\n            p.fee_minor, l.intent_id,\n            jsonb_build_object(\n              'amount', trim_scale(p.amount)::text, 'currency', p.currency, 'seller_id', p.seller_id,\n              'reference', p.reference, 'captured_minor', p.captured_minor::text, 'fee_minor', p.fee_minor::text,\n              'intent_id', l.intent_id, 'failure_code', l.failure_code\n            ) as payload\n),\nposted as (\n  select payments.post_sales(\n    array_agg(id), array_agg(gateway), array_agg(seller_id), array_agg(currency), array_agg(captured_minor),\n    array_agg(fee_minor), array_agg(intent_id)\n  )\n  from changed\n  where status = 'succeeded'\n),\nlogged as (\n  select events.append(\n    'payment', array_agg(id), array_agg(version), array_agg('payment.' || status), array_agg(payload),\n    array_agg(traceparent)\n  )\n  from changed\n)\n-- One row: the payments whose attempts are closed now, and the status of those whose is not what the batch said.\nselect coalesce((select string_agg(payment_id::text, ',') from closed), '') as \"settledIds\" ,\n       (select jsonb_object_agg(id, status) from locked where not moves) as \"otherStatuses\",\n       logged.append as \"logged\", posted.post_sales as \"posted\"\nfrom logged, posted","params":[{"name":"paymentIds","locs":[{"a":46,"b":58}]},{"name":"numbers","locs":[{"a":68,"b":77}]},{"name":"states","locs":[{"a":90,"b":98}]},{"name":"intentIds","locs":[{"a":108,"b":119}]},{"name":"clientSecrets","locs":[{"a":129,"b":144}]},{"name":"statuses","locs":[{"a":158,"b":168}]},{"name":"capturedMinor","locs":[{"a":178,"b":193}]},{"name":"failureCodes","locs":[{"a":205,"b":219}]},{"name":"failureMessages","locs":[{"a":229,"b":246}]}]};

/**
 * Query generated from SQL:
 * ```
 * with input as (
 *   select *
 *   from unnest(
 *     :paymentIds!::uuid[], :numbers!::integer[], :states!::text[], :intentIds!::text[], :clientSecrets!::text[],
 *     :statuses!::text[], :capturedMinor!::bigint[], :failureCodes!::text[], :failureMessages!::text[]
 *   ) as i (payment_id, number, state, intent_id, client_secret, status, captured_minor, failure_code, failure_message)
 * ),
 * closed as (
 *   update payments.attempts a
 *   set state = i.state, settled_at = now(), last_error = i.failure_code,
 *       -- Only the creation names the intent: a cancellation is about the same one.
 *       stripe_payment_intent_id = case when a.number = 1 then i.intent_id end,
 *       client_secret            = case when a.number = 1 then i.client_secret end
 *   from input i
 *   -- Not settled is what open means; the partial index of the open ones would lead the planner astray.
 *   where a.payment_id = i.payment_id and a.number = i.number and a.settled_at is null
 *   returning i.*
 * ),
 * locked as materialized (
 *   select p.id, p.status, c.status as learned, c.intent_id, c.captured_minor, c.failure_code, c.failure_message,
 *          payments.status_rank(c.status) > payments.status_rank(p.status) as moves
 *   from payments.payments p join closed c on c.payment_id = p.id
 *   where c.status <> 'pending'
 *   order by p.id
 *   for update of p
 * ),
 * changed as (
 *   update payments.payments p
 *   set status          = l.learned,
 *       captured_minor  = case when l.learned = 'succeeded' then l.captured_minor end,
 *       fee_minor       = case when l.learned = 'succeeded'
 *                           then payments.commission(l.captured_minor, p.commission_basis_points) end,
 *       failure_code    = case when l.learned = 'failed' then l.failure_code end,
 *       failure_message = case when l.learned = 'failed' then l.failure_message end,
 *       version         = p.version + 1,
 *       updated_at      = now()
 *   from locked l
 *   where p.id = l.id and l.moves
 *   returning p.id, p.status, p.version, p.traceparent, p.gateway, p.seller_id, p.currency, p.captured_minor,
 *             p.fee_minor, l.intent_id,
 *             jsonb_build_object(
 *               'amount', trim_scale(p.amount)::text, 'currency', p.currency, 'seller_id', p.seller_id,
 *               'reference', p.reference, 'captured_minor', p.captured_minor::text, 'fee_minor', p.fee_minor::text,
 *               'intent_id', l.intent_id, 'failure_code', l.failure_code
 *             ) as payload
 * ),
 * posted as (
 *   select payments.post_sales(
 *     array_agg(id), array_agg(gateway), array_agg(seller_id), array_agg(currency), array_agg(captured_minor),
 *     array_agg(fee_minor), array_agg(intent_id)
 *   )
 *   from changed
 *   where status = 'succeeded'
 * ),
 * logged as (
 *   select events.append(
 *     'payment', array_agg(id), array_agg(version), array_agg('payment.' || status), array_agg(payload),
 *     array_agg(traceparent)
 *   )
 *   from changed
 * )
 * -- One row: the payments whose attempts are closed now, and the status of those whose is not what the batch said.
 * select coalesce((select string_agg(payment_id::text, ',') from closed), '') as "settledIds!",
 *        (select jsonb_object_agg(id, status) from locked where not moves) as "otherStatuses",
 *        logged.append as "logged", posted.post_sales as "posted"
 * from logged, posted                                                                                                                                                                                                                                                                                                                                                                                                          
 * ```
 */
export const settleAttempts = new PreparedStatement<SettleAttemptsParams, SettleAttemptsResult>("payments.settleAttempts", settleAttemptsIR);

/** 'ReceiveEvents' parameters type */
export interface ReceiveEventsParams {
  amounts: stringArray;
  capturedMinor: bigintArray;
  currencies: stringArray;
  eventIds: stringArray;
  failureCodes: stringArray;
  failureMessages: stringArray;
  intentIds: stringArray;
  payloads: stringArray;
  paymentIds: stringArray;
  statuses: stringArray;
  types: stringArray;
}

/** 'ReceiveEvents' return type */
export interface ReceiveEventsResult {
  disposition: string;
  eventId: string;
  logged: bigint | null;
  posted: bigint | null;
}

const receiveEventsIR = {"statement":"with input as (\n  select *\n  from unnest(\n    :eventIds!::text[], :types!::text[], :intentIds!::text[], :paymentIds!::uuid[], :statuses!::text[],\n    :amounts!::numeric[], :currencies!::text[], :capturedMinor!::bigint[], :failureCodes!::text[],\n    :failureMessages!::text[], :payloads!::text[]\n  ) as i (\n    event_id, type, intent_id, payment_id, status, amount, currency, captured_minor, failure_code, failure_message,\n    payload\n  )\n),\nfresh as materialized (\n  -- Our own id comes with the intent's metadata; an event that does not have it is found by the intent.\n  select i.*, coalesce(i.payment_id, a.payment_id) as target_id, p.id is not null as is_here\n  from input i\n  left join payments.attempts a on i.payment_id is null and a.stripe_payment_intent_id = i.intent_id\n  left join payments.payments p on p.id = coalesce(i.payment_id, a.payment_id)\n  where not exists (\n    select from payments.webhook_inbox w where w.event_id = i.event_id and w.processed_at is not null\n  )\n),\nlocked as materialized (\n  select f.*, payments.status_rank(f.status) > payments.status_rank(p.status) as moves,\n         p.amount = f.amount and p.currency = f.currency\n           and coalesce(a.stripe_payment_intent_id, f.intent_id) = f.intent_id as agrees\n  from fresh f\n  join payments.payments p on p.id = f.target_id\n  join payments.attempts a on a.payment_id = p.id and a.number = 1\n  where f.status is not null\n  order by p.id\n  for update of p\n),\nchanged as (\n  update payments.payments p\n  set status          = l.status,\n      captured_minor  = case when l.status = 'succeeded' then l.captured_minor end,\n      fee_minor       = case when l.status = 'succeeded'\n                          then payments.commission(l.captured_minor, p.commission_basis_points) end,\n      failure_code    = l.failure_code,\n      failure_message = l.failure_message,\n      version         = p.version + 1,\n      updated_at      = now()\n  from locked l\n  where p.id = l.target_id and l.agrees and l.moves\n  returning p.id, p.status, p.version, p.traceparent, p.gateway, p.seller_id, p.currency, p.captured_minor,\n            p.fee_minor, l.intent_id,\n            jsonb_build_object(\n              'amount', trim_scale(p.amount)::text, 'currency', p.currency, 'seller_id', p.seller_id,\n              'reference', p.reference, 'captured_minor', p.captured_minor::text, 'fee_minor', p.fee_minor::text,\n              'intent_id', l.intent_id, 'failure_code', l.failure_code, 'gateway_event', l.event_id\n            ) as payload\n),\nposted as (\n  select payments.post_sales(\n    array_agg(id), array_agg(gateway), array_agg(seller_id), array_agg(currency), array_agg(captured_minor),\n    array_agg(fee_minor), array_agg(intent_id)\n  )\n  from changed\n  where status = 'succeeded'\n),\nlogged as (\n  select events.append(\n    'payment', array_agg(id), array_agg(version), array_agg('payment.' || status), array_agg(payload),\n    array_agg(traceparent)\n  )\n  from changed\n),\nkept as (\n  insert into payments.webhook_inbox (event_id, type, intent_id, payment_id, payload, processed_at, disposition)\n  select event_id, type, intent_id, target_id, payload::json, now(),\n         case when not agrees then 'mismatched' when moves then 'applied' else 'superseded' end\n  from locked\n  union all\n  select event_id, type, intent_id, target_id, payload::json, case when status is null then now() end,\n         case when status is null then 'recorded' else 'waiting' end\n  from fresh\n  where status is null or not is_here\n  on conflict (event_id) do update\n  set processed_at = excluded.processed_at, payment_id = excluded.payment_id, disposition = excluded.disposition\n  where webhook_inbox.processed_at is null\n  returning event_id, disposition\n)\nselect kept.event_id as \"eventId\" , kept.disposition as \"disposition\" , logged.append as \"logged\",\n       posted.post_sales as \"posted\"\nfrom kept, logged, posted","params":[{"name":"eventIds","locs":[{"a":46,"b":56}]},{"name":"types","locs":[{"a":66,"b":73}]},{"name":"intentIds","locs":[{"a":83,"b":94}]},{"name":"paymentIds","locs":[{"a":104,"b":116}]},{"name":"statuses","locs":[{"a":126,"b":136}]},{"name":"amounts","locs":[{"a":150,"b":159}]},{"name":"currencies","locs":[{"a":172,"b":184}]},{"name":"capturedMinor","locs":[{"a":194,"b":209}]},{"name":"failureCodes","locs":[{"a":221,"b":235}]},{"name":"failureMessages","locs":[{"a":249,"b":266}]},{"name":"payloads","locs":[{"a":276,"b":286}]}]};

/**
 * Query generated from SQL:
 * ```
 * with input as (
 *   select *
 *   from unnest(
 *     :eventIds!::text[], :types!::text[], :intentIds!::text[], :paymentIds!::uuid[], :statuses!::text[],
 *     :amounts!::numeric[], :currencies!::text[], :capturedMinor!::bigint[], :failureCodes!::text[],
 *     :failureMessages!::text[], :payloads!::text[]
 *   ) as i (
 *     event_id, type, intent_id, payment_id, status, amount, currency, captured_minor, failure_code, failure_message,
 *     payload
 *   )
 * ),
 * fresh as materialized (
 *   -- Our own id comes with the intent's metadata; an event that does not have it is found by the intent.
 *   select i.*, coalesce(i.payment_id, a.payment_id) as target_id, p.id is not null as is_here
 *   from input i
 *   left join payments.attempts a on i.payment_id is null and a.stripe_payment_intent_id = i.intent_id
 *   left join payments.payments p on p.id = coalesce(i.payment_id, a.payment_id)
 *   where not exists (
 *     select from payments.webhook_inbox w where w.event_id = i.event_id and w.processed_at is not null
 *   )
 * ),
 * locked as materialized (
 *   select f.*, payments.status_rank(f.status) > payments.status_rank(p.status) as moves,
 *          p.amount = f.amount and p.currency = f.currency
 *            and coalesce(a.stripe_payment_intent_id, f.intent_id) = f.intent_id as agrees
 *   from fresh f
 *   join payments.payments p on p.id = f.target_id
 *   join payments.attempts a on a.payment_id = p.id and a.number = 1
 *   where f.status is not null
 *   order by p.id
 *   for update of p
 * ),
 * changed as (
 *   update payments.payments p
 *   set status          = l.status,
 *       captured_minor  = case when l.status = 'succeeded' then l.captured_minor end,
 *       fee_minor       = case when l.status = 'succeeded'
 *                           then payments.commission(l.captured_minor, p.commission_basis_points) end,
 *       failure_code    = l.failure_code,
 *       failure_message = l.failure_message,
 *       version         = p.version + 1,
 *       updated_at      = now()
 *   from locked l
 *   where p.id = l.target_id and l.agrees and l.moves
 *   returning p.id, p.status, p.version, p.traceparent, p.gateway, p.seller_id, p.currency, p.captured_minor,
 *             p.fee_minor, l.intent_id,
 *             jsonb_build_object(
 *               'amount', trim_scale(p.amount)::text, 'currency', p.currency, 'seller_id', p.seller_id,
 *               'reference', p.reference, 'captured_minor', p.captured_minor::text, 'fee_minor', p.fee_minor::text,
 *               'intent_id', l.intent_id, 'failure_code', l.failure_code, 'gateway_event', l.event_id
 *             ) as payload
 * ),
 * posted as (
 *   select payments.post_sales(
 *     array_agg(id), array_agg(gateway), array_agg(seller_id), array_agg(currency), array_agg(captured_minor),
 *     array_agg(fee_minor), array_agg(intent_id)
 *   )
 *   from changed
 *   where status = 'succeeded'
 * ),
 * logged as (
 *   select events.append(
 *     'payment', array_agg(id), array_agg(version), array_agg('payment.' || status), array_agg(payload),
 *     array_agg(traceparent)
 *   )
 *   from changed
 * ),
 * kept as (
 *   insert into payments.webhook_inbox (event_id, type, intent_id, payment_id, payload, processed_at, disposition)
 *   select event_id, type, intent_id, target_id, payload::json, now(),
 *          case when not agrees then 'mismatched' when moves then 'applied' else 'superseded' end
 *   from locked
 *   union all
 *   select event_id, type, intent_id, target_id, payload::json, case when status is null then now() end,
 *          case when status is null then 'recorded' else 'waiting' end
 *   from fresh
 *   where status is null or not is_here
 *   on conflict (event_id) do update
 *   set processed_at = excluded.processed_at, payment_id = excluded.payment_id, disposition = excluded.disposition
 *   where webhook_inbox.processed_at is null
 *   returning event_id, disposition
 * )
 * select kept.event_id as "eventId!", kept.disposition as "disposition!", logged.append as "logged",
 *        posted.post_sales as "posted"
 * from kept, logged, posted                                                                                                                                                                                                                                                                                                                                              
 * ```
 */
export const receiveEvents = new PreparedStatement<ReceiveEventsParams, ReceiveEventsResult>("payments.receiveEvents", receiveEventsIR);

/** 'ListWaitingEvents' parameters type */
export interface ListWaitingEventsParams {
  limit: number;
}

/** 'ListWaitingEvents' return type */
export interface ListWaitingEventsResult {
  eventId: string;
  payload: string;
}

const listWaitingEventsIR = {"statement":"select w.event_id as \"eventId\" , w.payload::text as \"payload\" \nfrom payments.webhook_inbox w\n-- Lateral and with an offset, so that each payment is looked up in the index, whatever the statistics say.\ncross join lateral (\n  select * from payments.payments\n  where id = coalesce(\n    w.payment_id, (select a.payment_id from payments.attempts a where a.stripe_payment_intent_id = w.intent_id)\n  )\n  offset 0\n) p\nwhere w.processed_at is null\n  and (w.type not like 'charge.%' or p.status = 'succeeded')\n  and (w.type <> 'charge.refunded' or p.refunding_minor = 0)\norder by w.received_at\nlimit :limit!::integer","params":[{"name":"limit","locs":[{"a":590,"b":597}]}]};

/**
 * Query generated from SQL:
 * ```
 * select w.event_id as "eventId!", w.payload::text as "payload!"
 * from payments.webhook_inbox w
 * -- Lateral and with an offset, so that each payment is looked up in the index, whatever the statistics say.
 * cross join lateral (
 *   select * from payments.payments
 *   where id = coalesce(
 *     w.payment_id, (select a.payment_id from payments.attempts a where a.stripe_payment_intent_id = w.intent_id)
 *   )
 *   offset 0
 * ) p
 * where w.processed_at is null
 *   and (w.type not like 'charge.%' or p.status = 'succeeded')
 *   and (w.type <> 'charge.refunded' or p.refunding_minor = 0)
 * order by w.received_at
 * limit :limit!::integer                                                                                                                                                                                                  
 * ```
 */
export const listWaitingEvents = new PreparedStatement<ListWaitingEventsParams, ListWaitingEventsResult>("payments.listWaitingEvents", listWaitingEventsIR);

/** 'AcceptMove' parameters type */
export interface AcceptMoveParams {
  amountMinor?: bigint | null | undefined;
  leaseMs: number;
  operation: string;
  paymentId: string;
  scope: string;
}

/** 'AcceptMove' return type */
export interface AcceptMoveResult {
  number: number;
}

const acceptMoveIR = {"statement":"with numbered as (\n  update payments.payments p\n  set last_attempt = p.last_attempt + 1\n  from payments.attempts c\n  -- The scope decides and does not find, so that no plan walks over all payments of a scope.\n  where p.id = :paymentId! and (p.scope = :scope!) is true and p.status = 'pending'\n    and c.payment_id = p.id and c.number = 1 and c.stripe_payment_intent_id is not null\n    and not exists (\n      select from payments.attempts a\n      where a.payment_id = p.id and a.operation in ('cancel', 'capture') and a.state = 'open'\n    )\n  returning p.id, p.last_attempt, p.gateway\n)\ninsert into payments.attempts (\n  payment_id, number, operation, gateway, state, tries, due_at, accepted_at, amount_minor\n)\nselect id, last_attempt, :operation!, gateway, 'open', 1, now() + :leaseMs!::integer * interval '1 millisecond', now(),\n       :amountMinor::bigint\nfrom numbered\non conflict (payment_id) where operation in ('cancel', 'capture') and state = 'open' do nothing\nreturning number as \"number\"","params":[{"name":"paymentId","locs":[{"a":224,"b":235}]},{"name":"scope","locs":[{"a":251,"b":258}]},{"name":"operation","locs":[{"a":735,"b":746}]},{"name":"leaseMs","locs":[{"a":776,"b":785}]},{"name":"amountMinor","locs":[{"a":837,"b":849}]}]};

/**
 * Query generated from SQL:
 * ```
 * with numbered as (
 *   update payments.payments p
 *   set last_attempt = p.last_attempt + 1
 *   from payments.attempts c
 *   -- The scope decides and does not find, so that no plan walks over all payments of a scope.
 *   where p.id = :paymentId! and (p.scope = :scope!) is true and p.status = 'pending'
 *     and c.payment_id = p.id and c.number = 1 and c.stripe_payment_intent_id is not null
 *     and not exists (
 *       select from payments.attempts a
 *       where a.payment_id = p.id and a.operation in ('cancel', 'capture') and a.state = 'open'
 *     )
 *   returning p.id, p.last_attempt, p.gateway
 * )
 * insert into payments.attempts (
 *   payment_id, number, operation, gateway, state, tries, due_at, accepted_at, amount_minor
 * )
 * select id, last_attempt, :operation!, gateway, 'open', 1, now() + :leaseMs!::integer * interval '1 millisecond', now(),
 *        :amountMinor::bigint
 * from numbered
 * on conflict (payment_id) where operation in ('cancel', 'capture') and state = 'open' do nothing
 * returning number as "number!"                                                                                                                                                                                                                                              
 * ```
 */
export const acceptMove = new PreparedStatement<AcceptMoveParams, AcceptMoveResult>("payments.acceptMove", acceptMoveIR);

/** 'ClaimDueAttempts' parameters type */
export interface ClaimDueAttemptsParams {
  leaseMs: number;
  limit: number;
}

/** 'ClaimDueAttempts' return type */
export interface ClaimDueAttemptsResult {
  absences: number;
  acceptedAt: Date;
  amount: string;
  amountMinor: bigint | null;
  capture: string;
  currency: string;
  intentId: string | null;
  number: number;
  operation: string;
  paymentId: string;
  reference: string | null;
  refundId: string | null;
  traceparent: string | null;
  tries: number;
}

const claimDueAttemptsIR = {"statement":"with due as materialized (\n  select payment_id, number\n  from payments.attempts\n  where state = 'open' and due_at <= now()\n  order by due_at\n  limit :limit!::integer\n  for update skip locked\n)\nupdate payments.attempts a\nset tries = a.tries + 1, due_at = now() + :leaseMs!::integer * interval '1 millisecond'\nfrom due\njoin payments.payments p on p.id = due.payment_id\njoin payments.attempts c on c.payment_id = due.payment_id and c.number = 1\nwhere a.payment_id = due.payment_id and a.number = due.number\nreturning a.payment_id as \"paymentId\" , a.number as \"number\" , a.operation as \"operation\" , a.tries as \"tries\" ,\n          a.absences as \"absences\" ,\n          p.traceparent, a.accepted_at as \"acceptedAt\" , c.stripe_payment_intent_id as \"intentId\",\n          p.amount as \"amount\" , p.currency as \"currency\" , p.capture as \"capture\" , p.reference,\n          a.amount_minor as \"amountMinor\", a.refund_id as \"refundId\"","params":[{"name":"limit","locs":[{"a":149,"b":156}]},{"name":"leaseMs","locs":[{"a":262,"b":271}]}]};

/**
 * Query generated from SQL:
 * ```
 * with due as materialized (
 *   select payment_id, number
 *   from payments.attempts
 *   where state = 'open' and due_at <= now()
 *   order by due_at
 *   limit :limit!::integer
 *   for update skip locked
 * )
 * update payments.attempts a
 * set tries = a.tries + 1, due_at = now() + :leaseMs!::integer * interval '1 millisecond'
 * from due
 * join payments.payments p on p.id = due.payment_id
 * join payments.attempts c on c.payment_id = due.payment_id and c.number = 1
 * where a.payment_id = due.payment_id and a.number = due.number
 * returning a.payment_id as "paymentId!", a.number as "number!", a.operation as "operation!", a.tries as "tries!",
 *           a.absences as "absences!",
 *           p.traceparent, a.accepted_at as "acceptedAt!", c.stripe_payment_intent_id as "intentId",
 *           p.amount as "amount!", p.currency as "currency!", p.capture as "capture!", p.reference,
 *           a.amount_minor as "amountMinor", a.refund_id as "refundId"                                                                                                                       
 * ```
 */
export const claimDueAttempts = new PreparedStatement<ClaimDueAttemptsParams, ClaimDueAttemptsResult>("payments.claimDueAttempts", claimDueAttemptsIR);

/** 'PostponeAttempt' parameters type */
export interface PostponeAttemptParams {
  absences: number;
  delayMs: number;
  error: string;
  number: number;
  park: boolean;
  paymentId: string;
}

/** 'PostponeAttempt' return type */
export type PostponeAttemptResult = void;

const postponeAttemptIR = {"statement":"update payments.attempts\nset due_at   = now() + :delayMs!::integer * interval '1 millisecond', last_error = :error!,\n    absences = :absences!, state = case when :park!::boolean then 'parked' else state end\n-- By its key, and not by the index of the open ones, of which there are many while a gateway is away.\nwhere payment_id = :paymentId! and number = :number! and (state = 'open') is true","params":[{"name":"delayMs","locs":[{"a":48,"b":57}]},{"name":"error","locs":[{"a":108,"b":115}]},{"name":"absences","locs":[{"a":132,"b":142}]},{"name":"park","locs":[{"a":162,"b":168}]},{"name":"paymentId","locs":[{"a":329,"b":340}]},{"name":"number","locs":[{"a":354,"b":362}]}]};

/**
 * Query generated from SQL:
 * ```
 * update payments.attempts
 * set due_at   = now() + :delayMs!::integer * interval '1 millisecond', last_error = :error!,
 *     absences = :absences!, state = case when :park!::boolean then 'parked' else state end
 * -- By its key, and not by the index of the open ones, of which there are many while a gateway is away.
 * where payment_id = :paymentId! and number = :number! and (state = 'open') is true
 * ```
 */
export const postponeAttempt = new PreparedStatement<PostponeAttemptParams, PostponeAttemptResult>("payments.postponeAttempt", postponeAttemptIR);

/** 'CountDueAttempts' parameters type */
export type CountDueAttemptsParams = void;

/** 'CountDueAttempts' return type */
export interface CountDueAttemptsResult {
  due: bigint;
}

const countDueAttemptsIR = {"statement":"select count(*) as \"due\"  from payments.attempts where state = 'open' and due_at <= now()","params":[]};

/**
 * Query generated from SQL:
 * ```
 * select count(*) as "due!" from payments.attempts where state = 'open' and due_at <= now()
 * ```
 */
export const countDueAttempts = new PreparedStatement<CountDueAttemptsParams, CountDueAttemptsResult>("payments.countDueAttempts", countDueAttemptsIR);
