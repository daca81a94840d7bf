/* What each payment that succeeded must have posted, and whether its sums are those of its rows. */
/* @name listExpectedSales */
select p.id as "id!", p.gateway as "gateway!", p.seller_id as "sellerId", p.currency as "currency!",
       p.captured_minor as "capturedMinor!", p.fee_minor as "feeMinor!", a.stripe_payment_intent_id as "intentId",
       p.fee_minor = payments.commission(p.captured_minor, p.commission_basis_points) as "feeIsRight!",
       p.returned_minor = r.returned + d.returned and p.returned_fee_minor = r.fee + d.fee
         and p.refunding_minor = r.refunding and p.refunded_minor = r.refunded as "sumsAreRight!"
from payments.payments p
left join payments.attempts a on a.payment_id = p.id and a.number = 1
cross join lateral (
  select coalesce(sum(amount_minor) filter (where status <> 'failed'), 0) as returned,
         coalesce(sum(fee_minor) filter (where status <> 'failed'), 0) as fee,
         coalesce(sum(amount_minor) filter (where status = 'pending'), 0) as refunding,
         coalesce(sum(amount_minor) filter (where status = 'succeeded'), 0) as refunded
  from payments.refunds where payment_id = p.id
) r
cross join lateral (
  select coalesce(sum(borne_minor), 0) as returned, coalesce(sum(fee_minor), 0) as fee
  from payments.disputes where payment_id = p.id and status <> 'won'
) d
where p.status = 'succeeded' and p.id > :after!::uuid
order by p.id
limit :limit!::integer;

/* @name listExpectedRefunds */
select r.id as "id!", p.gateway as "gateway!", p.seller_id as "sellerId", p.currency as "currency!",
       r.amount_minor as "amountMinor!", r.fee_minor as "feeMinor!", r.status as "status!"
from payments.refunds r
join payments.payments p on p.id = r.payment_id
where r.id > :after!::uuid
order by r.id
limit :limit!::integer;

/* @name listExpectedDisputes */
select d.id as "id!", p.gateway as "gateway!", p.seller_id as "sellerId", p.currency as "currency!",
       d.amount_minor as "amountMinor!", d.borne_minor as "borneMinor!", d.fee_minor as "feeMinor!",
       d.status as "status!"
from payments.disputes d
join payments.payments p on p.id = d.payment_id
where d.id > :after!
order by d.id
limit :limit!::integer;

/* Of some references of the ledger's transactions, those that no payment, refund or dispute explains. */
/* @name findUnexplained */
select i.reference as "reference!"
from unnest(:references!::text[]) as i (reference)
cross join lateral (
  select split_part(i.reference, ':', 1) as name, substr(i.reference, strpos(i.reference, ':') + 1) as id
) n
where not case
  when n.name in ('payment', 'refund', 'refund_reversal') and n.id !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    then false
  when n.name = 'payment'
    then exists (select from payments.payments p where p.id = n.id::uuid and p.status = 'succeeded')
  when n.name = 'refund'
    then exists (select from payments.refunds r where r.id = n.id::uuid and r.status <> 'pending')
  when n.name = 'refund_reversal'
    then exists (select from payments.refunds r where r.id = n.id::uuid and r.status = 'failed')
  when n.name = 'dispute'
    then exists (select from payments.disputes d where d.id = n.id)
  when n.name = 'chargeback'
    then exists (select from payments.disputes d where d.id = n.id and d.status = 'lost')
  when n.name = 'dispute_reversal'
    then exists (select from payments.disputes d where d.id = n.id and d.status = 'won')
  else false
end;
