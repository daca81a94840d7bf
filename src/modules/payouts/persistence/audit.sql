/* Every payout, in pages, with what the working list says of it. */
/* @name listAuditedPayouts */
select p.id as "id!", p.recipient_kind as "recipientKind!", p.recipient_id as "recipientId!",
       p.amount_minor as "amountMinor!", p.currency as "currency!", p.status as "status!", p.gateway as "gateway!",
       p.gateway_reference as "gatewayReference", u.payout_id is not null as "listed!", u.hold_id as "holdId"
from payouts.payouts p
left join lateral (select * from payouts.under_way where payout_id = p.id offset 0) u on true
where p.id > :after!::uuid
order by p.id
limit :limit!::integer;

/* What is on the working list and is no payout: recovery would never find whom to pay. */
/* @name listStrayPayouts */
select u.payout_id as "payoutId!"
from payouts.under_way u
where not exists (select from payouts.payouts p where p.id = u.payout_id offset 0)
order by u.payout_id
limit :limit!::integer;

/* Of some references of the ledger's transactions, those that no payout explains. */
/* @name findUnexplainedPayouts */
select i.reference as "reference!"
from unnest(:references!::text[]) as i (reference)
where not case
  when i.reference !~ '^payout:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then false
  else exists (
    select from payouts.payouts p where p.id = substr(i.reference, 8)::uuid and p.status = 'EXITOSO' offset 0
  )
end;
