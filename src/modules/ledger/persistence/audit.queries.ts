/** Types generated for queries found in "src/modules/ledger/persistence/audit.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

/** 'SealOldestBatches' parameters type */
export interface SealOldestBatchesParams {
  mostBatches: number;
}

/** 'SealOldestBatches' return type */
export interface SealOldestBatchesResult {
  batches: number;
  hash: string;
  number: bigint;
}

const sealOldestBatchesIR = {"statement":"select number as \"number\" , encode(hash, 'hex') as \"hash\" , cardinality(batches) as \"batches\" \nfrom ledger.seal(:mostBatches!::integer)","params":[{"name":"mostBatches","locs":[{"a":112,"b":125}]}]};

/**
 * Query generated from SQL:
 * ```
 * select number as "number!", encode(hash, 'hex') as "hash!", cardinality(batches) as "batches!"
 * from ledger.seal(:mostBatches!::integer)
 * ```
 */
export const sealOldestBatches = new PreparedStatement<SealOldestBatchesParams, SealOldestBatchesResult>("ledger.sealOldestBatches", sealOldestBatchesIR);

/** 'ReadLatestSeal' parameters type */
export type ReadLatestSealParams = void;

/** 'ReadLatestSeal' return type */
export interface ReadLatestSealResult {
  hash: string;
  number: bigint;
  sealedAt: Date;
}

const readLatestSealIR = {"statement":"select number as \"number\" , encode(hash, 'hex') as \"hash\" , sealed_at as \"sealedAt\" \nfrom ledger.seals\norder by number desc\nlimit 1","params":[]};

/**
 * Query generated from SQL:
 * ```
 * select number as "number!", encode(hash, 'hex') as "hash!", sealed_at as "sealedAt!"
 * from ledger.seals
 * order by number desc
 * limit 1
 * ```
 */
export const readLatestSeal = new PreparedStatement<ReadLatestSealParams, ReadLatestSealResult>("ledger.readLatestSeal", readLatestSealIR);

/** 'AuditCurrencies' parameters type */
export type AuditCurrenciesParams = void;

/** 'AuditCurrencies' return type */
export interface AuditCurrenciesResult {
  code: string;
  exponent: number;
}

const auditCurrenciesIR = {"statement":"select code as \"code\" , exponent as \"exponent\"  from ledger.currencies","params":[]};

/**
 * Query generated from SQL:
 * ```
 * select code as "code!", exponent as "exponent!" from ledger.currencies
 * ```
 */
export const auditCurrencies = new PreparedStatement<AuditCurrenciesParams, AuditCurrenciesResult>("ledger.auditCurrencies", auditCurrenciesIR);

/** 'AuditChart' parameters type */
export type AuditChartParams = void;

/** 'AuditChart' return type */
export interface AuditChartResult {
  floor: bigint | null;
  normalSide: string;
  pattern: string;
}

const auditChartIR = {"statement":"select pattern as \"pattern\" , normal_side as \"normalSide\" , floor from ledger.chart","params":[]};

/**
 * Query generated from SQL:
 * ```
 * select pattern as "pattern!", normal_side as "normalSide!", floor from ledger.chart                                                                                                                                                     
 * ```
 */
export const auditChart = new PreparedStatement<AuditChartParams, AuditChartResult>("ledger.auditChart", auditChartIR);

/** 'AuditSizes' parameters type */
export type AuditSizesParams = void;

/** 'AuditSizes' return type */
export interface AuditSizesResult {
  accounts: bigint;
  entries: string;
  holds: bigint;
  sealedRows: string;
  transactions: bigint;
}

const auditSizesIR = {"statement":"select coalesce((select sum(b.version) from ledger.balances b), 0)::text as \"entries\" ,\n       coalesce((select sum(s.rows) from ledger.seals s), 0)::text as \"sealedRows\" ,\n       greatest((select reltuples from pg_class where oid = 'ledger.transactions'::regclass), 0)::bigint\n         as \"transactions\" ,\n       greatest((select reltuples from pg_class where oid = 'ledger.accounts'::regclass), 0)::bigint as \"accounts\" ,\n       greatest((select reltuples from pg_class where oid = 'ledger.holds'::regclass), 0)::bigint as \"holds\"","params":[]};

/**
 * Query generated from SQL:
 * ```
 * select coalesce((select sum(b.version) from ledger.balances b), 0)::text as "entries!",
 *        coalesce((select sum(s.rows) from ledger.seals s), 0)::text as "sealedRows!",
 *        greatest((select reltuples from pg_class where oid = 'ledger.transactions'::regclass), 0)::bigint
 *          as "transactions!",
 *        greatest((select reltuples from pg_class where oid = 'ledger.accounts'::regclass), 0)::bigint as "accounts!",
 *        greatest((select reltuples from pg_class where oid = 'ledger.holds'::regclass), 0)::bigint as "holds!"                                                                                                                                                                                                                                     
 * ```
 */
export const auditSizes = new PreparedStatement<AuditSizesParams, AuditSizesResult>("ledger.auditSizes", auditSizesIR);

/** 'AuditTransactionEdge' parameters type */
export interface AuditTransactionEdgeParams {
  from: bigint;
  page: number;
}

/** 'AuditTransactionEdge' return type */
export interface AuditTransactionEdgeResult {
  last: bigint | null;
  rows: bigint;
}

const auditTransactionEdgeIR = {"statement":"select count(*) as \"rows\" , max(p.id) as \"last\"\nfrom (select id from ledger.transactions where id >= :from!::bigint order by id limit :page!::integer) p","params":[{"name":"from","locs":[{"a":101,"b":107}]},{"name":"page","locs":[{"a":134,"b":140}]}]};

/**
 * Query generated from SQL:
 * ```
 * select count(*) as "rows!", max(p.id) as "last"
 * from (select id from ledger.transactions where id >= :from!::bigint order by id limit :page!::integer) p
 * ```
 */
export const auditTransactionEdge = new PreparedStatement<AuditTransactionEdgeParams, AuditTransactionEdgeResult>("ledger.auditTransactionEdge", auditTransactionEdgeIR);

/** 'AuditTransactions' parameters type */
export interface AuditTransactionsParams {
  from: bigint;
  most: number;
  through: bigint;
}

/** 'AuditTransactions' return type */
export interface AuditTransactionsResult {
  batchDiffers: boolean | null;
  batchMissing: boolean;
  differences: string | null;
  effectiveDiffers: boolean | null;
  id: bigint;
  legs: string;
  legsHaveGap: boolean;
  missing: boolean;
  postedDiffers: boolean | null;
  reference: string | null;
}

const auditTransactionsIR = {"statement":"with legs as (\n  select e.transaction_id, e.currency, sum(e.amount) as difference, count(*) as legs, min(e.leg) as first_leg,\n         max(e.leg) as last_leg, min(e.posted_at) as first_posted, max(e.posted_at) as last_posted,\n         min(e.effective_at) as first_effective, max(e.effective_at) as last_effective,\n         count(e.effective_at) as effective\n  from ledger.entries e\n  where e.transaction_id between :from!::bigint and :through!::bigint\n  group by e.transaction_id, e.currency\n),\nfolded as (\n  select l.transaction_id, sum(l.legs) as legs, min(l.first_leg) as first_leg, max(l.last_leg) as last_leg,\n         min(l.first_posted) as first_posted, max(l.last_posted) as last_posted,\n         min(l.first_effective) as first_effective, max(l.last_effective) as last_effective,\n         sum(l.effective) as effective,\n         string_agg(l.difference || ' ' || l.currency, ', ') filter (where l.difference <> 0) as differences\n  from legs l\n  group by l.transaction_id\n),\njudged as (\n  select coalesce(t.id, f.transaction_id) as id, t.reference, t.id is null as missing, f.differences,\n         coalesce(f.legs, 0) as legs,\n         f.legs is not null and (f.first_leg <> 1 or f.last_leg <> f.legs) as legs_have_gap,\n         t.posted_at <> f.first_posted or t.posted_at <> f.last_posted as posted_differs,\n         t.effective_at is distinct from f.first_effective or t.effective_at is distinct from f.last_effective\n           or f.effective not in (0, f.legs) as effective_differs,\n         b.id is null as batch_missing,\n         b.posted_at <> t.posted_at as batch_differs\n  from (select * from ledger.transactions where id between :from and :through) t\n  full join folded f on f.transaction_id = t.id\n  left join ledger.batches b on b.id = coalesce(t.id, f.transaction_id) >> 16\n)\nselect id as \"id\" , reference as \"reference\" , missing as \"missing\" , differences, legs::text as \"legs\" ,\n       legs_have_gap as \"legsHaveGap\" , posted_differs as \"postedDiffers\", effective_differs as \"effectiveDiffers\",\n       batch_missing as \"batchMissing\" , batch_differs as \"batchDiffers\"\nfrom judged\nwhere missing or differences is not null or legs < 2 or legs_have_gap or posted_differs or effective_differs\n  or batch_missing or batch_differs\norder by id\nlimit :most!::integer","params":[{"name":"from","locs":[{"a":415,"b":421},{"a":1648,"b":1653}]},{"name":"through","locs":[{"a":434,"b":443},{"a":1658,"b":1666}]},{"name":"most","locs":[{"a":2268,"b":2274}]}]};

/**
 * Query generated from SQL:
 * ```
 * with legs as (
 *   select e.transaction_id, e.currency, sum(e.amount) as difference, count(*) as legs, min(e.leg) as first_leg,
 *          max(e.leg) as last_leg, min(e.posted_at) as first_posted, max(e.posted_at) as last_posted,
 *          min(e.effective_at) as first_effective, max(e.effective_at) as last_effective,
 *          count(e.effective_at) as effective
 *   from ledger.entries e
 *   where e.transaction_id between :from!::bigint and :through!::bigint
 *   group by e.transaction_id, e.currency
 * ),
 * folded as (
 *   select l.transaction_id, sum(l.legs) as legs, min(l.first_leg) as first_leg, max(l.last_leg) as last_leg,
 *          min(l.first_posted) as first_posted, max(l.last_posted) as last_posted,
 *          min(l.first_effective) as first_effective, max(l.last_effective) as last_effective,
 *          sum(l.effective) as effective,
 *          string_agg(l.difference || ' ' || l.currency, ', ') filter (where l.difference <> 0) as differences
 *   from legs l
 *   group by l.transaction_id
 * ),
 * judged as (
 *   select coalesce(t.id, f.transaction_id) as id, t.reference, t.id is null as missing, f.differences,
 *          coalesce(f.legs, 0) as legs,
 *          f.legs is not null and (f.first_leg <> 1 or f.last_leg <> f.legs) as legs_have_gap,
 *          t.posted_at <> f.first_posted or t.posted_at <> f.last_posted as posted_differs,
 *          t.effective_at is distinct from f.first_effective or t.effective_at is distinct from f.last_effective
 *            or f.effective not in (0, f.legs) as effective_differs,
 *          b.id is null as batch_missing,
 *          b.posted_at <> t.posted_at as batch_differs
 *   from (select * from ledger.transactions where id between :from and :through) t
 *   full join folded f on f.transaction_id = t.id
 *   left join ledger.batches b on b.id = coalesce(t.id, f.transaction_id) >> 16
 * )
 * select id as "id!", reference as "reference?", missing as "missing!", differences, legs::text as "legs!",
 *        legs_have_gap as "legsHaveGap!", posted_differs as "postedDiffers", effective_differs as "effectiveDiffers",
 *        batch_missing as "batchMissing!", batch_differs as "batchDiffers"
 * from judged
 * where missing or differences is not null or legs < 2 or legs_have_gap or posted_differs or effective_differs
 *   or batch_missing or batch_differs
 * order by id
 * limit :most!::integer
 * ```
 */
export const auditTransactions = new PreparedStatement<AuditTransactionsParams, AuditTransactionsResult>("ledger.auditTransactions", auditTransactionsIR);

/** 'AuditEntryEdge' parameters type */
export interface AuditEntryEdgeParams {
  accountId: bigint;
  page: number;
  version: bigint;
}

/** 'AuditEntryEdge' return type */
export interface AuditEntryEdgeResult {
  accountId: bigint;
  rows: bigint;
  version: bigint;
}

const auditEntryEdgeIR = {"statement":"with page as materialized (\n  select account_id, version from ledger.entries\n  where (account_id, version) > (:accountId!::bigint, :version!::bigint)\n  order by account_id, version\n  limit :page!::integer\n)\nselect (select count(*) from page) as \"rows\" , account_id as \"accountId\" , version as \"version\" \nfrom page\norder by account_id desc, version desc\nlimit 1","params":[{"name":"accountId","locs":[{"a":110,"b":121}]},{"name":"version","locs":[{"a":131,"b":140}]},{"name":"page","locs":[{"a":189,"b":195}]}]};

/**
 * Query generated from SQL:
 * ```
 * with page as materialized (
 *   select account_id, version from ledger.entries
 *   where (account_id, version) > (:accountId!::bigint, :version!::bigint)
 *   order by account_id, version
 *   limit :page!::integer
 * )
 * select (select count(*) from page) as "rows!", account_id as "accountId!", version as "version!"
 * from page
 * order by account_id desc, version desc
 * limit 1                                                                                                                                                                                                                                                                                 
 * ```
 */
export const auditEntryEdge = new PreparedStatement<AuditEntryEdgeParams, AuditEntryEdgeResult>("ledger.auditEntryEdge", auditEntryEdgeIR);

/** 'AuditFold' parameters type */
export interface AuditFoldParams {
  accountId: bigint;
  lastAccountId: bigint;
  lastVersion: bigint;
  version: bigint;
}

/** 'AuditFold' return type */
export interface AuditFoldResult {
  accountId: bigint;
  balanceCredits: bigint | null;
  balanceDebits: bigint | null;
  balanceVersion: bigint | null;
  code: string | null;
  credits: string;
  debits: string;
  entries: bigint;
  hasBalance: boolean;
  postedSame: boolean;
  rightEntries: boolean;
  version: bigint;
}

const auditFoldIR = {"statement":"with stepped as (\n  select e.account_id, e.version, e.amount, e.balance, e.currency, e.posted_at,\n         e.version::numeric - coalesce(lag(e.version) over account, 0) as step,\n         e.balance::numeric - coalesce(lag(e.balance) over account, 0) as change,\n         lag(e.posted_at) over account as posted_before\n  from ledger.entries e\n  where (e.account_id, e.version) >= (:accountId!::bigint, :version!::bigint)\n    and (e.account_id, e.version) <= (:lastAccountId!::bigint, :lastVersion!::bigint)\n  window account as (partition by e.account_id order by e.version)\n),\nfolded as (\n  select s.account_id, count(*) as entries, max(s.version) as version, max(s.posted_at) as posted_at,\n         coalesce(sum(s.amount) filter (where s.amount > 0), 0) as debits,\n         coalesce(-sum(s.amount) filter (where s.amount < 0), 0) as credits,\n         bool_and(s.change = s.amount) as rises_with_debits, bool_and(s.change = -s.amount) as rises_with_credits,\n         bool_and(s.step = 1 and (s.posted_before is null or s.posted_before <= s.posted_at)) as in_order,\n         min(s.currency collate \"C\") as first_currency, max(s.currency collate \"C\") as last_currency\n  from stepped s\n  where (s.account_id, s.version) > (:accountId, :version)\n  group by s.account_id\n),\njudged as (\n  select f.*, a.code, b.account_id is not null as has_balance, b.debits as balance_debits,\n         b.credits as balance_credits, b.version as balance_version, b.posted_at as balance_posted_at,\n         f.posted_at is not distinct from b.posted_at as posted_same,\n         coalesce(\n           case a.normal_side when 'debit' then f.rises_with_debits else f.rises_with_credits end and f.in_order\n             and f.first_currency = a.currency and f.last_currency = a.currency,\n           false\n         ) as right_entries\n  from folded f\n  left join ledger.accounts a on a.id = f.account_id\n  left join ledger.balances b on b.account_id = f.account_id\n)\nselect account_id as \"accountId\" , code as \"code\" , entries as \"entries\" , version as \"version\" ,\n       debits::text as \"debits\" , credits::text as \"credits\" , right_entries as \"rightEntries\" ,\n       has_balance as \"hasBalance\" , balance_debits as \"balanceDebits\" , balance_credits as \"balanceCredits\" ,\n       balance_version as \"balanceVersion\" , posted_same as \"postedSame\" \nfrom judged\nwhere not right_entries or account_id in (:accountId, :lastAccountId) or not has_balance\n  or debits <> balance_debits or credits <> balance_credits or version <> balance_version or not posted_same\norder by account_id","params":[{"name":"accountId","locs":[{"a":378,"b":389},{"a":1217,"b":1227},{"a":2366,"b":2376}]},{"name":"version","locs":[{"a":399,"b":408},{"a":1229,"b":1237}]},{"name":"lastAccountId","locs":[{"a":456,"b":471},{"a":2378,"b":2392}]},{"name":"lastVersion","locs":[{"a":481,"b":494}]}]};

/**
 * Query generated from SQL:
 * ```
 * with stepped as (
 *   select e.account_id, e.version, e.amount, e.balance, e.currency, e.posted_at,
 *          e.version::numeric - coalesce(lag(e.version) over account, 0) as step,
 *          e.balance::numeric - coalesce(lag(e.balance) over account, 0) as change,
 *          lag(e.posted_at) over account as posted_before
 *   from ledger.entries e
 *   where (e.account_id, e.version) >= (:accountId!::bigint, :version!::bigint)
 *     and (e.account_id, e.version) <= (:lastAccountId!::bigint, :lastVersion!::bigint)
 *   window account as (partition by e.account_id order by e.version)
 * ),
 * folded as (
 *   select s.account_id, count(*) as entries, max(s.version) as version, max(s.posted_at) as posted_at,
 *          coalesce(sum(s.amount) filter (where s.amount > 0), 0) as debits,
 *          coalesce(-sum(s.amount) filter (where s.amount < 0), 0) as credits,
 *          bool_and(s.change = s.amount) as rises_with_debits, bool_and(s.change = -s.amount) as rises_with_credits,
 *          bool_and(s.step = 1 and (s.posted_before is null or s.posted_before <= s.posted_at)) as in_order,
 *          min(s.currency collate "C") as first_currency, max(s.currency collate "C") as last_currency
 *   from stepped s
 *   where (s.account_id, s.version) > (:accountId, :version)
 *   group by s.account_id
 * ),
 * judged as (
 *   select f.*, a.code, b.account_id is not null as has_balance, b.debits as balance_debits,
 *          b.credits as balance_credits, b.version as balance_version, b.posted_at as balance_posted_at,
 *          f.posted_at is not distinct from b.posted_at as posted_same,
 *          coalesce(
 *            case a.normal_side when 'debit' then f.rises_with_debits else f.rises_with_credits end and f.in_order
 *              and f.first_currency = a.currency and f.last_currency = a.currency,
 *            false
 *          ) as right_entries
 *   from folded f
 *   left join ledger.accounts a on a.id = f.account_id
 *   left join ledger.balances b on b.account_id = f.account_id
 * )
 * select account_id as "accountId!", code as "code?", entries as "entries!", version as "version!",
 *        debits::text as "debits!", credits::text as "credits!", right_entries as "rightEntries!",
 *        has_balance as "hasBalance!", balance_debits as "balanceDebits?", balance_credits as "balanceCredits?",
 *        balance_version as "balanceVersion?", posted_same as "postedSame!"
 * from judged
 * where not right_entries or account_id in (:accountId, :lastAccountId) or not has_balance
 *   or debits <> balance_debits or credits <> balance_credits or version <> balance_version or not posted_same
 * order by account_id                                                                                                
 * ```
 */
export const auditFold = new PreparedStatement<AuditFoldParams, AuditFoldResult>("ledger.auditFold", auditFoldIR);

/** 'AuditFaultyEntries' parameters type */
export interface AuditFaultyEntriesParams {
  accountId: bigint;
  lastAccountId: bigint;
  lastVersion: bigint;
  most: number;
  version: bigint;
}

/** 'AuditFaultyEntries' return type */
export interface AuditFaultyEntriesResult {
  accountId: bigint;
  accountMissing: boolean;
  code: string | null;
  gap: boolean;
  leg: number;
  step: string;
  tooEarly: boolean | null;
  transactionId: bigint;
  version: bigint;
  wrongBalance: boolean | null;
  wrongCurrency: boolean | null;
}

const auditFaultyEntriesIR = {"statement":"with stepped as (\n  select e.account_id, e.version, e.transaction_id, e.leg, e.amount, e.balance, e.currency, e.posted_at,\n         e.version::numeric - coalesce(lag(e.version) over account, 0) as step,\n         e.balance::numeric - coalesce(lag(e.balance) over account, 0) as change,\n         lag(e.posted_at) over account as posted_before\n  from ledger.entries e\n  where (e.account_id, e.version) >= (:accountId!::bigint, :version!::bigint)\n    and (e.account_id, e.version) <= (:lastAccountId!::bigint, :lastVersion!::bigint)\n  window account as (partition by e.account_id order by e.version)\n),\njudged as (\n  select s.*, a.code, a.id is null as account_missing, s.step <> 1 as gap,\n         s.change <> case a.normal_side when 'debit' then s.amount else -s.amount end as wrong_balance,\n         s.currency <> a.currency as wrong_currency, s.posted_at < s.posted_before as too_early\n  from stepped s\n  left join ledger.accounts a on a.id = s.account_id\n  where (s.account_id, s.version) > (:accountId, :version)\n)\nselect account_id as \"accountId\" , version as \"version\" , transaction_id as \"transactionId\" , leg as \"leg\" ,\n       code as \"code\" , account_missing as \"accountMissing\" , gap as \"gap\" , step::text as \"step\" ,\n       wrong_balance as \"wrongBalance\", wrong_currency as \"wrongCurrency\", too_early as \"tooEarly\"\nfrom judged\nwhere account_missing or gap or wrong_balance or wrong_currency or too_early\norder by account_id, version\nlimit :most!::integer","params":[{"name":"accountId","locs":[{"a":403,"b":414},{"a":993,"b":1003}]},{"name":"version","locs":[{"a":424,"b":433},{"a":1005,"b":1013}]},{"name":"lastAccountId","locs":[{"a":481,"b":496}]},{"name":"lastVersion","locs":[{"a":506,"b":519}]},{"name":"most","locs":[{"a":1449,"b":1455}]}]};

/**
 * Query generated from SQL:
 * ```
 * with stepped as (
 *   select e.account_id, e.version, e.transaction_id, e.leg, e.amount, e.balance, e.currency, e.posted_at,
 *          e.version::numeric - coalesce(lag(e.version) over account, 0) as step,
 *          e.balance::numeric - coalesce(lag(e.balance) over account, 0) as change,
 *          lag(e.posted_at) over account as posted_before
 *   from ledger.entries e
 *   where (e.account_id, e.version) >= (:accountId!::bigint, :version!::bigint)
 *     and (e.account_id, e.version) <= (:lastAccountId!::bigint, :lastVersion!::bigint)
 *   window account as (partition by e.account_id order by e.version)
 * ),
 * judged as (
 *   select s.*, a.code, a.id is null as account_missing, s.step <> 1 as gap,
 *          s.change <> case a.normal_side when 'debit' then s.amount else -s.amount end as wrong_balance,
 *          s.currency <> a.currency as wrong_currency, s.posted_at < s.posted_before as too_early
 *   from stepped s
 *   left join ledger.accounts a on a.id = s.account_id
 *   where (s.account_id, s.version) > (:accountId, :version)
 * )
 * select account_id as "accountId!", version as "version!", transaction_id as "transactionId!", leg as "leg!",
 *        code as "code?", account_missing as "accountMissing!", gap as "gap!", step::text as "step!",
 *        wrong_balance as "wrongBalance", wrong_currency as "wrongCurrency", too_early as "tooEarly"
 * from judged
 * where account_missing or gap or wrong_balance or wrong_currency or too_early
 * order by account_id, version
 * limit :most!::integer
 * ```
 */
export const auditFaultyEntries = new PreparedStatement<AuditFaultyEntriesParams, AuditFaultyEntriesResult>("ledger.auditFaultyEntries", auditFaultyEntriesIR);

/** 'AuditAccountEdge' parameters type */
export interface AuditAccountEdgeParams {
  from: bigint;
  page: number;
}

/** 'AuditAccountEdge' return type */
export interface AuditAccountEdgeResult {
  last: bigint | null;
  rows: bigint;
}

const auditAccountEdgeIR = {"statement":"select count(*) as \"rows\" , max(p.id) as \"last\"\nfrom (select id from ledger.accounts where id >= :from!::bigint order by id limit :page!::integer) p","params":[{"name":"from","locs":[{"a":97,"b":103}]},{"name":"page","locs":[{"a":130,"b":136}]}]};

/**
 * Query generated from SQL:
 * ```
 * select count(*) as "rows!", max(p.id) as "last"
 * from (select id from ledger.accounts where id >= :from!::bigint order by id limit :page!::integer) p                                                                                                                                                                                
 * ```
 */
export const auditAccountEdge = new PreparedStatement<AuditAccountEdgeParams, AuditAccountEdgeResult>("ledger.auditAccountEdge", auditAccountEdgeIR);

/** 'AuditAccounts' parameters type */
export interface AuditAccountsParams {
  from: bigint;
  most: number;
  through: bigint;
}

/** 'AuditAccounts' return type */
export interface AuditAccountsResult {
  accountMissing: boolean;
  balanceMissing: boolean;
  batchMissing: boolean;
  chartDiffers: boolean | null;
  code: string | null;
  currency: string | null;
  entriesMissing: boolean | null;
  floorDiffers: boolean;
  heldDiffers: boolean;
  id: bigint;
  notEmpty: boolean | null;
  signDiffers: boolean | null;
}

const auditAccountsIR = {"statement":"with changed as (\n  select distinct on (f.account_id) f.account_id, f.floor\n  from ledger.floor_changes f\n  where f.account_id between :from!::bigint and :through!::bigint\n  order by f.account_id, f.changed_at desc, f.id desc\n),\nheld as (\n  select h.account_id, sum(h.amount) as amount\n  from ledger.open_holds o join ledger.holds h on h.id = o.hold_id\n  where h.account_id between :from and :through\n  group by h.account_id\n),\njudged as (\n  select coalesce(a.id, b.account_id) as id, a.code, a.currency, a.id is null as account_missing,\n         b.account_id is null as balance_missing,\n         a.id is not null and (\n           c.patterns <> 1 or a.normal_side <> c.normal_side or a.floored <> c.floored\n             or a.sign <> case a.normal_side when 'debit' then 1 else -1 end\n         ) as chart_differs,\n         b.sign <> a.sign as sign_differs,\n         b.account_id is not null and b.floor is distinct from coalesce(x.floor, c.floor) as floor_differs,\n         b.account_id is not null and b.held <> coalesce(h.amount, 0) as held_differs,\n         b.version > 0 and not exists (select from ledger.entries e where e.account_id = b.account_id)\n           as entries_missing,\n         b.version = 0 and (b.debits <> 0 or b.credits <> 0 or b.posted_at is not null) as not_empty,\n         a.id is not null and n.id is null as batch_missing\n  from (select * from ledger.accounts where id between :from and :through) a\n  full join (select * from ledger.balances where account_id between :from and :through) b on b.account_id = a.id\n  left join ledger.batches n on n.id = a.id >> 16\n  left join changed x on x.account_id = a.id\n  left join held h on h.account_id = coalesce(a.id, b.account_id)\n  left join lateral (\n    select count(*) as patterns, min(c.normal_side) as normal_side, min(c.floor) as floor,\n           bool_or(c.floor is not null) as floored\n    from ledger.chart c where a.code like c.pattern\n  ) c on true\n)\nselect id as \"id\" , code as \"code\" , currency as \"currency\" , account_missing as \"accountMissing\" ,\n       balance_missing as \"balanceMissing\" , chart_differs as \"chartDiffers\", sign_differs as \"signDiffers\",\n       floor_differs as \"floorDiffers\" , held_differs as \"heldDiffers\" , entries_missing as \"entriesMissing\",\n       not_empty as \"notEmpty\", batch_missing as \"batchMissing\" \nfrom judged\nwhere account_missing or balance_missing or chart_differs or sign_differs or floor_differs or held_differs\n  or entries_missing or not_empty or batch_missing\norder by id\nlimit :most!::integer","params":[{"name":"from","locs":[{"a":135,"b":141},{"a":382,"b":387},{"a":1402,"b":1407},{"a":1492,"b":1497}]},{"name":"through","locs":[{"a":154,"b":163},{"a":392,"b":400},{"a":1412,"b":1420},{"a":1502,"b":1510}]},{"name":"most","locs":[{"a":2502,"b":2508}]}]};

/**
 * Query generated from SQL:
 * ```
 * with changed as (
 *   select distinct on (f.account_id) f.account_id, f.floor
 *   from ledger.floor_changes f
 *   where f.account_id between :from!::bigint and :through!::bigint
 *   order by f.account_id, f.changed_at desc, f.id desc
 * ),
 * held as (
 *   select h.account_id, sum(h.amount) as amount
 *   from ledger.open_holds o join ledger.holds h on h.id = o.hold_id
 *   where h.account_id between :from and :through
 *   group by h.account_id
 * ),
 * judged as (
 *   select coalesce(a.id, b.account_id) as id, a.code, a.currency, a.id is null as account_missing,
 *          b.account_id is null as balance_missing,
 *          a.id is not null and (
 *            c.patterns <> 1 or a.normal_side <> c.normal_side or a.floored <> c.floored
 *              or a.sign <> case a.normal_side when 'debit' then 1 else -1 end
 *          ) as chart_differs,
 *          b.sign <> a.sign as sign_differs,
 *          b.account_id is not null and b.floor is distinct from coalesce(x.floor, c.floor) as floor_differs,
 *          b.account_id is not null and b.held <> coalesce(h.amount, 0) as held_differs,
 *          b.version > 0 and not exists (select from ledger.entries e where e.account_id = b.account_id)
 *            as entries_missing,
 *          b.version = 0 and (b.debits <> 0 or b.credits <> 0 or b.posted_at is not null) as not_empty,
 *          a.id is not null and n.id is null as batch_missing
 *   from (select * from ledger.accounts where id between :from and :through) a
 *   full join (select * from ledger.balances where account_id between :from and :through) b on b.account_id = a.id
 *   left join ledger.batches n on n.id = a.id >> 16
 *   left join changed x on x.account_id = a.id
 *   left join held h on h.account_id = coalesce(a.id, b.account_id)
 *   left join lateral (
 *     select count(*) as patterns, min(c.normal_side) as normal_side, min(c.floor) as floor,
 *            bool_or(c.floor is not null) as floored
 *     from ledger.chart c where a.code like c.pattern
 *   ) c on true
 * )
 * select id as "id!", code as "code?", currency as "currency?", account_missing as "accountMissing!",
 *        balance_missing as "balanceMissing!", chart_differs as "chartDiffers", sign_differs as "signDiffers",
 *        floor_differs as "floorDiffers!", held_differs as "heldDiffers!", entries_missing as "entriesMissing",
 *        not_empty as "notEmpty", batch_missing as "batchMissing!"
 * from judged
 * where account_missing or balance_missing or chart_differs or sign_differs or floor_differs or held_differs
 *   or entries_missing or not_empty or batch_missing
 * order by id
 * limit :most!::integer
 * ```
 */
export const auditAccounts = new PreparedStatement<AuditAccountsParams, AuditAccountsResult>("ledger.auditAccounts", auditAccountsIR);

/** 'AuditFloorChanges' parameters type */
export interface AuditFloorChangesParams {
  most: number;
}

/** 'AuditFloorChanges' return type */
export interface AuditFloorChangesResult {
  accountMissing: boolean;
  batchMissing: boolean;
  id: bigint;
}

const auditFloorChangesIR = {"statement":"select f.id as \"id\" , a.id is null as \"accountMissing\" , b.id is null as \"batchMissing\" \nfrom ledger.floor_changes f\nleft join ledger.accounts a on a.id = f.account_id\nleft join ledger.batches b on b.id = f.id >> 16\nwhere a.id is null or b.id is null\norder by f.id\nlimit :most!::integer","params":[{"name":"most","locs":[{"a":271,"b":277}]}]};

/**
 * Query generated from SQL:
 * ```
 * select f.id as "id!", a.id is null as "accountMissing!", b.id is null as "batchMissing!"
 * from ledger.floor_changes f
 * left join ledger.accounts a on a.id = f.account_id
 * left join ledger.batches b on b.id = f.id >> 16
 * where a.id is null or b.id is null
 * order by f.id
 * limit :most!::integer
 * ```
 */
export const auditFloorChanges = new PreparedStatement<AuditFloorChangesParams, AuditFloorChangesResult>("ledger.auditFloorChanges", auditFloorChangesIR);

/** 'AuditHoldEdge' parameters type */
export interface AuditHoldEdgeParams {
  from: bigint;
  page: number;
}

/** 'AuditHoldEdge' return type */
export interface AuditHoldEdgeResult {
  last: bigint | null;
  rows: bigint;
}

const auditHoldEdgeIR = {"statement":"select count(*) as \"rows\" , max(p.id) as \"last\"\nfrom (select id from ledger.holds where id >= :from!::bigint order by id limit :page!::integer) p","params":[{"name":"from","locs":[{"a":94,"b":100}]},{"name":"page","locs":[{"a":127,"b":133}]}]};

/**
 * Query generated from SQL:
 * ```
 * select count(*) as "rows!", max(p.id) as "last"
 * from (select id from ledger.holds where id >= :from!::bigint order by id limit :page!::integer) p                                                                                                      
 * ```
 */
export const auditHoldEdge = new PreparedStatement<AuditHoldEdgeParams, AuditHoldEdgeResult>("ledger.auditHoldEdge", auditHoldEdgeIR);

/** 'AuditHolds' parameters type */
export interface AuditHoldsParams {
  from: bigint;
  most: number;
  through: bigint;
}

/** 'AuditHolds' return type */
export interface AuditHoldsResult {
  accountMissing: boolean;
  batchDiffers: boolean | null;
  batchMissing: boolean;
  expiryDiffers: boolean;
  holdMissing: boolean;
  id: bigint;
  nowhere: boolean;
  reference: string | null;
  resolutionWrong: boolean | null;
  resolvingBatchMissing: boolean;
  transactionMissing: boolean;
  twice: boolean;
}

const auditHoldsIR = {"statement":"with judged as (\n  select coalesce(h.id, r.hold_id, o.hold_id) as id, h.reference, h.id is null as hold_missing,\n         h.id is not null and a.id is null as account_missing,\n         r.hold_id is not null and o.hold_id is not null as twice,\n         r.hold_id is null and o.hold_id is null as nowhere,\n         o.hold_id is not null and o.expires_at is distinct from h.expires_at as expiry_differs,\n         r.transaction_id is not null and (t.id is null or t.id >> 16 <> r.batch_id) as transaction_missing,\n         (r.resolution = 'posted') <> (r.transaction_id is not null) as resolution_wrong,\n         h.id is not null and b.id is null as batch_missing,\n         b.posted_at <> h.held_at as batch_differs,\n         r.hold_id is not null and x.id is null as resolving_batch_missing\n  from (select * from ledger.holds where id between :from!::bigint and :through!::bigint) h\n  full join (select * from ledger.hold_resolutions where hold_id between :from and :through) r on r.hold_id = h.id\n  full join (select * from ledger.open_holds where hold_id between :from and :through) o\n    on o.hold_id = coalesce(h.id, r.hold_id)\n  left join ledger.accounts a on a.id = h.account_id\n  left join ledger.transactions t on t.id = r.transaction_id\n  left join ledger.batches b on b.id = h.id >> 16\n  left join ledger.batches x on x.id = r.batch_id\n)\nselect id as \"id\" , reference as \"reference\" , hold_missing as \"holdMissing\" , account_missing as \"accountMissing\" ,\n       twice as \"twice\" , nowhere as \"nowhere\" , expiry_differs as \"expiryDiffers\" ,\n       transaction_missing as \"transactionMissing\" , resolution_wrong as \"resolutionWrong\",\n       batch_missing as \"batchMissing\" , batch_differs as \"batchDiffers\",\n       resolving_batch_missing as \"resolvingBatchMissing\" \nfrom judged\nwhere hold_missing or account_missing or twice or nowhere or expiry_differs or transaction_missing\n  or resolution_wrong or batch_missing or batch_differs or resolving_batch_missing\norder by id\nlimit :most!::integer","params":[{"name":"from","locs":[{"a":840,"b":846},{"a":953,"b":958},{"a":1062,"b":1067}]},{"name":"through","locs":[{"a":859,"b":868},{"a":963,"b":971},{"a":1072,"b":1080}]},{"name":"most","locs":[{"a":1984,"b":1990}]}]};

/**
 * Query generated from SQL:
 * ```
 * with judged as (
 *   select coalesce(h.id, r.hold_id, o.hold_id) as id, h.reference, h.id is null as hold_missing,
 *          h.id is not null and a.id is null as account_missing,
 *          r.hold_id is not null and o.hold_id is not null as twice,
 *          r.hold_id is null and o.hold_id is null as nowhere,
 *          o.hold_id is not null and o.expires_at is distinct from h.expires_at as expiry_differs,
 *          r.transaction_id is not null and (t.id is null or t.id >> 16 <> r.batch_id) as transaction_missing,
 *          (r.resolution = 'posted') <> (r.transaction_id is not null) as resolution_wrong,
 *          h.id is not null and b.id is null as batch_missing,
 *          b.posted_at <> h.held_at as batch_differs,
 *          r.hold_id is not null and x.id is null as resolving_batch_missing
 *   from (select * from ledger.holds where id between :from!::bigint and :through!::bigint) h
 *   full join (select * from ledger.hold_resolutions where hold_id between :from and :through) r on r.hold_id = h.id
 *   full join (select * from ledger.open_holds where hold_id between :from and :through) o
 *     on o.hold_id = coalesce(h.id, r.hold_id)
 *   left join ledger.accounts a on a.id = h.account_id
 *   left join ledger.transactions t on t.id = r.transaction_id
 *   left join ledger.batches b on b.id = h.id >> 16
 *   left join ledger.batches x on x.id = r.batch_id
 * )
 * select id as "id!", reference as "reference?", hold_missing as "holdMissing!", account_missing as "accountMissing!",
 *        twice as "twice!", nowhere as "nowhere!", expiry_differs as "expiryDiffers!",
 *        transaction_missing as "transactionMissing!", resolution_wrong as "resolutionWrong",
 *        batch_missing as "batchMissing!", batch_differs as "batchDiffers",
 *        resolving_batch_missing as "resolvingBatchMissing!"
 * from judged
 * where hold_missing or account_missing or twice or nowhere or expiry_differs or transaction_missing
 *   or resolution_wrong or batch_missing or batch_differs or resolving_batch_missing
 * order by id
 * limit :most!::integer
 * ```
 */
export const auditHolds = new PreparedStatement<AuditHoldsParams, AuditHoldsResult>("ledger.auditHolds", auditHoldsIR);

/** 'AuditUnsealed' parameters type */
export interface AuditUnsealedParams {
  from: bigint;
  page: number;
}

/** 'AuditUnsealed' return type */
export interface AuditUnsealedResult {
  batchMissing: boolean;
  id: bigint;
}

const auditUnsealedIR = {"statement":"select u.batch_id as \"id\" , b.id is null as \"batchMissing\" \nfrom ledger.unsealed u\nleft join ledger.batches b on b.id = u.batch_id\nwhere u.batch_id >= :from!::bigint\norder by u.batch_id\nlimit :page!::integer","params":[{"name":"from","locs":[{"a":151,"b":157}]},{"name":"page","locs":[{"a":192,"b":198}]}]};

/**
 * Query generated from SQL:
 * ```
 * select u.batch_id as "id!", b.id is null as "batchMissing!"
 * from ledger.unsealed u
 * left join ledger.batches b on b.id = u.batch_id
 * where u.batch_id >= :from!::bigint
 * order by u.batch_id
 * limit :page!::integer
 * ```
 */
export const auditUnsealed = new PreparedStatement<AuditUnsealedParams, AuditUnsealedResult>("ledger.auditUnsealed", auditUnsealedIR);

/** 'AuditBatches' parameters type */
export interface AuditBatchesParams {
  from: bigint;
  page: number;
}

/** 'AuditBatches' return type */
export interface AuditBatchesResult {
  id: bigint;
}

const auditBatchesIR = {"statement":"select id as \"id\"  from ledger.batches where id >= :from!::bigint order by id limit :page!::integer","params":[{"name":"from","locs":[{"a":51,"b":57}]},{"name":"page","locs":[{"a":84,"b":90}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!" from ledger.batches where id >= :from!::bigint order by id limit :page!::integer
 * ```
 */
export const auditBatches = new PreparedStatement<AuditBatchesParams, AuditBatchesResult>("ledger.auditBatches", auditBatchesIR);
