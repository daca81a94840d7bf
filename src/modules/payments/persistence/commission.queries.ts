/** Types generated for queries found in "src/modules/payments/persistence/commission.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

/** 'UpsertCommissionRate' parameters type */
export interface UpsertCommissionRateParams {
  basisPoints: number;
  category: string;
  sellerId: string;
}

/** 'UpsertCommissionRate' return type */
export type UpsertCommissionRateResult = void;

const upsertCommissionRateIR = {"statement":"insert into payments.commission_rates (seller_id, category, basis_points)\nvalues (:sellerId!, :category!, :basisPoints!)\non conflict (seller_id, category) do update set basis_points = excluded.basis_points","params":[{"name":"sellerId","locs":[{"a":82,"b":92}]},{"name":"category","locs":[{"a":94,"b":104}]},{"name":"basisPoints","locs":[{"a":106,"b":119}]}]};

/**
 * Query generated from SQL:
 * ```
 * insert into payments.commission_rates (seller_id, category, basis_points)
 * values (:sellerId!, :category!, :basisPoints!)
 * on conflict (seller_id, category) do update set basis_points = excluded.basis_points
 * ```
 */
export const upsertCommissionRate = new PreparedStatement<UpsertCommissionRateParams, UpsertCommissionRateResult>("payments.upsertCommissionRate", upsertCommissionRateIR);

/** 'RemoveCommissionRate' parameters type */
export interface RemoveCommissionRateParams {
  category: string;
  sellerId: string;
}

/** 'RemoveCommissionRate' return type */
export type RemoveCommissionRateResult = void;

const removeCommissionRateIR = {"statement":"delete from payments.commission_rates\nwhere seller_id = :sellerId! and category = :category! and (seller_id <> '' or category <> '')","params":[{"name":"sellerId","locs":[{"a":56,"b":66}]},{"name":"category","locs":[{"a":82,"b":92}]}]};

/**
 * Query generated from SQL:
 * ```
 * delete from payments.commission_rates
 * where seller_id = :sellerId! and category = :category! and (seller_id <> '' or category <> '')
 * ```
 */
export const removeCommissionRate = new PreparedStatement<RemoveCommissionRateParams, RemoveCommissionRateResult>("payments.removeCommissionRate", removeCommissionRateIR);

/** 'ListCommissionRates' parameters type */
export type ListCommissionRatesParams = void;

/** 'ListCommissionRates' return type */
export interface ListCommissionRatesResult {
  basisPoints: number;
  category: string;
  sellerId: string;
}

const listCommissionRatesIR = {"statement":"select seller_id as \"sellerId\" , category as \"category\" , basis_points as \"basisPoints\" \nfrom payments.commission_rates\norder by seller_id, category","params":[]};

/**
 * Query generated from SQL:
 * ```
 * select seller_id as "sellerId!", category as "category!", basis_points as "basisPoints!"
 * from payments.commission_rates
 * order by seller_id, category
 * ```
 */
export const listCommissionRates = new PreparedStatement<ListCommissionRatesParams, ListCommissionRatesResult>("payments.listCommissionRates", listCommissionRatesIR);
