/** Types generated for queries found in "src/modules/bills/persistence/audit.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type stringArray = readonly (string | null)[];

/** 'ListAuditedBills' parameters type */
export interface ListAuditedBillsParams {
  after: string;
  limit: number;
}

/** 'ListAuditedBills' return type */
export interface ListAuditedBillsResult {
  amountMinor: bigint;
  currency: string;
  gateway: string;
  gatewayReference: string | null;
  id: string;
  retriesAreRight: boolean;
  scope: string;
  status: string;
  versionIsRight: boolean;
}

const listAuditedBillsIR = {"statement":"select id as \"id\" , scope as \"scope\" , status as \"status\" , gateway as \"gateway\" , currency as \"currency\" ,\n       amount_minor as \"amountMinor\" , gateway_reference as \"gatewayReference\",\n       -- Each payment was made with version 1, and each attempt began and ended with one of its own.\n       version = 2 * attempt - case status when 'PENDING' then 1 else 0 end as \"versionIsRight\" ,\n       case status when 'EXHAUSTED' then retries = attempt - 1 and retries > 0\n         when 'FAILED' then retries = attempt - 1 else retries = greatest(attempt - 2, 0) end as \"retriesAreRight\" \nfrom bills.payments\nwhere id > :after!::uuid\norder by id\nlimit :limit!::integer","params":[{"name":"after","locs":[{"a":614,"b":621}]},{"name":"limit","locs":[{"a":646,"b":653}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!", scope as "scope!", status as "status!", gateway as "gateway!", currency as "currency!",
 *        amount_minor as "amountMinor!", gateway_reference as "gatewayReference",
 *        -- Each payment was made with version 1, and each attempt began and ended with one of its own.
 *        version = 2 * attempt - case status when 'PENDING' then 1 else 0 end as "versionIsRight!",
 *        case status when 'EXHAUSTED' then retries = attempt - 1 and retries > 0
 *          when 'FAILED' then retries = attempt - 1 else retries = greatest(attempt - 2, 0) end as "retriesAreRight!"
 * from bills.payments
 * where id > :after!::uuid
 * order by id
 * limit :limit!::integer                                                                 
 * ```
 */
export const listAuditedBills = new PreparedStatement<ListAuditedBillsParams, ListAuditedBillsResult>("bills.listAuditedBills", listAuditedBillsIR);

/** 'SumBillTallies' parameters type */
export type SumBillTalliesParams = void;

/** 'SumBillTallies' return type */
export interface SumBillTalliesResult {
  EXHAUSTED: bigint;
  FAILED: bigint;
  PENDING: bigint;
  scope: string;
  SUCCESS: bigint;
}

const sumBillTalliesIR = {"statement":"select n.scope as \"scope\" , sum(n.pending)::bigint as \"PENDING\" , sum(n.success)::bigint as \"SUCCESS\" ,\n       sum(n.failed)::bigint as \"FAILED\" , sum(n.exhausted)::bigint as \"EXHAUSTED\" \nfrom (\n  select scope, pending, success, failed, exhausted from bills.tallies where level = 2\n  union all\n  select scope, pending, success, failed, exhausted from bills.changes\n) n\ngroup by n.scope","params":[]};

/**
 * Query generated from SQL:
 * ```
 * select n.scope as "scope!", sum(n.pending)::bigint as "PENDING!", sum(n.success)::bigint as "SUCCESS!",
 *        sum(n.failed)::bigint as "FAILED!", sum(n.exhausted)::bigint as "EXHAUSTED!"
 * from (
 *   select scope, pending, success, failed, exhausted from bills.tallies where level = 2
 *   union all
 *   select scope, pending, success, failed, exhausted from bills.changes
 * ) n
 * group by n.scope                                                                                        
 * ```
 */
export const sumBillTallies = new PreparedStatement<SumBillTalliesParams, SumBillTalliesResult>("bills.sumBillTallies", sumBillTalliesIR);

/** 'FindUnexplainedBills' parameters type */
export interface FindUnexplainedBillsParams {
  references: stringArray;
}

/** 'FindUnexplainedBills' return type */
export interface FindUnexplainedBillsResult {
  reference: string;
}

const findUnexplainedBillsIR = {"statement":"select i.reference as \"reference\" \nfrom unnest(:references!::text[]) as i (reference)\nwhere not case\n  when i.reference !~ '^bill:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then false\n  else exists (\n    select from bills.payments p where p.id = substr(i.reference, 6)::uuid and (p.status = 'SUCCESS') is true\n  )\nend","params":[{"name":"references","locs":[{"a":47,"b":59}]}]};

/**
 * Query generated from SQL:
 * ```
 * select i.reference as "reference!"
 * from unnest(:references!::text[]) as i (reference)
 * where not case
 *   when i.reference !~ '^bill:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then false
 *   else exists (
 *     select from bills.payments p where p.id = substr(i.reference, 6)::uuid and (p.status = 'SUCCESS') is true
 *   )
 * end
 * ```
 */
export const findUnexplainedBills = new PreparedStatement<FindUnexplainedBillsParams, FindUnexplainedBillsResult>("bills.findUnexplainedBills", findUnexplainedBillsIR);
