/** Types generated for queries found in "src/modules/reconciliation/persistence/lines.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type bigintArray = readonly (bigint | null)[];

export type stringArray = readonly (string | null)[];

/** 'AddFileLines' parameters type */
export interface AddFileLinesParams {
  amounts: bigintArray;
  areParts: stringArray;
  currencies: stringArray;
  gatewayIds: stringArray;
  kinds: stringArray;
  leaseMs: number;
  lineIds: stringArray;
  occurredAts: stringArray;
  runId: string;
}

/** 'AddFileLines' return type */
export interface AddFileLinesResult {
  id: string;
}

const addFileLinesIR = {"statement":"with reached as (\n  update reconciliation.runs\n  set gateway_lines = gateway_lines + cardinality(:lineIds!::text[]),\n      due_at        = now() + :leaseMs!::integer * interval '1 millisecond'\n  where id = :runId! and step = 'receive'\n  returning id\n),\nadded as (\n  insert into reconciliation.lines (\n    run_id, bucket, side, kind, gateway_id, amount, currency, occurred_at, is_part, line_id\n  )\n  select reached.id, reconciliation.bucket_of(i.kind, i.gateway_id), 'gateway', i.kind, i.gateway_id, i.amount,\n         i.currency, i.occurred_at, i.is_part, i.line_id\n  from reached, unnest(\n    :kinds!::text[], :gatewayIds!::text[], :amounts!::bigint[], :currencies!::text[],\n    :occurredAts!::text[]::timestamptz[], :areParts!::text[]::boolean[], :lineIds!::text[]\n  ) as i (kind, gateway_id, amount, currency, occurred_at, is_part, line_id)\n)\nselect id as \"id\"  from reached","params":[{"name":"lineIds","locs":[{"a":97,"b":106},{"a":749,"b":758}]},{"name":"leaseMs","locs":[{"a":147,"b":156}]},{"name":"runId","locs":[{"a":206,"b":213}]},{"name":"kinds","locs":[{"a":594,"b":601}]},{"name":"gatewayIds","locs":[{"a":611,"b":623}]},{"name":"amounts","locs":[{"a":633,"b":642}]},{"name":"currencies","locs":[{"a":654,"b":666}]},{"name":"occurredAts","locs":[{"a":680,"b":693}]},{"name":"areParts","locs":[{"a":718,"b":728}]}]};

/**
 * Query generated from SQL:
 * ```
 * with reached as (
 *   update reconciliation.runs
 *   set gateway_lines = gateway_lines + cardinality(:lineIds!::text[]),
 *       due_at        = now() + :leaseMs!::integer * interval '1 millisecond'
 *   where id = :runId! and step = 'receive'
 *   returning id
 * ),
 * added as (
 *   insert into reconciliation.lines (
 *     run_id, bucket, side, kind, gateway_id, amount, currency, occurred_at, is_part, line_id
 *   )
 *   select reached.id, reconciliation.bucket_of(i.kind, i.gateway_id), 'gateway', i.kind, i.gateway_id, i.amount,
 *          i.currency, i.occurred_at, i.is_part, i.line_id
 *   from reached, unnest(
 *     :kinds!::text[], :gatewayIds!::text[], :amounts!::bigint[], :currencies!::text[],
 *     :occurredAts!::text[]::timestamptz[], :areParts!::text[]::boolean[], :lineIds!::text[]
 *   ) as i (kind, gateway_id, amount, currency, occurred_at, is_part, line_id)
 * )
 * select id as "id!" from reached                                                                                                                       
 * ```
 */
export const addFileLines = new PreparedStatement<AddFileLinesParams, AddFileLinesResult>("reconciliation.addFileLines", addFileLinesIR);

/** 'AddGatewayLines' parameters type */
export interface AddGatewayLinesParams {
  amounts: bigintArray;
  currencies: stringArray;
  cursor?: string | null | undefined;
  gatewayIds: stringArray;
  kinds: stringArray;
  leaseMs: number;
  lineIds: stringArray;
  nextCursor?: string | null | undefined;
  occurredAts: stringArray;
  runId: string;
}

/** 'AddGatewayLines' return type */
export interface AddGatewayLinesResult {
  step: string;
}

const addGatewayLinesIR = {"statement":"with reached as (\n  update reconciliation.runs\n  set gateway_lines = gateway_lines + cardinality(:lineIds!::text[]), tries = 0,\n      cursor        = :nextCursor,\n      step          = case when :nextCursor::text is null then 'ledger' else step end,\n      due_at        = now() + :leaseMs!::integer * interval '1 millisecond'\n  where id = :runId! and status = 'running' and step = 'gateway' and cursor is not distinct from :cursor\n  returning id, step\n),\nadded as (\n  insert into reconciliation.lines (run_id, bucket, side, kind, gateway_id, amount, currency, occurred_at, line_id)\n  select reached.id, reconciliation.bucket_of(i.kind, i.gateway_id), 'gateway', i.kind, i.gateway_id, i.amount,\n         i.currency, i.occurred_at, i.line_id\n  from reached, unnest(\n    :kinds!::text[], :gatewayIds!::text[], :amounts!::bigint[], :currencies!::text[],\n    :occurredAts!::text[]::timestamptz[], :lineIds!::text[]\n  ) as i (kind, gateway_id, amount, currency, occurred_at, line_id)\n)\nselect step as \"step\"  from reached","params":[{"name":"lineIds","locs":[{"a":97,"b":106},{"a":892,"b":901}]},{"name":"nextCursor","locs":[{"a":150,"b":161},{"a":195,"b":206}]},{"name":"leaseMs","locs":[{"a":280,"b":289}]},{"name":"runId","locs":[{"a":339,"b":346}]},{"name":"cursor","locs":[{"a":423,"b":430}]},{"name":"kinds","locs":[{"a":768,"b":775}]},{"name":"gatewayIds","locs":[{"a":785,"b":797}]},{"name":"amounts","locs":[{"a":807,"b":816}]},{"name":"currencies","locs":[{"a":828,"b":840}]},{"name":"occurredAts","locs":[{"a":854,"b":867}]}]};

/**
 * Query generated from SQL:
 * ```
 * with reached as (
 *   update reconciliation.runs
 *   set gateway_lines = gateway_lines + cardinality(:lineIds!::text[]), tries = 0,
 *       cursor        = :nextCursor,
 *       step          = case when :nextCursor::text is null then 'ledger' else step end,
 *       due_at        = now() + :leaseMs!::integer * interval '1 millisecond'
 *   where id = :runId! and status = 'running' and step = 'gateway' and cursor is not distinct from :cursor
 *   returning id, step
 * ),
 * added as (
 *   insert into reconciliation.lines (run_id, bucket, side, kind, gateway_id, amount, currency, occurred_at, line_id)
 *   select reached.id, reconciliation.bucket_of(i.kind, i.gateway_id), 'gateway', i.kind, i.gateway_id, i.amount,
 *          i.currency, i.occurred_at, i.line_id
 *   from reached, unnest(
 *     :kinds!::text[], :gatewayIds!::text[], :amounts!::bigint[], :currencies!::text[],
 *     :occurredAts!::text[]::timestamptz[], :lineIds!::text[]
 *   ) as i (kind, gateway_id, amount, currency, occurred_at, line_id)
 * )
 * select step as "step!" from reached                                                         
 * ```
 */
export const addGatewayLines = new PreparedStatement<AddGatewayLinesParams, AddGatewayLinesResult>("reconciliation.addGatewayLines", addGatewayLinesIR);

/** 'AddLedgerLines' parameters type */
export interface AddLedgerLinesParams {
  amounts: bigintArray;
  areParts: stringArray;
  currencies: stringArray;
  cursor?: string | null | undefined;
  gatewayIds: stringArray;
  kinds: stringArray;
  leaseMs: number;
  lineIds: stringArray;
  nextCursor?: string | null | undefined;
  occurredAts: stringArray;
  runId: string;
}

/** 'AddLedgerLines' return type */
export interface AddLedgerLinesResult {
  step: string;
}

const addLedgerLinesIR = {"statement":"with reached as (\n  update reconciliation.runs\n  set ledger_lines = ledger_lines + cardinality(:lineIds!::text[]), tries = 0,\n      cursor       = :nextCursor,\n      step         = case when :nextCursor::text is null then 'match' else step end,\n      due_at       = now() + :leaseMs!::integer * interval '1 millisecond'\n  where id = :runId! and status = 'running' and step = 'ledger' and cursor is not distinct from :cursor\n  returning id, step\n),\nadded as (\n  insert into reconciliation.lines (\n    run_id, bucket, side, kind, gateway_id, amount, currency, occurred_at, is_part, line_id\n  )\n  select reached.id, reconciliation.bucket_of(i.kind, i.gateway_id), 'ledger', i.kind, i.gateway_id, i.amount,\n         i.currency, i.occurred_at, i.is_part, i.line_id\n  from reached, unnest(\n    :kinds!::text[], :gatewayIds!::text[], :amounts!::bigint[], :currencies!::text[],\n    :occurredAts!::text[]::timestamptz[], :areParts!::text[]::boolean[], :lineIds!::text[]\n  ) as i (kind, gateway_id, amount, currency, occurred_at, is_part, line_id)\n)\nselect step as \"step\"  from reached","params":[{"name":"lineIds","locs":[{"a":95,"b":104},{"a":943,"b":952}]},{"name":"nextCursor","locs":[{"a":147,"b":158},{"a":191,"b":202}]},{"name":"leaseMs","locs":[{"a":274,"b":283}]},{"name":"runId","locs":[{"a":333,"b":340}]},{"name":"cursor","locs":[{"a":416,"b":423}]},{"name":"kinds","locs":[{"a":788,"b":795}]},{"name":"gatewayIds","locs":[{"a":805,"b":817}]},{"name":"amounts","locs":[{"a":827,"b":836}]},{"name":"currencies","locs":[{"a":848,"b":860}]},{"name":"occurredAts","locs":[{"a":874,"b":887}]},{"name":"areParts","locs":[{"a":912,"b":922}]}]};

/**
 * Query generated from SQL:
 * ```
 * with reached as (
 *   update reconciliation.runs
 *   set ledger_lines = ledger_lines + cardinality(:lineIds!::text[]), tries = 0,
 *       cursor       = :nextCursor,
 *       step         = case when :nextCursor::text is null then 'match' else step end,
 *       due_at       = now() + :leaseMs!::integer * interval '1 millisecond'
 *   where id = :runId! and status = 'running' and step = 'ledger' and cursor is not distinct from :cursor
 *   returning id, step
 * ),
 * added as (
 *   insert into reconciliation.lines (
 *     run_id, bucket, side, kind, gateway_id, amount, currency, occurred_at, is_part, line_id
 *   )
 *   select reached.id, reconciliation.bucket_of(i.kind, i.gateway_id), 'ledger', i.kind, i.gateway_id, i.amount,
 *          i.currency, i.occurred_at, i.is_part, i.line_id
 *   from reached, unnest(
 *     :kinds!::text[], :gatewayIds!::text[], :amounts!::bigint[], :currencies!::text[],
 *     :occurredAts!::text[]::timestamptz[], :areParts!::text[]::boolean[], :lineIds!::text[]
 *   ) as i (kind, gateway_id, amount, currency, occurred_at, is_part, line_id)
 * )
 * select step as "step!" from reached                                               
 * ```
 */
export const addLedgerLines = new PreparedStatement<AddLedgerLinesParams, AddLedgerLinesResult>("reconciliation.addLedgerLines", addLedgerLinesIR);

/** 'RemoveLines' parameters type */
export interface RemoveLinesParams {
  leaseMs: number;
  limit: number;
  runId: string;
}

/** 'RemoveLines' return type */
export interface RemoveLinesResult {
  removed: bigint;
}

const removeLinesIR = {"statement":"with picked as (\n  select ctid from reconciliation.lines where run_id = :runId! limit :limit!::integer\n),\nremoved as (\n  delete from reconciliation.lines l using picked where l.ctid = picked.ctid returning 1\n),\nheld as (\n  update reconciliation.runs set due_at = now() + :leaseMs!::integer * interval '1 millisecond', tries = 0\n  where id = :runId!\n)\nselect count(*) as \"removed\"  from removed","params":[{"name":"runId","locs":[{"a":72,"b":79},{"a":341,"b":348}]},{"name":"limit","locs":[{"a":86,"b":93}]},{"name":"leaseMs","locs":[{"a":271,"b":280}]}]};

/**
 * Query generated from SQL:
 * ```
 * with picked as (
 *   select ctid from reconciliation.lines where run_id = :runId! limit :limit!::integer
 * ),
 * removed as (
 *   delete from reconciliation.lines l using picked where l.ctid = picked.ctid returning 1
 * ),
 * held as (
 *   update reconciliation.runs set due_at = now() + :leaseMs!::integer * interval '1 millisecond', tries = 0
 *   where id = :runId!
 * )
 * select count(*) as "removed!" from removed
 * ```
 */
export const removeLines = new PreparedStatement<RemoveLinesParams, RemoveLinesResult>("reconciliation.removeLines", removeLinesIR);
