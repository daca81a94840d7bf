-- What a payment's money did: taken, shared with the commission, given back. The sums stand in the payment's own row,
-- because a row that was locked is read again, and other tables are not: so no two refunds can count on the same money.
alter table payments.payments
  -- The commission that held when the payment was made, in hundredths of a percent.
  add column commission_basis_points integer not null default 250
    check (commission_basis_points between 0 and 10000),
  -- All in minor units. Null until the payment has succeeded.
  add column captured_minor     bigint check (captured_minor > 0),
  add column fee_minor          bigint check (fee_minor between 0 and captured_minor),
  -- What goes back, or went: refunds that have not failed, and disputes that were not won. With the commission's part.
  add column returned_minor     bigint not null default 0,
  add column returned_fee_minor bigint not null default 0,
  -- The part of it that is refunds which the gateway has not confirmed yet, and that is refunds which it has.
  add column refunding_minor    bigint not null default 0 check (refunding_minor >= 0),
  add column refunded_minor     bigint not null default 0 check (refunded_minor >= 0),
  add column last_attempt       integer not null default 1,
  -- More than was taken never goes back, whatever runs at the same time.
  add constraint payments_returned check (returned_minor between 0 and coalesce(captured_minor, 0)),
  add constraint payments_returned_fee check (returned_fee_minor between 0 and coalesce(fee_minor, 0)),
  add constraint payments_refunded check (refunding_minor + refunded_minor <= returned_minor);

update payments.payments p set last_attempt = a.number
from (select payment_id, max(number) as number from payments.attempts group by payment_id having max(number) > 1) a
where a.payment_id = p.id;

-- '' is everybody's and everything's; the most particular rate holds, the seller before the category.
create table payments.commission_rates (
  seller_id    text    not null default '',
  category     text    not null default '',
  basis_points integer not null check (basis_points between 0 and 10000),
  primary key (seller_id, category)
);
insert into payments.commission_rates (basis_points) values (250);

/* The rate that holds for a sale of a seller in a category. */
create function payments.commission_rate(seller_id text, category text) returns integer
language sql stable
begin atomic
  select coalesce((
    select r.basis_points from payments.commission_rates r
    where r.seller_id in (coalesce(commission_rate.seller_id, ''), '')
      and r.category in (coalesce(commission_rate.category, ''), '')
    order by r.seller_id desc, r.category desc
    limit 1
  ), 250);
end;

/* The commission on an amount, half up; the seller's share is the rest. The same as commissionOf in domain. */
create function payments.commission(captured_minor bigint, basis_points integer) returns bigint
language sql immutable parallel safe
return (captured_minor * basis_points + 5000) / 10000;

alter table payments.attempts
  drop constraint attempts_operation_check,
  add constraint attempts_operation_check check (operation in ('create', 'cancel', 'capture', 'refund')),
  -- What a capture takes or a refund gives back; null where it is the payment's amount.
  add column amount_minor bigint check (amount_minor > 0),
  add column refund_id    uuid;

-- A payment has at most one cancellation or capture under way.
drop index payments.attempts_one_open_cancel;
create unique index attempts_one_open_move on payments.attempts (payment_id)
  where operation in ('cancel', 'capture') and state = 'open';

create table payments.refunds (
  id                uuid        primary key,
  payment_id        uuid        not null,
  -- As for payments; null on a refund that was made at the gateway and not through us.
  scope             text        not null,
  idempotency_key   text        check (length(idempotency_key) between 1 and 255),
  fingerprint       bytea,
  amount_minor      bigint      not null check (amount_minor > 0),
  -- The commission's part of it; the rest is the seller's.
  fee_minor         bigint      not null check (fee_minor between 0 and amount_minor),
  reason            text,
  status            text        not null check (status in ('pending', 'succeeded', 'failed')),
  gateway_refund_id text,
  -- The hold on the seller's money, made when the refund was accepted.
  hold_id           bigint,
  failure_code      text,
  failure_message   text,
  created_at        timestamptz not null,
  updated_at        timestamptz not null,
  unique (scope, idempotency_key)
);
create index refunds_of_payment on payments.refunds (payment_id, id);
-- Those that a bank has not decided, for whoever asks again.
create index refunds_pending on payments.refunds (updated_at) where status = 'pending';
create unique index refunds_gateway_id on payments.refunds (gateway_refund_id) where gateway_refund_id is not null;

create table payments.disputes (
  -- The gateway's id (dp_…).
  id           text        primary key,
  payment_id   uuid        not null,
  amount_minor bigint      not null check (amount_minor > 0),
  -- The part of it that counts against the payment, and the commission's part of that.
  borne_minor  bigint      not null check (borne_minor between 0 and amount_minor),
  fee_minor    bigint      not null check (fee_minor between 0 and borne_minor),
  status       text        not null check (status in ('open', 'won', 'lost')),
  hold_id      bigint,
  created_at   timestamptz not null,
  updated_at   timestamptz not null
);
create index disputes_of_payment on payments.disputes (payment_id);

/*
  Posts sales to the ledger: the gateway's clearing account takes in what was captured, the seller and the commission
  share it. A payment without a seller is the platform's own sale. Called by the statements that settle payments, in
  their commit.
*/
create function payments.post_sales(
  ids uuid[], gateways text[], seller_ids text[], currencies text[], captured bigint[], fees bigint[], intents text[]
) returns bigint language sql volatile
begin atomic
  select ledger.post_all(
    'default', array_fill('sale'::text, array[cardinality(ids)]), array(select 'payment:' || i from unnest(ids) i),
    intents, null, null, l.items, l.codes, l.currencies, l.amounts
  )
  from (
    select array_agg(s.item) as items, array_agg(s.code) as codes, array_agg(s.currency) as currencies,
           array_agg(s.amount) as amounts
    from (
      select i.item::integer as item, g.code, i.currency, g.amount
      from unnest(gateways, seller_ids, currencies, captured, fees)
        with ordinality as i (gateway, seller_id, currency, captured, fee, item)
      cross join lateral (
        values (1, 'gateway:' || i.gateway || ':clearing', i.captured),
               (2, 'seller:' || coalesce(i.seller_id, 'platform') || ':available', i.fee - i.captured),
               (3, 'platform:commission', -i.fee)
      ) as g (leg, code, amount)
      where g.amount <> 0
      order by i.item, g.leg
    ) s
  ) l
  where cardinality(ids) > 0;
end;

-- The payments that had succeeded before there was a ledger.
do $$
declare
  page record;
  last uuid := '00000000-0000-0000-0000-000000000000';
begin
  loop
    with chosen as (
      select p.id, (p.amount * 10::numeric ^ ledger.exponent_of(p.currency))::bigint as captured
      from payments.payments p where p.status = 'succeeded' and p.id > last order by p.id limit 1000
    ),
    changed as (
      update payments.payments p
      set captured_minor = c.captured, fee_minor = payments.commission(c.captured, p.commission_basis_points)
      from chosen c where p.id = c.id
      returning p.id, p.gateway, p.seller_id, p.currency, p.captured_minor, p.fee_minor
    )
    select array_agg(c.id order by c.id) as ids, array_agg(c.gateway order by c.id) as gateways,
           array_agg(c.seller_id order by c.id) as seller_ids, array_agg(c.currency order by c.id) as currencies,
           array_agg(c.captured_minor order by c.id) as captured, array_agg(c.fee_minor order by c.id) as fees,
           array_agg(a.stripe_payment_intent_id order by c.id) as intents
    into page
    from changed c join payments.attempts a on a.payment_id = c.id and a.number = 1;
    exit when page.ids is null;
    perform payments.post_sales(
      page.ids, page.gateways, page.seller_ids, page.currencies, page.captured, page.fees, page.intents
    );
    last := page.ids[cardinality(page.ids)];
  end loop;
end
$$;

alter table payments.payments
  add constraint payments_captured
    check ((status = 'succeeded') = (captured_minor is not null and fee_minor is not null));

grant select, insert, update on payments.refunds, payments.disputes to marketflow_app;
grant select, insert, update, delete on payments.commission_rates to marketflow_app;
