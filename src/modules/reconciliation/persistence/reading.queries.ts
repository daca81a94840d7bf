/** Types generated for queries found in "src/modules/reconciliation/persistence/reading.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type stringArray = readonly (string | null)[];

/** 'GetRun' parameters type */
export interface GetRunParams {
  id: string;
}

/** 'GetRun' return type */
export interface GetRunResult {
  amountDiffers: bigint;
  completedAt: Date | null;
  createdAt: Date;
  currencyDiffers: bigint;
  duplicateAtGateway: bigint;
  duplicateHere: bigint;
  failureCode: string | null;
  failureMessage: string | null;
  from: Date;
  gateway: string;
  gatewayLines: bigint;
  id: string;
  ignoredLines: bigint;
  ledgerLines: bigint;
  matched: bigint;
  missingAtGateway: bigint;
  missingHere: bigint;
  resolved: bigint;
  source: string;
  status: string;
  step: string;
  to: Date;
  toleranceMs: bigint;
}

const getRunIR = {"statement":"select id as \"id\" , gateway as \"gateway\" , source as \"source\" , status as \"status\" , step as \"step\" ,\n       period_from as \"from\" , period_to as \"to\" , tolerance_ms as \"toleranceMs\" ,\n       gateway_lines as \"gatewayLines\" , ledger_lines as \"ledgerLines\" , ignored_lines as \"ignoredLines\" ,\n       matched as \"matched\" , missing_here as \"missingHere\" , missing_at_gateway as \"missingAtGateway\" ,\n       amount_differs as \"amountDiffers\" , currency_differs as \"currencyDiffers\" ,\n       duplicate_at_gateway as \"duplicateAtGateway\" , duplicate_here as \"duplicateHere\" , resolved as \"resolved\" ,\n       failure_code as \"failureCode\", failure_message as \"failureMessage\",\n       created_at as \"createdAt\" , completed_at as \"completedAt\"\nfrom reconciliation.runs\nwhere id = :id! and status in ('running', 'completed', 'failed')","params":[{"name":"id","locs":[{"a":771,"b":775}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!", gateway as "gateway!", source as "source!", status as "status!", step as "step!",
 *        period_from as "from!", period_to as "to!", tolerance_ms as "toleranceMs!",
 *        gateway_lines as "gatewayLines!", ledger_lines as "ledgerLines!", ignored_lines as "ignoredLines!",
 *        matched as "matched!", missing_here as "missingHere!", missing_at_gateway as "missingAtGateway!",
 *        amount_differs as "amountDiffers!", currency_differs as "currencyDiffers!",
 *        duplicate_at_gateway as "duplicateAtGateway!", duplicate_here as "duplicateHere!", resolved as "resolved!",
 *        failure_code as "failureCode", failure_message as "failureMessage",
 *        created_at as "createdAt!", completed_at as "completedAt"
 * from reconciliation.runs
 * where id = :id! and status in ('running', 'completed', 'failed')                                                                      
 * ```
 */
export const getRun = new PreparedStatement<GetRunParams, GetRunResult>("reconciliation.getRun", getRunIR);

/** 'ListRuns' parameters type */
export interface ListRunsParams {
  before: string;
  limit: number;
}

/** 'ListRuns' return type */
export interface ListRunsResult {
  amountDiffers: bigint;
  completedAt: Date | null;
  createdAt: Date;
  currencyDiffers: bigint;
  duplicateAtGateway: bigint;
  duplicateHere: bigint;
  failureCode: string | null;
  failureMessage: string | null;
  from: Date;
  gateway: string;
  gatewayLines: bigint;
  id: string;
  ignoredLines: bigint;
  ledgerLines: bigint;
  matched: bigint;
  missingAtGateway: bigint;
  missingHere: bigint;
  resolved: bigint;
  source: string;
  status: string;
  step: string;
  to: Date;
  toleranceMs: bigint;
}

const listRunsIR = {"statement":"select id as \"id\" , gateway as \"gateway\" , source as \"source\" , status as \"status\" , step as \"step\" ,\n       period_from as \"from\" , period_to as \"to\" , tolerance_ms as \"toleranceMs\" ,\n       gateway_lines as \"gatewayLines\" , ledger_lines as \"ledgerLines\" , ignored_lines as \"ignoredLines\" ,\n       matched as \"matched\" , missing_here as \"missingHere\" , missing_at_gateway as \"missingAtGateway\" ,\n       amount_differs as \"amountDiffers\" , currency_differs as \"currencyDiffers\" ,\n       duplicate_at_gateway as \"duplicateAtGateway\" , duplicate_here as \"duplicateHere\" , resolved as \"resolved\" ,\n       failure_code as \"failureCode\", failure_message as \"failureMessage\",\n       created_at as \"createdAt\" , completed_at as \"completedAt\"\nfrom reconciliation.runs\nwhere id < :before! and status in ('running', 'completed', 'failed')\norder by id desc\nlimit :limit!::integer","params":[{"name":"before","locs":[{"a":771,"b":779}]},{"name":"limit","locs":[{"a":852,"b":859}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!", gateway as "gateway!", source as "source!", status as "status!", step as "step!",
 *        period_from as "from!", period_to as "to!", tolerance_ms as "toleranceMs!",
 *        gateway_lines as "gatewayLines!", ledger_lines as "ledgerLines!", ignored_lines as "ignoredLines!",
 *        matched as "matched!", missing_here as "missingHere!", missing_at_gateway as "missingAtGateway!",
 *        amount_differs as "amountDiffers!", currency_differs as "currencyDiffers!",
 *        duplicate_at_gateway as "duplicateAtGateway!", duplicate_here as "duplicateHere!", resolved as "resolved!",
 *        failure_code as "failureCode", failure_message as "failureMessage",
 *        created_at as "createdAt!", completed_at as "completedAt"
 * from reconciliation.runs
 * where id < :before! and status in ('running', 'completed', 'failed')
 * order by id desc
 * limit :limit!::integer                                                                                                          
 * ```
 */
export const listRuns = new PreparedStatement<ListRunsParams, ListRunsResult>("reconciliation.listRuns", listRunsIR);

/** 'ListExceptions' parameters type */
export interface ListExceptionsParams {
  after: number;
  isResolved?: boolean | null | undefined;
  limit: number;
  reason?: string | null | undefined;
  runId: string;
}

/** 'ListExceptions' return type */
export interface ListExceptionsResult {
  atBorder: boolean;
  gatewayAmount: bigint | null;
  gatewayCount: number;
  gatewayCurrency: string | null;
  gatewayId: string;
  gatewayLineIds: stringArray;
  gatewayOccurredAt: Date | null;
  kind: string;
  ledgerAmount: bigint | null;
  ledgerCount: number;
  ledgerCurrency: string | null;
  ledgerLineIds: stringArray;
  ledgerOccurredAt: Date | null;
  note: string | null;
  number: number;
  posting: string | null;
  reason: string;
  resolvedAt: Date | null;
  resolvedBy: string | null;
  transactionId: string | null;
}

const listExceptionsIR = {"statement":"select e.number as \"number\" , e.reason as \"reason\" , e.kind as \"kind\" , e.gateway_id as \"gatewayId\" ,\n       e.gateway_count as \"gatewayCount\" , e.gateway_amount as \"gatewayAmount\", e.gateway_currency as \"gatewayCurrency\",\n       e.gateway_occurred_at as \"gatewayOccurredAt\", e.gateway_line_ids as \"gatewayLineIds\" ,\n       e.ledger_count as \"ledgerCount\" , e.ledger_amount as \"ledgerAmount\", e.ledger_currency as \"ledgerCurrency\",\n       e.ledger_occurred_at as \"ledgerOccurredAt\", e.ledger_line_ids as \"ledgerLineIds\" , e.at_border as \"atBorder\" ,\n       r.note as \"note\" , r.posting as \"posting\" , r.transaction_id as \"transactionId\" ,\n       r.resolved_by as \"resolvedBy\" , r.resolved_at as \"resolvedAt\" \nfrom reconciliation.exceptions e\nleft join reconciliation.resolutions r on r.run_id = e.run_id and r.number = e.number\nwhere e.run_id = :runId!\n  and e.number > :after!::integer\n  and (:reason::text is null or e.reason = :reason)\n  and (:isResolved::boolean is null or (r.number is not null) = :isResolved)\norder by e.number\nlimit :limit!::integer","params":[{"name":"runId","locs":[{"a":845,"b":852}]},{"name":"after","locs":[{"a":870,"b":877}]},{"name":"reason","locs":[{"a":894,"b":901},{"a":930,"b":937}]},{"name":"isResolved","locs":[{"a":946,"b":957},{"a":1003,"b":1014}]},{"name":"limit","locs":[{"a":1040,"b":1047}]}]};

/**
 * Query generated from SQL:
 * ```
 * select e.number as "number!", e.reason as "reason!", e.kind as "kind!", e.gateway_id as "gatewayId!",
 *        e.gateway_count as "gatewayCount!", e.gateway_amount as "gatewayAmount", e.gateway_currency as "gatewayCurrency",
 *        e.gateway_occurred_at as "gatewayOccurredAt", e.gateway_line_ids as "gatewayLineIds!",
 *        e.ledger_count as "ledgerCount!", e.ledger_amount as "ledgerAmount", e.ledger_currency as "ledgerCurrency",
 *        e.ledger_occurred_at as "ledgerOccurredAt", e.ledger_line_ids as "ledgerLineIds!", e.at_border as "atBorder!",
 *        r.note as "note?", r.posting as "posting?", r.transaction_id as "transactionId?",
 *        r.resolved_by as "resolvedBy?", r.resolved_at as "resolvedAt?"
 * from reconciliation.exceptions e
 * left join reconciliation.resolutions r on r.run_id = e.run_id and r.number = e.number
 * where e.run_id = :runId!
 *   and e.number > :after!::integer
 *   and (:reason::text is null or e.reason = :reason)
 *   and (:isResolved::boolean is null or (r.number is not null) = :isResolved)
 * order by e.number
 * limit :limit!::integer
 * ```
 */
export const listExceptions = new PreparedStatement<ListExceptionsParams, ListExceptionsResult>("reconciliation.listExceptions", listExceptionsIR);
