/** Types generated for queries found in "src/modules/payouts/persistence/audit.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type stringArray = readonly (string | null)[];

/** 'ListAuditedPayouts' parameters type */
export interface ListAuditedPayoutsParams {
  after: string;
  limit: number;
}

/** 'ListAuditedPayouts' return type */
export interface ListAuditedPayoutsResult {
  amountMinor: bigint;
  currency: string;
  gateway: string;
  gatewayReference: string | null;
  holdId: bigint | null;
  id: string;
  listed: boolean;
  recipientId: string;
  recipientKind: string;
  status: string;
}

const listAuditedPayoutsIR = {"statement":"select p.id as \"id\" , p.recipient_kind as \"recipientKind\" , p.recipient_id as \"recipientId\" ,\n       p.amount_minor as \"amountMinor\" , p.currency as \"currency\" , p.status as \"status\" , p.gateway as \"gateway\" ,\n       p.gateway_reference as \"gatewayReference\", u.payout_id is not null as \"listed\" , u.hold_id as \"holdId\"\nfrom payouts.payouts p\nleft join lateral (select * from payouts.under_way where payout_id = p.id offset 0) u on true\nwhere p.id > :after!::uuid\norder by p.id\nlimit :limit!::integer","params":[{"name":"after","locs":[{"a":450,"b":457}]},{"name":"limit","locs":[{"a":484,"b":491}]}]};

/**
 * Query generated from SQL:
 * ```
 * select p.id as "id!", p.recipient_kind as "recipientKind!", p.recipient_id as "recipientId!",
 *        p.amount_minor as "amountMinor!", p.currency as "currency!", p.status as "status!", p.gateway as "gateway!",
 *        p.gateway_reference as "gatewayReference", u.payout_id is not null as "listed!", u.hold_id as "holdId"
 * from payouts.payouts p
 * left join lateral (select * from payouts.under_way where payout_id = p.id offset 0) u on true
 * where p.id > :after!::uuid
 * order by p.id
 * limit :limit!::integer                                                                                          
 * ```
 */
export const listAuditedPayouts = new PreparedStatement<ListAuditedPayoutsParams, ListAuditedPayoutsResult>("payouts.listAuditedPayouts", listAuditedPayoutsIR);

/** 'ListStrayPayouts' parameters type */
export interface ListStrayPayoutsParams {
  limit: number;
}

/** 'ListStrayPayouts' return type */
export interface ListStrayPayoutsResult {
  payoutId: string;
}

const listStrayPayoutsIR = {"statement":"select u.payout_id as \"payoutId\" \nfrom payouts.under_way u\nwhere not exists (select from payouts.payouts p where p.id = u.payout_id offset 0)\norder by u.payout_id\nlimit :limit!::integer","params":[{"name":"limit","locs":[{"a":169,"b":176}]}]};

/**
 * Query generated from SQL:
 * ```
 * select u.payout_id as "payoutId!"
 * from payouts.under_way u
 * where not exists (select from payouts.payouts p where p.id = u.payout_id offset 0)
 * order by u.payout_id
 * limit :limit!::integer                                                                                     
 * ```
 */
export const listStrayPayouts = new PreparedStatement<ListStrayPayoutsParams, ListStrayPayoutsResult>("payouts.listStrayPayouts", listStrayPayoutsIR);

/** 'FindUnexplainedPayouts' parameters type */
export interface FindUnexplainedPayoutsParams {
  references: stringArray;
}

/** 'FindUnexplainedPayouts' return type */
export interface FindUnexplainedPayoutsResult {
  reference: string;
}

const findUnexplainedPayoutsIR = {"statement":"select i.reference as \"reference\" \nfrom unnest(:references!::text[]) as i (reference)\nwhere not case\n  when i.reference !~ '^payout:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then false\n  else exists (\n    select from payouts.payouts p where p.id = substr(i.reference, 8)::uuid and p.status = 'EXITOSO' offset 0\n  )\nend","params":[{"name":"references","locs":[{"a":47,"b":59}]}]};

/**
 * Query generated from SQL:
 * ```
 * select i.reference as "reference!"
 * from unnest(:references!::text[]) as i (reference)
 * where not case
 *   when i.reference !~ '^payout:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then false
 *   else exists (
 *     select from payouts.payouts p where p.id = substr(i.reference, 8)::uuid and p.status = 'EXITOSO' offset 0
 *   )
 * end
 * ```
 */
export const findUnexplainedPayouts = new PreparedStatement<FindUnexplainedPayoutsParams, FindUnexplainedPayoutsResult>("payouts.findUnexplainedPayouts", findUnexplainedPayoutsIR);
