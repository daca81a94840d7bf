/* @name getRun */
select id as "id!", gateway as "gateway!", source as "source!", status as "status!", step as "step!",
       period_from as "from!", period_to as "to!", tolerance_ms as "toleranceMs!",
       gateway_lines as "gatewayLines!", ledger_lines as "ledgerLines!", ignored_lines as "ignoredLines!",
       matched as "matched!", missing_here as "missingHere!", missing_at_gateway as "missingAtGateway!",
       amount_differs as "amountDiffers!", currency_differs as "currencyDiffers!",
       duplicate_at_gateway as "duplicateAtGateway!", duplicate_here as "duplicateHere!", resolved as "resolved!",
       failure_code as "failureCode", failure_message as "failureMessage",
       created_at as "createdAt!", completed_at as "completedAt"
from reconciliation.runs
where id = :id! and status in ('running', 'completed', 'failed');

/* A page of runs, newest first: a uuidv7 is the order of creation. */
/* @name listRuns */
select id as "id!", gateway as "gateway!", source as "source!", status as "status!", step as "step!",
       period_from as "from!", period_to as "to!", tolerance_ms as "toleranceMs!",
       gateway_lines as "gatewayLines!", ledger_lines as "ledgerLines!", ignored_lines as "ignoredLines!",
       matched as "matched!", missing_here as "missingHere!", missing_at_gateway as "missingAtGateway!",
       amount_differs as "amountDiffers!", currency_differs as "currencyDiffers!",
       duplicate_at_gateway as "duplicateAtGateway!", duplicate_here as "duplicateHere!", resolved as "resolved!",
       failure_code as "failureCode", failure_message as "failureMessage",
       created_at as "createdAt!", completed_at as "completedAt"
from reconciliation.runs
where id < :before! and status in ('running', 'completed', 'failed')
order by id desc
limit :limit!::integer;

/* Exceptions of a run after one, by their numbers. With a reason they come out of that reason's index. */
/* @name listExceptions */
select e.number as "number!", e.reason as "reason!", e.kind as "kind!", e.gateway_id as "gatewayId!",
       e.gateway_count as "gatewayCount!", e.gateway_amount as "gatewayAmount", e.gateway_currency as "gatewayCurrency",
       e.gateway_occurred_at as "gatewayOccurredAt", e.gateway_line_ids as "gatewayLineIds!",
       e.ledger_count as "ledgerCount!", e.ledger_amount as "ledgerAmount", e.ledger_currency as "ledgerCurrency",
       e.ledger_occurred_at as "ledgerOccurredAt", e.ledger_line_ids as "ledgerLineIds!", e.at_border as "atBorder!",
       r.note as "note?", r.posting as "posting?", r.transaction_id as "transactionId?",
       r.resolved_by as "resolvedBy?", r.resolved_at as "resolvedAt?"
from reconciliation.exceptions e
left join reconciliation.resolutions r on r.run_id = e.run_id and r.number = e.number
where e.run_id = :runId!
  and e.number > :after!::integer
  and (:reason::text is null or e.reason = :reason)
  and (:isResolved::boolean is null or (r.number is not null) = :isResolved)
order by e.number
limit :limit!::integer;
