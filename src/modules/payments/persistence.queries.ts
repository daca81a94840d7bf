/** Types generated for queries found in "src/modules/payments/persistence.sql" */
import { PreparedStatement } from "../../kernel/statement.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

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

const acceptPaymentsIR = {"statement":"with accepted as (\n  insert into payments.payments (\n    id, scope, idempotency_key, fingerprint, amount, currency, status, capture, gateway, seller_id, reference,\n    metadata, traceparent, version, created_at, updated_at\n  )\n  select id, scope, idempotency_key, decode(fingerprint, 'hex'), amount, currency, 'pending', capture, gateway,\n         seller_id, reference, metadata::jsonb, traceparent, 1, now(), now()\n  from unnest(\n    :ids!::uuid[], :scopes!::text[], :idempotencyKeys!::text[], :fingerprints!::text[], :amounts!::numeric[],\n    :currencies!::text[], :captures!::text[], :gateways!::text[], :sellerIds!::text[], :references!::text[],\n    :metadata!::text[], :traceparents!::text[]\n  ) as i (\n    id, scope, idempotency_key, fingerprint, amount, currency, capture, gateway, seller_id, reference,\n    metadata, traceparent\n  )\n  on conflict (scope, idempotency_key) do nothing\n  returning id, gateway, traceparent, amount, currency, seller_id, reference\n),\nopened as (\n  insert into payments.attempts (payment_id, number, operation, gateway, state, tries, due_at, accepted_at)\n  select id, 1, 'create', gateway, 'open', 1, now() + :leaseMs!::integer * interval '1 millisecond', now()\n  from accepted\n),\nlogged as (\n  select events.append(\n    'payment', array_agg(id), array_agg(1), array_agg('payment.created'::text),\n    array_agg(\n      jsonb_build_object(\n        'amount', trim_scale(amount)::text, 'currency', currency, 'seller_id', seller_id, 'reference', reference\n      )\n    ),\n    array_agg(traceparent)\n  )\n  from accepted\n)\n-- One row for the whole batch, because a row for each payment costs the reader as much as the payment's own answer.\nselect coalesce(string_agg(accepted.id::text, ','), '') as \"acceptedIds\" , now() as \"createdAt\" ,\n       max(logged.append) as \"logged\"\nfrom accepted, logged","params":[{"name":"ids","locs":[{"a":435,"b":440}]},{"name":"scopes","locs":[{"a":450,"b":458}]},{"name":"idempotencyKeys","locs":[{"a":468,"b":485}]},{"name":"fingerprints","locs":[{"a":495,"b":509}]},{"name":"amounts","locs":[{"a":519,"b":528}]},{"name":"currencies","locs":[{"a":545,"b":557}]},{"name":"captures","locs":[{"a":567,"b":577}]},{"name":"gateways","locs":[{"a":587,"b":597}]},{"name":"sellerIds","locs":[{"a":607,"b":618}]},{"name":"references","locs":[{"a":628,"b":640}]},{"name":"metadata","locs":[{"a":654,"b":664}]},{"name":"traceparents","locs":[{"a":674,"b":688}]},{"name":"leaseMs","locs":[{"a":1145,"b":1154}]}]};

/**
 * Query generated from SQL:
 * ```
 * with accepted as (
 *   insert into payments.payments (
 *     id, scope, idempotency_key, fingerprint, amount, currency, status, capture, gateway, seller_id, reference,
 *     metadata, traceparent, version, created_at, updated_at
 *   )
 *   select id, scope, idempotency_key, decode(fingerprint, 'hex'), amount, currency, 'pending', capture, gateway,
 *          seller_id, reference, metadata::jsonb, traceparent, 1, now(), now()
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
  settledIds: string;
}

const settleAttemptsIR = {"statement":"with input as (\n  select *\n  from unnest(\n    :paymentIds!::uuid[], :numbers!::integer[], :states!::text[], :intentIds!::text[], :clientSecrets!::text[],\n    :statuses!::text[], :failureCodes!::text[], :failureMessages!::text[]\n  ) as i (payment_id, number, state, intent_id, client_secret, status, failure_code, failure_message)\n),\nclosed as (\n  update payments.attempts a\n  set state = i.state, settled_at = now(), last_error = i.failure_code,\n      -- Only the creation names the intent: a cancellation is about the same one.\n      stripe_payment_intent_id = case when a.number = 1 then i.intent_id end,\n      client_secret            = case when a.number = 1 then i.client_secret end\n  from input i\n  -- Not settled is what open means; the partial index of the open ones would lead the planner astray.\n  where a.payment_id = i.payment_id and a.number = i.number and a.settled_at is null\n  returning i.*\n),\nlocked as materialized (\n  select p.id, p.status, c.status as learned, c.intent_id, c.failure_code, c.failure_message,\n         payments.status_rank(c.status) > payments.status_rank(p.status) as moves\n  from payments.payments p join closed c on c.payment_id = p.id\n  where c.status <> 'pending'\n  order by p.id\n  for update of p\n),\nchanged as (\n  update payments.payments p\n  set status          = l.learned,\n      failure_code    = case when l.learned = 'failed' then l.failure_code end,\n      failure_message = case when l.learned = 'failed' then l.failure_message end,\n      version         = p.version + 1,\n      updated_at      = now()\n  from locked l\n  where p.id = l.id and l.moves\n  returning p.id, p.status, p.version, p.traceparent,\n            jsonb_build_object(\n              'amount', trim_scale(p.amount)::text, 'currency', p.currency, 'intent_id', l.intent_id,\n              'failure_code', l.failure_code\n            ) as payload\n),\nlogged as (\n  select events.append(\n    'payment', array_agg(id), array_agg(version), array_agg('payment.' || status), array_agg(payload),\n    array_agg(traceparent)\n  )\n  from changed\n)\n-- One row: the payments whose attempts are closed now, and the status of those whose is not what the batch said.\nselect coalesce((select string_agg(payment_id::text, ',') from closed), '') as \"settledIds\" ,\n       (select jsonb_object_agg(id, status) from locked where not moves) as \"otherStatuses\",\n       logged.append as \"logged\"\nfrom logged","params":[{"name":"paymentIds","locs":[{"a":46,"b":58}]},{"name":"numbers","locs":[{"a":68,"b":77}]},{"name":"states","locs":[{"a":90,"b":98}]},{"name":"intentIds","locs":[{"a":108,"b":119}]},{"name":"clientSecrets","locs":[{"a":129,"b":144}]},{"name":"statuses","locs":[{"a":158,"b":168}]},{"name":"failureCodes","locs":[{"a":178,"b":192}]},{"name":"failureMessages","locs":[{"a":202,"b":219}]}]};

/**
 * Query generated from SQL:
 * ```
 * with input as (
 *   select *
 *   from unnest(
 *     :paymentIds!::uuid[], :numbers!::integer[], :states!::text[], :intentIds!::text[], :clientSecrets!::text[],
 *     :statuses!::text[], :failureCodes!::text[], :failureMessages!::text[]
 *   ) as i (payment_id, number, state, intent_id, client_secret, status, failure_code, failure_message)
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
 *   select p.id, p.status, c.status as learned, c.intent_id, c.failure_code, c.failure_message,
 *          payments.status_rank(c.status) > payments.status_rank(p.status) as moves
 *   from payments.payments p join closed c on c.payment_id = p.id
 *   where c.status <> 'pending'
 *   order by p.id
 *   for update of p
 * ),
 * changed as (
 *   update payments.payments p
 *   set status          = l.learned,
 *       failure_code    = case when l.learned = 'failed' then l.failure_code end,
 *       failure_message = case when l.learned = 'failed' then l.failure_message end,
 *       version         = p.version + 1,
 *       updated_at      = now()
 *   from locked l
 *   where p.id = l.id and l.moves
 *   returning p.id, p.status, p.version, p.traceparent,
 *             jsonb_build_object(
 *               'amount', trim_scale(p.amount)::text, 'currency', p.currency, 'intent_id', l.intent_id,
 *               'failure_code', l.failure_code
 *             ) as payload
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
 *        logged.append as "logged"
 * from logged                                                                                                                                                                                                                                                                                                                                                                                                          
 * ```
 */
export const settleAttempts = new PreparedStatement<SettleAttemptsParams, SettleAttemptsResult>("payments.settleAttempts", settleAttemptsIR);

/** 'ReceiveEvents' parameters type */
export interface ReceiveEventsParams {
  amounts: stringArray;
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
}

const receiveEventsIR = {"statement":"with input as (\n  select *\n  from unnest(\n    :eventIds!::text[], :types!::text[], :intentIds!::text[], :paymentIds!::uuid[], :statuses!::text[],\n    :amounts!::numeric[], :currencies!::text[], :failureCodes!::text[], :failureMessages!::text[], :payloads!::text[]\n  ) as i (\n    event_id, type, intent_id, payment_id, status, amount, currency, failure_code, failure_message, payload\n  )\n),\nfresh as materialized (\n  -- Our own id comes with the intent's metadata; an event that does not have it is found by the intent.\n  select i.*, coalesce(i.payment_id, a.payment_id) as target_id, p.id is not null as is_here\n  from input i\n  left join payments.attempts a on i.payment_id is null and a.stripe_payment_intent_id = i.intent_id\n  left join payments.payments p on p.id = coalesce(i.payment_id, a.payment_id)\n  where not exists (\n    select from payments.webhook_inbox w where w.event_id = i.event_id and w.processed_at is not null\n  )\n),\nlocked as materialized (\n  select f.*, payments.status_rank(f.status) > payments.status_rank(p.status) as moves,\n         p.amount = f.amount and p.currency = f.currency\n           and coalesce(a.stripe_payment_intent_id, f.intent_id) = f.intent_id as agrees\n  from fresh f\n  join payments.payments p on p.id = f.target_id\n  join payments.attempts a on a.payment_id = p.id and a.number = 1\n  where f.status is not null\n  order by p.id\n  for update of p\n),\nchanged as (\n  update payments.payments p\n  set status          = l.status,\n      failure_code    = l.failure_code,\n      failure_message = l.failure_message,\n      version         = p.version + 1,\n      updated_at      = now()\n  from locked l\n  where p.id = l.target_id and l.agrees and l.moves\n  returning p.id, p.status, p.version, p.traceparent,\n            jsonb_build_object(\n              'amount', trim_scale(p.amount)::text, 'currency', p.currency, 'intent_id', l.intent_id,\n              'failure_code', l.failure_code, 'gateway_event', l.event_id\n            ) as payload\n),\nlogged as (\n  select events.append(\n    'payment', array_agg(id), array_agg(version), array_agg('payment.' || status), array_agg(payload),\n    array_agg(traceparent)\n  )\n  from changed\n),\nkept as (\n  insert into payments.webhook_inbox (event_id, type, intent_id, payment_id, payload, processed_at, disposition)\n  select event_id, type, intent_id, target_id, payload::json, now(),\n         case when not agrees then 'mismatched' when moves then 'applied' else 'superseded' end\n  from locked\n  union all\n  select event_id, type, intent_id, target_id, payload::json, case when status is null then now() end,\n         case when status is null then 'recorded' else 'waiting' end\n  from fresh\n  where status is null or not is_here\n  on conflict (event_id) do update\n  set processed_at = excluded.processed_at, payment_id = excluded.payment_id, disposition = excluded.disposition\n  where webhook_inbox.processed_at is null\n  returning event_id, disposition\n)\nselect kept.event_id as \"eventId\" , kept.disposition as \"disposition\" , logged.append as \"logged\"\nfrom kept, logged","params":[{"name":"eventIds","locs":[{"a":46,"b":56}]},{"name":"types","locs":[{"a":66,"b":73}]},{"name":"intentIds","locs":[{"a":83,"b":94}]},{"name":"paymentIds","locs":[{"a":104,"b":116}]},{"name":"statuses","locs":[{"a":126,"b":136}]},{"name":"amounts","locs":[{"a":150,"b":159}]},{"name":"currencies","locs":[{"a":172,"b":184}]},{"name":"failureCodes","locs":[{"a":194,"b":208}]},{"name":"failureMessages","locs":[{"a":218,"b":235}]},{"name":"payloads","locs":[{"a":245,"b":255}]}]};

/**
 * Query generated from SQL:
 * ```
 * with input as (
 *   select *
 *   from unnest(
 *     :eventIds!::text[], :types!::text[], :intentIds!::text[], :paymentIds!::uuid[], :statuses!::text[],
 *     :amounts!::numeric[], :currencies!::text[], :failureCodes!::text[], :failureMessages!::text[], :payloads!::text[]
 *   ) as i (
 *     event_id, type, intent_id, payment_id, status, amount, currency, failure_code, failure_message, payload
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
 *       failure_code    = l.failure_code,
 *       failure_message = l.failure_message,
 *       version         = p.version + 1,
 *       updated_at      = now()
 *   from locked l
 *   where p.id = l.target_id and l.agrees and l.moves
 *   returning p.id, p.status, p.version, p.traceparent,
 *             jsonb_build_object(
 *               'amount', trim_scale(p.amount)::text, 'currency', p.currency, 'intent_id', l.intent_id,
 *               'failure_code', l.failure_code, 'gateway_event', l.event_id
 *             ) as payload
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
 * select kept.event_id as "eventId!", kept.disposition as "disposition!", logged.append as "logged"
 * from kept, logged                                                                                              
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

const listWaitingEventsIR = {"statement":"select w.event_id as \"eventId\" , w.payload::text as \"payload\" \nfrom payments.webhook_inbox w\nwhere w.processed_at is null\n  and (\n    exists (select from payments.payments p where p.id = w.payment_id)\n    or exists (select from payments.attempts a where a.stripe_payment_intent_id = w.intent_id)\n  )\norder by w.received_at\nlimit :limit!::integer","params":[{"name":"limit","locs":[{"a":329,"b":336}]}]};

/**
 * Query generated from SQL:
 * ```
 * select w.event_id as "eventId!", w.payload::text as "payload!"
 * from payments.webhook_inbox w
 * where w.processed_at is null
 *   and (
 *     exists (select from payments.payments p where p.id = w.payment_id)
 *     or exists (select from payments.attempts a where a.stripe_payment_intent_id = w.intent_id)
 *   )
 * order by w.received_at
 * limit :limit!::integer                                                                                                                                                      
 * ```
 */
export const listWaitingEvents = new PreparedStatement<ListWaitingEventsParams, ListWaitingEventsResult>("payments.listWaitingEvents", listWaitingEventsIR);

/** 'FindPaymentsByKey' parameters type */
export interface FindPaymentsByKeyParams {
  idempotencyKeys: stringArray;
  scopes: stringArray;
}

/** 'FindPaymentsByKey' return type */
export interface FindPaymentsByKeyResult {
  amount: string;
  createdAt: Date;
  currency: string;
  fingerprint: string;
  id: string;
  intentId: string | null;
  place: bigint;
  status: string;
  underWay: boolean;
}

const findPaymentsByKeyIR = {"statement":"select i.place as \"place\" , p.id as \"id\" , encode(p.fingerprint, 'hex') as \"fingerprint\" ,\n       a.stripe_payment_intent_id as \"intentId\", p.amount as \"amount\" , p.currency as \"currency\" ,\n       p.status as \"status\" , p.created_at as \"createdAt\" ,\n       (a.state = 'open' and p.status = 'pending') as \"underWay\" \nfrom unnest(:scopes!::text[], :idempotencyKeys!::text[]) with ordinality as i (scope, idempotency_key, place)\n-- Lateral and with an offset, so that whatever the statistics say each key is looked up in the index.\ncross join lateral (\n  select * from payments.payments where scope = i.scope and idempotency_key = i.idempotency_key offset 0\n) p\ncross join lateral (select * from payments.attempts where payment_id = p.id and number = 1 offset 0) a","params":[{"name":"scopes","locs":[{"a":328,"b":336}]},{"name":"idempotencyKeys","locs":[{"a":346,"b":363}]}]};

/**
 * Query generated from SQL:
 * ```
 * select i.place as "place!", p.id as "id!", encode(p.fingerprint, 'hex') as "fingerprint!",
 *        a.stripe_payment_intent_id as "intentId", p.amount as "amount!", p.currency as "currency!",
 *        p.status as "status!", p.created_at as "createdAt!",
 *        (a.state = 'open' and p.status = 'pending') as "underWay!"
 * from unnest(:scopes!::text[], :idempotencyKeys!::text[]) with ordinality as i (scope, idempotency_key, place)
 * -- Lateral and with an offset, so that whatever the statistics say each key is looked up in the index.
 * cross join lateral (
 *   select * from payments.payments where scope = i.scope and idempotency_key = i.idempotency_key offset 0
 * ) p
 * cross join lateral (select * from payments.attempts where payment_id = p.id and number = 1 offset 0) a
 * ```
 */
export const findPaymentsByKey = new PreparedStatement<FindPaymentsByKeyParams, FindPaymentsByKeyResult>("payments.findPaymentsByKey", findPaymentsByKeyIR);

/** 'GetPayment' parameters type */
export interface GetPaymentParams {
  id: string;
  scope: string;
}

/** 'GetPayment' return type */
export interface GetPaymentResult {
  amount: string;
  capture: string;
  clientSecret: string | null;
  createdAt: Date;
  currency: string;
  failureCode: string | null;
  failureMessage: string | null;
  id: string;
  idempotencyKey: string;
  intentId: string | null;
  metadata: Json;
  reference: string | null;
  sellerId: string | null;
  status: string;
  updatedAt: Date;
}

const getPaymentIR = {"statement":"select p.id as \"id\" , a.stripe_payment_intent_id as \"intentId\", a.client_secret as \"clientSecret\",\n       p.idempotency_key as \"idempotencyKey\" , p.amount as \"amount\" , p.currency as \"currency\" , p.status as \"status\" ,\n       p.capture as \"capture\" , p.seller_id as \"sellerId\", p.reference, p.metadata as \"metadata\" ,\n       p.failure_code as \"failureCode\", p.failure_message as \"failureMessage\",\n       p.created_at as \"createdAt\" , p.updated_at as \"updatedAt\" \nfrom payments.payments p\njoin payments.attempts a on a.payment_id = p.id and a.number = 1\nwhere p.id = :id! and p.scope = :scope!","params":[{"name":"id","locs":[{"a":566,"b":570}]},{"name":"scope","locs":[{"a":585,"b":592}]}]};

/**
 * Query generated from SQL:
 * ```
 * select p.id as "id!", a.stripe_payment_intent_id as "intentId", a.client_secret as "clientSecret",
 *        p.idempotency_key as "idempotencyKey!", p.amount as "amount!", p.currency as "currency!", p.status as "status!",
 *        p.capture as "capture!", p.seller_id as "sellerId", p.reference, p.metadata as "metadata!",
 *        p.failure_code as "failureCode", p.failure_message as "failureMessage",
 *        p.created_at as "createdAt!", p.updated_at as "updatedAt!"
 * from payments.payments p
 * join payments.attempts a on a.payment_id = p.id and a.number = 1
 * where p.id = :id! and p.scope = :scope!                                                                                                                                                                                                                                                                                                                              
 * ```
 */
export const getPayment = new PreparedStatement<GetPaymentParams, GetPaymentResult>("payments.getPayment", getPaymentIR);

/** 'ListPayments' parameters type */
export interface ListPaymentsParams {
  before: string;
  createdAfter?: Date | null | undefined;
  currency?: string | null | undefined;
  limit: number;
  notBefore: string;
  scope: string;
  status?: string | null | undefined;
}

/** 'ListPayments' return type */
export interface ListPaymentsResult {
  amount: string;
  capture: string;
  clientSecret: string | null;
  createdAt: Date;
  currency: string;
  failureCode: string | null;
  failureMessage: string | null;
  id: string;
  idempotencyKey: string;
  intentId: string | null;
  metadata: Json;
  reference: string | null;
  sellerId: string | null;
  status: string;
  updatedAt: Date;
}

const listPaymentsIR = {"statement":"select p.id as \"id\" , a.stripe_payment_intent_id as \"intentId\", a.client_secret as \"clientSecret\",\n       p.idempotency_key as \"idempotencyKey\" , p.amount as \"amount\" , p.currency as \"currency\" , p.status as \"status\" ,\n       p.capture as \"capture\" , p.seller_id as \"sellerId\", p.reference, p.metadata as \"metadata\" ,\n       p.failure_code as \"failureCode\", p.failure_message as \"failureMessage\",\n       p.created_at as \"createdAt\" , p.updated_at as \"updatedAt\" \nfrom payments.payments p\njoin payments.attempts a on a.payment_id = p.id and a.number = 1\nwhere p.scope = :scope!\n  and (:status::text is null or p.status = :status)\n  and (:currency::text is null or p.currency = :currency)\n  and (:createdAfter::timestamptz is null or p.created_at > :createdAfter)\n  and p.id >= :notBefore!\n  and p.id < :before!\norder by p.id desc\nlimit :limit!::integer","params":[{"name":"scope","locs":[{"a":569,"b":576}]},{"name":"status","locs":[{"a":584,"b":591},{"a":620,"b":627}]},{"name":"currency","locs":[{"a":636,"b":645},{"a":676,"b":685}]},{"name":"createdAfter","locs":[{"a":694,"b":707},{"a":747,"b":760}]},{"name":"notBefore","locs":[{"a":776,"b":787}]},{"name":"before","locs":[{"a":801,"b":809}]},{"name":"limit","locs":[{"a":835,"b":842}]}]};

/**
 * Query generated from SQL:
 * ```
 * select p.id as "id!", a.stripe_payment_intent_id as "intentId", a.client_secret as "clientSecret",
 *        p.idempotency_key as "idempotencyKey!", p.amount as "amount!", p.currency as "currency!", p.status as "status!",
 *        p.capture as "capture!", p.seller_id as "sellerId", p.reference, p.metadata as "metadata!",
 *        p.failure_code as "failureCode", p.failure_message as "failureMessage",
 *        p.created_at as "createdAt!", p.updated_at as "updatedAt!"
 * from payments.payments p
 * join payments.attempts a on a.payment_id = p.id and a.number = 1
 * where p.scope = :scope!
 *   and (:status::text is null or p.status = :status)
 *   and (:currency::text is null or p.currency = :currency)
 *   and (:createdAfter::timestamptz is null or p.created_at > :createdAfter)
 *   and p.id >= :notBefore!
 *   and p.id < :before!
 * order by p.id desc
 * limit :limit!::integer
 * ```
 */
export const listPayments = new PreparedStatement<ListPaymentsParams, ListPaymentsResult>("payments.listPayments", listPaymentsIR);

/** 'ListAttempts' parameters type */
export interface ListAttemptsParams {
  paymentId: string;
}

/** 'ListAttempts' return type */
export interface ListAttemptsResult {
  acceptedAt: Date;
  gateway: string;
  lastError: string | null;
  number: number;
  operation: string;
  settledAt: Date | null;
  state: string;
  tries: number;
}

const listAttemptsIR = {"statement":"select number as \"number\" , operation as \"operation\" , gateway as \"gateway\" , state as \"state\" , tries as \"tries\" ,\n       last_error as \"lastError\", accepted_at as \"acceptedAt\" , settled_at as \"settledAt\"\nfrom payments.attempts\nwhere payment_id = :paymentId!\norder by number","params":[{"name":"paymentId","locs":[{"a":248,"b":259}]}]};

/**
 * Query generated from SQL:
 * ```
 * select number as "number!", operation as "operation!", gateway as "gateway!", state as "state!", tries as "tries!",
 *        last_error as "lastError", accepted_at as "acceptedAt!", settled_at as "settledAt"
 * from payments.attempts
 * where payment_id = :paymentId!
 * order by number
 * ```
 */
export const listAttempts = new PreparedStatement<ListAttemptsParams, ListAttemptsResult>("payments.listAttempts", listAttemptsIR);

/** 'ListReceivedEvents' parameters type */
export interface ListReceivedEventsParams {
  limit: number;
  paymentId: string;
}

/** 'ListReceivedEvents' return type */
export interface ListReceivedEventsResult {
  disposition: string;
  eventId: string;
  processedAt: Date | null;
  receivedAt: Date;
  type: string;
}

const listReceivedEventsIR = {"statement":"select event_id as \"eventId\" , type as \"type\" , disposition as \"disposition\" , received_at as \"receivedAt\" ,\n       processed_at as \"processedAt\"\nfrom payments.webhook_inbox\nwhere payment_id = :paymentId!\norder by received_at, event_id\nlimit :limit!::integer","params":[{"name":"paymentId","locs":[{"a":193,"b":204}]},{"name":"limit","locs":[{"a":242,"b":249}]}]};

/**
 * Query generated from SQL:
 * ```
 * select event_id as "eventId!", type as "type!", disposition as "disposition!", received_at as "receivedAt!",
 *        processed_at as "processedAt"
 * from payments.webhook_inbox
 * where payment_id = :paymentId!
 * order by received_at, event_id
 * limit :limit!::integer                                                                                                                                                        
 * ```
 */
export const listReceivedEvents = new PreparedStatement<ListReceivedEventsParams, ListReceivedEventsResult>("payments.listReceivedEvents", listReceivedEventsIR);

/** 'AcceptCancellation' parameters type */
export interface AcceptCancellationParams {
  leaseMs: number;
  paymentId: string;
  scope: string;
}

/** 'AcceptCancellation' return type */
export interface AcceptCancellationResult {
  number: number;
}

const acceptCancellationIR = {"statement":"insert into payments.attempts (payment_id, number, operation, gateway, state, tries, due_at, accepted_at)\nselect p.id, (select max(a.number) + 1 from payments.attempts a where a.payment_id = p.id), 'cancel', p.gateway,\n       'open', 1, now() + :leaseMs!::integer * interval '1 millisecond', now()\nfrom payments.payments p\njoin payments.attempts c on c.payment_id = p.id and c.number = 1\nwhere p.id = :paymentId! and p.scope = :scope! and p.status = 'pending' and c.stripe_payment_intent_id is not null\non conflict do nothing\nreturning number as \"number\"","params":[{"name":"leaseMs","locs":[{"a":245,"b":254}]},{"name":"paymentId","locs":[{"a":401,"b":412}]},{"name":"scope","locs":[{"a":427,"b":434}]}]};

/**
 * Query generated from SQL:
 * ```
 * insert into payments.attempts (payment_id, number, operation, gateway, state, tries, due_at, accepted_at)
 * select p.id, (select max(a.number) + 1 from payments.attempts a where a.payment_id = p.id), 'cancel', p.gateway,
 *        'open', 1, now() + :leaseMs!::integer * interval '1 millisecond', now()
 * from payments.payments p
 * join payments.attempts c on c.payment_id = p.id and c.number = 1
 * where p.id = :paymentId! and p.scope = :scope! and p.status = 'pending' and c.stripe_payment_intent_id is not null
 * on conflict do nothing
 * returning number as "number!"                                                                                                                                                                                                                                              
 * ```
 */
export const acceptCancellation = new PreparedStatement<AcceptCancellationParams, AcceptCancellationResult>("payments.acceptCancellation", acceptCancellationIR);

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
  capture: string;
  currency: string;
  intentId: string | null;
  number: number;
  operation: string;
  paymentId: string;
  reference: string | null;
  traceparent: string | null;
  tries: number;
}

const claimDueAttemptsIR = {"statement":"with due as materialized (\n  select payment_id, number\n  from payments.attempts\n  where state = 'open' and due_at <= now()\n  order by due_at\n  limit :limit!::integer\n  for update skip locked\n)\nupdate payments.attempts a\nset tries = a.tries + 1, due_at = now() + :leaseMs!::integer * interval '1 millisecond'\nfrom due\njoin payments.payments p on p.id = due.payment_id\njoin payments.attempts c on c.payment_id = due.payment_id and c.number = 1\nwhere a.payment_id = due.payment_id and a.number = due.number\nreturning a.payment_id as \"paymentId\" , a.number as \"number\" , a.operation as \"operation\" , a.tries as \"tries\" ,\n          a.absences as \"absences\" ,\n          p.traceparent, a.accepted_at as \"acceptedAt\" , c.stripe_payment_intent_id as \"intentId\",\n          p.amount as \"amount\" , p.currency as \"currency\" , p.capture as \"capture\" , p.reference","params":[{"name":"limit","locs":[{"a":149,"b":156}]},{"name":"leaseMs","locs":[{"a":262,"b":271}]}]};

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
 *           p.amount as "amount!", p.currency as "currency!", p.capture as "capture!", p.reference                                                                                                                       
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

const postponeAttemptIR = {"statement":"update payments.attempts\nset due_at   = now() + :delayMs!::integer * interval '1 millisecond', last_error = :error!,\n    absences = :absences!, state = case when :park!::boolean then 'parked' else state end\nwhere payment_id = :paymentId! and number = :number! and state = 'open'","params":[{"name":"delayMs","locs":[{"a":48,"b":57}]},{"name":"error","locs":[{"a":108,"b":115}]},{"name":"absences","locs":[{"a":132,"b":142}]},{"name":"park","locs":[{"a":162,"b":168}]},{"name":"paymentId","locs":[{"a":226,"b":237}]},{"name":"number","locs":[{"a":251,"b":259}]}]};

/**
 * Query generated from SQL:
 * ```
 * update payments.attempts
 * set due_at   = now() + :delayMs!::integer * interval '1 millisecond', last_error = :error!,
 *     absences = :absences!, state = case when :park!::boolean then 'parked' else state end
 * where payment_id = :paymentId! and number = :number! and state = 'open'
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
