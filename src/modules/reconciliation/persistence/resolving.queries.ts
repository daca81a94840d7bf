/** Types generated for queries found in "src/modules/reconciliation/persistence/resolving.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type bigintArray = readonly (bigint | null)[];

export type stringArray = readonly (string | null)[];

/** 'GetException' parameters type */
export interface GetExceptionParams {
  number: number;
  runId: string;
}

/** 'GetException' return type */
export interface GetExceptionResult {
  atBorder: boolean;
  gateway: string;
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

const getExceptionIR = {"statement":"select e.number as \"number\" , e.reason as \"reason\" , e.kind as \"kind\" , e.gateway_id as \"gatewayId\" ,\n       e.gateway_count as \"gatewayCount\" , e.gateway_amount as \"gatewayAmount\", e.gateway_currency as \"gatewayCurrency\",\n       e.gateway_occurred_at as \"gatewayOccurredAt\", e.gateway_line_ids as \"gatewayLineIds\" ,\n       e.ledger_count as \"ledgerCount\" , e.ledger_amount as \"ledgerAmount\", e.ledger_currency as \"ledgerCurrency\",\n       e.ledger_occurred_at as \"ledgerOccurredAt\", e.ledger_line_ids as \"ledgerLineIds\" , e.at_border as \"atBorder\" ,\n       r.note as \"note\" , r.posting as \"posting\" , r.transaction_id as \"transactionId\" ,\n       r.resolved_by as \"resolvedBy\" , r.resolved_at as \"resolvedAt\" , u.gateway as \"gateway\" \nfrom reconciliation.exceptions e\njoin reconciliation.runs u on u.id = e.run_id\nleft join reconciliation.resolutions r on r.run_id = e.run_id and r.number = e.number\nwhere e.run_id = :runId! and e.number = :number!","params":[{"name":"runId","locs":[{"a":916,"b":923}]},{"name":"number","locs":[{"a":939,"b":947}]}]};

/**
 * Query generated from SQL:
 * ```
 * select e.number as "number!", e.reason as "reason!", e.kind as "kind!", e.gateway_id as "gatewayId!",
 *        e.gateway_count as "gatewayCount!", e.gateway_amount as "gatewayAmount", e.gateway_currency as "gatewayCurrency",
 *        e.gateway_occurred_at as "gatewayOccurredAt", e.gateway_line_ids as "gatewayLineIds!",
 *        e.ledger_count as "ledgerCount!", e.ledger_amount as "ledgerAmount", e.ledger_currency as "ledgerCurrency",
 *        e.ledger_occurred_at as "ledgerOccurredAt", e.ledger_line_ids as "ledgerLineIds!", e.at_border as "atBorder!",
 *        r.note as "note?", r.posting as "posting?", r.transaction_id as "transactionId?",
 *        r.resolved_by as "resolvedBy?", r.resolved_at as "resolvedAt?", u.gateway as "gateway!"
 * from reconciliation.exceptions e
 * join reconciliation.runs u on u.id = e.run_id
 * left join reconciliation.resolutions r on r.run_id = e.run_id and r.number = e.number
 * where e.run_id = :runId! and e.number = :number!                                                                                                                                                                                                                                       
 * ```
 */
export const getException = new PreparedStatement<GetExceptionParams, GetExceptionResult>("reconciliation.getException", getExceptionIR);

/** 'OpenResolution' parameters type */
export interface OpenResolutionParams {
  leaseMs: number;
  legs: string;
  note: string;
  number: number;
  posting: string;
  resolvedBy: string;
  runId: string;
}

/** 'OpenResolution' return type */
export interface OpenResolutionResult {
  number: number;
}

const openResolutionIR = {"statement":"insert into reconciliation.open_resolutions (run_id, number, note, posting, legs, resolved_by, due_at)\nselect :runId!, :number!, :note!, :posting!, :legs!::text::jsonb, :resolvedBy!,\n       now() + :leaseMs!::integer * interval '1 millisecond'\non conflict do nothing\nreturning number as \"number\"","params":[{"name":"runId","locs":[{"a":110,"b":117}]},{"name":"number","locs":[{"a":119,"b":127}]},{"name":"note","locs":[{"a":129,"b":135}]},{"name":"posting","locs":[{"a":137,"b":146}]},{"name":"legs","locs":[{"a":148,"b":154}]},{"name":"resolvedBy","locs":[{"a":169,"b":181}]},{"name":"leaseMs","locs":[{"a":198,"b":207}]}]};

/**
 * Query generated from SQL:
 * ```
 * insert into reconciliation.open_resolutions (run_id, number, note, posting, legs, resolved_by, due_at)
 * select :runId!, :number!, :note!, :posting!, :legs!::text::jsonb, :resolvedBy!,
 *        now() + :leaseMs!::integer * interval '1 millisecond'
 * on conflict do nothing
 * returning number as "number!"                                                         
 * ```
 */
export const openResolution = new PreparedStatement<OpenResolutionParams, OpenResolutionResult>("reconciliation.openResolution", openResolutionIR);

/** 'CloseResolution' parameters type */
export interface CloseResolutionParams {
  number: number;
  runId: string;
}

/** 'CloseResolution' return type */
export type CloseResolutionResult = void;

const closeResolutionIR = {"statement":"delete from reconciliation.open_resolutions where run_id = :runId! and number = :number!","params":[{"name":"runId","locs":[{"a":59,"b":66}]},{"name":"number","locs":[{"a":80,"b":88}]}]};

/**
 * Query generated from SQL:
 * ```
 * delete from reconciliation.open_resolutions where run_id = :runId! and number = :number!                                                                                                                                                                                     
 * ```
 */
export const closeResolution = new PreparedStatement<CloseResolutionParams, CloseResolutionResult>("reconciliation.closeResolution", closeResolutionIR);

/** 'KeepResolution' parameters type */
export interface KeepResolutionParams {
  amounts: bigintArray;
  currencies: stringArray;
  note: string;
  number: number;
  posting: string;
  resolvedBy: string;
  runId: string;
  transactionId?: string | null | undefined;
}

/** 'KeepResolution' return type */
export interface KeepResolutionResult {
  resolvedAt: Date;
}

const keepResolutionIR = {"statement":"with closed as (\n  delete from reconciliation.open_resolutions p where p.run_id = :runId! and p.number = :number!\n),\nkept as (\n  insert into reconciliation.resolutions (run_id, number, note, posting, transaction_id, resolved_by)\n  values (:runId, :number, :note!, :posting!, :transactionId, :resolvedBy!)\n  on conflict do nothing\n  returning resolved_at\n),\ncorrected as (\n  insert into reconciliation.corrections (run_id, number, gateway, bucket, kind, gateway_id, amount, currency)\n  select e.run_id, e.number, u.gateway, reconciliation.bucket_of(e.kind, e.gateway_id), e.kind, e.gateway_id,\n         i.amount, i.currency\n  from kept\n  join reconciliation.exceptions e on e.run_id = :runId and e.number = :number\n  join reconciliation.runs u on u.id = e.run_id\n  cross join unnest(:amounts!::bigint[], :currencies!::text[]) as i (amount, currency)\n),\ncounted as (\n  update reconciliation.runs r set resolved = r.resolved + 1 from kept where r.id = :runId\n)\nselect resolved_at as \"resolvedAt\"  from kept","params":[{"name":"runId","locs":[{"a":82,"b":89},{"a":239,"b":245},{"a":684,"b":690},{"a":949,"b":955}]},{"name":"number","locs":[{"a":105,"b":113},{"a":247,"b":254},{"a":706,"b":713}]},{"name":"note","locs":[{"a":256,"b":262}]},{"name":"posting","locs":[{"a":264,"b":273}]},{"name":"transactionId","locs":[{"a":275,"b":289}]},{"name":"resolvedBy","locs":[{"a":291,"b":303}]},{"name":"amounts","locs":[{"a":782,"b":791}]},{"name":"currencies","locs":[{"a":803,"b":815}]}]};

/**
 * Query generated from SQL:
 * ```
 * with closed as (
 *   delete from reconciliation.open_resolutions p where p.run_id = :runId! and p.number = :number!
 * ),
 * kept as (
 *   insert into reconciliation.resolutions (run_id, number, note, posting, transaction_id, resolved_by)
 *   values (:runId, :number, :note!, :posting!, :transactionId, :resolvedBy!)
 *   on conflict do nothing
 *   returning resolved_at
 * ),
 * corrected as (
 *   insert into reconciliation.corrections (run_id, number, gateway, bucket, kind, gateway_id, amount, currency)
 *   select e.run_id, e.number, u.gateway, reconciliation.bucket_of(e.kind, e.gateway_id), e.kind, e.gateway_id,
 *          i.amount, i.currency
 *   from kept
 *   join reconciliation.exceptions e on e.run_id = :runId and e.number = :number
 *   join reconciliation.runs u on u.id = e.run_id
 *   cross join unnest(:amounts!::bigint[], :currencies!::text[]) as i (amount, currency)
 * ),
 * counted as (
 *   update reconciliation.runs r set resolved = r.resolved + 1 from kept where r.id = :runId
 * )
 * select resolved_at as "resolvedAt!" from kept                                                   
 * ```
 */
export const keepResolution = new PreparedStatement<KeepResolutionParams, KeepResolutionResult>("reconciliation.keepResolution", keepResolutionIR);

/** 'ClaimDueResolutions' parameters type */
export interface ClaimDueResolutionsParams {
  leaseMs: number;
  limit: number;
}

/** 'ClaimDueResolutions' return type */
export interface ClaimDueResolutionsResult {
  legs: Json;
  note: string;
  number: number;
  posting: string;
  resolvedBy: string;
  runId: string;
}

const claimDueResolutionsIR = {"statement":"with due as materialized (\n  select run_id, number\n  from reconciliation.open_resolutions\n  where due_at <= now()\n  order by due_at\n  limit :limit!::integer\n  for update skip locked\n)\nupdate reconciliation.open_resolutions p\nset due_at = now() + :leaseMs!::integer * interval '1 millisecond'\nfrom due\nwhere p.run_id = due.run_id and p.number = due.number\nreturning p.run_id as \"runId\" , p.number as \"number\" , p.note as \"note\" , p.posting as \"posting\" , p.legs as \"legs\" ,\n          p.resolved_by as \"resolvedBy\"","params":[{"name":"limit","locs":[{"a":140,"b":147}]},{"name":"leaseMs","locs":[{"a":246,"b":255}]}]};

/**
 * Query generated from SQL:
 * ```
 * with due as materialized (
 *   select run_id, number
 *   from reconciliation.open_resolutions
 *   where due_at <= now()
 *   order by due_at
 *   limit :limit!::integer
 *   for update skip locked
 * )
 * update reconciliation.open_resolutions p
 * set due_at = now() + :leaseMs!::integer * interval '1 millisecond'
 * from due
 * where p.run_id = due.run_id and p.number = due.number
 * returning p.run_id as "runId!", p.number as "number!", p.note as "note!", p.posting as "posting!", p.legs as "legs!",
 *           p.resolved_by as "resolvedBy!"
 * ```
 */
export const claimDueResolutions = new PreparedStatement<ClaimDueResolutionsParams, ClaimDueResolutionsResult>("reconciliation.claimDueResolutions", claimDueResolutionsIR);
