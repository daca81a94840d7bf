/** Types generated for queries found in "src/modules/bills/persistence/reading.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type stringArray = readonly (string | null)[];

/** 'FindBillsByKey' parameters type */
export interface FindBillsByKeyParams {
  keys: stringArray;
  scopes: stringArray;
}

/** 'FindBillsByKey' return type */
export interface FindBillsByKeyResult {
  amountMinor: bigint;
  attempt: number;
  createdAt: Date;
  currency: string;
  gatewayReference: string | null;
  id: string;
  lastError: string | null;
  leftMs: bigint;
  place: bigint;
  reference: string;
  retries: number;
  status: string;
  underWay: boolean;
  updatedAt: Date;
}

const findBillsByKeyIR = {"statement":"select i.place as \"place\" , p.id as \"id\" , p.reference as \"reference\" , p.amount_minor as \"amountMinor\" ,\n       p.currency as \"currency\" , p.status as \"status\" , p.retries as \"retries\" , p.attempt as \"attempt\" ,\n       p.gateway_reference as \"gatewayReference\", p.last_error as \"lastError\", p.created_at as \"createdAt\" ,\n       p.updated_at as \"updatedAt\" ,\n       (p.status = 'PENDING' and p.attempt = 1 and p.tries = 1 and p.last_error is null and p.due_at > now())\n         as \"underWay\" ,\n       (extract(epoch from k.expires_at - now()) * 1000)::bigint as \"leftMs\" \nfrom unnest(:scopes!::text[], :keys!::text[]) with ordinality as i (scope, key, place)\n-- Lateral and with an offset, so that whatever the statistics say each key is looked up in the index.\ncross join lateral (\n  select payment_id, expires_at from bills.idempotency_keys\n  where scope = i.scope and key = i.key and expires_at > now() offset 0\n) k\ncross join lateral (select * from bills.payments where id = k.payment_id offset 0) p","params":[{"name":"scopes","locs":[{"a":584,"b":592}]},{"name":"keys","locs":[{"a":602,"b":608}]}]};

/**
 * Query generated from SQL:
 * ```
 * select i.place as "place!", p.id as "id!", p.reference as "reference!", p.amount_minor as "amountMinor!",
 *        p.currency as "currency!", p.status as "status!", p.retries as "retries!", p.attempt as "attempt!",
 *        p.gateway_reference as "gatewayReference", p.last_error as "lastError", p.created_at as "createdAt!",
 *        p.updated_at as "updatedAt!",
 *        (p.status = 'PENDING' and p.attempt = 1 and p.tries = 1 and p.last_error is null and p.due_at > now())
 *          as "underWay!",
 *        (extract(epoch from k.expires_at - now()) * 1000)::bigint as "leftMs!"
 * from unnest(:scopes!::text[], :keys!::text[]) with ordinality as i (scope, key, place)
 * -- Lateral and with an offset, so that whatever the statistics say each key is looked up in the index.
 * cross join lateral (
 *   select payment_id, expires_at from bills.idempotency_keys
 *   where scope = i.scope and key = i.key and expires_at > now() offset 0
 * ) k
 * cross join lateral (select * from bills.payments where id = k.payment_id offset 0) p                                                                                              
 * ```
 */
export const findBillsByKey = new PreparedStatement<FindBillsByKeyParams, FindBillsByKeyResult>("bills.findBillsByKey", findBillsByKeyIR);

/** 'GetBill' parameters type */
export interface GetBillParams {
  id: string;
  scope: string;
}

/** 'GetBill' return type */
export interface GetBillResult {
  amountMinor: bigint;
  attempt: number;
  createdAt: Date;
  currency: string;
  gatewayReference: string | null;
  id: string;
  lastError: string | null;
  reference: string;
  retries: number;
  status: string;
  updatedAt: Date;
}

const getBillIR = {"statement":"select id as \"id\" , reference as \"reference\" , amount_minor as \"amountMinor\" , currency as \"currency\" ,\n       status as \"status\" , retries as \"retries\" , attempt as \"attempt\" , gateway_reference as \"gatewayReference\",\n       last_error as \"lastError\", created_at as \"createdAt\" , updated_at as \"updatedAt\" \nfrom bills.payments\nwhere id = :id! and (scope = :scope!) is true","params":[{"name":"id","locs":[{"a":339,"b":343}]},{"name":"scope","locs":[{"a":357,"b":364}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!", reference as "reference!", amount_minor as "amountMinor!", currency as "currency!",
 *        status as "status!", retries as "retries!", attempt as "attempt!", gateway_reference as "gatewayReference",
 *        last_error as "lastError", created_at as "createdAt!", updated_at as "updatedAt!"
 * from bills.payments
 * where id = :id! and (scope = :scope!) is true                                                                                                                                                                                                                                   
 * ```
 */
export const getBill = new PreparedStatement<GetBillParams, GetBillResult>("bills.getBill", getBillIR);

/** 'ListBills' parameters type */
export interface ListBillsParams {
  before: string;
  limit: number;
  scope: string;
  skip: bigint;
}

/** 'ListBills' return type */
export interface ListBillsResult {
  amountMinor: bigint;
  attempt: number;
  createdAt: Date;
  currency: string;
  gatewayReference: string | null;
  id: string;
  lastError: string | null;
  reference: string;
  retries: number;
  status: string;
  total: bigint;
  updatedAt: Date;
}

const listBillsIR = {"statement":"select f.total as \"total\" , p.id, p.reference, p.amount_minor as \"amountMinor\", p.currency, p.status, p.retries,\n       p.attempt, p.gateway_reference as \"gatewayReference\", p.last_error as \"lastError\", p.created_at as \"createdAt\",\n       p.updated_at as \"updatedAt\"\nfrom bills.locate(:scope!, null, :skip!) f\nleft join lateral (\n  select * from bills.payments\n  where (scope = :scope!) is true and id < least(f.below, :before!::uuid)\n  order by id desc\n  limit :limit!::integer offset f.skipped\n) p on true","params":[{"name":"scope","locs":[{"a":285,"b":292},{"a":378,"b":385}]},{"name":"skip","locs":[{"a":300,"b":306}]},{"name":"before","locs":[{"a":419,"b":427}]},{"name":"limit","locs":[{"a":462,"b":469}]}]};

/**
 * Query generated from SQL:
 * ```
 * select f.total as "total!", p.id, p.reference, p.amount_minor as "amountMinor", p.currency, p.status, p.retries,
 *        p.attempt, p.gateway_reference as "gatewayReference", p.last_error as "lastError", p.created_at as "createdAt",
 *        p.updated_at as "updatedAt"
 * from bills.locate(:scope!, null, :skip!) f
 * left join lateral (
 *   select * from bills.payments
 *   where (scope = :scope!) is true and id < least(f.below, :before!::uuid)
 *   order by id desc
 *   limit :limit!::integer offset f.skipped
 * ) p on true                                                                                                                                                                                                                                                                                                         
 * ```
 */
export const listBills = new PreparedStatement<ListBillsParams, ListBillsResult>("bills.listBills", listBillsIR);

/** 'ListBillsOfStatus' parameters type */
export interface ListBillsOfStatusParams {
  before: string;
  limit: number;
  scope: string;
  skip: bigint;
  status: string;
}

/** 'ListBillsOfStatus' return type */
export interface ListBillsOfStatusResult {
  amountMinor: bigint;
  attempt: number;
  createdAt: Date;
  currency: string;
  gatewayReference: string | null;
  id: string;
  lastError: string | null;
  reference: string;
  retries: number;
  status: string;
  total: bigint;
  updatedAt: Date;
}

const listBillsOfStatusIR = {"statement":"select f.total as \"total\" , p.id, p.reference, p.amount_minor as \"amountMinor\", p.currency, p.status, p.retries,\n       p.attempt, p.gateway_reference as \"gatewayReference\", p.last_error as \"lastError\", p.created_at as \"createdAt\",\n       p.updated_at as \"updatedAt\"\nfrom bills.locate(:scope!, :status!, :skip!) f\nleft join lateral (\n  select * from bills.payments\n  where (scope, status) >= (:scope!, :status!)\n    and (scope, status, id) < (:scope!, :status!, least(f.below, :before!::uuid))\n  order by scope desc, status desc, id desc\n  limit :limit!::integer offset f.skipped\n) p on true","params":[{"name":"scope","locs":[{"a":285,"b":292},{"a":393,"b":400},{"a":443,"b":450}]},{"name":"status","locs":[{"a":294,"b":302},{"a":402,"b":410},{"a":452,"b":460}]},{"name":"skip","locs":[{"a":304,"b":310}]},{"name":"before","locs":[{"a":477,"b":485}]},{"name":"limit","locs":[{"a":546,"b":553}]}]};

/**
 * Query generated from SQL:
 * ```
 * select f.total as "total!", p.id, p.reference, p.amount_minor as "amountMinor", p.currency, p.status, p.retries,
 *        p.attempt, p.gateway_reference as "gatewayReference", p.last_error as "lastError", p.created_at as "createdAt",
 *        p.updated_at as "updatedAt"
 * from bills.locate(:scope!, :status!, :skip!) f
 * left join lateral (
 *   select * from bills.payments
 *   where (scope, status) >= (:scope!, :status!)
 *     and (scope, status, id) < (:scope!, :status!, least(f.below, :before!::uuid))
 *   order by scope desc, status desc, id desc
 *   limit :limit!::integer offset f.skipped
 * ) p on true
 * ```
 */
export const listBillsOfStatus = new PreparedStatement<ListBillsOfStatusParams, ListBillsOfStatusResult>("bills.listBillsOfStatus", listBillsOfStatusIR);
