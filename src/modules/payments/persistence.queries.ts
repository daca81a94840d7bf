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
  payloads: stringArray;
  references: stringArray;
  scopes: stringArray;
  sellerIds: stringArray;
  traceparents: stringArray;
}

/** 'AcceptPayments' return type */
export interface AcceptPaymentsResult {
  createdAt: Date;
  id: string;
}

const acceptPaymentsIR = {"statement":"with input as (\n  select *\n  from unnest(\n    :ids!::uuid[], :scopes!::text[], :idempotencyKeys!::text[], :fingerprints!::text[], :amounts!::numeric[],\n    :currencies!::text[], :captures!::text[], :gateways!::text[], :sellerIds!::text[], :references!::text[],\n    :metadata!::text[], :payloads!::text[], :traceparents!::text[]\n  ) as i (\n    id, scope, idempotency_key, fingerprint, amount, currency, capture, gateway, seller_id, reference,\n    metadata, payload, traceparent\n  )\n),\naccepted as (\n  insert into payments.payments (\n    id, scope, idempotency_key, fingerprint, amount, currency, status, capture, gateway, seller_id, reference,\n    metadata, version, created_at, updated_at\n  )\n  select id, scope, idempotency_key, decode(fingerprint, 'hex'), amount, currency, 'pending', capture, gateway,\n         seller_id, reference, metadata::jsonb, 1, now(), now()\n  from input\n  on conflict (scope, idempotency_key) do nothing\n  returning id\n),\nopened as (\n  insert into payments.attempts (payment_id, number, operation, gateway, state, tries, due_at, traceparent, accepted_at)\n  select id, 1, 'create', i.gateway, 'open', 1, now() + :leaseMs!::integer * interval '1 millisecond', i.traceparent,\n         now()\n  from accepted join input i using (id)\n),\nlogged as (\n  select events.append(\n    'payment', array_agg(id), array_agg(1), array_agg('payment.created'::text), array_agg(i.payload),\n    array_agg(i.traceparent)\n  )\n  from accepted join input i using (id)\n)\nselect accepted.id as \"id\" , now() as \"createdAt\" \nfrom accepted, logged","params":[{"name":"ids","locs":[{"a":46,"b":51}]},{"name":"scopes","locs":[{"a":61,"b":69}]},{"name":"idempotencyKeys","locs":[{"a":79,"b":96}]},{"name":"fingerprints","locs":[{"a":106,"b":120}]},{"name":"amounts","locs":[{"a":130,"b":139}]},{"name":"currencies","locs":[{"a":156,"b":168}]},{"name":"captures","locs":[{"a":178,"b":188}]},{"name":"gateways","locs":[{"a":198,"b":208}]},{"name":"sellerIds","locs":[{"a":218,"b":229}]},{"name":"references","locs":[{"a":239,"b":251}]},{"name":"metadata","locs":[{"a":265,"b":275}]},{"name":"payloads","locs":[{"a":285,"b":295}]},{"name":"traceparents","locs":[{"a":305,"b":319}]},{"name":"leaseMs","locs":[{"a":1139,"b":1148}]}]};

/**
 * Query generated from SQL:
 * ```
 * with input as (
 *   select *
 *   from unnest(
 *     :ids!::uuid[], :scopes!::text[], :idempotencyKeys!::text[], :fingerprints!::text[], :amounts!::numeric[],
 *     :currencies!::text[], :captures!::text[], :gateways!::text[], :sellerIds!::text[], :references!::text[],
 *     :metadata!::text[], :payloads!::text[], :traceparents!::text[]
 *   ) as i (
 *     id, scope, idempotency_key, fingerprint, amount, currency, capture, gateway, seller_id, reference,
 *     metadata, payload, traceparent
 *   )
 * ),
 * accepted as (
 *   insert into payments.payments (
 *     id, scope, idempotency_key, fingerprint, amount, currency, status, capture, gateway, seller_id, reference,
 *     metadata, version, created_at, updated_at
 *   )
 *   select id, scope, idempotency_key, decode(fingerprint, 'hex'), amount, currency, 'pending', capture, gateway,
 *          seller_id, reference, metadata::jsonb, 1, now(), now()
 *   from input
 *   on conflict (scope, idempotency_key) do nothing
 *   returning id
 * ),
 * opened as (
 *   insert into payments.attempts (payment_id, number, operation, gateway, state, tries, due_at, traceparent, accepted_at)
 *   select id, 1, 'create', i.gateway, 'open', 1, now() + :leaseMs!::integer * interval '1 millisecond', i.traceparent,
 *          now()
 *   from accepted join input i using (id)
 * ),
 * logged as (
 *   select events.append(
 *     'payment', array_agg(id), array_agg(1), array_agg('payment.created'::text), array_agg(i.payload),
 *     array_agg(i.traceparent)
 *   )
 *   from accepted join input i using (id)
 * )
 * select accepted.id as "id!", now() as "createdAt!"
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
  payloads: stringArray;
  paymentIds: stringArray;
  states: stringArray;
  statuses: stringArray;
  traceparents: stringArray;
}

/** 'SettleAttempts' return type */
export interface SettleAttemptsResult {
  intentId: string | null;
  paymentId: string;
  status: string;
}

const settleAttemptsIR = {"statement":"with input as (\n  select *\n  from unnest(\n    :paymentIds!::uuid[], :numbers!::integer[], :states!::text[], :intentIds!::text[], :clientSecrets!::text[],\n    :statuses!::text[], :failureCodes!::text[], :failureMessages!::text[], :payloads!::text[], :traceparents!::text[]\n  ) as i (\n    payment_id, number, state, intent_id, client_secret, status, failure_code, failure_message, payload, traceparent\n  )\n),\nlocked as materialized (\n  select p.id, i.number, payments.status_rank(i.status) > payments.status_rank(p.status) as moves\n  from payments.payments p join input i on i.payment_id = p.id\n  order by p.id\n  for update of p\n),\nclosed as (\n  update payments.attempts a\n  set state = i.state, settled_at = now(), last_error = i.failure_code\n  from input i join locked l on l.id = i.payment_id and l.number = i.number\n  where a.payment_id = i.payment_id and a.number = i.number and a.state = 'open'\n  returning a.payment_id, a.number\n),\nchanged as (\n  update payments.payments p\n  set stripe_payment_intent_id = coalesce(p.stripe_payment_intent_id, i.intent_id),\n      client_secret            = coalesce(p.client_secret, i.client_secret),\n      status                   = case when l.moves then i.status else p.status end,\n      failure_code             = case when l.moves and i.status = 'failed' then i.failure_code else p.failure_code end,\n      failure_message          = case\n                                   when l.moves and i.status = 'failed' then i.failure_message\n                                   else p.failure_message\n                                 end,\n      version                  = p.version + l.moves::integer,\n      updated_at               = now()\n  from input i\n  join closed c on c.payment_id = i.payment_id and c.number = i.number\n  join locked l on l.id = i.payment_id and l.number = i.number\n  where p.id = i.payment_id\n  returning p.id, p.stripe_payment_intent_id, p.status, p.version, l.moves, i.payload, i.traceparent\n),\nlogged as (\n  select events.append(\n    'payment', array_agg(id), array_agg(version), array_agg('payment.' || status), array_agg(payload),\n    array_agg(traceparent)\n  )\n  from changed\n  where moves\n)\nselect changed.id as \"paymentId\" , stripe_payment_intent_id as \"intentId\", status as \"status\" \nfrom changed, logged","params":[{"name":"paymentIds","locs":[{"a":46,"b":58}]},{"name":"numbers","locs":[{"a":68,"b":77}]},{"name":"states","locs":[{"a":90,"b":98}]},{"name":"intentIds","locs":[{"a":108,"b":119}]},{"name":"clientSecrets","locs":[{"a":129,"b":144}]},{"name":"statuses","locs":[{"a":158,"b":168}]},{"name":"failureCodes","locs":[{"a":178,"b":192}]},{"name":"failureMessages","locs":[{"a":202,"b":219}]},{"name":"payloads","locs":[{"a":229,"b":239}]},{"name":"traceparents","locs":[{"a":249,"b":263}]}]};

/**
 * Query generated from SQL:
 * ```
 * with input as (
 *   select *
 *   from unnest(
 *     :paymentIds!::uuid[], :numbers!::integer[], :states!::text[], :intentIds!::text[], :clientSecrets!::text[],
 *     :statuses!::text[], :failureCodes!::text[], :failureMessages!::text[], :payloads!::text[], :traceparents!::text[]
 *   ) as i (
 *     payment_id, number, state, intent_id, client_secret, status, failure_code, failure_message, payload, traceparent
 *   )
 * ),
 * locked as materialized (
 *   select p.id, i.number, payments.status_rank(i.status) > payments.status_rank(p.status) as moves
 *   from payments.payments p join input i on i.payment_id = p.id
 *   order by p.id
 *   for update of p
 * ),
 * closed as (
 *   update payments.attempts a
 *   set state = i.state, settled_at = now(), last_error = i.failure_code
 *   from input i join locked l on l.id = i.payment_id and l.number = i.number
 *   where a.payment_id = i.payment_id and a.number = i.number and a.state = 'open'
 *   returning a.payment_id, a.number
 * ),
 * changed as (
 *   update payments.payments p
 *   set stripe_payment_intent_id = coalesce(p.stripe_payment_intent_id, i.intent_id),
 *       client_secret            = coalesce(p.client_secret, i.client_secret),
 *       status                   = case when l.moves then i.status else p.status end,
 *       failure_code             = case when l.moves and i.status = 'failed' then i.failure_code else p.failure_code end,
 *       failure_message          = case
 *                                    when l.moves and i.status = 'failed' then i.failure_message
 *                                    else p.failure_message
 *                                  end,
 *       version                  = p.version + l.moves::integer,
 *       updated_at               = now()
 *   from input i
 *   join closed c on c.payment_id = i.payment_id and c.number = i.number
 *   join locked l on l.id = i.payment_id and l.number = i.number
 *   where p.id = i.payment_id
 *   returning p.id, p.stripe_payment_intent_id, p.status, p.version, l.moves, i.payload, i.traceparent
 * ),
 * logged as (
 *   select events.append(
 *     'payment', array_agg(id), array_agg(version), array_agg('payment.' || status), array_agg(payload),
 *     array_agg(traceparent)
 *   )
 *   from changed
 *   where moves
 * )
 * select changed.id as "paymentId!", stripe_payment_intent_id as "intentId", status as "status!"
 * from changed, logged                                                                                                                                                                                                                                                                                                                                                                                                        
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
  traceparents: stringArray;
  types: stringArray;
}

/** 'ReceiveEvents' return type */
export interface ReceiveEventsResult {
  disposition: string;
  eventId: string;
  logged: bigint | null;
}

const receiveEventsIR = {"statement":"with input as (\n  select *\n  from unnest(\n    :eventIds!::text[], :types!::text[], :intentIds!::text[], :paymentIds!::uuid[], :statuses!::text[],\n    :amounts!::numeric[], :currencies!::text[], :failureCodes!::text[], :failureMessages!::text[], :payloads!::text[],\n    :traceparents!::text[]\n  ) as i (\n    event_id, type, intent_id, payment_id, status, amount, currency, failure_code, failure_message, payload, traceparent\n  )\n),\nfresh as (\n  select i.*, coalesce(by_id.id, by_intent.id) as target_id\n  from input i\n  left join payments.payments by_id on by_id.id = i.payment_id\n  left join payments.payments by_intent on by_id.id is null and by_intent.stripe_payment_intent_id = i.intent_id\n  where not exists (\n    select from payments.webhook_inbox w where w.event_id = i.event_id and w.processed_at is not null\n  )\n),\nlocked as materialized (\n  select f.event_id, p.id,\n         payments.status_rank(f.status) > payments.status_rank(p.status) as moves,\n         p.amount = f.amount and p.currency = f.currency\n           and coalesce(p.stripe_payment_intent_id, f.intent_id) = f.intent_id as agrees\n  from payments.payments p join fresh f on f.target_id = p.id\n  where f.status is not null\n  order by p.id\n  for update of p\n),\nchanged as (\n  update payments.payments p\n  set status                   = f.status,\n      stripe_payment_intent_id = coalesce(p.stripe_payment_intent_id, f.intent_id),\n      failure_code             = f.failure_code,\n      failure_message          = f.failure_message,\n      version                  = p.version + 1,\n      updated_at               = now()\n  from fresh f join locked l on l.event_id = f.event_id\n  where p.id = l.id and l.agrees and l.moves\n  returning p.id, f.event_id, p.status, p.version, f.traceparent,\n            jsonb_build_object(\n              'amount', f.amount::text, 'currency', p.currency, 'intent_id', p.stripe_payment_intent_id,\n              'gateway_event', f.event_id, 'failure_code', f.failure_code\n            )::text as payload\n),\nlogged as (\n  select events.append(\n    'payment', array_agg(id), array_agg(version), array_agg('payment.' || status), array_agg(payload),\n    array_agg(traceparent)\n  )\n  from changed\n),\nkept as (\n  insert into payments.webhook_inbox (event_id, type, intent_id, payment_id, payload, processed_at, disposition)\n  select f.event_id, f.type, f.intent_id, coalesce(f.target_id, f.payment_id), f.payload::json,\n         case when f.status is null or l.id is not null then now() end,\n         case when f.status is null then 'recorded'\n              when l.id is null then 'waiting'\n              when not l.agrees then 'mismatched'\n              when l.moves then 'applied'\n              else 'superseded' end\n  from fresh f left join locked l using (event_id)\n  on conflict (event_id) do update\n  set processed_at = excluded.processed_at, payment_id = excluded.payment_id, disposition = excluded.disposition\n  where webhook_inbox.processed_at is null\n  returning event_id, disposition\n)\nselect kept.event_id as \"eventId\" , kept.disposition as \"disposition\" , logged.append as \"logged\"\nfrom kept, logged","params":[{"name":"eventIds","locs":[{"a":46,"b":56}]},{"name":"types","locs":[{"a":66,"b":73}]},{"name":"intentIds","locs":[{"a":83,"b":94}]},{"name":"paymentIds","locs":[{"a":104,"b":116}]},{"name":"statuses","locs":[{"a":126,"b":136}]},{"name":"amounts","locs":[{"a":150,"b":159}]},{"name":"currencies","locs":[{"a":172,"b":184}]},{"name":"failureCodes","locs":[{"a":194,"b":208}]},{"name":"failureMessages","locs":[{"a":218,"b":235}]},{"name":"payloads","locs":[{"a":245,"b":255}]},{"name":"traceparents","locs":[{"a":269,"b":283}]}]};

/**
 * Query generated from SQL:
 * ```
 * with input as (
 *   select *
 *   from unnest(
 *     :eventIds!::text[], :types!::text[], :intentIds!::text[], :paymentIds!::uuid[], :statuses!::text[],
 *     :amounts!::numeric[], :currencies!::text[], :failureCodes!::text[], :failureMessages!::text[], :payloads!::text[],
 *     :traceparents!::text[]
 *   ) as i (
 *     event_id, type, intent_id, payment_id, status, amount, currency, failure_code, failure_message, payload, traceparent
 *   )
 * ),
 * fresh as (
 *   select i.*, coalesce(by_id.id, by_intent.id) as target_id
 *   from input i
 *   left join payments.payments by_id on by_id.id = i.payment_id
 *   left join payments.payments by_intent on by_id.id is null and by_intent.stripe_payment_intent_id = i.intent_id
 *   where not exists (
 *     select from payments.webhook_inbox w where w.event_id = i.event_id and w.processed_at is not null
 *   )
 * ),
 * locked as materialized (
 *   select f.event_id, p.id,
 *          payments.status_rank(f.status) > payments.status_rank(p.status) as moves,
 *          p.amount = f.amount and p.currency = f.currency
 *            and coalesce(p.stripe_payment_intent_id, f.intent_id) = f.intent_id as agrees
 *   from payments.payments p join fresh f on f.target_id = p.id
 *   where f.status is not null
 *   order by p.id
 *   for update of p
 * ),
 * changed as (
 *   update payments.payments p
 *   set status                   = f.status,
 *       stripe_payment_intent_id = coalesce(p.stripe_payment_intent_id, f.intent_id),
 *       failure_code             = f.failure_code,
 *       failure_message          = f.failure_message,
 *       version                  = p.version + 1,
 *       updated_at               = now()
 *   from fresh f join locked l on l.event_id = f.event_id
 *   where p.id = l.id and l.agrees and l.moves
 *   returning p.id, f.event_id, p.status, p.version, f.traceparent,
 *             jsonb_build_object(
 *               'amount', f.amount::text, 'currency', p.currency, 'intent_id', p.stripe_payment_intent_id,
 *               'gateway_event', f.event_id, 'failure_code', f.failure_code
 *             )::text as payload
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
 *   select f.event_id, f.type, f.intent_id, coalesce(f.target_id, f.payment_id), f.payload::json,
 *          case when f.status is null or l.id is not null then now() end,
 *          case when f.status is null then 'recorded'
 *               when l.id is null then 'waiting'
 *               when not l.agrees then 'mismatched'
 *               when l.moves then 'applied'
 *               else 'superseded' end
 *   from fresh f left join locked l using (event_id)
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

const listWaitingEventsIR = {"statement":"select w.event_id as \"eventId\" , w.payload::text as \"payload\" \nfrom payments.webhook_inbox w\nwhere w.processed_at is null\n  and exists (\n    select from payments.payments p\n    where p.id = w.payment_id or p.stripe_payment_intent_id = w.intent_id\n  )\norder by w.received_at\nlimit :limit!::integer","params":[{"name":"limit","locs":[{"a":280,"b":287}]}]};

/**
 * Query generated from SQL:
 * ```
 * select w.event_id as "eventId!", w.payload::text as "payload!"
 * from payments.webhook_inbox w
 * where w.processed_at is null
 *   and exists (
 *     select from payments.payments p
 *     where p.id = w.payment_id or p.stripe_payment_intent_id = w.intent_id
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

const findPaymentsByKeyIR = {"statement":"select i.place as \"place\" , p.id as \"id\" , encode(p.fingerprint, 'hex') as \"fingerprint\" ,\n       p.stripe_payment_intent_id as \"intentId\", p.amount as \"amount\" , p.currency as \"currency\" ,\n       p.status as \"status\" , p.created_at as \"createdAt\" ,\n       (a.state = 'open' and p.status = 'pending' and p.stripe_payment_intent_id is null) as \"underWay\" \nfrom unnest(:scopes!::text[], :idempotencyKeys!::text[]) with ordinality as i (scope, idempotency_key, place)\njoin payments.payments p using (scope, idempotency_key)\njoin payments.attempts a on a.payment_id = p.id and a.number = 1","params":[{"name":"scopes","locs":[{"a":367,"b":375}]},{"name":"idempotencyKeys","locs":[{"a":385,"b":402}]}]};

/**
 * Query generated from SQL:
 * ```
 * select i.place as "place!", p.id as "id!", encode(p.fingerprint, 'hex') as "fingerprint!",
 *        p.stripe_payment_intent_id as "intentId", p.amount as "amount!", p.currency as "currency!",
 *        p.status as "status!", p.created_at as "createdAt!",
 *        (a.state = 'open' and p.status = 'pending' and p.stripe_payment_intent_id is null) as "underWay!"
 * from unnest(:scopes!::text[], :idempotencyKeys!::text[]) with ordinality as i (scope, idempotency_key, place)
 * join payments.payments p using (scope, idempotency_key)
 * join payments.attempts a on a.payment_id = p.id and a.number = 1
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

const getPaymentIR = {"statement":"select id as \"id\" , stripe_payment_intent_id as \"intentId\", client_secret as \"clientSecret\",\n       idempotency_key as \"idempotencyKey\" , amount as \"amount\" , currency as \"currency\" , status as \"status\" ,\n       capture as \"capture\" , seller_id as \"sellerId\", reference, metadata as \"metadata\" ,\n       failure_code as \"failureCode\", failure_message as \"failureMessage\",\n       created_at as \"createdAt\" , updated_at as \"updatedAt\" \nfrom payments.payments\nwhere id = :id! and scope = :scope!","params":[{"name":"id","locs":[{"a":467,"b":471}]},{"name":"scope","locs":[{"a":484,"b":491}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!", stripe_payment_intent_id as "intentId", client_secret as "clientSecret",
 *        idempotency_key as "idempotencyKey!", amount as "amount!", currency as "currency!", status as "status!",
 *        capture as "capture!", seller_id as "sellerId", reference, metadata as "metadata!",
 *        failure_code as "failureCode", failure_message as "failureMessage",
 *        created_at as "createdAt!", updated_at as "updatedAt!"
 * from payments.payments
 * where id = :id! and scope = :scope!                                                                                                                                                                                              
 * ```
 */
export const getPayment = new PreparedStatement<GetPaymentParams, GetPaymentResult>("payments.getPayment", getPaymentIR);

/** 'ListPayments' parameters type */
export interface ListPaymentsParams {
  before?: string | null | undefined;
  createdAfter?: Date | null | undefined;
  createdAfterId?: string | null | undefined;
  currency?: string | null | undefined;
  limit: number;
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

const listPaymentsIR = {"statement":"select id as \"id\" , stripe_payment_intent_id as \"intentId\", client_secret as \"clientSecret\",\n       idempotency_key as \"idempotencyKey\" , amount as \"amount\" , currency as \"currency\" , status as \"status\" ,\n       capture as \"capture\" , seller_id as \"sellerId\", reference, metadata as \"metadata\" ,\n       failure_code as \"failureCode\", failure_message as \"failureMessage\",\n       created_at as \"createdAt\" , updated_at as \"updatedAt\" \nfrom payments.payments\nwhere scope = :scope!\n  and (:status::text is null or status = :status)\n  and (:currency::text is null or currency = :currency)\n  and (:createdAfter::timestamptz is null or created_at > :createdAfter)\n  and (:createdAfterId::uuid is null or id >= :createdAfterId)\n  and (:before::uuid is null or id < :before)\norder by id desc\nlimit :limit!::integer","params":[{"name":"scope","locs":[{"a":470,"b":477}]},{"name":"status","locs":[{"a":485,"b":492},{"a":519,"b":526}]},{"name":"currency","locs":[{"a":535,"b":544},{"a":573,"b":582}]},{"name":"createdAfter","locs":[{"a":591,"b":604},{"a":642,"b":655}]},{"name":"createdAfterId","locs":[{"a":664,"b":679},{"a":703,"b":718}]},{"name":"before","locs":[{"a":727,"b":734},{"a":757,"b":764}]},{"name":"limit","locs":[{"a":789,"b":796}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!", stripe_payment_intent_id as "intentId", client_secret as "clientSecret",
 *        idempotency_key as "idempotencyKey!", amount as "amount!", currency as "currency!", status as "status!",
 *        capture as "capture!", seller_id as "sellerId", reference, metadata as "metadata!",
 *        failure_code as "failureCode", failure_message as "failureMessage",
 *        created_at as "createdAt!", updated_at as "updatedAt!"
 * from payments.payments
 * where scope = :scope!
 *   and (:status::text is null or status = :status)
 *   and (:currency::text is null or currency = :currency)
 *   and (:createdAfter::timestamptz is null or created_at > :createdAfter)
 *   and (:createdAfterId::uuid is null or id >= :createdAfterId)
 *   and (:before::uuid is null or id < :before)
 * order by id desc
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
  traceparent?: string | null | undefined;
}

/** 'AcceptCancellation' return type */
export interface AcceptCancellationResult {
  number: number;
}

const acceptCancellationIR = {"statement":"insert into payments.attempts (payment_id, number, operation, gateway, state, tries, due_at, traceparent, accepted_at)\nselect p.id, (select max(a.number) + 1 from payments.attempts a where a.payment_id = p.id), 'cancel', p.gateway,\n       'open', 1, now() + :leaseMs!::integer * interval '1 millisecond', :traceparent, now()\nfrom payments.payments p\nwhere p.id = :paymentId! and p.scope = :scope! and p.status = 'pending' and p.stripe_payment_intent_id is not null\non conflict do nothing\nreturning number as \"number\"","params":[{"name":"leaseMs","locs":[{"a":258,"b":267}]},{"name":"traceparent","locs":[{"a":305,"b":317}]},{"name":"paymentId","locs":[{"a":363,"b":374}]},{"name":"scope","locs":[{"a":389,"b":396}]}]};

/**
 * Query generated from SQL:
 * ```
 * insert into payments.attempts (payment_id, number, operation, gateway, state, tries, due_at, traceparent, accepted_at)
 * select p.id, (select max(a.number) + 1 from payments.attempts a where a.payment_id = p.id), 'cancel', p.gateway,
 *        'open', 1, now() + :leaseMs!::integer * interval '1 millisecond', :traceparent, now()
 * from payments.payments p
 * where p.id = :paymentId! and p.scope = :scope! and p.status = 'pending' and p.stripe_payment_intent_id is not null
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

const claimDueAttemptsIR = {"statement":"with due as materialized (\n  select payment_id, number\n  from payments.attempts\n  where state = 'open' and due_at <= now()\n  order by due_at\n  limit :limit!::integer\n  for update skip locked\n)\nupdate payments.attempts a\nset tries = a.tries + 1, due_at = now() + :leaseMs!::integer * interval '1 millisecond'\nfrom due join payments.payments p on p.id = due.payment_id\nwhere a.payment_id = due.payment_id and a.number = due.number\nreturning a.payment_id as \"paymentId\" , a.number as \"number\" , a.operation as \"operation\" , a.tries as \"tries\" ,\n          a.traceparent, a.accepted_at as \"acceptedAt\" , p.stripe_payment_intent_id as \"intentId\",\n          p.amount as \"amount\" , p.currency as \"currency\" , p.capture as \"capture\" , p.reference","params":[{"name":"limit","locs":[{"a":149,"b":156}]},{"name":"leaseMs","locs":[{"a":262,"b":271}]}]};

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
 * from due join payments.payments p on p.id = due.payment_id
 * where a.payment_id = due.payment_id and a.number = due.number
 * returning a.payment_id as "paymentId!", a.number as "number!", a.operation as "operation!", a.tries as "tries!",
 *           a.traceparent, a.accepted_at as "acceptedAt!", p.stripe_payment_intent_id as "intentId",
 *           p.amount as "amount!", p.currency as "currency!", p.capture as "capture!", p.reference                                                                                                                       
 * ```
 */
export const claimDueAttempts = new PreparedStatement<ClaimDueAttemptsParams, ClaimDueAttemptsResult>("payments.claimDueAttempts", claimDueAttemptsIR);

/** 'PostponeAttempt' parameters type */
export interface PostponeAttemptParams {
  delayMs: number;
  error: string;
  number: number;
  park: boolean;
  paymentId: string;
}

/** 'PostponeAttempt' return type */
export type PostponeAttemptResult = void;

const postponeAttemptIR = {"statement":"update payments.attempts\nset due_at = now() + :delayMs!::integer * interval '1 millisecond', last_error = :error!,\n    state  = case when :park!::boolean then 'parked' else state end\nwhere payment_id = :paymentId! and number = :number! and state = 'open'","params":[{"name":"delayMs","locs":[{"a":46,"b":55}]},{"name":"error","locs":[{"a":106,"b":113}]},{"name":"park","locs":[{"a":138,"b":144}]},{"name":"paymentId","locs":[{"a":202,"b":213}]},{"name":"number","locs":[{"a":227,"b":235}]}]};

/**
 * Query generated from SQL:
 * ```
 * update payments.attempts
 * set due_at = now() + :delayMs!::integer * interval '1 millisecond', last_error = :error!,
 *     state  = case when :park!::boolean then 'parked' else state end
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
