/* The holds with these references, each looked up by its key, and what became of them. */
/* @name findHolds */
select h.reference as "reference!", h.id::text as "holdId!", coalesce(r.resolution, 'open') as "state!"
from unnest(:references!::text[]) as i (reference)
cross join lateral (
  select h.id, h.reference from ledger.holds h where h.reference = i.reference and h.tenant = :tenant! offset 0
) h
left join lateral (select r.resolution from ledger.hold_resolutions r where r.hold_id = h.id offset 0) r on true;
