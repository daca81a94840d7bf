/** Types generated for queries found in "src/modules/payouts/persistence/batches.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type bigintArray = readonly (bigint | null)[];

export type stringArray = readonly (string | null)[];

/** 'StoreBatch' parameters type */
export interface StoreBatchParams {
  amountsMinor: bigintArray;
  currencies: stringArray;
  fingerprint: string;
  gateway: string;
  id: string;
  idempotencyKey?: string | null | undefined;
  ids: stringArray;
  recipientIds: stringArray;
  scope: string;
  traceparent?: string | null | undefined;
}

/** 'StoreBatch' return type */
export interface StoreBatchResult {
  createdAt: Date;
}

const storeBatchIR = {"statement":"with stored as (\n  insert into payouts.batches (id, scope, idempotency_key, fingerprint, lines, traceparent, created_at)\n  values (\n    :id!, :scope!, :idempotencyKey, decode(:fingerprint!, 'hex'), cardinality(:ids!::uuid[]), :traceparent, now()\n  )\n  on conflict (scope, idempotency_key) do nothing\n  returning id, scope, traceparent, created_at\n),\nkept as (\n  insert into payouts.payouts (\n    id, scope, batch_id, line, recipient_kind, recipient_id, amount_minor, currency, status, gateway, traceparent,\n    created_at\n  )\n  select i.id, s.scope, s.id, i.line, 'affiliate', i.recipient_id, i.amount_minor, i.currency, 'PENDIENTE',\n         :gateway!, s.traceparent, s.created_at\n  from stored s\n  cross join unnest(:ids!::uuid[], :recipientIds!::text[], :amountsMinor!::bigint[], :currencies!::text[])\n    with ordinality as i (id, recipient_id, amount_minor, currency, line)\n)\nselect created_at as \"createdAt\"  from stored","params":[{"name":"id","locs":[{"a":136,"b":140}]},{"name":"scope","locs":[{"a":142,"b":149}]},{"name":"idempotencyKey","locs":[{"a":151,"b":166}]},{"name":"fingerprint","locs":[{"a":175,"b":188}]},{"name":"ids","locs":[{"a":210,"b":215},{"a":718,"b":723}]},{"name":"traceparent","locs":[{"a":226,"b":238}]},{"name":"gateway","locs":[{"a":643,"b":652}]},{"name":"recipientIds","locs":[{"a":733,"b":747}]},{"name":"amountsMinor","locs":[{"a":757,"b":771}]},{"name":"currencies","locs":[{"a":783,"b":795}]}]};

/**
 * Query generated from SQL:
 * ```
 * with stored as (
 *   insert into payouts.batches (id, scope, idempotency_key, fingerprint, lines, traceparent, created_at)
 *   values (
 *     :id!, :scope!, :idempotencyKey, decode(:fingerprint!, 'hex'), cardinality(:ids!::uuid[]), :traceparent, now()
 *   )
 *   on conflict (scope, idempotency_key) do nothing
 *   returning id, scope, traceparent, created_at
 * ),
 * kept as (
 *   insert into payouts.payouts (
 *     id, scope, batch_id, line, recipient_kind, recipient_id, amount_minor, currency, status, gateway, traceparent,
 *     created_at
 *   )
 *   select i.id, s.scope, s.id, i.line, 'affiliate', i.recipient_id, i.amount_minor, i.currency, 'PENDIENTE',
 *          :gateway!, s.traceparent, s.created_at
 *   from stored s
 *   cross join unnest(:ids!::uuid[], :recipientIds!::text[], :amountsMinor!::bigint[], :currencies!::text[])
 *     with ordinality as i (id, recipient_id, amount_minor, currency, line)
 * )
 * select created_at as "createdAt!" from stored
 * ```
 */
export const storeBatch = new PreparedStatement<StoreBatchParams, StoreBatchResult>("payouts.storeBatch", storeBatchIR);

/** 'FindBatchByKey' parameters type */
export interface FindBatchByKeyParams {
  idempotencyKey: string;
  scope: string;
}

/** 'FindBatchByKey' return type */
export interface FindBatchByKeyResult {
  createdAt: Date;
  fingerprint: string;
  id: string;
  lines: number;
}

const findBatchByKeyIR = {"statement":"select id as \"id\" , lines as \"lines\" , encode(fingerprint, 'hex') as \"fingerprint\" , created_at as \"createdAt\" \nfrom payouts.batches\nwhere scope = :scope! and idempotency_key = :idempotencyKey!","params":[{"name":"scope","locs":[{"a":147,"b":154}]},{"name":"idempotencyKey","locs":[{"a":177,"b":193}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!", lines as "lines!", encode(fingerprint, 'hex') as "fingerprint!", created_at as "createdAt!"
 * from payouts.batches
 * where scope = :scope! and idempotency_key = :idempotencyKey!                                                                                                                                                                                     
 * ```
 */
export const findBatchByKey = new PreparedStatement<FindBatchByKeyParams, FindBatchByKeyResult>("payouts.findBatchByKey", findBatchByKeyIR);

/** 'GetBatch' parameters type */
export interface GetBatchParams {
  id: string;
  scope: string;
}

/** 'GetBatch' return type */
export interface GetBatchResult {
  createdAt: Date;
  failed: number;
  id: string;
  lastAt: Date | null;
  lines: number;
  pending: number;
  processing: number;
  succeeded: number;
}

const getBatchIR = {"statement":"select b.id as \"id\" , b.lines as \"lines\" , b.created_at as \"createdAt\" , c.pending as \"pending\" ,\n       c.processing as \"processing\" , c.succeeded as \"succeeded\" , c.failed as \"failed\" , c.last_processed as \"lastAt\"\nfrom payouts.batches b\ncross join lateral (\n  select count(*) filter (where p.status = 'PENDIENTE')::integer  as pending,\n         count(*) filter (where p.status = 'PROCESANDO')::integer as processing,\n         count(*) filter (where p.status = 'EXITOSO')::integer    as succeeded,\n         count(*) filter (where p.status = 'FALLIDO')::integer    as failed,\n         max(p.processed_at)                                      as last_processed\n  from payouts.payouts p\n  where p.batch_id = b.id\n) c\nwhere b.id = :id! and b.scope = :scope!","params":[{"name":"id","locs":[{"a":729,"b":733}]},{"name":"scope","locs":[{"a":748,"b":755}]}]};

/**
 * Query generated from SQL:
 * ```
 * select b.id as "id!", b.lines as "lines!", b.created_at as "createdAt!", c.pending as "pending!",
 *        c.processing as "processing!", c.succeeded as "succeeded!", c.failed as "failed!", c.last_processed as "lastAt"
 * from payouts.batches b
 * cross join lateral (
 *   select count(*) filter (where p.status = 'PENDIENTE')::integer  as pending,
 *          count(*) filter (where p.status = 'PROCESANDO')::integer as processing,
 *          count(*) filter (where p.status = 'EXITOSO')::integer    as succeeded,
 *          count(*) filter (where p.status = 'FALLIDO')::integer    as failed,
 *          max(p.processed_at)                                      as last_processed
 *   from payouts.payouts p
 *   where p.batch_id = b.id
 * ) c
 * where b.id = :id! and b.scope = :scope!                                                                         
 * ```
 */
export const getBatch = new PreparedStatement<GetBatchParams, GetBatchResult>("payouts.getBatch", getBatchIR);

/** 'ListBatchLines' parameters type */
export interface ListBatchLinesParams {
  after: number;
  batchId: string;
  limit: number;
  status?: string | null | undefined;
}

/** 'ListBatchLines' return type */
export interface ListBatchLinesResult {
  amountMinor: bigint;
  currency: string;
  failureMessage: string | null;
  id: string;
  line: number;
  recipientId: string;
  status: string;
}

const listBatchLinesIR = {"statement":"select id as \"id\" , line as \"line\" , recipient_id as \"recipientId\" , amount_minor as \"amountMinor\" ,\n       currency as \"currency\" , status as \"status\" , failure_message as \"failureMessage\"\nfrom payouts.payouts\nwhere batch_id = :batchId! and line > :after!::integer and (:status::text is null or status = :status)\norder by line\nlimit :limit!::integer","params":[{"name":"batchId","locs":[{"a":228,"b":237}]},{"name":"after","locs":[{"a":249,"b":256}]},{"name":"status","locs":[{"a":271,"b":278},{"a":305,"b":312}]},{"name":"limit","locs":[{"a":334,"b":341}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!", line as "line!", recipient_id as "recipientId!", amount_minor as "amountMinor!",
 *        currency as "currency!", status as "status!", failure_message as "failureMessage"
 * from payouts.payouts
 * where batch_id = :batchId! and line > :after!::integer and (:status::text is null or status = :status)
 * order by line
 * limit :limit!::integer                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                              
 * ```
 */
export const listBatchLines = new PreparedStatement<ListBatchLinesParams, ListBatchLinesResult>("payouts.listBatchLines", listBatchLinesIR);

/** 'StartLines' parameters type */
export interface StartLinesParams {
  fence?: bigint | null | undefined;
  gateway: string;
  leaseMs: number;
  most: number;
  tenant: string;
}

/** 'StartLines' return type */
export interface StartLinesResult {
  attempts: Json | null;
  firstHoldId: bigint | null;
  isFenced: boolean;
  traceparent: string | null;
  unheld: Json | null;
}

const startLinesIR = {"statement":"with batch as materialized (\n  select id, next_line, least(lines, next_line + :most!::integer - 1) as last_line,\n         :fence::bigint is not null and fence > :fence as is_fenced\n  from payouts.batches\n  where next_line <= lines\n  order by id\n  limit 1\n  for update\n),\nmoved as (\n  update payouts.batches b\n  set next_line = t.last_line + 1, fence = greatest(b.fence, :fence)\n  from batch t\n  where b.id = t.id and not t.is_fenced\n),\nbegun as (\n  update payouts.payouts p\n  set status = 'PROCESANDO', gateway = :gateway!, begun_at = now()\n  from batch t\n  where p.batch_id = t.id and p.line between t.next_line and t.last_line and not t.is_fenced\n  returning p.id, p.line, p.recipient_id, p.amount_minor, p.currency, p.traceparent\n),\ncolumns as materialized (\n  select array_agg(id order by line) as ids,\n         array_agg('payout:' || id order by line) as refs,\n         array_agg('gateway:' || :gateway! || ':funding' order by line) as codes,\n         array_agg(currency order by line) as currencies,\n         array_agg(amount_minor order by line) as amounts,\n         json_agg(json_build_array(id, recipient_id, amount_minor::text, currency) order by line) as attempts,\n         max(traceparent) as traceparent\n  from begun\n  -- Nothing is asked of the ledger where nothing begins, which is most of the time.\n  having count(*) > 0\n),\nheld as materialized (\n  select h.first_id, h.exceptions\n  from columns c\n  cross join lateral ledger.hold(:tenant!, c.refs, c.codes, c.currencies, c.amounts, null, false) h\n),\nopened as (\n  insert into payouts.under_way (payout_id, hold_id, tries, due_at, accepted_at)\n  select i.id,\n         case when h.exceptions is null or not h.exceptions ? i.place::text then h.first_id + i.place - 1 end,\n         1, now() + :leaseMs!::integer * interval '1 millisecond', now()\n  from held h\n  cross join columns c\n  cross join lateral unnest(c.ids) with ordinality as i (id, place)\n)\n-- One row for all the lines: its reader has less to do than with a row for each.\nselect t.is_fenced as \"isFenced\" , c.attempts, c.traceparent, h.first_id as \"firstHoldId\", h.exceptions as \"unheld\"\nfrom batch t\nleft join columns c on true\nleft join held h on true","params":[{"name":"most","locs":[{"a":78,"b":84}]},{"name":"fence","locs":[{"a":122,"b":128},{"a":161,"b":167},{"a":370,"b":376}]},{"name":"gateway","locs":[{"a":513,"b":522},{"a":899,"b":908}]},{"name":"tenant","locs":[{"a":1447,"b":1455}]},{"name":"leaseMs","locs":[{"a":1756,"b":1765}]}]};

/**
 * Query generated from SQL:
 * ```
 * with batch as materialized (
 *   select id, next_line, least(lines, next_line + :most!::integer - 1) as last_line,
 *          :fence::bigint is not null and fence > :fence as is_fenced
 *   from payouts.batches
 *   where next_line <= lines
 *   order by id
 *   limit 1
 *   for update
 * ),
 * moved as (
 *   update payouts.batches b
 *   set next_line = t.last_line + 1, fence = greatest(b.fence, :fence)
 *   from batch t
 *   where b.id = t.id and not t.is_fenced
 * ),
 * begun as (
 *   update payouts.payouts p
 *   set status = 'PROCESANDO', gateway = :gateway!, begun_at = now()
 *   from batch t
 *   where p.batch_id = t.id and p.line between t.next_line and t.last_line and not t.is_fenced
 *   returning p.id, p.line, p.recipient_id, p.amount_minor, p.currency, p.traceparent
 * ),
 * columns as materialized (
 *   select array_agg(id order by line) as ids,
 *          array_agg('payout:' || id order by line) as refs,
 *          array_agg('gateway:' || :gateway! || ':funding' order by line) as codes,
 *          array_agg(currency order by line) as currencies,
 *          array_agg(amount_minor order by line) as amounts,
 *          json_agg(json_build_array(id, recipient_id, amount_minor::text, currency) order by line) as attempts,
 *          max(traceparent) as traceparent
 *   from begun
 *   -- Nothing is asked of the ledger where nothing begins, which is most of the time.
 *   having count(*) > 0
 * ),
 * held as materialized (
 *   select h.first_id, h.exceptions
 *   from columns c
 *   cross join lateral ledger.hold(:tenant!, c.refs, c.codes, c.currencies, c.amounts, null, false) h
 * ),
 * opened as (
 *   insert into payouts.under_way (payout_id, hold_id, tries, due_at, accepted_at)
 *   select i.id,
 *          case when h.exceptions is null or not h.exceptions ? i.place::text then h.first_id + i.place - 1 end,
 *          1, now() + :leaseMs!::integer * interval '1 millisecond', now()
 *   from held h
 *   cross join columns c
 *   cross join lateral unnest(c.ids) with ordinality as i (id, place)
 * )
 * -- One row for all the lines: its reader has less to do than with a row for each.
 * select t.is_fenced as "isFenced!", c.attempts, c.traceparent, h.first_id as "firstHoldId", h.exceptions as "unheld"
 * from batch t
 * left join columns c on true
 * left join held h on true
 * ```
 */
export const startLines = new PreparedStatement<StartLinesParams, StartLinesResult>("payouts.startLines", startLinesIR);
