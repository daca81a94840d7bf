/** Types generated for queries found in "src/modules/bills/persistence/movements.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type bigintArray = readonly (bigint | null)[];

export type numberArray = readonly (number | null)[];

export type stringArray = readonly (string | null)[];

/** 'AcceptBills' parameters type */
export interface AcceptBillsParams {
  amounts: bigintArray;
  currencies: stringArray;
  gateways: stringArray;
  ids: stringArray;
  keys: stringArray;
  leaseMs: number;
  payloads: stringArray;
  references: stringArray;
  scopes: stringArray;
  traceparents: stringArray;
  ttlMs: bigint;
}

/** 'AcceptBills' return type */
export interface AcceptBillsResult {
  acceptedIds: string;
  createdAt: Date;
  logged: bigint | null;
}

const acceptBillsIR = {"statement":"with keyed as (\n  insert into bills.idempotency_keys as k (scope, key, payment_id, expires_at)\n  select scope, key, id, now() + :ttlMs!::bigint * interval '1 millisecond'\n  from unnest(:scopes!::text[], :keys!::text[], :ids!::uuid[]) as i (scope, key, id)\n  on conflict (scope, key) do update\n  set payment_id = excluded.payment_id, expires_at = excluded.expires_at\n  where k.expires_at <= now()\n  returning payment_id\n),\naccepted as (\n  insert into bills.payments (\n    id, scope, reference, amount_minor, currency, status, gateway, due_at, traceparent, created_at, updated_at\n  )\n  select id, scope, reference, amount_minor, currency, 'PENDING', gateway,\n         now() + :leaseMs!::integer * interval '1 millisecond', traceparent, now(), now()\n  from unnest(\n    :ids!::uuid[], :scopes!::text[], :references!::text[], :amounts!::bigint[], :currencies!::text[],\n    :gateways!::text[], :traceparents!::text[]\n  ) as i (id, scope, reference, amount_minor, currency, gateway, traceparent)\n  where (i.id in (select payment_id from keyed)) is true\n  returning id, scope\n),\ntallied as (\n  insert into bills.changes (scope, bucket, pending)\n  select scope, bills.bucket_of(id), count(*) from accepted group by 1, 2\n),\nlogged as (\n  select events.append(\n    'bill', array_agg(id), array_agg(1), array_agg('bill.created'::text), array_agg(payload::jsonb),\n    array_agg(traceparent)\n  )\n  from unnest(:ids!::uuid[], :payloads!::text[], :traceparents!::text[]) as i (id, payload, traceparent)\n  where (i.id in (select payment_id from keyed)) is true\n)\n-- One row for the whole batch, because a row for each payment costs the reader as much as the payment's own answer.\nselect coalesce((select string_agg(id::text, ',') from accepted), '') as \"acceptedIds\" , now() as \"createdAt\" ,\n       logged.append as \"logged\"\nfrom logged","params":[{"name":"ttlMs","locs":[{"a":128,"b":135}]},{"name":"scopes","locs":[{"a":185,"b":193},{"a":781,"b":789}]},{"name":"keys","locs":[{"a":203,"b":209}]},{"name":"ids","locs":[{"a":219,"b":224},{"a":766,"b":771},{"a":1396,"b":1401}]},{"name":"leaseMs","locs":[{"a":674,"b":683}]},{"name":"references","locs":[{"a":799,"b":811}]},{"name":"amounts","locs":[{"a":821,"b":830}]},{"name":"currencies","locs":[{"a":842,"b":854}]},{"name":"gateways","locs":[{"a":868,"b":878}]},{"name":"traceparents","locs":[{"a":888,"b":902},{"a":1431,"b":1445}]},{"name":"payloads","locs":[{"a":1411,"b":1421}]}]};

/**
 * Query generated from SQL:
 * ```
 * with keyed as (
 *   insert into bills.idempotency_keys as k (scope, key, payment_id, expires_at)
 *   select scope, key, id, now() + :ttlMs!::bigint * interval '1 millisecond'
 *   from unnest(:scopes!::text[], :keys!::text[], :ids!::uuid[]) as i (scope, key, id)
 *   on conflict (scope, key) do update
 *   set payment_id = excluded.payment_id, expires_at = excluded.expires_at
 *   where k.expires_at <= now()
 *   returning payment_id
 * ),
 * accepted as (
 *   insert into bills.payments (
 *     id, scope, reference, amount_minor, currency, status, gateway, due_at, traceparent, created_at, updated_at
 *   )
 *   select id, scope, reference, amount_minor, currency, 'PENDING', gateway,
 *          now() + :leaseMs!::integer * interval '1 millisecond', traceparent, now(), now()
 *   from unnest(
 *     :ids!::uuid[], :scopes!::text[], :references!::text[], :amounts!::bigint[], :currencies!::text[],
 *     :gateways!::text[], :traceparents!::text[]
 *   ) as i (id, scope, reference, amount_minor, currency, gateway, traceparent)
 *   where (i.id in (select payment_id from keyed)) is true
 *   returning id, scope
 * ),
 * tallied as (
 *   insert into bills.changes (scope, bucket, pending)
 *   select scope, bills.bucket_of(id), count(*) from accepted group by 1, 2
 * ),
 * logged as (
 *   select events.append(
 *     'bill', array_agg(id), array_agg(1), array_agg('bill.created'::text), array_agg(payload::jsonb),
 *     array_agg(traceparent)
 *   )
 *   from unnest(:ids!::uuid[], :payloads!::text[], :traceparents!::text[]) as i (id, payload, traceparent)
 *   where (i.id in (select payment_id from keyed)) is true
 * )
 * -- One row for the whole batch, because a row for each payment costs the reader as much as the payment's own answer.
 * select coalesce((select string_agg(id::text, ',') from accepted), '') as "acceptedIds!", now() as "createdAt!",
 *        logged.append as "logged"
 * from logged                                                                                                                                                                                                                                                                                                                                                                                                  
 * ```
 */
export const acceptBills = new PreparedStatement<AcceptBillsParams, AcceptBillsResult>("bills.acceptBills", acceptBillsIR);

/** 'SettleBills' parameters type */
export interface SettleBillsParams {
  attempts: numberArray;
  failureCodes: stringArray;
  gatewayReferences: stringArray;
  ids: stringArray;
  payloads: stringArray;
  retries: numberArray;
  statuses: stringArray;
}

/** 'SettleBills' return type */
export interface SettleBillsResult {
  logged: bigint | null;
  posted: bigint | null;
  settledAt: Date;
  settledIds: string;
}

const settleBillsIR = {"statement":"with changed as (\n  update bills.payments p\n  set status            = i.status,\n      retries           = i.retries,\n      gateway_reference = i.gateway_reference,\n      last_error        = i.failure_code,\n      due_at            = null,\n      version           = p.version + 1,\n      updated_at        = now()\n  from unnest(\n    :ids!::uuid[], :attempts!::integer[], :statuses!::text[], :retries!::integer[], :gatewayReferences!::text[],\n    :failureCodes!::text[], :payloads!::text[]\n  ) as i (id, attempt, status, retries, gateway_reference, failure_code, payload)\n  -- The status decides and does not find, so that no plan walks over the pending ones.\n  where p.id = i.id and p.attempt = i.attempt and (p.status = 'PENDING') is true\n  returning p.id, p.scope, p.status, p.version, p.gateway, p.currency, p.amount_minor, p.gateway_reference,\n            p.traceparent, i.payload\n),\nposted as (\n  select bills.post_paid(\n    array_agg(id), array_agg(gateway), array_agg(currency), array_agg(amount_minor), array_agg(gateway_reference)\n  )\n  from changed\n  where status = 'SUCCESS'\n),\ntallied as (\n  insert into bills.changes (scope, bucket, pending, success, failed, exhausted)\n  select scope, bills.bucket_of(id), -count(*), count(*) filter (where status = 'SUCCESS'),\n         count(*) filter (where status = 'FAILED'), count(*) filter (where status = 'EXHAUSTED')\n  from changed\n  group by 1, 2\n),\nlogged as (\n  select events.append(\n    'bill', array_agg(id), array_agg(version), array_agg('bill.' || lower(case status\n      when 'SUCCESS' then 'succeeded' else status end)), array_agg(payload::jsonb), array_agg(traceparent)\n  )\n  from changed\n)\nselect coalesce((select string_agg(id::text, ',') from changed), '') as \"settledIds\" , now() as \"settledAt\" ,\n       logged.append as \"logged\", posted.post_paid as \"posted\"\nfrom logged, posted","params":[{"name":"ids","locs":[{"a":330,"b":335}]},{"name":"attempts","locs":[{"a":345,"b":355}]},{"name":"statuses","locs":[{"a":368,"b":378}]},{"name":"retries","locs":[{"a":388,"b":397}]},{"name":"gatewayReferences","locs":[{"a":410,"b":429}]},{"name":"failureCodes","locs":[{"a":443,"b":457}]},{"name":"payloads","locs":[{"a":467,"b":477}]}]};

/**
 * Query generated from SQL:
 * ```
 * with changed as (
 *   update bills.payments p
 *   set status            = i.status,
 *       retries           = i.retries,
 *       gateway_reference = i.gateway_reference,
 *       last_error        = i.failure_code,
 *       due_at            = null,
 *       version           = p.version + 1,
 *       updated_at        = now()
 *   from unnest(
 *     :ids!::uuid[], :attempts!::integer[], :statuses!::text[], :retries!::integer[], :gatewayReferences!::text[],
 *     :failureCodes!::text[], :payloads!::text[]
 *   ) as i (id, attempt, status, retries, gateway_reference, failure_code, payload)
 *   -- The status decides and does not find, so that no plan walks over the pending ones.
 *   where p.id = i.id and p.attempt = i.attempt and (p.status = 'PENDING') is true
 *   returning p.id, p.scope, p.status, p.version, p.gateway, p.currency, p.amount_minor, p.gateway_reference,
 *             p.traceparent, i.payload
 * ),
 * posted as (
 *   select bills.post_paid(
 *     array_agg(id), array_agg(gateway), array_agg(currency), array_agg(amount_minor), array_agg(gateway_reference)
 *   )
 *   from changed
 *   where status = 'SUCCESS'
 * ),
 * tallied as (
 *   insert into bills.changes (scope, bucket, pending, success, failed, exhausted)
 *   select scope, bills.bucket_of(id), -count(*), count(*) filter (where status = 'SUCCESS'),
 *          count(*) filter (where status = 'FAILED'), count(*) filter (where status = 'EXHAUSTED')
 *   from changed
 *   group by 1, 2
 * ),
 * logged as (
 *   select events.append(
 *     'bill', array_agg(id), array_agg(version), array_agg('bill.' || lower(case status
 *       when 'SUCCESS' then 'succeeded' else status end)), array_agg(payload::jsonb), array_agg(traceparent)
 *   )
 *   from changed
 * )
 * select coalesce((select string_agg(id::text, ',') from changed), '') as "settledIds!", now() as "settledAt!",
 *        logged.append as "logged", posted.post_paid as "posted"
 * from logged, posted                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    
 * ```
 */
export const settleBills = new PreparedStatement<SettleBillsParams, SettleBillsResult>("bills.settleBills", settleBillsIR);

/** 'RetryBills' parameters type */
export interface RetryBillsParams {
  attempts: numberArray;
  ids: stringArray;
  leaseMs: number;
  scopes: stringArray;
  traceparents: stringArray;
}

/** 'RetryBills' return type */
export interface RetryBillsResult {
  id: string;
  logged: bigint | null;
  place: bigint;
  startedAt: Date | null;
  status: string;
}

const retryBillsIR = {"statement":"with standing as materialized (\n  select p.id, p.status, p.attempt, i.attempt as wanted, i.traceparent, i.place\n  from (\n    select distinct on (u.id) u.id, u.scope, u.attempt, u.traceparent, u.place\n    from unnest(:ids!::uuid[], :scopes!::text[], :attempts!::integer[], :traceparents!::text[])\n      with ordinality as u (id, scope, attempt, traceparent, place)\n    order by u.id, u.place\n  ) i\n  join bills.payments p on p.id = i.id and (p.scope = i.scope) is true\n  order by p.id\n  for update of p\n),\nstarted as (\n  update bills.payments p\n  set status      = 'PENDING',\n      attempt     = s.wanted,\n      tries       = 1,\n      absences    = 0,\n      due_at      = now() + :leaseMs!::integer * interval '1 millisecond',\n      last_error  = null,\n      traceparent = s.traceparent,\n      version     = p.version + 1,\n      updated_at  = now()\n  from standing s\n  where p.id = s.id and s.status = 'FAILED' and s.attempt = s.wanted - 1\n  returning p.id, p.scope, p.version, p.traceparent, p.updated_at, s.place,\n            jsonb_build_object('retry', p.attempt - 1) as payload\n),\ntallied as (\n  insert into bills.changes (scope, bucket, pending, failed)\n  select scope, bills.bucket_of(id), count(*), -count(*) from started group by 1, 2\n),\nlogged as (\n  select events.append(\n    'bill', array_agg(id), array_agg(version), array_agg('bill.retrying'::text), array_agg(payload),\n    array_agg(traceparent)\n  )\n  from started\n)\nselect started.id as \"id\" , started.place as \"place\" , 'PENDING' as \"status\" , started.updated_at as \"startedAt\",\n       logged.append as \"logged\"\nfrom started, logged\nunion all\nselect id, place, status, null, null from standing where status <> 'FAILED' or attempt <> wanted - 1","params":[{"name":"ids","locs":[{"a":216,"b":221}]},{"name":"scopes","locs":[{"a":231,"b":239}]},{"name":"attempts","locs":[{"a":249,"b":259}]},{"name":"traceparents","locs":[{"a":272,"b":286}]},{"name":"leaseMs","locs":[{"a":679,"b":688}]}]};

/**
 * Query generated from SQL:
 * ```
 * with standing as materialized (
 *   select p.id, p.status, p.attempt, i.attempt as wanted, i.traceparent, i.place
 *   from (
 *     select distinct on (u.id) u.id, u.scope, u.attempt, u.traceparent, u.place
 *     from unnest(:ids!::uuid[], :scopes!::text[], :attempts!::integer[], :traceparents!::text[])
 *       with ordinality as u (id, scope, attempt, traceparent, place)
 *     order by u.id, u.place
 *   ) i
 *   join bills.payments p on p.id = i.id and (p.scope = i.scope) is true
 *   order by p.id
 *   for update of p
 * ),
 * started as (
 *   update bills.payments p
 *   set status      = 'PENDING',
 *       attempt     = s.wanted,
 *       tries       = 1,
 *       absences    = 0,
 *       due_at      = now() + :leaseMs!::integer * interval '1 millisecond',
 *       last_error  = null,
 *       traceparent = s.traceparent,
 *       version     = p.version + 1,
 *       updated_at  = now()
 *   from standing s
 *   where p.id = s.id and s.status = 'FAILED' and s.attempt = s.wanted - 1
 *   returning p.id, p.scope, p.version, p.traceparent, p.updated_at, s.place,
 *             jsonb_build_object('retry', p.attempt - 1) as payload
 * ),
 * tallied as (
 *   insert into bills.changes (scope, bucket, pending, failed)
 *   select scope, bills.bucket_of(id), count(*), -count(*) from started group by 1, 2
 * ),
 * logged as (
 *   select events.append(
 *     'bill', array_agg(id), array_agg(version), array_agg('bill.retrying'::text), array_agg(payload),
 *     array_agg(traceparent)
 *   )
 *   from started
 * )
 * select started.id as "id!", started.place as "place!", 'PENDING' as "status!", started.updated_at as "startedAt",
 *        logged.append as "logged"
 * from started, logged
 * union all
 * select id, place, status, null, null from standing where status <> 'FAILED' or attempt <> wanted - 1                                                                                                                                                                                                                                              
 * ```
 */
export const retryBills = new PreparedStatement<RetryBillsParams, RetryBillsResult>("bills.retryBills", retryBillsIR);

/** 'ClaimDueBills' parameters type */
export interface ClaimDueBillsParams {
  leaseMs: number;
  limit: number;
}

/** 'ClaimDueBills' return type */
export interface ClaimDueBillsResult {
  absences: number;
  amountMinor: bigint;
  attempt: number;
  createdAt: Date;
  currency: string;
  id: string;
  reference: string;
  retries: number;
  traceparent: string | null;
  tries: number;
  updatedAt: Date;
}

const claimDueBillsIR = {"statement":"with due as materialized (\n  select id\n  from bills.payments\n  where due_at <= now()\n  order by due_at\n  limit :limit!::integer\n  for update skip locked\n)\nupdate bills.payments p\nset tries = p.tries + 1, due_at = now() + :leaseMs!::integer * interval '1 millisecond'\nfrom due\nwhere p.id = due.id\nreturning p.id as \"id\" , p.reference as \"reference\" , p.amount_minor as \"amountMinor\" , p.currency as \"currency\" ,\n          p.retries as \"retries\" , p.attempt as \"attempt\" , p.tries as \"tries\" , p.absences as \"absences\" ,\n          p.traceparent, p.created_at as \"createdAt\" , p.updated_at as \"updatedAt\"","params":[{"name":"limit","locs":[{"a":111,"b":118}]},{"name":"leaseMs","locs":[{"a":221,"b":230}]}]};

/**
 * Query generated from SQL:
 * ```
 * with due as materialized (
 *   select id
 *   from bills.payments
 *   where due_at <= now()
 *   order by due_at
 *   limit :limit!::integer
 *   for update skip locked
 * )
 * update bills.payments p
 * set tries = p.tries + 1, due_at = now() + :leaseMs!::integer * interval '1 millisecond'
 * from due
 * where p.id = due.id
 * returning p.id as "id!", p.reference as "reference!", p.amount_minor as "amountMinor!", p.currency as "currency!",
 *           p.retries as "retries!", p.attempt as "attempt!", p.tries as "tries!", p.absences as "absences!",
 *           p.traceparent, p.created_at as "createdAt!", p.updated_at as "updatedAt!"                                                                                                                       
 * ```
 */
export const claimDueBills = new PreparedStatement<ClaimDueBillsParams, ClaimDueBillsResult>("bills.claimDueBills", claimDueBillsIR);

/** 'PostponeBill' parameters type */
export interface PostponeBillParams {
  absences: number;
  attempt: number;
  delayMs: number;
  error: string;
  id: string;
  park: boolean;
}

/** 'PostponeBill' return type */
export type PostponeBillResult = void;

const postponeBillIR = {"statement":"update bills.payments\nset due_at     = case when :park!::boolean then null else now() + :delayMs!::integer * interval '1 millisecond' end,\n    last_error = :error!, absences = :absences!\nwhere id = :id! and attempt = :attempt! and (status = 'PENDING') is true","params":[{"name":"park","locs":[{"a":49,"b":55}]},{"name":"delayMs","locs":[{"a":88,"b":97}]},{"name":"error","locs":[{"a":156,"b":163}]},{"name":"absences","locs":[{"a":176,"b":186}]},{"name":"id","locs":[{"a":198,"b":202}]},{"name":"attempt","locs":[{"a":217,"b":226}]}]};

/**
 * Query generated from SQL:
 * ```
 * update bills.payments
 * set due_at     = case when :park!::boolean then null else now() + :delayMs!::integer * interval '1 millisecond' end,
 *     last_error = :error!, absences = :absences!
 * where id = :id! and attempt = :attempt! and (status = 'PENDING') is true
 * ```
 */
export const postponeBill = new PreparedStatement<PostponeBillParams, PostponeBillResult>("bills.postponeBill", postponeBillIR);

/** 'CountDueBills' parameters type */
export type CountDueBillsParams = void;

/** 'CountDueBills' return type */
export interface CountDueBillsResult {
  due: bigint;
}

const countDueBillsIR = {"statement":"select count(*) as \"due\"  from bills.payments where due_at <= now()","params":[]};

/**
 * Query generated from SQL:
 * ```
 * select count(*) as "due!" from bills.payments where due_at <= now()                                                            
 * ```
 */
export const countDueBills = new PreparedStatement<CountDueBillsParams, CountDueBillsResult>("bills.countDueBills", countDueBillsIR);

/** 'ForgetBillKeys' parameters type */
export interface ForgetBillKeysParams {
  limit: number;
}

/** 'ForgetBillKeys' return type */
export interface ForgetBillKeysResult {
  forgotten: number;
}

const forgetBillKeysIR = {"statement":"with expired as materialized (\n  select scope, key\n  from bills.idempotency_keys\n  where expires_at <= now()\n  order by expires_at\n  limit :limit!::integer\n  for update skip locked\n)\ndelete from bills.idempotency_keys k\nusing expired e\nwhere k.scope = e.scope and k.key = e.key\nreturning 1 as \"forgotten\"","params":[{"name":"limit","locs":[{"a":139,"b":146}]}]};

/**
 * Query generated from SQL:
 * ```
 * with expired as materialized (
 *   select scope, key
 *   from bills.idempotency_keys
 *   where expires_at <= now()
 *   order by expires_at
 *   limit :limit!::integer
 *   for update skip locked
 * )
 * delete from bills.idempotency_keys k
 * using expired e
 * where k.scope = e.scope and k.key = e.key
 * returning 1 as "forgotten!"                                                                                                                                                                         
 * ```
 */
export const forgetBillKeys = new PreparedStatement<ForgetBillKeysParams, ForgetBillKeysResult>("bills.forgetBillKeys", forgetBillKeysIR);

/** 'FoldBillChanges' parameters type */
export interface FoldBillChangesParams {
  limit: number;
}

/** 'FoldBillChanges' return type */
export interface FoldBillChangesResult {
  folded: bigint;
}

const foldBillChangesIR = {"statement":"with taken as (\n  delete from bills.changes\n  where ctid = any (array(select ctid from bills.changes limit :limit!::integer for update skip locked))\n  returning scope, bucket, pending, success, failed, exhausted\n),\nfolded as (\n  insert into bills.tallies as t (scope, level, bucket, pending, success, failed, exhausted)\n  select scope, level, bucket >> (7 * level), sum(pending), sum(success), sum(failed), sum(exhausted)\n  from taken cross join generate_series(0, 2) as l (level)\n  group by 1, 2, 3\n  order by 1, 2, 3\n  on conflict (scope, level, bucket) do update\n  set pending = t.pending + excluded.pending, success = t.success + excluded.success,\n      failed = t.failed + excluded.failed, exhausted = t.exhausted + excluded.exhausted\n)\nselect count(*) as \"folded\"  from taken","params":[{"name":"limit","locs":[{"a":107,"b":114}]}]};

/**
 * Query generated from SQL:
 * ```
 * with taken as (
 *   delete from bills.changes
 *   where ctid = any (array(select ctid from bills.changes limit :limit!::integer for update skip locked))
 *   returning scope, bucket, pending, success, failed, exhausted
 * ),
 * folded as (
 *   insert into bills.tallies as t (scope, level, bucket, pending, success, failed, exhausted)
 *   select scope, level, bucket >> (7 * level), sum(pending), sum(success), sum(failed), sum(exhausted)
 *   from taken cross join generate_series(0, 2) as l (level)
 *   group by 1, 2, 3
 *   order by 1, 2, 3
 *   on conflict (scope, level, bucket) do update
 *   set pending = t.pending + excluded.pending, success = t.success + excluded.success,
 *       failed = t.failed + excluded.failed, exhausted = t.exhausted + excluded.exhausted
 * )
 * select count(*) as "folded!" from taken
 * ```
 */
export const foldBillChanges = new PreparedStatement<FoldBillChangesParams, FoldBillChangesResult>("bills.foldBillChanges", foldBillChangesIR);
