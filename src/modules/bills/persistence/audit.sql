/* @name listAuditedBills */
select id as "id!", scope as "scope!", status as "status!", gateway as "gateway!", currency as "currency!",
       amount_minor as "amountMinor!", gateway_reference as "gatewayReference",
       -- Each payment was made with version 1, and each attempt began and ended with one of its own.
       version = 2 * attempt - case status when 'PENDING' then 1 else 0 end as "versionIsRight!",
       case status when 'EXHAUSTED' then retries = attempt - 1 and retries > 0
         when 'FAILED' then retries = attempt - 1 else retries = greatest(attempt - 2, 0) end as "retriesAreRight!"
from bills.payments
where id > :after!::uuid
order by id
limit :limit!::integer;

/* How many payments of each status the tallies say there are. */
/* @name sumBillTallies */
select n.scope as "scope!", sum(n.pending)::bigint as "PENDING!", sum(n.success)::bigint as "SUCCESS!",
       sum(n.failed)::bigint as "FAILED!", sum(n.exhausted)::bigint as "EXHAUSTED!"
from (
  select scope, pending, success, failed, exhausted from bills.tallies where level = 2
  union all
  select scope, pending, success, failed, exhausted from bills.changes
) n
group by n.scope;

/* Of some references of the ledger's transactions, those that no paid bill explains. */
/* @name findUnexplainedBills */
select i.reference as "reference!"
from unnest(:references!::text[]) as i (reference)
where not case
  when i.reference !~ '^bill:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then false
  else exists (
    select from bills.payments p where p.id = substr(i.reference, 6)::uuid and (p.status = 'SUCCESS') is true
  )
end;
