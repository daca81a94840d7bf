/*
  A page of accounts by code and currency, byte by byte. The codes that begin with a prefix are the range from it to
  the prefix with the highest of all characters as often as a code can have it; accounts_by_code serves it.
*/
/* @name listAccounts */
select a.id::text as "id!", a.code as "code!", a.currency as "currency!", a.normal_side as "normalSide!",
       b.debits as "debits!", b.credits as "credits!", b.held as "held!", b.floor, b.version as "version!"
from ledger.accounts a
join ledger.balances b on b.account_id = a.id
where a.tenant = :tenant!
  and (a.code collate "C", a.currency collate "C") > (:afterCode!::text, :afterCurrency!::text)
  and a.code collate "C" <= :prefix!::text || repeat(chr(1114111), 300)
order by a.code collate "C", a.currency collate "C"
limit :limit!::integer;

/* @name getAccount */
select a.id::text as "id!", a.code as "code!", a.currency as "currency!", a.normal_side as "normalSide!",
       b.debits as "debits!", b.credits as "credits!", b.held as "held!", b.floor, b.version as "version!"
from ledger.accounts a
join ledger.balances b on b.account_id = a.id
where a.id = :id!::bigint and a.tenant = :tenant!;

/* @name readBalancesAt */
select i.id::text as "id!", b.balance as "balance!", b.version as "version!"
from unnest(:ids!::bigint[]) as i (id)
cross join lateral ledger.balance_at(i.id, :moment!::text::timestamptz) b;

/* @name readBalancesEffectiveAt */
select i.id::text as "id!", ledger.balance_effective_at(i.id, :moment!::text::timestamptz) as "balance!"
from unnest(:ids!::bigint[]) as i (id);

/*
  A page of an account's entries. The period becomes a range of versions before anything is read, so that the primary
  key begins at the page, wherever in the account's history that is.
*/
/* @name listEntries */
with period as materialized (
  select case when :from::text is null then 0
           else ledger.version_at(:accountId!::bigint, :from::text::timestamptz - interval '1 microsecond') end as low,
         case when :to::text is null then 9223372036854775807
           else ledger.version_at(:accountId!::bigint, :to::text::timestamptz - interval '1 microsecond') end as high
)
select e.transaction_id::text as "transactionId!", e.leg as "leg!", e.kind as "kind!", e.reference as "reference!",
       e.amount as "amount!", e.balance as "balance!", e.version as "version!",
       ledger.moment_text(e.posted_at) as "postedAt!", ledger.moment_text(e.effective_at) as "effectiveAt"
from period p
cross join lateral ledger.entries_page(
  :accountId!::bigint, greatest(p.low, :above!::bigint), least(p.high, :upTo!::bigint), :backward!::boolean,
  :limit!::integer
) e;

/* A transaction with its legs in the order in which they were posted. */
/* @name getTransaction */
select t.id::text as "id!", t.kind as "kind!", t.reference as "reference!", t.external_id as "externalId",
       ledger.moment_text(t.posted_at) as "postedAt!", ledger.moment_text(t.effective_at) as "effectiveAt",
       not exists (select from ledger.unsealed u where u.batch_id = t.id >> 16) as "sealed!",
       e.leg as "leg!", e.account_id::text as "accountId!", a.code as "code!", e.currency as "currency!",
       e.amount as "amount!", e.balance as "balance!", e.version as "version!"
from ledger.transactions t
join ledger.entries e on e.transaction_id = t.id
join ledger.accounts a on a.id = e.account_id
where t.id = :id!::bigint and t.tenant = :tenant!
order by e.leg;

/* As getTransaction, by the names that the callers gave them. */
/* @name findTransactions */
select t.id::text as "id!", t.kind as "kind!", t.reference as "reference!", t.external_id as "externalId",
       ledger.moment_text(t.posted_at) as "postedAt!", ledger.moment_text(t.effective_at) as "effectiveAt",
       not exists (select from ledger.unsealed u where u.batch_id = t.id >> 16) as "sealed!",
       e.leg as "leg!", e.account_id::text as "accountId!", a.code as "code!", e.currency as "currency!",
       e.amount as "amount!", e.balance as "balance!", e.version as "version!"
from ledger.transactions t
join ledger.entries e on e.transaction_id = t.id
join ledger.accounts a on a.id = e.account_id
where t.reference = any(:references!::text[]) and t.tenant = :tenant!
order by t.posted_at, t.id, e.leg;

/* Totals and accounts in one statement, which sees one moment: between two of them money could move. */
/* @name readTrialBalance */
select null as id, null as code, a.currency as "currency!", null as "normalSide",
       sum(b.debits)::text as "debits!", sum(b.credits)::text as "credits!"
from ledger.accounts a
join ledger.balances b on b.account_id = a.id
where a.tenant = :tenant!
group by a.currency
union all
(
  select a.id::text, a.code, a.currency, a.normal_side, b.debits::text, b.credits::text
  from ledger.accounts a
  join ledger.balances b on b.account_id = a.id
  where a.tenant = :tenant!
  order by a.code collate "C", a.currency collate "C"
  limit :limit!::integer
);

/* @name readExportHorizon */
select h.batch as "batch!", h.posting as "posting!" from ledger.export_horizon() h;

/* Whether somebody of those who were posting then still is. */
/* @name isStillPosting */
select ledger.posting_now() && :posting!::text[] as "still!";

/* @name listJournal */
select j.batch as "batch!", j.transaction_id as "transactionId!", j.leg as "leg!", j.kind as "kind!",
       j.reference as "reference!", j.external_id as "externalId", j.code as "code!", j.currency as "currency!",
       j.amount as "amount!", j.balance as "balance!", j.version as "version!",
       ledger.moment_text(j.posted_at) as "postedAt!", ledger.moment_text(j.effective_at) as "effectiveAt"
from ledger.journal_page(
  :tenant!, :afterAt!::text::timestamptz, :afterBatch!::bigint, :afterId!::bigint, :afterLeg!::integer,
  :to!::text::timestamptz, :horizon!::bigint, :limit!::integer
) j;

/* @name listMovements */
select m.account_id as "accountId!", m.version as "version!", m.transaction_id::text as "transactionId!",
       m.kind as "kind!", m.reference as "reference!", m.external_id as "externalId", m.currency as "currency!",
       m.amount as "amount!", ledger.moment_text(m.posted_at) as "postedAt!",
       ledger.moment_text(m.effective_at) as "effectiveAt"
from ledger.movements_page(
  :tenant!, :code!, :from!::text::timestamptz, :to!::text::timestamptz, :afterAccount!::bigint,
  :afterVersion!::bigint, :limit!::integer
) m;
