/** Types generated for queries found in "src/modules/ledger/persistence/reading.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type bigintArray = readonly (bigint | null)[];

export type stringArray = readonly (string | null)[];

/** 'ListAccounts' parameters type */
export interface ListAccountsParams {
  afterCode: string;
  afterCurrency: string;
  limit: number;
  prefix: string;
  tenant: string;
}

/** 'ListAccounts' return type */
export interface ListAccountsResult {
  code: string;
  credits: bigint;
  currency: string;
  debits: bigint;
  floor: bigint | null;
  held: bigint;
  id: string;
  normalSide: string;
  version: bigint;
}

const listAccountsIR = {"statement":"select a.id::text as \"id\" , a.code as \"code\" , a.currency as \"currency\" , a.normal_side as \"normalSide\" ,\n       b.debits as \"debits\" , b.credits as \"credits\" , b.held as \"held\" , b.floor, b.version as \"version\" \nfrom ledger.accounts a\njoin ledger.balances b on b.account_id = a.id\nwhere a.tenant = :tenant!\n  and (a.code collate \"C\", a.currency collate \"C\") > (:afterCode!::text, :afterCurrency!::text)\n  and a.code collate \"C\" <= :prefix!::text || repeat(chr(1114111), 300)\norder by a.code collate \"C\", a.currency collate \"C\"\nlimit :limit!::integer","params":[{"name":"tenant","locs":[{"a":299,"b":307}]},{"name":"afterCode","locs":[{"a":362,"b":373}]},{"name":"afterCurrency","locs":[{"a":381,"b":396}]},{"name":"prefix","locs":[{"a":432,"b":440}]},{"name":"limit","locs":[{"a":534,"b":541}]}]};

/**
 * Query generated from SQL:
 * ```
 * select a.id::text as "id!", a.code as "code!", a.currency as "currency!", a.normal_side as "normalSide!",
 *        b.debits as "debits!", b.credits as "credits!", b.held as "held!", b.floor, b.version as "version!"
 * from ledger.accounts a
 * join ledger.balances b on b.account_id = a.id
 * where a.tenant = :tenant!
 *   and (a.code collate "C", a.currency collate "C") > (:afterCode!::text, :afterCurrency!::text)
 *   and a.code collate "C" <= :prefix!::text || repeat(chr(1114111), 300)
 * order by a.code collate "C", a.currency collate "C"
 * limit :limit!::integer
 * ```
 */
export const listAccounts = new PreparedStatement<ListAccountsParams, ListAccountsResult>("ledger.listAccounts", listAccountsIR);

/** 'GetAccount' parameters type */
export interface GetAccountParams {
  id: bigint;
  tenant: string;
}

/** 'GetAccount' return type */
export interface GetAccountResult {
  code: string;
  credits: bigint;
  currency: string;
  debits: bigint;
  floor: bigint | null;
  held: bigint;
  id: string;
  normalSide: string;
  version: bigint;
}

const getAccountIR = {"statement":"select a.id::text as \"id\" , a.code as \"code\" , a.currency as \"currency\" , a.normal_side as \"normalSide\" ,\n       b.debits as \"debits\" , b.credits as \"credits\" , b.held as \"held\" , b.floor, b.version as \"version\" \nfrom ledger.accounts a\njoin ledger.balances b on b.account_id = a.id\nwhere a.id = :id!::bigint and a.tenant = :tenant!","params":[{"name":"id","locs":[{"a":295,"b":299}]},{"name":"tenant","locs":[{"a":323,"b":331}]}]};

/**
 * Query generated from SQL:
 * ```
 * select a.id::text as "id!", a.code as "code!", a.currency as "currency!", a.normal_side as "normalSide!",
 *        b.debits as "debits!", b.credits as "credits!", b.held as "held!", b.floor, b.version as "version!"
 * from ledger.accounts a
 * join ledger.balances b on b.account_id = a.id
 * where a.id = :id!::bigint and a.tenant = :tenant!
 * ```
 */
export const getAccount = new PreparedStatement<GetAccountParams, GetAccountResult>("ledger.getAccount", getAccountIR);

/** 'ReadBalancesAt' parameters type */
export interface ReadBalancesAtParams {
  ids: bigintArray;
  moment: string;
}

/** 'ReadBalancesAt' return type */
export interface ReadBalancesAtResult {
  balance: bigint;
  id: string;
  version: bigint;
}

const readBalancesAtIR = {"statement":"select i.id::text as \"id\" , b.balance as \"balance\" , b.version as \"version\" \nfrom unnest(:ids!::bigint[]) as i (id)\ncross join lateral ledger.balance_at(i.id, :moment!::text::timestamptz) b","params":[{"name":"ids","locs":[{"a":89,"b":94}]},{"name":"moment","locs":[{"a":159,"b":167}]}]};

/**
 * Query generated from SQL:
 * ```
 * select i.id::text as "id!", b.balance as "balance!", b.version as "version!"
 * from unnest(:ids!::bigint[]) as i (id)
 * cross join lateral ledger.balance_at(i.id, :moment!::text::timestamptz) b
 * ```
 */
export const readBalancesAt = new PreparedStatement<ReadBalancesAtParams, ReadBalancesAtResult>("ledger.readBalancesAt", readBalancesAtIR);

/** 'ReadBalancesEffectiveAt' parameters type */
export interface ReadBalancesEffectiveAtParams {
  ids: bigintArray;
  moment: string;
}

/** 'ReadBalancesEffectiveAt' return type */
export interface ReadBalancesEffectiveAtResult {
  balance: bigint;
  id: string;
}

const readBalancesEffectiveAtIR = {"statement":"select i.id::text as \"id\" , ledger.balance_effective_at(i.id, :moment!::text::timestamptz) as \"balance\" \nfrom unnest(:ids!::bigint[]) as i (id)","params":[{"name":"moment","locs":[{"a":62,"b":70}]},{"name":"ids","locs":[{"a":117,"b":122}]}]};

/**
 * Query generated from SQL:
 * ```
 * select i.id::text as "id!", ledger.balance_effective_at(i.id, :moment!::text::timestamptz) as "balance!"
 * from unnest(:ids!::bigint[]) as i (id)                                                                                                                                                                                                
 * ```
 */
export const readBalancesEffectiveAt = new PreparedStatement<ReadBalancesEffectiveAtParams, ReadBalancesEffectiveAtResult>("ledger.readBalancesEffectiveAt", readBalancesEffectiveAtIR);

/** 'ListEntries' parameters type */
export interface ListEntriesParams {
  above: bigint;
  accountId: bigint;
  backward: boolean;
  from?: string | null | undefined;
  limit: number;
  to?: string | null | undefined;
  upTo: bigint;
}

/** 'ListEntries' return type */
export interface ListEntriesResult {
  amount: bigint;
  balance: bigint;
  effectiveAt: string | null;
  kind: string;
  leg: number;
  postedAt: string;
  reference: string;
  transactionId: string;
  version: bigint;
}

const listEntriesIR = {"statement":"with period as materialized (\n  select case when :from::text is null then 0\n           else ledger.version_at(:accountId!::bigint, :from::text::timestamptz - interval '1 microsecond') end as low,\n         case when :to::text is null then 9223372036854775807\n           else ledger.version_at(:accountId!::bigint, :to::text::timestamptz - interval '1 microsecond') end as high\n)\nselect e.transaction_id::text as \"transactionId\" , e.leg as \"leg\" , e.kind as \"kind\" , e.reference as \"reference\" ,\n       e.amount as \"amount\" , e.balance as \"balance\" , e.version as \"version\" ,\n       ledger.moment_text(e.posted_at) as \"postedAt\" , ledger.moment_text(e.effective_at) as \"effectiveAt\"\nfrom period p\ncross join lateral ledger.entries_page(\n  :accountId!::bigint, greatest(p.low, :above!::bigint), least(p.high, :upTo!::bigint), :backward!::boolean,\n  :limit!::integer\n) e","params":[{"name":"from","locs":[{"a":49,"b":54},{"a":131,"b":136}]},{"name":"accountId","locs":[{"a":110,"b":121},{"a":292,"b":303},{"a":737,"b":748}]},{"name":"to","locs":[{"a":215,"b":218},{"a":313,"b":316}]},{"name":"above","locs":[{"a":774,"b":781}]},{"name":"upTo","locs":[{"a":806,"b":812}]},{"name":"backward","locs":[{"a":823,"b":833}]},{"name":"limit","locs":[{"a":846,"b":853}]}]};

/**
 * Query generated from SQL:
 * ```
 * with period as materialized (
 *   select case when :from::text is null then 0
 *            else ledger.version_at(:accountId!::bigint, :from::text::timestamptz - interval '1 microsecond') end as low,
 *          case when :to::text is null then 9223372036854775807
 *            else ledger.version_at(:accountId!::bigint, :to::text::timestamptz - interval '1 microsecond') end as high
 * )
 * select e.transaction_id::text as "transactionId!", e.leg as "leg!", e.kind as "kind!", e.reference as "reference!",
 *        e.amount as "amount!", e.balance as "balance!", e.version as "version!",
 *        ledger.moment_text(e.posted_at) as "postedAt!", ledger.moment_text(e.effective_at) as "effectiveAt"
 * from period p
 * cross join lateral ledger.entries_page(
 *   :accountId!::bigint, greatest(p.low, :above!::bigint), least(p.high, :upTo!::bigint), :backward!::boolean,
 *   :limit!::integer
 * ) e                                                                         
 * ```
 */
export const listEntries = new PreparedStatement<ListEntriesParams, ListEntriesResult>("ledger.listEntries", listEntriesIR);

/** 'GetTransaction' parameters type */
export interface GetTransactionParams {
  id: bigint;
  tenant: string;
}

/** 'GetTransaction' return type */
export interface GetTransactionResult {
  accountId: string;
  amount: bigint;
  balance: bigint;
  code: string;
  currency: string;
  effectiveAt: string | null;
  externalId: string | null;
  id: string;
  kind: string;
  leg: number;
  postedAt: string;
  reference: string;
  sealed: boolean;
  version: bigint;
}

const getTransactionIR = {"statement":"select t.id::text as \"id\" , t.kind as \"kind\" , t.reference as \"reference\" , t.external_id as \"externalId\",\n       ledger.moment_text(t.posted_at) as \"postedAt\" , ledger.moment_text(t.effective_at) as \"effectiveAt\",\n       not exists (select from ledger.unsealed u where u.batch_id = t.id >> 16) as \"sealed\" ,\n       e.leg as \"leg\" , e.account_id::text as \"accountId\" , a.code as \"code\" , e.currency as \"currency\" ,\n       e.amount as \"amount\" , e.balance as \"balance\" , e.version as \"version\" \nfrom ledger.transactions t\njoin ledger.entries e on e.transaction_id = t.id\njoin ledger.accounts a on a.id = e.account_id\nwhere t.id = :id!::bigint and t.tenant = :tenant!\norder by e.leg","params":[{"name":"id","locs":[{"a":629,"b":633}]},{"name":"tenant","locs":[{"a":657,"b":665}]}]};

/**
 * Query generated from SQL:
 * ```
 * select t.id::text as "id!", t.kind as "kind!", t.reference as "reference!", t.external_id as "externalId",
 *        ledger.moment_text(t.posted_at) as "postedAt!", ledger.moment_text(t.effective_at) as "effectiveAt",
 *        not exists (select from ledger.unsealed u where u.batch_id = t.id >> 16) as "sealed!",
 *        e.leg as "leg!", e.account_id::text as "accountId!", a.code as "code!", e.currency as "currency!",
 *        e.amount as "amount!", e.balance as "balance!", e.version as "version!"
 * from ledger.transactions t
 * join ledger.entries e on e.transaction_id = t.id
 * join ledger.accounts a on a.id = e.account_id
 * where t.id = :id!::bigint and t.tenant = :tenant!
 * order by e.leg                                                                 
 * ```
 */
export const getTransaction = new PreparedStatement<GetTransactionParams, GetTransactionResult>("ledger.getTransaction", getTransactionIR);

/** 'FindTransactions' parameters type */
export interface FindTransactionsParams {
  references: stringArray;
  tenant: string;
}

/** 'FindTransactions' return type */
export interface FindTransactionsResult {
  accountId: string;
  amount: bigint;
  balance: bigint;
  code: string;
  currency: string;
  effectiveAt: string | null;
  externalId: string | null;
  id: string;
  kind: string;
  leg: number;
  postedAt: string;
  reference: string;
  sealed: boolean;
  version: bigint;
}

const findTransactionsIR = {"statement":"select t.id::text as \"id\" , t.kind as \"kind\" , t.reference as \"reference\" , t.external_id as \"externalId\",\n       ledger.moment_text(t.posted_at) as \"postedAt\" , ledger.moment_text(t.effective_at) as \"effectiveAt\",\n       not exists (select from ledger.unsealed u where u.batch_id = t.id >> 16) as \"sealed\" ,\n       e.leg as \"leg\" , e.account_id::text as \"accountId\" , a.code as \"code\" , e.currency as \"currency\" ,\n       e.amount as \"amount\" , e.balance as \"balance\" , e.version as \"version\" \nfrom ledger.transactions t\njoin ledger.entries e on e.transaction_id = t.id\njoin ledger.accounts a on a.id = e.account_id\nwhere t.reference = any(:references!::text[]) and t.tenant = :tenant!\norder by t.posted_at, t.id, e.leg","params":[{"name":"references","locs":[{"a":640,"b":652}]},{"name":"tenant","locs":[{"a":677,"b":685}]}]};

/**
 * Query generated from SQL:
 * ```
 * select t.id::text as "id!", t.kind as "kind!", t.reference as "reference!", t.external_id as "externalId",
 *        ledger.moment_text(t.posted_at) as "postedAt!", ledger.moment_text(t.effective_at) as "effectiveAt",
 *        not exists (select from ledger.unsealed u where u.batch_id = t.id >> 16) as "sealed!",
 *        e.leg as "leg!", e.account_id::text as "accountId!", a.code as "code!", e.currency as "currency!",
 *        e.amount as "amount!", e.balance as "balance!", e.version as "version!"
 * from ledger.transactions t
 * join ledger.entries e on e.transaction_id = t.id
 * join ledger.accounts a on a.id = e.account_id
 * where t.reference = any(:references!::text[]) and t.tenant = :tenant!
 * order by t.posted_at, t.id, e.leg                                                                                                        
 * ```
 */
export const findTransactions = new PreparedStatement<FindTransactionsParams, FindTransactionsResult>("ledger.findTransactions", findTransactionsIR);

/** 'ReadTrialBalance' parameters type */
export interface ReadTrialBalanceParams {
  limit: number;
  tenant: string;
}

/** 'ReadTrialBalance' return type */
export interface ReadTrialBalanceResult {
  code: string | null;
  credits: string;
  currency: string;
  debits: string;
  id: string | null;
  normalSide: string | null;
}

const readTrialBalanceIR = {"statement":"select null as id, null as code, a.currency as \"currency\" , null as \"normalSide\",\n       sum(b.debits)::text as \"debits\" , sum(b.credits)::text as \"credits\" \nfrom ledger.accounts a\njoin ledger.balances b on b.account_id = a.id\nwhere a.tenant = :tenant!\ngroup by a.currency\nunion all\n(\n  select a.id::text, a.code, a.currency, a.normal_side, b.debits::text, b.credits::text\n  from ledger.accounts a\n  join ledger.balances b on b.account_id = a.id\n  where a.tenant = :tenant!\n  order by a.code collate \"C\", a.currency collate \"C\"\n  limit :limit!::integer\n)","params":[{"name":"tenant","locs":[{"a":244,"b":252},{"a":465,"b":473}]},{"name":"limit","locs":[{"a":536,"b":543}]}]};

/**
 * Query generated from SQL:
 * ```
 * select null as id, null as code, a.currency as "currency!", null as "normalSide",
 *        sum(b.debits)::text as "debits!", sum(b.credits)::text as "credits!"
 * from ledger.accounts a
 * join ledger.balances b on b.account_id = a.id
 * where a.tenant = :tenant!
 * group by a.currency
 * union all
 * (
 *   select a.id::text, a.code, a.currency, a.normal_side, b.debits::text, b.credits::text
 *   from ledger.accounts a
 *   join ledger.balances b on b.account_id = a.id
 *   where a.tenant = :tenant!
 *   order by a.code collate "C", a.currency collate "C"
 *   limit :limit!::integer
 * )
 * ```
 */
export const readTrialBalance = new PreparedStatement<ReadTrialBalanceParams, ReadTrialBalanceResult>("ledger.readTrialBalance", readTrialBalanceIR);

/** 'ReadExportHorizon' parameters type */
export type ReadExportHorizonParams = void;

/** 'ReadExportHorizon' return type */
export interface ReadExportHorizonResult {
  batch: bigint;
  posting: stringArray;
}

const readExportHorizonIR = {"statement":"select h.batch as \"batch\" , h.posting as \"posting\"  from ledger.export_horizon() h","params":[]};

/**
 * Query generated from SQL:
 * ```
 * select h.batch as "batch!", h.posting as "posting!" from ledger.export_horizon() h                                                               
 * ```
 */
export const readExportHorizon = new PreparedStatement<ReadExportHorizonParams, ReadExportHorizonResult>("ledger.readExportHorizon", readExportHorizonIR);

/** 'IsStillPosting' parameters type */
export interface IsStillPostingParams {
  posting: stringArray;
}

/** 'IsStillPosting' return type */
export interface IsStillPostingResult {
  still: boolean;
}

const isStillPostingIR = {"statement":"select ledger.posting_now() && :posting!::text[] as \"still\"","params":[{"name":"posting","locs":[{"a":31,"b":40}]}]};

/**
 * Query generated from SQL:
 * ```
 * select ledger.posting_now() && :posting!::text[] as "still!"
 * ```
 */
export const isStillPosting = new PreparedStatement<IsStillPostingParams, IsStillPostingResult>("ledger.isStillPosting", isStillPostingIR);

/** 'ListJournal' parameters type */
export interface ListJournalParams {
  afterAt: string;
  afterBatch: bigint;
  afterId: bigint;
  afterLeg: number;
  horizon: bigint;
  limit: number;
  tenant: string;
  to: string;
}

/** 'ListJournal' return type */
export interface ListJournalResult {
  amount: bigint;
  balance: bigint;
  batch: bigint;
  code: string;
  currency: string;
  effectiveAt: string | null;
  externalId: string | null;
  kind: string;
  leg: number;
  postedAt: string;
  reference: string;
  transactionId: bigint;
  version: bigint;
}

const listJournalIR = {"statement":"select j.batch as \"batch\" , j.transaction_id as \"transactionId\" , j.leg as \"leg\" , j.kind as \"kind\" ,\n       j.reference as \"reference\" , j.external_id as \"externalId\", j.code as \"code\" , j.currency as \"currency\" ,\n       j.amount as \"amount\" , j.balance as \"balance\" , j.version as \"version\" ,\n       ledger.moment_text(j.posted_at) as \"postedAt\" , ledger.moment_text(j.effective_at) as \"effectiveAt\"\nfrom ledger.journal_page(\n  :tenant!, :afterAt!::text::timestamptz, :afterBatch!::bigint, :afterId!::bigint, :afterLeg!::integer,\n  :to!::text::timestamptz, :horizon!::bigint, :limit!::integer\n) j","params":[{"name":"tenant","locs":[{"a":430,"b":438}]},{"name":"afterAt","locs":[{"a":440,"b":449}]},{"name":"afterBatch","locs":[{"a":470,"b":482}]},{"name":"afterId","locs":[{"a":492,"b":501}]},{"name":"afterLeg","locs":[{"a":511,"b":521}]},{"name":"to","locs":[{"a":534,"b":538}]},{"name":"horizon","locs":[{"a":559,"b":568}]},{"name":"limit","locs":[{"a":578,"b":585}]}]};

/**
 * Query generated from SQL:
 * ```
 * select j.batch as "batch!", j.transaction_id as "transactionId!", j.leg as "leg!", j.kind as "kind!",
 *        j.reference as "reference!", j.external_id as "externalId", j.code as "code!", j.currency as "currency!",
 *        j.amount as "amount!", j.balance as "balance!", j.version as "version!",
 *        ledger.moment_text(j.posted_at) as "postedAt!", ledger.moment_text(j.effective_at) as "effectiveAt"
 * from ledger.journal_page(
 *   :tenant!, :afterAt!::text::timestamptz, :afterBatch!::bigint, :afterId!::bigint, :afterLeg!::integer,
 *   :to!::text::timestamptz, :horizon!::bigint, :limit!::integer
 * ) j
 * ```
 */
export const listJournal = new PreparedStatement<ListJournalParams, ListJournalResult>("ledger.listJournal", listJournalIR);

/** 'ListMovements' parameters type */
export interface ListMovementsParams {
  afterAccount: bigint;
  afterVersion: bigint;
  code: string;
  from: string;
  limit: number;
  tenant: string;
  to: string;
}

/** 'ListMovements' return type */
export interface ListMovementsResult {
  accountId: bigint;
  amount: bigint;
  currency: string;
  effectiveAt: string | null;
  externalId: string | null;
  kind: string;
  postedAt: string;
  reference: string;
  transactionId: string;
  version: bigint;
}

const listMovementsIR = {"statement":"select m.account_id as \"accountId\" , m.version as \"version\" , m.transaction_id::text as \"transactionId\" ,\n       m.kind as \"kind\" , m.reference as \"reference\" , m.external_id as \"externalId\", m.currency as \"currency\" ,\n       m.amount as \"amount\" , ledger.moment_text(m.posted_at) as \"postedAt\" ,\n       ledger.moment_text(m.effective_at) as \"effectiveAt\"\nfrom ledger.movements_page(\n  :tenant!, :code!, :from!::text::timestamptz, :to!::text::timestamptz, :afterAccount!::bigint,\n  :afterVersion!::bigint, :limit!::integer\n) m","params":[{"name":"tenant","locs":[{"a":386,"b":394}]},{"name":"code","locs":[{"a":396,"b":402}]},{"name":"from","locs":[{"a":404,"b":410}]},{"name":"to","locs":[{"a":431,"b":435}]},{"name":"afterAccount","locs":[{"a":456,"b":470}]},{"name":"afterVersion","locs":[{"a":482,"b":496}]},{"name":"limit","locs":[{"a":506,"b":513}]}]};

/**
 * Query generated from SQL:
 * ```
 * select m.account_id as "accountId!", m.version as "version!", m.transaction_id::text as "transactionId!",
 *        m.kind as "kind!", m.reference as "reference!", m.external_id as "externalId", m.currency as "currency!",
 *        m.amount as "amount!", ledger.moment_text(m.posted_at) as "postedAt!",
 *        ledger.moment_text(m.effective_at) as "effectiveAt"
 * from ledger.movements_page(
 *   :tenant!, :code!, :from!::text::timestamptz, :to!::text::timestamptz, :afterAccount!::bigint,
 *   :afterVersion!::bigint, :limit!::integer
 * ) m
 * ```
 */
export const listMovements = new PreparedStatement<ListMovementsParams, ListMovementsResult>("ledger.listMovements", listMovementsIR);
