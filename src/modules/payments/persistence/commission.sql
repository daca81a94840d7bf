/* @name upsertCommissionRate */
insert into payments.commission_rates (seller_id, category, basis_points)
values (:sellerId!, :category!, :basisPoints!)
on conflict (seller_id, category) do update set basis_points = excluded.basis_points;

/* @name removeCommissionRate */
delete from payments.commission_rates
where seller_id = :sellerId! and category = :category! and (seller_id <> '' or category <> '');

/* @name listCommissionRates */
select seller_id as "sellerId!", category as "category!", basis_points as "basisPoints!"
from payments.commission_rates
order by seller_id, category;
