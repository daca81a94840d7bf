/** Types generated for queries found in "src/modules/ledger/persistence/chain.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type bigintArray = readonly (bigint | null)[];

/** 'ChainSeals' parameters type */
export interface ChainSealsParams {
  from: bigint;
  page: number;
}

/** 'ChainSeals' return type */
export interface ChainSealsResult {
  batches: string;
  hash: Buffer;
  isList: boolean;
  marksDigest: Buffer;
  number: bigint;
  previous: Buffer;
  rows: number;
  sealedAt: string;
}

const chainSealsIR = {"statement":"select number as \"number\" , array_to_string(batches, ',', 'none') as \"batches\" ,\n       coalesce(array_ndims(batches) = 1 and array_lower(batches, 1) = 1, false) as \"isList\" , rows as \"rows\" ,\n       extract(epoch from sealed_at) as \"sealedAt\" , previous as \"previous\" ,\n       hash as \"hash\" , sha256(marks) as \"marksDigest\" \nfrom ledger.seals\nwhere number >= :from!::bigint\norder by number\nlimit :page!::integer","params":[{"name":"from","locs":[{"a":361,"b":367}]},{"name":"page","locs":[{"a":398,"b":404}]}]};

/**
 * Query generated from SQL:
 * ```
 * select number as "number!", array_to_string(batches, ',', 'none') as "batches!",
 *        coalesce(array_ndims(batches) = 1 and array_lower(batches, 1) = 1, false) as "isList!", rows as "rows!",
 *        extract(epoch from sealed_at) as "sealedAt!", previous as "previous!",
 *        hash as "hash!", sha256(marks) as "marksDigest!"
 * from ledger.seals
 * where number >= :from!::bigint
 * order by number
 * limit :page!::integer
 * ```
 */
export const chainSeals = new PreparedStatement<ChainSealsParams, ChainSealsResult>("ledger.chainSeals", chainSealsIR);

/** 'ChainMarks' parameters type */
export interface ChainMarksParams {
  number: bigint;
}

/** 'ChainMarks' return type */
export interface ChainMarksResult {
  marks: Buffer;
}

const chainMarksIR = {"statement":"select marks as \"marks\"  from ledger.seals where number = :number!::bigint","params":[{"name":"number","locs":[{"a":58,"b":66}]}]};

/**
 * Query generated from SQL:
 * ```
 * select marks as "marks!" from ledger.seals where number = :number!::bigint
 * ```
 */
export const chainMarks = new PreparedStatement<ChainMarksParams, ChainMarksResult>("ledger.chainMarks", chainMarksIR);

/** 'ChainBatches' parameters type */
export interface ChainBatchesParams {
  batchIds: bigintArray;
}

/** 'ChainBatches' return type */
export interface ChainBatchesResult {
  id: bigint;
  postedAt: string;
}

const chainBatchesIR = {"statement":"select b.id as \"id\" , extract(epoch from b.posted_at) as \"postedAt\" \nfrom unnest(:batchIds!::bigint[]) as r (id) join ledger.batches b on b.id = r.id\norder by b.id","params":[{"name":"batchIds","locs":[{"a":81,"b":91}]}]};

/**
 * Query generated from SQL:
 * ```
 * select b.id as "id!", extract(epoch from b.posted_at) as "postedAt!"
 * from unnest(:batchIds!::bigint[]) as r (id) join ledger.batches b on b.id = r.id
 * order by b.id
 * ```
 */
export const chainBatches = new PreparedStatement<ChainBatchesParams, ChainBatchesResult>("ledger.chainBatches", chainBatchesIR);

/** 'ChainAccounts' parameters type */
export interface ChainAccountsParams {
  batchIds: bigintArray;
}

/** 'ChainAccounts' return type */
export interface ChainAccountsResult {
  code: string;
  currency: string;
  floored: boolean;
  id: bigint;
  normalSide: string;
  tenant: string;
}

const chainAccountsIR = {"statement":"select a.id as \"id\" , a.tenant as \"tenant\" , a.code as \"code\" , a.currency as \"currency\" ,\n       a.normal_side as \"normalSide\" , a.floored as \"floored\" \nfrom unnest(:batchIds!::bigint[]) as r (id)\njoin ledger.accounts a on a.id between r.id * 65536 and r.id * 65536 + 65535\norder by a.id","params":[{"name":"batchIds","locs":[{"a":166,"b":176}]}]};

/**
 * Query generated from SQL:
 * ```
 * select a.id as "id!", a.tenant as "tenant!", a.code as "code!", a.currency as "currency!",
 *        a.normal_side as "normalSide!", a.floored as "floored!"
 * from unnest(:batchIds!::bigint[]) as r (id)
 * join ledger.accounts a on a.id between r.id * 65536 and r.id * 65536 + 65535
 * order by a.id
 * ```
 */
export const chainAccounts = new PreparedStatement<ChainAccountsParams, ChainAccountsResult>("ledger.chainAccounts", chainAccountsIR);

/** 'ChainTransactions' parameters type */
export interface ChainTransactionsParams {
  batchIds: bigintArray;
}

/** 'ChainTransactions' return type */
export interface ChainTransactionsResult {
  effectiveAt: string | null;
  externalId: string | null;
  id: bigint;
  postedAt: string;
  reference: string;
  tenant: string;
  type: string;
}

const chainTransactionsIR = {"statement":"select t.id as \"id\" , t.tenant as \"tenant\" , t.kind as \"type\" , t.reference as \"reference\" ,\n       t.external_id as \"externalId\",\n       extract(epoch from t.posted_at) as \"postedAt\" ,\n       extract(epoch from t.effective_at) as \"effectiveAt\"\nfrom unnest(:batchIds!::bigint[]) as r (id)\njoin ledger.transactions t on t.id between r.id * 65536 and r.id * 65536 + 65535\norder by t.id","params":[{"name":"batchIds","locs":[{"a":257,"b":267}]}]};

/**
 * Query generated from SQL:
 * ```
 * select t.id as "id!", t.tenant as "tenant!", t.kind as "type!", t.reference as "reference!",
 *        t.external_id as "externalId",
 *        extract(epoch from t.posted_at) as "postedAt!",
 *        extract(epoch from t.effective_at) as "effectiveAt"
 * from unnest(:batchIds!::bigint[]) as r (id)
 * join ledger.transactions t on t.id between r.id * 65536 and r.id * 65536 + 65535
 * order by t.id
 * ```
 */
export const chainTransactions = new PreparedStatement<ChainTransactionsParams, ChainTransactionsResult>("ledger.chainTransactions", chainTransactionsIR);

/** 'ChainEntries' parameters type */
export interface ChainEntriesParams {
  batchIds: bigintArray;
}

/** 'ChainEntries' return type */
export interface ChainEntriesResult {
  accountId: bigint;
  amount: bigint;
  balance: bigint;
  currency: string;
  effectiveAt: string | null;
  id: bigint;
  leg: number;
  postedAt: string;
  version: bigint;
}

const chainEntriesIR = {"statement":"select e.transaction_id as \"id\" , e.leg as \"leg\" , e.account_id as \"accountId\" , e.version as \"version\" ,\n       e.amount as \"amount\" , e.balance as \"balance\" , e.currency as \"currency\" ,\n       extract(epoch from e.posted_at) as \"postedAt\" ,\n       extract(epoch from e.effective_at) as \"effectiveAt\"\nfrom unnest(:batchIds!::bigint[]) as r (id)\njoin ledger.entries e on e.transaction_id between r.id * 65536 and r.id * 65536 + 65535\norder by e.transaction_id, e.leg","params":[{"name":"batchIds","locs":[{"a":314,"b":324}]}]};

/**
 * Query generated from SQL:
 * ```
 * select e.transaction_id as "id!", e.leg as "leg!", e.account_id as "accountId!", e.version as "version!",
 *        e.amount as "amount!", e.balance as "balance!", e.currency as "currency!",
 *        extract(epoch from e.posted_at) as "postedAt!",
 *        extract(epoch from e.effective_at) as "effectiveAt"
 * from unnest(:batchIds!::bigint[]) as r (id)
 * join ledger.entries e on e.transaction_id between r.id * 65536 and r.id * 65536 + 65535
 * order by e.transaction_id, e.leg
 * ```
 */
export const chainEntries = new PreparedStatement<ChainEntriesParams, ChainEntriesResult>("ledger.chainEntries", chainEntriesIR);

/** 'ChainHolds' parameters type */
export interface ChainHoldsParams {
  batchIds: bigintArray;
}

/** 'ChainHolds' return type */
export interface ChainHoldsResult {
  accountId: bigint;
  amount: bigint;
  expiresAt: string | null;
  heldAt: string;
  id: bigint;
  reference: string;
  tenant: string;
}

const chainHoldsIR = {"statement":"select h.id as \"id\" , h.tenant as \"tenant\" , h.reference as \"reference\" , h.account_id as \"accountId\" ,\n       h.amount as \"amount\" , extract(epoch from h.held_at) as \"heldAt\" ,\n       extract(epoch from h.expires_at) as \"expiresAt\"\nfrom unnest(:batchIds!::bigint[]) as r (id)\njoin ledger.holds h on h.id between r.id * 65536 and r.id * 65536 + 65535\norder by h.id","params":[{"name":"batchIds","locs":[{"a":245,"b":255}]}]};

/**
 * Query generated from SQL:
 * ```
 * select h.id as "id!", h.tenant as "tenant!", h.reference as "reference!", h.account_id as "accountId!",
 *        h.amount as "amount!", extract(epoch from h.held_at) as "heldAt!",
 *        extract(epoch from h.expires_at) as "expiresAt"
 * from unnest(:batchIds!::bigint[]) as r (id)
 * join ledger.holds h on h.id between r.id * 65536 and r.id * 65536 + 65535
 * order by h.id
 * ```
 */
export const chainHolds = new PreparedStatement<ChainHoldsParams, ChainHoldsResult>("ledger.chainHolds", chainHoldsIR);

/** 'ChainResolutions' parameters type */
export interface ChainResolutionsParams {
  batchIds: bigintArray;
}

/** 'ChainResolutions' return type */
export interface ChainResolutionsResult {
  batchId: bigint;
  id: bigint;
  resolution: string;
  transactionId: bigint | null;
}

const chainResolutionsIR = {"statement":"select x.hold_id as \"id\" , x.resolution as \"resolution\" , x.transaction_id as \"transactionId\", x.batch_id as \"batchId\" \nfrom unnest(:batchIds!::bigint[]) as r (id) join ledger.hold_resolutions x on x.batch_id = r.id\norder by x.hold_id","params":[{"name":"batchIds","locs":[{"a":132,"b":142}]}]};

/**
 * Query generated from SQL:
 * ```
 * select x.hold_id as "id!", x.resolution as "resolution!", x.transaction_id as "transactionId", x.batch_id as "batchId!"
 * from unnest(:batchIds!::bigint[]) as r (id) join ledger.hold_resolutions x on x.batch_id = r.id
 * order by x.hold_id
 * ```
 */
export const chainResolutions = new PreparedStatement<ChainResolutionsParams, ChainResolutionsResult>("ledger.chainResolutions", chainResolutionsIR);

/** 'ChainFloorChanges' parameters type */
export interface ChainFloorChangesParams {
  batchIds: bigintArray;
}

/** 'ChainFloorChanges' return type */
export interface ChainFloorChangesResult {
  accountId: bigint;
  changedAt: string;
  changedBy: string;
  floor: bigint;
  id: bigint;
  reason: string;
}

const chainFloorChangesIR = {"statement":"select f.id as \"id\" , f.account_id as \"accountId\" , f.floor as \"floor\" , f.reason as \"reason\" ,\n       f.changed_by as \"changedBy\" ,\n       extract(epoch from f.changed_at) as \"changedAt\" \nfrom unnest(:batchIds!::bigint[]) as r (id)\njoin ledger.floor_changes f on f.id between r.id * 65536 and r.id * 65536 + 65535\norder by f.id","params":[{"name":"batchIds","locs":[{"a":201,"b":211}]}]};

/**
 * Query generated from SQL:
 * ```
 * select f.id as "id!", f.account_id as "accountId!", f.floor as "floor!", f.reason as "reason!",
 *        f.changed_by as "changedBy!",
 *        extract(epoch from f.changed_at) as "changedAt!"
 * from unnest(:batchIds!::bigint[]) as r (id)
 * join ledger.floor_changes f on f.id between r.id * 65536 and r.id * 65536 + 65535
 * order by f.id                                                          
 * ```
 */
export const chainFloorChanges = new PreparedStatement<ChainFloorChangesParams, ChainFloorChangesResult>("ledger.chainFloorChanges", chainFloorChangesIR);

/** 'ChainAccountCode' parameters type */
export interface ChainAccountCodeParams {
  id: bigint;
}

/** 'ChainAccountCode' return type */
export interface ChainAccountCodeResult {
  code: string;
}

const chainAccountCodeIR = {"statement":"select code as \"code\"  from ledger.accounts where id = :id!::bigint","params":[{"name":"id","locs":[{"a":55,"b":59}]}]};

/**
 * Query generated from SQL:
 * ```
 * select code as "code!" from ledger.accounts where id = :id!::bigint
 * ```
 */
export const chainAccountCode = new PreparedStatement<ChainAccountCodeParams, ChainAccountCodeResult>("ledger.chainAccountCode", chainAccountCodeIR);
