/** Types generated for queries found in "src/modules/ledger/persistence/posting.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type bigintArray = readonly (bigint | null)[];

export type numberArray = readonly (number | null)[];

export type stringArray = readonly (string | null)[];

/** 'PostTransactions' parameters type */
export interface PostTransactionsParams {
  effectiveAts: stringArray;
  externalIds: stringArray;
  holdIds?: bigintArray | null | undefined;
  kinds: stringArray;
  legAccounts: stringArray;
  legAmounts: bigintArray;
  legCurrencies: stringArray;
  legItems: numberArray;
  references: stringArray;
  tenant: string;
}

/** 'PostTransactions' return type */
export interface PostTransactionsResult {
  exceptions: Json | null;
  firstId: string | null;
}

const postTransactionsIR = {"statement":"select first_id::text as \"firstId\", exceptions\nfrom ledger.post(\n  :tenant!, :kinds!::text[], :references!::text[], :externalIds!::text[],\n  :effectiveAts!::text[]::timestamptz[], :holdIds::bigint[], :legItems!::integer[], :legAccounts!::text[],\n  :legCurrencies!::text[], :legAmounts!::bigint[]\n)","params":[{"name":"tenant","locs":[{"a":67,"b":75}]},{"name":"kinds","locs":[{"a":77,"b":84}]},{"name":"references","locs":[{"a":94,"b":106}]},{"name":"externalIds","locs":[{"a":116,"b":129}]},{"name":"effectiveAts","locs":[{"a":141,"b":155}]},{"name":"holdIds","locs":[{"a":180,"b":188}]},{"name":"legItems","locs":[{"a":200,"b":210}]},{"name":"legAccounts","locs":[{"a":223,"b":236}]},{"name":"legCurrencies","locs":[{"a":248,"b":263}]},{"name":"legAmounts","locs":[{"a":273,"b":285}]}]};

/**
 * Query generated from SQL:
 * ```
 * select first_id::text as "firstId", exceptions
 * from ledger.post(
 *   :tenant!, :kinds!::text[], :references!::text[], :externalIds!::text[],
 *   :effectiveAts!::text[]::timestamptz[], :holdIds::bigint[], :legItems!::integer[], :legAccounts!::text[],
 *   :legCurrencies!::text[], :legAmounts!::bigint[]
 * )
 * ```
 */
export const postTransactions = new PreparedStatement<PostTransactionsParams, PostTransactionsResult>("ledger.postTransactions", postTransactionsIR);

/** 'HoldFunds' parameters type */
export interface HoldFundsParams {
  account: string;
  amountMinor: bigint;
  currency: string;
  expiresAt?: Date | null | undefined;
  partially: boolean;
  reference: string;
  tenant: string;
}

/** 'HoldFunds' return type */
export interface HoldFundsResult {
  exceptions: Json | null;
  firstId: string | null;
}

const holdFundsIR = {"statement":"select first_id::text as \"firstId\", exceptions\nfrom ledger.hold(\n  :tenant!, array[:reference!]::text[], array[:account!]::text[], array[:currency!]::text[],\n  array[:amountMinor!]::bigint[], array[:expiresAt]::timestamptz[], :partially!::boolean\n)","params":[{"name":"tenant","locs":[{"a":67,"b":75}]},{"name":"reference","locs":[{"a":83,"b":94}]},{"name":"account","locs":[{"a":111,"b":120}]},{"name":"currency","locs":[{"a":137,"b":147}]},{"name":"amountMinor","locs":[{"a":166,"b":179}]},{"name":"expiresAt","locs":[{"a":198,"b":208}]},{"name":"partially","locs":[{"a":226,"b":237}]}]};

/**
 * Query generated from SQL:
 * ```
 * select first_id::text as "firstId", exceptions
 * from ledger.hold(
 *   :tenant!, array[:reference!]::text[], array[:account!]::text[], array[:currency!]::text[],
 *   array[:amountMinor!]::bigint[], array[:expiresAt]::timestamptz[], :partially!::boolean
 * )
 * ```
 */
export const holdFunds = new PreparedStatement<HoldFundsParams, HoldFundsResult>("ledger.holdFunds", holdFundsIR);

/** 'VoidHolds' parameters type */
export interface VoidHoldsParams {
  holdIds: bigintArray;
  tenant: string;
}

/** 'VoidHolds' return type */
export interface VoidHoldsResult {
  exceptions: Json | null;
}

const voidHoldsIR = {"statement":"select ledger.void_holds(:tenant!, :holdIds!::bigint[]) as \"exceptions\"","params":[{"name":"tenant","locs":[{"a":25,"b":33}]},{"name":"holdIds","locs":[{"a":35,"b":44}]}]};

/**
 * Query generated from SQL:
 * ```
 * select ledger.void_holds(:tenant!, :holdIds!::bigint[]) as "exceptions"
 * ```
 */
export const voidHolds = new PreparedStatement<VoidHoldsParams, VoidHoldsResult>("ledger.voidHolds", voidHoldsIR);

/** 'ExpireHolds' parameters type */
export interface ExpireHoldsParams {
  most: number;
  tenant: string;
}

/** 'ExpireHolds' return type */
export interface ExpireHoldsResult {
  expired: number;
}

const expireHoldsIR = {"statement":"select ledger.expire_holds(:tenant!, :most!::integer) as \"expired\"","params":[{"name":"tenant","locs":[{"a":27,"b":35}]},{"name":"most","locs":[{"a":37,"b":43}]}]};

/**
 * Query generated from SQL:
 * ```
 * select ledger.expire_holds(:tenant!, :most!::integer) as "expired!"                                                                                                                                                                       
 * ```
 */
export const expireHolds = new PreparedStatement<ExpireHoldsParams, ExpireHoldsResult>("ledger.expireHolds", expireHoldsIR);

/** 'ListNettable' parameters type */
export interface ListNettableParams {
  after: bigint;
  limit: number;
  tenant: string;
}

/** 'ListNettable' return type */
export interface ListNettableResult {
  amountMinor: bigint;
  availableCode: string;
  availableId: string;
  currency: string;
  receivableCode: string;
  receivableId: string;
  version: string;
}

const listNettableIR = {"statement":"select a.id::text as \"availableId\" , a.code as \"availableCode\" , r.id::text as \"receivableId\" ,\n       r.code as \"receivableCode\" , r.currency as \"currency\" , rb.version::text as \"version\" ,\n       least(rb.debits - rb.credits, ab.credits - ab.debits - ab.held) as \"amountMinor\" \nfrom ledger.accounts r\njoin ledger.balances rb on rb.account_id = r.id\njoin ledger.accounts a\n  on a.code = regexp_replace(r.code, ':receivable$', ':available') and a.currency = r.currency and a.tenant = r.tenant\njoin ledger.balances ab on ab.account_id = a.id\nwhere r.code like 'seller:%:receivable' and r.tenant = :tenant! and r.id > :after!::bigint\n  and rb.debits > rb.credits and ab.credits - ab.debits - ab.held > 0\norder by r.id\nlimit :limit!::integer","params":[{"name":"tenant","locs":[{"a":596,"b":604}]},{"name":"after","locs":[{"a":616,"b":623}]},{"name":"limit","locs":[{"a":722,"b":729}]}]};

/**
 * Query generated from SQL:
 * ```
 * select a.id::text as "availableId!", a.code as "availableCode!", r.id::text as "receivableId!",
 *        r.code as "receivableCode!", r.currency as "currency!", rb.version::text as "version!",
 *        least(rb.debits - rb.credits, ab.credits - ab.debits - ab.held) as "amountMinor!"
 * from ledger.accounts r
 * join ledger.balances rb on rb.account_id = r.id
 * join ledger.accounts a
 *   on a.code = regexp_replace(r.code, ':receivable$', ':available') and a.currency = r.currency and a.tenant = r.tenant
 * join ledger.balances ab on ab.account_id = a.id
 * where r.code like 'seller:%:receivable' and r.tenant = :tenant! and r.id > :after!::bigint
 *   and rb.debits > rb.credits and ab.credits - ab.debits - ab.held > 0
 * order by r.id
 * limit :limit!::integer                                                                                              
 * ```
 */
export const listNettable = new PreparedStatement<ListNettableParams, ListNettableResult>("ledger.listNettable", listNettableIR);

/** 'ListReferencesOfKinds' parameters type */
export interface ListReferencesOfKindsParams {
  after: bigint;
  kinds: stringArray;
  limit: number;
  tenant: string;
}

/** 'ListReferencesOfKinds' return type */
export interface ListReferencesOfKindsResult {
  id: bigint;
  kind: string;
  reference: string;
}

const listReferencesOfKindsIR = {"statement":"select id as \"id\" , kind as \"kind\" , reference as \"reference\" \nfrom ledger.transactions\nwhere tenant = :tenant! and id > :after!::bigint and kind = any(:kinds!::text[])\norder by id\nlimit :limit!::integer","params":[{"name":"tenant","locs":[{"a":103,"b":111}]},{"name":"after","locs":[{"a":121,"b":128}]},{"name":"kinds","locs":[{"a":152,"b":159}]},{"name":"limit","locs":[{"a":187,"b":194}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!", kind as "kind!", reference as "reference!"
 * from ledger.transactions
 * where tenant = :tenant! and id > :after!::bigint and kind = any(:kinds!::text[])
 * order by id
 * limit :limit!::integer
 * ```
 */
export const listReferencesOfKinds = new PreparedStatement<ListReferencesOfKindsParams, ListReferencesOfKindsResult>("ledger.listReferencesOfKinds", listReferencesOfKindsIR);

/** 'SetAccountFloor' parameters type */
export interface SetAccountFloorParams {
  account: string;
  currency: string;
  floorMinor: bigint;
  reason: string;
  tenant: string;
}

/** 'SetAccountFloor' return type */
export interface SetAccountFloorResult {
  accountId: bigint;
}

const setAccountFloorIR = {"statement":"select ledger.set_floor(:tenant!, :account!, :currency!, :floorMinor!::bigint, :reason!) as \"accountId\"","params":[{"name":"tenant","locs":[{"a":24,"b":32}]},{"name":"account","locs":[{"a":34,"b":43}]},{"name":"currency","locs":[{"a":45,"b":55}]},{"name":"floorMinor","locs":[{"a":57,"b":69}]},{"name":"reason","locs":[{"a":79,"b":87}]}]};

/**
 * Query generated from SQL:
 * ```
 * select ledger.set_floor(:tenant!, :account!, :currency!, :floorMinor!::bigint, :reason!) as "accountId!"
 * ```
 */
export const setAccountFloor = new PreparedStatement<SetAccountFloorParams, SetAccountFloorResult>("ledger.setAccountFloor", setAccountFloorIR);
