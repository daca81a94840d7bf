/** Types generated for queries found in "src/modules/payouts/persistence/reading.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type stringArray = readonly (string | null)[];

/** 'FindPayoutsByKey' parameters type */
export interface FindPayoutsByKeyParams {
  idempotencyKeys: stringArray;
  scopes: stringArray;
}

/** 'FindPayoutsByKey' return type */
export interface FindPayoutsByKeyResult {
  amountMinor: bigint;
  createdAt: Date;
  currency: string;
  failureCode: string | null;
  failureMessage: string | null;
  fingerprint: string;
  gatewayReference: string | null;
  id: string;
  place: bigint;
  processedAt: Date | null;
  recipientId: string;
  recipientKind: string;
  running: boolean;
  status: string;
}

const findPayoutsByKeyIR = {"statement":"select i.place as \"place\" , p.id as \"id\" , encode(p.fingerprint, 'hex') as \"fingerprint\" ,\n       p.recipient_kind as \"recipientKind\" , p.recipient_id as \"recipientId\" , p.amount_minor as \"amountMinor\" ,\n       p.currency as \"currency\" , p.status as \"status\" , p.gateway_reference as \"gatewayReference\",\n       p.failure_code as \"failureCode\", p.failure_message as \"failureMessage\", p.created_at as \"createdAt\" ,\n       p.processed_at as \"processedAt\", coalesce(u.last_error is null and u.tries = 1, false) as \"running\" \nfrom unnest(:scopes!::text[], :idempotencyKeys!::text[]) with ordinality as i (scope, idempotency_key, place)\n-- Lateral and with an offset, so that whatever the statistics say each key is looked up in the index.\ncross join lateral (\n  select * from payouts.payouts where scope = i.scope and idempotency_key = i.idempotency_key offset 0\n) p\nleft join lateral (select * from payouts.under_way where payout_id = p.id offset 0) u on true","params":[{"name":"scopes","locs":[{"a":533,"b":541}]},{"name":"idempotencyKeys","locs":[{"a":551,"b":568}]}]};

/**
 * Query generated from SQL:
 * ```
 * select i.place as "place!", p.id as "id!", encode(p.fingerprint, 'hex') as "fingerprint!",
 *        p.recipient_kind as "recipientKind!", p.recipient_id as "recipientId!", p.amount_minor as "amountMinor!",
 *        p.currency as "currency!", p.status as "status!", p.gateway_reference as "gatewayReference",
 *        p.failure_code as "failureCode", p.failure_message as "failureMessage", p.created_at as "createdAt!",
 *        p.processed_at as "processedAt", coalesce(u.last_error is null and u.tries = 1, false) as "running!"
 * from unnest(:scopes!::text[], :idempotencyKeys!::text[]) with ordinality as i (scope, idempotency_key, place)
 * -- Lateral and with an offset, so that whatever the statistics say each key is looked up in the index.
 * cross join lateral (
 *   select * from payouts.payouts where scope = i.scope and idempotency_key = i.idempotency_key offset 0
 * ) p
 * left join lateral (select * from payouts.under_way where payout_id = p.id offset 0) u on true                                                                                             
 * ```
 */
export const findPayoutsByKey = new PreparedStatement<FindPayoutsByKeyParams, FindPayoutsByKeyResult>("payouts.findPayoutsByKey", findPayoutsByKeyIR);

/** 'GetPayout' parameters type */
export interface GetPayoutParams {
  id: string;
  recipientKind: string;
  scope: string;
}

/** 'GetPayout' return type */
export interface GetPayoutResult {
  amountMinor: bigint;
  createdAt: Date;
  currency: string;
  failureCode: string | null;
  failureMessage: string | null;
  gatewayReference: string | null;
  id: string;
  processedAt: Date | null;
  recipientId: string;
  recipientKind: string;
  status: string;
}

const getPayoutIR = {"statement":"select id as \"id\" , recipient_kind as \"recipientKind\" , recipient_id as \"recipientId\" ,\n       amount_minor as \"amountMinor\" , currency as \"currency\" , status as \"status\" ,\n       gateway_reference as \"gatewayReference\", failure_code as \"failureCode\", failure_message as \"failureMessage\",\n       created_at as \"createdAt\" , processed_at as \"processedAt\"\nfrom payouts.payouts\nwhere id = :id! and (scope = :scope!) is true and (recipient_kind = :recipientKind!) is true","params":[{"name":"id","locs":[{"a":386,"b":390}]},{"name":"scope","locs":[{"a":404,"b":411}]},{"name":"recipientKind","locs":[{"a":443,"b":458}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!", recipient_kind as "recipientKind!", recipient_id as "recipientId!",
 *        amount_minor as "amountMinor!", currency as "currency!", status as "status!",
 *        gateway_reference as "gatewayReference", failure_code as "failureCode", failure_message as "failureMessage",
 *        created_at as "createdAt!", processed_at as "processedAt"
 * from payouts.payouts
 * where id = :id! and (scope = :scope!) is true and (recipient_kind = :recipientKind!) is true                                                                                  
 * ```
 */
export const getPayout = new PreparedStatement<GetPayoutParams, GetPayoutResult>("payouts.getPayout", getPayoutIR);

/** 'ListSellerPayouts' parameters type */
export interface ListSellerPayoutsParams {
  before: string;
  limit: number;
  scope: string;
  status?: string | null | undefined;
}

/** 'ListSellerPayouts' return type */
export interface ListSellerPayoutsResult {
  amountMinor: bigint;
  createdAt: Date;
  currency: string;
  failureCode: string | null;
  failureMessage: string | null;
  gatewayReference: string | null;
  id: string;
  processedAt: Date | null;
  recipientId: string;
  recipientKind: string;
  status: string;
}

const listSellerPayoutsIR = {"statement":"select id as \"id\" , recipient_kind as \"recipientKind\" , recipient_id as \"recipientId\" ,\n       amount_minor as \"amountMinor\" , currency as \"currency\" , status as \"status\" ,\n       gateway_reference as \"gatewayReference\", failure_code as \"failureCode\", failure_message as \"failureMessage\",\n       created_at as \"createdAt\" , processed_at as \"processedAt\"\nfrom payouts.payouts\nwhere recipient_kind = 'seller' and id < :before! and (scope = :scope!) is true\n  and (:status::text is null or status = :status)\norder by id desc\nlimit :limit!::integer","params":[{"name":"before","locs":[{"a":416,"b":424}]},{"name":"scope","locs":[{"a":438,"b":445}]},{"name":"status","locs":[{"a":462,"b":469},{"a":496,"b":503}]},{"name":"limit","locs":[{"a":528,"b":535}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!", recipient_kind as "recipientKind!", recipient_id as "recipientId!",
 *        amount_minor as "amountMinor!", currency as "currency!", status as "status!",
 *        gateway_reference as "gatewayReference", failure_code as "failureCode", failure_message as "failureMessage",
 *        created_at as "createdAt!", processed_at as "processedAt"
 * from payouts.payouts
 * where recipient_kind = 'seller' and id < :before! and (scope = :scope!) is true
 *   and (:status::text is null or status = :status)
 * order by id desc
 * limit :limit!::integer                             
 * ```
 */
export const listSellerPayouts = new PreparedStatement<ListSellerPayoutsParams, ListSellerPayoutsResult>("payouts.listSellerPayouts", listSellerPayoutsIR);

/** 'ListPayoutsOfSeller' parameters type */
export interface ListPayoutsOfSellerParams {
  before: string;
  limit: number;
  scope: string;
  sellerId: string;
  status?: string | null | undefined;
}

/** 'ListPayoutsOfSeller' return type */
export interface ListPayoutsOfSellerResult {
  amountMinor: bigint;
  createdAt: Date;
  currency: string;
  failureCode: string | null;
  failureMessage: string | null;
  gatewayReference: string | null;
  id: string;
  processedAt: Date | null;
  recipientId: string;
  recipientKind: string;
  status: string;
}

const listPayoutsOfSellerIR = {"statement":"select id as \"id\" , recipient_kind as \"recipientKind\" , recipient_id as \"recipientId\" ,\n       amount_minor as \"amountMinor\" , currency as \"currency\" , status as \"status\" ,\n       gateway_reference as \"gatewayReference\", failure_code as \"failureCode\", failure_message as \"failureMessage\",\n       created_at as \"createdAt\" , processed_at as \"processedAt\"\nfrom payouts.payouts\nwhere recipient_kind = 'seller' and recipient_id = :sellerId! and id < :before! and (scope = :scope!) is true\n  and (:status::text is null or status = :status)\norder by recipient_id desc, id desc\nlimit :limit!::integer","params":[{"name":"sellerId","locs":[{"a":426,"b":436}]},{"name":"before","locs":[{"a":446,"b":454}]},{"name":"scope","locs":[{"a":468,"b":475}]},{"name":"status","locs":[{"a":492,"b":499},{"a":526,"b":533}]},{"name":"limit","locs":[{"a":577,"b":584}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!", recipient_kind as "recipientKind!", recipient_id as "recipientId!",
 *        amount_minor as "amountMinor!", currency as "currency!", status as "status!",
 *        gateway_reference as "gatewayReference", failure_code as "failureCode", failure_message as "failureMessage",
 *        created_at as "createdAt!", processed_at as "processedAt"
 * from payouts.payouts
 * where recipient_kind = 'seller' and recipient_id = :sellerId! and id < :before! and (scope = :scope!) is true
 *   and (:status::text is null or status = :status)
 * order by recipient_id desc, id desc
 * limit :limit!::integer
 * ```
 */
export const listPayoutsOfSeller = new PreparedStatement<ListPayoutsOfSellerParams, ListPayoutsOfSellerResult>("payouts.listPayoutsOfSeller", listPayoutsOfSellerIR);
