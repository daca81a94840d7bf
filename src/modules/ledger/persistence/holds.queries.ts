/** Types generated for queries found in "src/modules/ledger/persistence/holds.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type stringArray = readonly (string | null)[];

/** 'FindHolds' parameters type */
export interface FindHoldsParams {
  references: stringArray;
  tenant: string;
}

/** 'FindHolds' return type */
export interface FindHoldsResult {
  holdId: string;
  reference: string;
  state: string;
}

const findHoldsIR = {"statement":"select h.reference as \"reference\" , h.id::text as \"holdId\" , coalesce(r.resolution, 'open') as \"state\" \nfrom unnest(:references!::text[]) as i (reference)\ncross join lateral (\n  select h.id, h.reference from ledger.holds h where h.reference = i.reference and h.tenant = :tenant! offset 0\n) h\nleft join lateral (select r.resolution from ledger.hold_resolutions r where r.hold_id = h.id offset 0) r on true","params":[{"name":"references","locs":[{"a":116,"b":128}]},{"name":"tenant","locs":[{"a":270,"b":278}]}]};

/**
 * Query generated from SQL:
 * ```
 * select h.reference as "reference!", h.id::text as "holdId!", coalesce(r.resolution, 'open') as "state!"
 * from unnest(:references!::text[]) as i (reference)
 * cross join lateral (
 *   select h.id, h.reference from ledger.holds h where h.reference = i.reference and h.tenant = :tenant! offset 0
 * ) h
 * left join lateral (select r.resolution from ledger.hold_resolutions r where r.hold_id = h.id offset 0) r on true
 * ```
 */
export const findHolds = new PreparedStatement<FindHoldsParams, FindHoldsResult>("ledger.findHolds", findHoldsIR);
