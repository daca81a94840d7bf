/** Types generated for queries found in "src/modules/payments/persistence/audit.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type stringArray = readonly (string | null)[];

/** 'ListExpectedSales' parameters type */
export interface ListExpectedSalesParams {
  after: string;
  limit: number;
}

/** 'ListExpectedSales' return type */
export interface ListExpectedSalesResult {
  capturedMinor: bigint;
  currency: string;
  feeIsRight: boolean;
  feeMinor: bigint;
  gateway: string;
  id: string;
  intentId: string | null;
  sellerId: string | null;
  sumsAreRight: boolean;
}

const listExpectedSalesIR = {"statement":"select p.id as \"id\" , p.gateway as \"gateway\" , p.seller_id as \"sellerId\", p.currency as \"currency\" ,\n       p.captured_minor as \"capturedMinor\" , p.fee_minor as \"feeMinor\" , a.stripe_payment_intent_id as \"intentId\",\n       p.fee_minor = payments.commission(p.captured_minor, p.commission_basis_points) as \"feeIsRight\" ,\n       p.returned_minor = r.returned + d.returned and p.returned_fee_minor = r.fee + d.fee\n         and p.refunding_minor = r.refunding and p.refunded_minor = r.refunded as \"sumsAreRight\" \nfrom payments.payments p\nleft join payments.attempts a on a.payment_id = p.id and a.number = 1\ncross join lateral (\n  select coalesce(sum(amount_minor) filter (where status <> 'failed'), 0) as returned,\n         coalesce(sum(fee_minor) filter (where status <> 'failed'), 0) as fee,\n         coalesce(sum(amount_minor) filter (where status = 'pending'), 0) as refunding,\n         coalesce(sum(amount_minor) filter (where status = 'succeeded'), 0) as refunded\n  from payments.refunds where payment_id = p.id\n) r\ncross join lateral (\n  select coalesce(sum(borne_minor), 0) as returned, coalesce(sum(fee_minor), 0) as fee\n  from payments.disputes where payment_id = p.id and status <> 'won'\n) d\nwhere p.status = 'succeeded' and p.id > :after!::uuid\norder by p.id\nlimit :limit!::integer","params":[{"name":"after","locs":[{"a":1240,"b":1247}]},{"name":"limit","locs":[{"a":1274,"b":1281}]}]};

/**
 * Query generated from SQL:
 * ```
 * select p.id as "id!", p.gateway as "gateway!", p.seller_id as "sellerId", p.currency as "currency!",
 *        p.captured_minor as "capturedMinor!", p.fee_minor as "feeMinor!", a.stripe_payment_intent_id as "intentId",
 *        p.fee_minor = payments.commission(p.captured_minor, p.commission_basis_points) as "feeIsRight!",
 *        p.returned_minor = r.returned + d.returned and p.returned_fee_minor = r.fee + d.fee
 *          and p.refunding_minor = r.refunding and p.refunded_minor = r.refunded as "sumsAreRight!"
 * from payments.payments p
 * left join payments.attempts a on a.payment_id = p.id and a.number = 1
 * cross join lateral (
 *   select coalesce(sum(amount_minor) filter (where status <> 'failed'), 0) as returned,
 *          coalesce(sum(fee_minor) filter (where status <> 'failed'), 0) as fee,
 *          coalesce(sum(amount_minor) filter (where status = 'pending'), 0) as refunding,
 *          coalesce(sum(amount_minor) filter (where status = 'succeeded'), 0) as refunded
 *   from payments.refunds where payment_id = p.id
 * ) r
 * cross join lateral (
 *   select coalesce(sum(borne_minor), 0) as returned, coalesce(sum(fee_minor), 0) as fee
 *   from payments.disputes where payment_id = p.id and status <> 'won'
 * ) d
 * where p.status = 'succeeded' and p.id > :after!::uuid
 * order by p.id
 * limit :limit!::integer
 * ```
 */
export const listExpectedSales = new PreparedStatement<ListExpectedSalesParams, ListExpectedSalesResult>("payments.listExpectedSales", listExpectedSalesIR);

/** 'ListExpectedRefunds' parameters type */
export interface ListExpectedRefundsParams {
  after: string;
  limit: number;
}

/** 'ListExpectedRefunds' return type */
export interface ListExpectedRefundsResult {
  amountMinor: bigint;
  currency: string;
  feeMinor: bigint;
  gateway: string;
  id: string;
  sellerId: string | null;
  status: string;
}

const listExpectedRefundsIR = {"statement":"select r.id as \"id\" , p.gateway as \"gateway\" , p.seller_id as \"sellerId\", p.currency as \"currency\" ,\n       r.amount_minor as \"amountMinor\" , r.fee_minor as \"feeMinor\" , r.status as \"status\" \nfrom payments.refunds r\njoin payments.payments p on p.id = r.payment_id\nwhere r.id > :after!::uuid\norder by r.id\nlimit :limit!::integer","params":[{"name":"after","locs":[{"a":277,"b":284}]},{"name":"limit","locs":[{"a":311,"b":318}]}]};

/**
 * Query generated from SQL:
 * ```
 * select r.id as "id!", p.gateway as "gateway!", p.seller_id as "sellerId", p.currency as "currency!",
 *        r.amount_minor as "amountMinor!", r.fee_minor as "feeMinor!", r.status as "status!"
 * from payments.refunds r
 * join payments.payments p on p.id = r.payment_id
 * where r.id > :after!::uuid
 * order by r.id
 * limit :limit!::integer
 * ```
 */
export const listExpectedRefunds = new PreparedStatement<ListExpectedRefundsParams, ListExpectedRefundsResult>("payments.listExpectedRefunds", listExpectedRefundsIR);

/** 'ListExpectedDisputes' parameters type */
export interface ListExpectedDisputesParams {
  after: string;
  limit: number;
}

/** 'ListExpectedDisputes' return type */
export interface ListExpectedDisputesResult {
  amountMinor: bigint;
  borneMinor: bigint;
  currency: string;
  feeMinor: bigint;
  gateway: string;
  id: string;
  sellerId: string | null;
  status: string;
}

const listExpectedDisputesIR = {"statement":"select d.id as \"id\" , p.gateway as \"gateway\" , p.seller_id as \"sellerId\", p.currency as \"currency\" ,\n       d.amount_minor as \"amountMinor\" , d.borne_minor as \"borneMinor\" , d.fee_minor as \"feeMinor\" ,\n       d.status as \"status\" \nfrom payments.disputes d\njoin payments.payments p on p.id = d.payment_id\nwhere d.id > :after!\norder by d.id\nlimit :limit!::integer","params":[{"name":"after","locs":[{"a":317,"b":324}]},{"name":"limit","locs":[{"a":345,"b":352}]}]};

/**
 * Query generated from SQL:
 * ```
 * select d.id as "id!", p.gateway as "gateway!", p.seller_id as "sellerId", p.currency as "currency!",
 *        d.amount_minor as "amountMinor!", d.borne_minor as "borneMinor!", d.fee_minor as "feeMinor!",
 *        d.status as "status!"
 * from payments.disputes d
 * join payments.payments p on p.id = d.payment_id
 * where d.id > :after!
 * order by d.id
 * limit :limit!::integer                                                                                                         
 * ```
 */
export const listExpectedDisputes = new PreparedStatement<ListExpectedDisputesParams, ListExpectedDisputesResult>("payments.listExpectedDisputes", listExpectedDisputesIR);

/** 'FindUnexplained' parameters type */
export interface FindUnexplainedParams {
  references: stringArray;
}

/** 'FindUnexplained' return type */
export interface FindUnexplainedResult {
  reference: string;
}

const findUnexplainedIR = {"statement":"select i.reference as \"reference\" \nfrom unnest(:references!::text[]) as i (reference)\ncross join lateral (\n  select split_part(i.reference, ':', 1) as name, substr(i.reference, strpos(i.reference, ':') + 1) as id\n) n\nwhere not case\n  when n.name in ('payment', 'refund', 'refund_reversal') and n.id !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'\n    then false\n  when n.name = 'payment'\n    then exists (select from payments.payments p where p.id = n.id::uuid and p.status = 'succeeded')\n  when n.name = 'refund'\n    then exists (select from payments.refunds r where r.id = n.id::uuid and r.status <> 'pending')\n  when n.name = 'refund_reversal'\n    then exists (select from payments.refunds r where r.id = n.id::uuid and r.status = 'failed')\n  when n.name = 'dispute'\n    then exists (select from payments.disputes d where d.id = n.id)\n  when n.name = 'chargeback'\n    then exists (select from payments.disputes d where d.id = n.id and d.status = 'lost')\n  when n.name = 'dispute_reversal'\n    then exists (select from payments.disputes d where d.id = n.id and d.status = 'won')\n  else false\nend","params":[{"name":"references","locs":[{"a":47,"b":59}]}]};

/**
 * Query generated from SQL:
 * ```
 * select i.reference as "reference!"
 * from unnest(:references!::text[]) as i (reference)
 * cross join lateral (
 *   select split_part(i.reference, ':', 1) as name, substr(i.reference, strpos(i.reference, ':') + 1) as id
 * ) n
 * where not case
 *   when n.name in ('payment', 'refund', 'refund_reversal') and n.id !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
 *     then false
 *   when n.name = 'payment'
 *     then exists (select from payments.payments p where p.id = n.id::uuid and p.status = 'succeeded')
 *   when n.name = 'refund'
 *     then exists (select from payments.refunds r where r.id = n.id::uuid and r.status <> 'pending')
 *   when n.name = 'refund_reversal'
 *     then exists (select from payments.refunds r where r.id = n.id::uuid and r.status = 'failed')
 *   when n.name = 'dispute'
 *     then exists (select from payments.disputes d where d.id = n.id)
 *   when n.name = 'chargeback'
 *     then exists (select from payments.disputes d where d.id = n.id and d.status = 'lost')
 *   when n.name = 'dispute_reversal'
 *     then exists (select from payments.disputes d where d.id = n.id and d.status = 'won')
 *   else false
 * end
 * ```
 */
export const findUnexplained = new PreparedStatement<FindUnexplainedParams, FindUnexplainedResult>("payments.findUnexplained", findUnexplainedIR);
