/* The oldest batches that no seal covers become the next seal; no row where there are none. */
/* @name sealOldestBatches */
select number as "number!", encode(hash, 'hex') as "hash!", cardinality(batches) as "batches!"
from ledger.seal(:mostBatches!::integer);

/* @name readLatestSeal */
select number as "number!", encode(hash, 'hex') as "hash!", sealed_at as "sealedAt!"
from ledger.seals
order by number desc
limit 1;

/* @name auditCurrencies */
select code as "code!", exponent as "exponent!" from ledger.currencies;

/* @name auditChart */
select pattern as "pattern!", normal_side as "normalSide!", floor from ledger.chart;

/*
  How much there is to check, for the progress: entries exactly, because the versions count them; the others as the
  statistics estimate them.
*/
/* @name auditSizes */
select coalesce((select sum(b.version) from ledger.balances b), 0)::text as "entries!",
       coalesce((select sum(s.rows) from ledger.seals s), 0)::text as "sealedRows!",
       greatest((select reltuples from pg_class where oid = 'ledger.transactions'::regclass), 0)::bigint
         as "transactions!",
       greatest((select reltuples from pg_class where oid = 'ledger.accounts'::regclass), 0)::bigint as "accounts!",
       greatest((select reltuples from pg_class where oid = 'ledger.holds'::regclass), 0)::bigint as "holds!";

/*
  Pages: the edge says where the page ends, and the check reads all that lies from its beginning to its end, in every
  table that hangs on the same id. What has lost its transaction, account or hold lies in a page as well.
*/
/* @name auditTransactionEdge */
select count(*) as "rows!", max(p.id) as "last"
from (select id from ledger.transactions where id >= :from!::bigint order by id limit :page!::integer) p;

/* @name auditTransactions */
with legs as (
  select e.transaction_id, e.currency, sum(e.amount) as difference, count(*) as legs, min(e.leg) as first_leg,
         max(e.leg) as last_leg, min(e.posted_at) as first_posted, max(e.posted_at) as last_posted,
         min(e.effective_at) as first_effective, max(e.effective_at) as last_effective,
         count(e.effective_at) as effective
  from ledger.entries e
  where e.transaction_id between :from!::bigint and :through!::bigint
  group by e.transaction_id, e.currency
),
folded as (
  select l.transaction_id, sum(l.legs) as legs, min(l.first_leg) as first_leg, max(l.last_leg) as last_leg,
         min(l.first_posted) as first_posted, max(l.last_posted) as last_posted,
         min(l.first_effective) as first_effective, max(l.last_effective) as last_effective,
         sum(l.effective) as effective,
         string_agg(l.difference || ' ' || l.currency, ', ') filter (where l.difference <> 0) as differences
  from legs l
  group by l.transaction_id
),
judged as (
  select coalesce(t.id, f.transaction_id) as id, t.reference, t.id is null as missing, f.differences,
         coalesce(f.legs, 0) as legs,
         f.legs is not null and (f.first_leg <> 1 or f.last_leg <> f.legs) as legs_have_gap,
         t.posted_at <> f.first_posted or t.posted_at <> f.last_posted as posted_differs,
         t.effective_at is distinct from f.first_effective or t.effective_at is distinct from f.last_effective
           or f.effective not in (0, f.legs) as effective_differs,
         b.id is null as batch_missing,
         b.posted_at <> t.posted_at as batch_differs
  from (select * from ledger.transactions where id between :from and :through) t
  full join folded f on f.transaction_id = t.id
  left join ledger.batches b on b.id = coalesce(t.id, f.transaction_id) >> 16
)
select id as "id!", reference as "reference?", missing as "missing!", differences, legs::text as "legs!",
       legs_have_gap as "legsHaveGap!", posted_differs as "postedDiffers", effective_differs as "effectiveDiffers",
       batch_missing as "batchMissing!", batch_differs as "batchDiffers"
from judged
where missing or differences is not null or legs < 2 or legs_have_gap or posted_differs or effective_differs
  or batch_missing or batch_differs
order by id
limit :most!::integer;

/* @name auditEntryEdge */
with page as materialized (
  select account_id, version from ledger.entries
  where (account_id, version) > (:accountId!::bigint, :version!::bigint)
  order by account_id, version
  limit :page!::integer
)
select (select count(*) from page) as "rows!", account_id as "accountId!", version as "version!"
from page
order by account_id desc, version desc
limit 1;

/*
  What the entries of a page add up to, for each account that has some in it. The entry before the page is read again,
  for what it leaves to the first one. Returned are the accounts at the borders of the page, which go on in another
  one, and those that are wrong.
*/
/* @name auditFold */
with stepped as (
  select e.account_id, e.version, e.amount, e.balance, e.currency, e.posted_at,
         e.version::numeric - coalesce(lag(e.version) over account, 0) as step,
         e.balance::numeric - coalesce(lag(e.balance) over account, 0) as change,
         lag(e.posted_at) over account as posted_before
  from ledger.entries e
  where (e.account_id, e.version) >= (:accountId!::bigint, :version!::bigint)
    and (e.account_id, e.version) <= (:lastAccountId!::bigint, :lastVersion!::bigint)
  window account as (partition by e.account_id order by e.version)
),
folded as (
  select s.account_id, count(*) as entries, max(s.version) as version, max(s.posted_at) as posted_at,
         coalesce(sum(s.amount) filter (where s.amount > 0), 0) as debits,
         coalesce(-sum(s.amount) filter (where s.amount < 0), 0) as credits,
         bool_and(s.change = s.amount) as rises_with_debits, bool_and(s.change = -s.amount) as rises_with_credits,
         bool_and(s.step = 1 and (s.posted_before is null or s.posted_before <= s.posted_at)) as in_order,
         min(s.currency collate "C") as first_currency, max(s.currency collate "C") as last_currency
  from stepped s
  where (s.account_id, s.version) > (:accountId, :version)
  group by s.account_id
),
judged as (
  select f.*, a.code, b.account_id is not null as has_balance, b.debits as balance_debits,
         b.credits as balance_credits, b.version as balance_version, b.posted_at as balance_posted_at,
         f.posted_at is not distinct from b.posted_at as posted_same,
         coalesce(
           case a.normal_side when 'debit' then f.rises_with_debits else f.rises_with_credits end and f.in_order
             and f.first_currency = a.currency and f.last_currency = a.currency,
           false
         ) as right_entries
  from folded f
  left join ledger.accounts a on a.id = f.account_id
  left join ledger.balances b on b.account_id = f.account_id
)
select account_id as "accountId!", code as "code?", entries as "entries!", version as "version!",
       debits::text as "debits!", credits::text as "credits!", right_entries as "rightEntries!",
       has_balance as "hasBalance!", balance_debits as "balanceDebits?", balance_credits as "balanceCredits?",
       balance_version as "balanceVersion?", posted_same as "postedSame!"
from judged
where not right_entries or account_id in (:accountId, :lastAccountId) or not has_balance
  or debits <> balance_debits or credits <> balance_credits or version <> balance_version or not posted_same
order by account_id;

/* The entries of a page that are wrong, each by itself; asked for only where there are some. */
/* @name auditFaultyEntries */
with stepped as (
  select e.account_id, e.version, e.transaction_id, e.leg, e.amount, e.balance, e.currency, e.posted_at,
         e.version::numeric - coalesce(lag(e.version) over account, 0) as step,
         e.balance::numeric - coalesce(lag(e.balance) over account, 0) as change,
         lag(e.posted_at) over account as posted_before
  from ledger.entries e
  where (e.account_id, e.version) >= (:accountId!::bigint, :version!::bigint)
    and (e.account_id, e.version) <= (:lastAccountId!::bigint, :lastVersion!::bigint)
  window account as (partition by e.account_id order by e.version)
),
judged as (
  select s.*, a.code, a.id is null as account_missing, s.step <> 1 as gap,
         s.change <> case a.normal_side when 'debit' then s.amount else -s.amount end as wrong_balance,
         s.currency <> a.currency as wrong_currency, s.posted_at < s.posted_before as too_early
  from stepped s
  left join ledger.accounts a on a.id = s.account_id
  where (s.account_id, s.version) > (:accountId, :version)
)
select account_id as "accountId!", version as "version!", transaction_id as "transactionId!", leg as "leg!",
       code as "code?", account_missing as "accountMissing!", gap as "gap!", step::text as "step!",
       wrong_balance as "wrongBalance", wrong_currency as "wrongCurrency", too_early as "tooEarly"
from judged
where account_missing or gap or wrong_balance or wrong_currency or too_early
order by account_id, version
limit :most!::integer;

/* @name auditAccountEdge */
select count(*) as "rows!", max(p.id) as "last"
from (select id from ledger.accounts where id >= :from!::bigint order by id limit :page!::integer) p;

/*
  What an account is, and the state that goes with it. The last change of a floor is the last by its time: it is taken
  while the balance is locked, and the ids are not.
*/
/* @name auditAccounts */
with changed as (
  select distinct on (f.account_id) f.account_id, f.floor
  from ledger.floor_changes f
  where f.account_id between :from!::bigint and :through!::bigint
  order by f.account_id, f.changed_at desc, f.id desc
),
held as (
  select h.account_id, sum(h.amount) as amount
  from ledger.open_holds o join ledger.holds h on h.id = o.hold_id
  where h.account_id between :from and :through
  group by h.account_id
),
judged as (
  select coalesce(a.id, b.account_id) as id, a.code, a.currency, a.id is null as account_missing,
         b.account_id is null as balance_missing,
         a.id is not null and (
           c.patterns <> 1 or a.normal_side <> c.normal_side or a.floored <> c.floored
             or a.sign <> case a.normal_side when 'debit' then 1 else -1 end
         ) as chart_differs,
         b.sign <> a.sign as sign_differs,
         b.account_id is not null and b.floor is distinct from coalesce(x.floor, c.floor) as floor_differs,
         b.account_id is not null and b.held <> coalesce(h.amount, 0) as held_differs,
         b.version > 0 and not exists (select from ledger.entries e where e.account_id = b.account_id)
           as entries_missing,
         b.version = 0 and (b.debits <> 0 or b.credits <> 0 or b.posted_at is not null) as not_empty,
         a.id is not null and n.id is null as batch_missing
  from (select * from ledger.accounts where id between :from and :through) a
  full join (select * from ledger.balances where account_id between :from and :through) b on b.account_id = a.id
  left join ledger.batches n on n.id = a.id >> 16
  left join changed x on x.account_id = a.id
  left join held h on h.account_id = coalesce(a.id, b.account_id)
  left join lateral (
    select count(*) as patterns, min(c.normal_side) as normal_side, min(c.floor) as floor,
           bool_or(c.floor is not null) as floored
    from ledger.chart c where a.code like c.pattern
  ) c on true
)
select id as "id!", code as "code?", currency as "currency?", account_missing as "accountMissing!",
       balance_missing as "balanceMissing!", chart_differs as "chartDiffers", sign_differs as "signDiffers",
       floor_differs as "floorDiffers!", held_differs as "heldDiffers!", entries_missing as "entriesMissing",
       not_empty as "notEmpty", batch_missing as "batchMissing!"
from judged
where account_missing or balance_missing or chart_differs or sign_differs or floor_differs or held_differs
  or entries_missing or not_empty or batch_missing
order by id
limit :most!::integer;

/* @name auditFloorChanges */
select f.id as "id!", a.id is null as "accountMissing!", b.id is null as "batchMissing!"
from ledger.floor_changes f
left join ledger.accounts a on a.id = f.account_id
left join ledger.batches b on b.id = f.id >> 16
where a.id is null or b.id is null
order by f.id
limit :most!::integer;

/* @name auditHoldEdge */
select count(*) as "rows!", max(p.id) as "last"
from (select id from ledger.holds where id >= :from!::bigint order by id limit :page!::integer) p;

/* A hold is either open or resolved, once; what it was posted to is in the batch that resolved it. */
/* @name auditHolds */
with judged as (
  select coalesce(h.id, r.hold_id, o.hold_id) as id, h.reference, h.id is null as hold_missing,
         h.id is not null and a.id is null as account_missing,
         r.hold_id is not null and o.hold_id is not null as twice,
         r.hold_id is null and o.hold_id is null as nowhere,
         o.hold_id is not null and o.expires_at is distinct from h.expires_at as expiry_differs,
         r.transaction_id is not null and (t.id is null or t.id >> 16 <> r.batch_id) as transaction_missing,
         (r.resolution = 'posted') <> (r.transaction_id is not null) as resolution_wrong,
         h.id is not null and b.id is null as batch_missing,
         b.posted_at <> h.held_at as batch_differs,
         r.hold_id is not null and x.id is null as resolving_batch_missing
  from (select * from ledger.holds where id between :from!::bigint and :through!::bigint) h
  full join (select * from ledger.hold_resolutions where hold_id between :from and :through) r on r.hold_id = h.id
  full join (select * from ledger.open_holds where hold_id between :from and :through) o
    on o.hold_id = coalesce(h.id, r.hold_id)
  left join ledger.accounts a on a.id = h.account_id
  left join ledger.transactions t on t.id = r.transaction_id
  left join ledger.batches b on b.id = h.id >> 16
  left join ledger.batches x on x.id = r.batch_id
)
select id as "id!", reference as "reference?", hold_missing as "holdMissing!", account_missing as "accountMissing!",
       twice as "twice!", nowhere as "nowhere!", expiry_differs as "expiryDiffers!",
       transaction_missing as "transactionMissing!", resolution_wrong as "resolutionWrong",
       batch_missing as "batchMissing!", batch_differs as "batchDiffers",
       resolving_batch_missing as "resolvingBatchMissing!"
from judged
where hold_missing or account_missing or twice or nowhere or expiry_differs or transaction_missing
  or resolution_wrong or batch_missing or batch_differs or resolving_batch_missing
order by id
limit :most!::integer;

/* @name auditUnsealed */
select u.batch_id as "id!", b.id is null as "batchMissing!"
from ledger.unsealed u
left join ledger.batches b on b.id = u.batch_id
where u.batch_id >= :from!::bigint
order by u.batch_id
limit :page!::integer;

/* @name auditBatches */
select id as "id!" from ledger.batches where id >= :from!::bigint order by id limit :page!::integer;
