/** Types generated for queries found in "src/modules/reconciliation/persistence/runs.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

/** 'BeginRun' parameters type */
export interface BeginRunParams {
  from: Date;
  gateway: string;
  id: string;
  leaseMs: number;
  to: Date;
  toleranceMs: bigint;
}

/** 'BeginRun' return type */
export type BeginRunResult = void;

const beginRunIR = {"statement":"insert into reconciliation.runs (\n  id, gateway, source, period_from, period_to, tolerance_ms, status, step, due_at\n)\nvalues (\n  :id!, :gateway!, 'gateway', :from!, :to!, :toleranceMs!, 'running', 'gateway',\n  now() + :leaseMs!::integer * interval '1 millisecond'\n)","params":[{"name":"id","locs":[{"a":129,"b":133}]},{"name":"gateway","locs":[{"a":135,"b":144}]},{"name":"from","locs":[{"a":157,"b":163}]},{"name":"to","locs":[{"a":165,"b":169}]},{"name":"toleranceMs","locs":[{"a":171,"b":184}]},{"name":"leaseMs","locs":[{"a":218,"b":227}]}]};

/**
 * Query generated from SQL:
 * ```
 * insert into reconciliation.runs (
 *   id, gateway, source, period_from, period_to, tolerance_ms, status, step, due_at
 * )
 * values (
 *   :id!, :gateway!, 'gateway', :from!, :to!, :toleranceMs!, 'running', 'gateway',
 *   now() + :leaseMs!::integer * interval '1 millisecond'
 * )                                                                                               
 * ```
 */
export const beginRun = new PreparedStatement<BeginRunParams, BeginRunResult>("reconciliation.beginRun", beginRunIR);

/** 'BeginReceiving' parameters type */
export interface BeginReceivingParams {
  gateway: string;
  id: string;
  leaseMs: number;
  toleranceMs: bigint;
}

/** 'BeginReceiving' return type */
export type BeginReceivingResult = void;

const beginReceivingIR = {"statement":"insert into reconciliation.runs (id, gateway, source, tolerance_ms, status, step, due_at)\nvalues (\n  :id!, :gateway!, 'file', :toleranceMs!, 'receiving', 'receive', now() + :leaseMs!::integer * interval '1 millisecond'\n)","params":[{"name":"id","locs":[{"a":101,"b":105}]},{"name":"gateway","locs":[{"a":107,"b":116}]},{"name":"toleranceMs","locs":[{"a":126,"b":139}]},{"name":"leaseMs","locs":[{"a":173,"b":182}]}]};

/**
 * Query generated from SQL:
 * ```
 * insert into reconciliation.runs (id, gateway, source, tolerance_ms, status, step, due_at)
 * values (
 *   :id!, :gateway!, 'file', :toleranceMs!, 'receiving', 'receive', now() + :leaseMs!::integer * interval '1 millisecond'
 * )                                                                                 
 * ```
 */
export const beginReceiving = new PreparedStatement<BeginReceivingParams, BeginReceivingResult>("reconciliation.beginReceiving", beginReceivingIR);

/** 'EndReceiving' parameters type */
export interface EndReceivingParams {
  from: Date;
  ignoredLines: bigint;
  leaseMs: number;
  runId: string;
  to: Date;
}

/** 'EndReceiving' return type */
export interface EndReceivingResult {
  id: string;
}

const endReceivingIR = {"statement":"update reconciliation.runs\nset period_from   = :from!, period_to = :to!, ignored_lines = :ignoredLines!, status = 'running', step = 'ledger',\n    due_at        = now() + :leaseMs!::integer * interval '1 millisecond'\nwhere id = :runId! and step = 'receive'\nreturning id as \"id\"","params":[{"name":"from","locs":[{"a":47,"b":53}]},{"name":"to","locs":[{"a":67,"b":71}]},{"name":"ignoredLines","locs":[{"a":89,"b":103}]},{"name":"leaseMs","locs":[{"a":170,"b":179}]},{"name":"runId","locs":[{"a":227,"b":234}]}]};

/**
 * Query generated from SQL:
 * ```
 * update reconciliation.runs
 * set period_from   = :from!, period_to = :to!, ignored_lines = :ignoredLines!, status = 'running', step = 'ledger',
 *     due_at        = now() + :leaseMs!::integer * interval '1 millisecond'
 * where id = :runId! and step = 'receive'
 * returning id as "id!"                                                                                                                                                                                                                                            
 * ```
 */
export const endReceiving = new PreparedStatement<EndReceivingParams, EndReceivingResult>("reconciliation.endReceiving", endReceivingIR);

/** 'ClaimDueRun' parameters type */
export interface ClaimDueRunParams {
  leaseMs: number;
}

/** 'ClaimDueRun' return type */
export interface ClaimDueRunResult {
  id: string;
}

const claimDueRunIR = {"statement":"with due as materialized (\n  select id\n  from reconciliation.runs\n  where step <> 'done' and due_at <= now()\n  order by due_at\n  limit 1\n  for update skip locked\n)\nupdate reconciliation.runs r\nset due_at          = now() + :leaseMs!::integer * interval '1 millisecond',\n    tries           = r.tries + case when r.failure_code is null then 1 else 0 end,\n    failure_code    = case when r.status = 'failed' then r.failure_code end,\n    failure_message = case when r.status = 'failed' then r.failure_message end\nfrom due\nwhere r.id = due.id\nreturning r.id as \"id\"","params":[{"name":"leaseMs","locs":[{"a":223,"b":232}]}]};

/**
 * Query generated from SQL:
 * ```
 * with due as materialized (
 *   select id
 *   from reconciliation.runs
 *   where step <> 'done' and due_at <= now()
 *   order by due_at
 *   limit 1
 *   for update skip locked
 * )
 * update reconciliation.runs r
 * set due_at          = now() + :leaseMs!::integer * interval '1 millisecond',
 *     tries           = r.tries + case when r.failure_code is null then 1 else 0 end,
 *     failure_code    = case when r.status = 'failed' then r.failure_code end,
 *     failure_message = case when r.status = 'failed' then r.failure_message end
 * from due
 * where r.id = due.id
 * returning r.id as "id!"                                                  
 * ```
 */
export const claimDueRun = new PreparedStatement<ClaimDueRunParams, ClaimDueRunResult>("reconciliation.claimDueRun", claimDueRunIR);

/** 'GetProgress' parameters type */
export interface GetProgressParams {
  runId: string;
}

/** 'GetProgress' return type */
export interface GetProgressResult {
  cursor: string | null;
  from: Date | null;
  gateway: string;
  id: string;
  lines: bigint;
  nextBucket: number;
  status: string;
  step: string;
  to: Date | null;
  toleranceMs: bigint;
  tries: number;
}

const getProgressIR = {"statement":"select id as \"id\" , gateway as \"gateway\" , status as \"status\" , step as \"step\" , cursor, next_bucket as \"nextBucket\" ,\n       tries as \"tries\" , gateway_lines + ledger_lines as \"lines\" , period_from as \"from\", period_to as \"to\",\n       tolerance_ms as \"toleranceMs\" \nfrom reconciliation.runs\nwhere id = :runId!","params":[{"name":"runId","locs":[{"a":303,"b":310}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!", gateway as "gateway!", status as "status!", step as "step!", cursor, next_bucket as "nextBucket!",
 *        tries as "tries!", gateway_lines + ledger_lines as "lines!", period_from as "from", period_to as "to",
 *        tolerance_ms as "toleranceMs!"
 * from reconciliation.runs
 * where id = :runId!                                                                
 * ```
 */
export const getProgress = new PreparedStatement<GetProgressParams, GetProgressResult>("reconciliation.getProgress", getProgressIR);

/** 'PostponeRun' parameters type */
export interface PostponeRunParams {
  delayMs: number;
  failureCode: string;
  failureMessage: string;
  runId: string;
  step: string;
}

/** 'PostponeRun' return type */
export type PostponeRunResult = void;

const postponeRunIR = {"statement":"update reconciliation.runs\nset due_at       = now() + :delayMs!::integer * interval '1 millisecond', tries = tries + 1,\n    failure_code = :failureCode!, failure_message = :failureMessage!\nwhere id = :runId! and step = :step!","params":[{"name":"delayMs","locs":[{"a":54,"b":63}]},{"name":"failureCode","locs":[{"a":139,"b":152}]},{"name":"failureMessage","locs":[{"a":172,"b":188}]},{"name":"runId","locs":[{"a":200,"b":207}]},{"name":"step","locs":[{"a":219,"b":225}]}]};

/**
 * Query generated from SQL:
 * ```
 * update reconciliation.runs
 * set due_at       = now() + :delayMs!::integer * interval '1 millisecond', tries = tries + 1,
 *     failure_code = :failureCode!, failure_message = :failureMessage!
 * where id = :runId! and step = :step!                                                                                            
 * ```
 */
export const postponeRun = new PreparedStatement<PostponeRunParams, PostponeRunResult>("reconciliation.postponeRun", postponeRunIR);

/** 'FailRun' parameters type */
export interface FailRunParams {
  failureCode: string;
  failureMessage: string;
  runId: string;
  step: string;
}

/** 'FailRun' return type */
export type FailRunResult = void;

const failRunIR = {"statement":"update reconciliation.runs\nset status = 'failed', step = 'clear', failure_code = :failureCode!, failure_message = :failureMessage!,\n    completed_at = now(), due_at = now()\nwhere id = :runId! and status = 'running' and step = :step!","params":[{"name":"failureCode","locs":[{"a":81,"b":94}]},{"name":"failureMessage","locs":[{"a":114,"b":130}]},{"name":"runId","locs":[{"a":184,"b":191}]},{"name":"step","locs":[{"a":226,"b":232}]}]};

/**
 * Query generated from SQL:
 * ```
 * update reconciliation.runs
 * set status = 'failed', step = 'clear', failure_code = :failureCode!, failure_message = :failureMessage!,
 *     completed_at = now(), due_at = now()
 * where id = :runId! and status = 'running' and step = :step!
 * ```
 */
export const failRun = new PreparedStatement<FailRunParams, FailRunResult>("reconciliation.failRun", failRunIR);

/** 'DiscardRun' parameters type */
export interface DiscardRunParams {
  runId: string;
}

/** 'DiscardRun' return type */
export type DiscardRunResult = void;

const discardRunIR = {"statement":"update reconciliation.runs set status = 'discarded', step = 'clear', due_at = now()\nwhere id = :runId! and step = 'receive'","params":[{"name":"runId","locs":[{"a":95,"b":102}]}]};

/**
 * Query generated from SQL:
 * ```
 * update reconciliation.runs set status = 'discarded', step = 'clear', due_at = now()
 * where id = :runId! and step = 'receive'                                                                             
 * ```
 */
export const discardRun = new PreparedStatement<DiscardRunParams, DiscardRunResult>("reconciliation.discardRun", discardRunIR);

/** 'EndClearing' parameters type */
export interface EndClearingParams {
  runId: string;
}

/** 'EndClearing' return type */
export type EndClearingResult = void;

const endClearingIR = {"statement":"with gone as (\n  delete from reconciliation.runs where id = :runId! and step = 'clear' and status = 'discarded'\n)\nupdate reconciliation.runs set step = 'done' where id = :runId! and step = 'clear' and status = 'failed'","params":[{"name":"runId","locs":[{"a":60,"b":67},{"a":170,"b":177}]}]};

/**
 * Query generated from SQL:
 * ```
 * with gone as (
 *   delete from reconciliation.runs where id = :runId! and step = 'clear' and status = 'discarded'
 * )
 * update reconciliation.runs set step = 'done' where id = :runId! and step = 'clear' and status = 'failed'                                                                 
 * ```
 */
export const endClearing = new PreparedStatement<EndClearingParams, EndClearingResult>("reconciliation.endClearing", endClearingIR);

/** 'ReleaseRun' parameters type */
export interface ReleaseRunParams {
  runId: string;
}

/** 'ReleaseRun' return type */
export type ReleaseRunResult = void;

const releaseRunIR = {"statement":"update reconciliation.runs set due_at = now(), tries = 0 where id = :runId! and step <> 'done'","params":[{"name":"runId","locs":[{"a":68,"b":75}]}]};

/**
 * Query generated from SQL:
 * ```
 * update reconciliation.runs set due_at = now(), tries = 0 where id = :runId! and step <> 'done'
 * ```
 */
export const releaseRun = new PreparedStatement<ReleaseRunParams, ReleaseRunResult>("reconciliation.releaseRun", releaseRunIR);
