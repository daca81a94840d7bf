/** Types generated for queries found in "src/modules/payouts/persistence/movements.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type bigintArray = readonly (bigint | null)[];

export type stringArray = readonly (string | null)[];

/** 'AcceptPayouts' parameters type */
export interface AcceptPayoutsParams {
  amounts: bigintArray;
  currencies: stringArray;
  fingerprints: stringArray;
  gateways: stringArray;
  idempotencyKeys: stringArray;
  ids: stringArray;
  leaseMs: number;
  recipientIds: stringArray;
  recipientKinds: stringArray;
  scopes: stringArray;
  tenant: string;
  traceparents: stringArray;
}

/** 'AcceptPayouts' return type */
export interface AcceptPayoutsResult {
  acceptedIds: string;
  createdAt: Date;
  holdIds: string;
}

const acceptPayoutsIR = {"statement":"with accepted as (\n  insert into payouts.payouts (\n    id, scope, idempotency_key, fingerprint, recipient_kind, recipient_id, amount_minor, currency, status, gateway,\n    traceparent, created_at, begun_at\n  )\n  select id, scope, idempotency_key, decode(fingerprint, 'hex'), recipient_kind, recipient_id, amount_minor, currency,\n         'PROCESANDO', gateway, traceparent, now(), now()\n  from unnest(\n    :ids!::uuid[], :scopes!::text[], :idempotencyKeys!::text[], :fingerprints!::text[], :recipientKinds!::text[],\n    :recipientIds!::text[], :amounts!::bigint[], :currencies!::text[], :gateways!::text[],\n    :traceparents!::text[]\n  ) as i (\n    id, scope, idempotency_key, fingerprint, recipient_kind, recipient_id, amount_minor, currency, gateway, traceparent\n  )\n  on conflict (scope, idempotency_key) where idempotency_key is not null do nothing\n  returning id, recipient_kind, recipient_id, amount_minor, currency, gateway\n),\nheld as materialized (\n  select a.ids, h.first_id, h.exceptions\n  from (\n    select array_agg(id) as ids, array_agg('payout:' || id) as refs,\n           array_agg(\n             case recipient_kind when 'affiliate' then 'gateway:' || gateway || ':funding'\n               else 'seller:' || recipient_id || ':available' end\n           ) as codes,\n           array_agg(currency) as currencies, array_agg(amount_minor) as amounts,\n           array_agg(null::timestamptz) as expires_ats\n    from accepted\n  ) a\n  cross join lateral ledger.hold(:tenant!::text, a.refs, a.codes, a.currencies, a.amounts, a.expires_ats, false) h\n),\nbegun as materialized (\n  select i.id,\n         case when held.exceptions is null or held.exceptions -> i.item::text is null\n           then held.first_id + i.item - 1 end as hold_id\n  from held cross join lateral unnest(held.ids) with ordinality as i (id, item)\n),\nlisted as (\n  insert into payouts.under_way (payout_id, hold_id, tries, due_at, accepted_at)\n  select id, hold_id, 1, now() + :leaseMs!::integer * interval '1 millisecond', now()\n  from begun\n)\n-- One row for the whole batch; a payout without a hold has nothing between its commas.\nselect coalesce(string_agg(id::text, ','), '') as \"acceptedIds\" ,\n       coalesce(string_agg(coalesce(hold_id::text, ''), ','), '') as \"holdIds\" ,\n       now() as \"createdAt\" \nfrom begun","params":[{"name":"ids","locs":[{"a":405,"b":410}]},{"name":"scopes","locs":[{"a":420,"b":428}]},{"name":"idempotencyKeys","locs":[{"a":438,"b":455}]},{"name":"fingerprints","locs":[{"a":465,"b":479}]},{"name":"recipientKinds","locs":[{"a":489,"b":505}]},{"name":"recipientIds","locs":[{"a":519,"b":533}]},{"name":"amounts","locs":[{"a":543,"b":552}]},{"name":"currencies","locs":[{"a":564,"b":576}]},{"name":"gateways","locs":[{"a":586,"b":596}]},{"name":"traceparents","locs":[{"a":610,"b":624}]},{"name":"tenant","locs":[{"a":1471,"b":1479}]},{"name":"leaseMs","locs":[{"a":1948,"b":1957}]}]};

/**
 * Query generated from SQL:
 * ```
 * with accepted as (
 *   insert into payouts.payouts (
 *     id, scope, idempotency_key, fingerprint, recipient_kind, recipient_id, amount_minor, currency, status, gateway,
 *     traceparent, created_at, begun_at
 *   )
 *   select id, scope, idempotency_key, decode(fingerprint, 'hex'), recipient_kind, recipient_id, amount_minor, currency,
 *          'PROCESANDO', gateway, traceparent, now(), now()
 *   from unnest(
 *     :ids!::uuid[], :scopes!::text[], :idempotencyKeys!::text[], :fingerprints!::text[], :recipientKinds!::text[],
 *     :recipientIds!::text[], :amounts!::bigint[], :currencies!::text[], :gateways!::text[],
 *     :traceparents!::text[]
 *   ) as i (
 *     id, scope, idempotency_key, fingerprint, recipient_kind, recipient_id, amount_minor, currency, gateway, traceparent
 *   )
 *   on conflict (scope, idempotency_key) where idempotency_key is not null do nothing
 *   returning id, recipient_kind, recipient_id, amount_minor, currency, gateway
 * ),
 * held as materialized (
 *   select a.ids, h.first_id, h.exceptions
 *   from (
 *     select array_agg(id) as ids, array_agg('payout:' || id) as refs,
 *            array_agg(
 *              case recipient_kind when 'affiliate' then 'gateway:' || gateway || ':funding'
 *                else 'seller:' || recipient_id || ':available' end
 *            ) as codes,
 *            array_agg(currency) as currencies, array_agg(amount_minor) as amounts,
 *            array_agg(null::timestamptz) as expires_ats
 *     from accepted
 *   ) a
 *   cross join lateral ledger.hold(:tenant!::text, a.refs, a.codes, a.currencies, a.amounts, a.expires_ats, false) h
 * ),
 * begun as materialized (
 *   select i.id,
 *          case when held.exceptions is null or held.exceptions -> i.item::text is null
 *            then held.first_id + i.item - 1 end as hold_id
 *   from held cross join lateral unnest(held.ids) with ordinality as i (id, item)
 * ),
 * listed as (
 *   insert into payouts.under_way (payout_id, hold_id, tries, due_at, accepted_at)
 *   select id, hold_id, 1, now() + :leaseMs!::integer * interval '1 millisecond', now()
 *   from begun
 * )
 * -- One row for the whole batch; a payout without a hold has nothing between its commas.
 * select coalesce(string_agg(id::text, ','), '') as "acceptedIds!",
 *        coalesce(string_agg(coalesce(hold_id::text, ''), ','), '') as "holdIds!",
 *        now() as "createdAt!"
 * from begun                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                              
 * ```
 */
export const acceptPayouts = new PreparedStatement<AcceptPayoutsParams, AcceptPayoutsResult>("payouts.acceptPayouts", acceptPayoutsIR);

/** 'SettlePaidPayouts' parameters type */
export interface SettlePaidPayoutsParams {
  amounts: stringArray;
  gatewayReferences: stringArray;
  ids: stringArray;
  tenant: string;
}

/** 'SettlePaidPayouts' return type */
export interface SettlePaidPayoutsResult {
  logged: string | null;
  posted: bigint | null;
  processedAt: Date;
  settledIds: string;
}

const settlePaidPayoutsIR = {"statement":"with input as (\n  select * from unnest(:ids!::uuid[], :gatewayReferences!::text[], :amounts!::numeric[])\n    as i (id, gateway_reference, amount)\n),\nended as (\n  delete from payouts.under_way u using input i where u.payout_id = i.id\n  returning i.id, i.gateway_reference, i.amount, u.hold_id\n),\npaid as (\n  update payouts.payouts p\n  set status = 'EXITOSO', gateway_reference = e.gateway_reference, version = p.version + 1, processed_at = now()\n  from ended e\n  where p.id = e.id\n  returning p.id, p.recipient_kind, p.recipient_id, p.amount_minor, p.currency, p.gateway, p.gateway_reference,\n            p.version, p.traceparent, e.hold_id, e.amount\n),\nnumbered as materialized (\n  select (row_number() over ())::integer as item, paid.* from paid\n),\nposted as (\n  select ledger.post_all(\n    :tenant!::text, t.kinds, t.refs, t.external_ids, null, t.hold_ids, l.items, l.codes, l.currencies, l.amounts\n  )\n  from (\n    select array_agg('payout'::text) as kinds, array_agg('payout:' || id order by item) as refs,\n           array_agg(gateway_reference order by item) as external_ids, array_agg(hold_id order by item) as hold_ids\n    from numbered\n    having count(*) > 0\n  ) t\n  cross join (\n    select array_agg(n.item order by n.item, g.leg) as items, array_agg(g.code order by n.item, g.leg) as codes,\n           array_agg(n.currency order by n.item, g.leg) as currencies,\n           array_agg(g.amount order by n.item, g.leg) as amounts\n    from numbered n\n    cross join lateral (\n      values (1, case n.recipient_kind when 'affiliate' then 'affiliate:' || n.recipient_id || ':paid'\n                   else 'seller:' || n.recipient_id || ':available' end, n.amount_minor),\n             (2, case n.recipient_kind when 'affiliate' then 'gateway:' || n.gateway || ':funding'\n                   else 'gateway:' || n.gateway || ':payouts' end, -n.amount_minor)\n    ) as g (leg, code, amount)\n  ) l\n),\nmoment as materialized (\n  select to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') as text\n),\nlogged as (\n  select events.append(\n    case recipient_kind when 'affiliate' then 'pago' else 'payout' end, array_agg(id), array_agg(version),\n    array_agg(case recipient_kind when 'affiliate' then 'PagoExitoso' else 'payout.succeeded' end),\n    array_agg(\n      case recipient_kind\n        when 'affiliate' then jsonb_build_object(\n          'event_type', 'PagoExitoso', 'event_id', gen_random_uuid(), 'timestamp', moment.text,\n          'data', jsonb_build_object(\n            'id_pago', id, 'id_afiliado', recipient_id, 'monto', trim_scale(amount), 'moneda', currency,\n            'referencia_pago', 'ref_' || replace(id::text, '-', '')\n          )\n        )\n        else jsonb_build_object(\n          'seller_id', recipient_id, 'amount', trim_scale(amount)::text, 'currency', currency,\n          'gateway_reference', gateway_reference\n        )\n      end\n    ),\n    array_agg(traceparent)\n  ) as appended\n  from numbered cross join moment\n  group by recipient_kind\n)\n-- The posting comes last: it locks the account that everybody is paid from until the commit.\nselect coalesce((select string_agg(id::text, ',') from numbered), '') as \"settledIds\" , now() as \"processedAt\" ,\n       (select sum(appended) from logged) as \"logged\", (select post_all from posted) as \"posted\"","params":[{"name":"ids","locs":[{"a":39,"b":44}]},{"name":"gatewayReferences","locs":[{"a":54,"b":73}]},{"name":"amounts","locs":[{"a":83,"b":92}]},{"name":"tenant","locs":[{"a":792,"b":800}]}]};

/**
 * Query generated from SQL:
 * ```
 * with input as (
 *   select * from unnest(:ids!::uuid[], :gatewayReferences!::text[], :amounts!::numeric[])
 *     as i (id, gateway_reference, amount)
 * ),
 * ended as (
 *   delete from payouts.under_way u using input i where u.payout_id = i.id
 *   returning i.id, i.gateway_reference, i.amount, u.hold_id
 * ),
 * paid as (
 *   update payouts.payouts p
 *   set status = 'EXITOSO', gateway_reference = e.gateway_reference, version = p.version + 1, processed_at = now()
 *   from ended e
 *   where p.id = e.id
 *   returning p.id, p.recipient_kind, p.recipient_id, p.amount_minor, p.currency, p.gateway, p.gateway_reference,
 *             p.version, p.traceparent, e.hold_id, e.amount
 * ),
 * numbered as materialized (
 *   select (row_number() over ())::integer as item, paid.* from paid
 * ),
 * posted as (
 *   select ledger.post_all(
 *     :tenant!::text, t.kinds, t.refs, t.external_ids, null, t.hold_ids, l.items, l.codes, l.currencies, l.amounts
 *   )
 *   from (
 *     select array_agg('payout'::text) as kinds, array_agg('payout:' || id order by item) as refs,
 *            array_agg(gateway_reference order by item) as external_ids, array_agg(hold_id order by item) as hold_ids
 *     from numbered
 *     having count(*) > 0
 *   ) t
 *   cross join (
 *     select array_agg(n.item order by n.item, g.leg) as items, array_agg(g.code order by n.item, g.leg) as codes,
 *            array_agg(n.currency order by n.item, g.leg) as currencies,
 *            array_agg(g.amount order by n.item, g.leg) as amounts
 *     from numbered n
 *     cross join lateral (
 *       values (1, case n.recipient_kind when 'affiliate' then 'affiliate:' || n.recipient_id || ':paid'
 *                    else 'seller:' || n.recipient_id || ':available' end, n.amount_minor),
 *              (2, case n.recipient_kind when 'affiliate' then 'gateway:' || n.gateway || ':funding'
 *                    else 'gateway:' || n.gateway || ':payouts' end, -n.amount_minor)
 *     ) as g (leg, code, amount)
 *   ) l
 * ),
 * moment as materialized (
 *   select to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as text
 * ),
 * logged as (
 *   select events.append(
 *     case recipient_kind when 'affiliate' then 'pago' else 'payout' end, array_agg(id), array_agg(version),
 *     array_agg(case recipient_kind when 'affiliate' then 'PagoExitoso' else 'payout.succeeded' end),
 *     array_agg(
 *       case recipient_kind
 *         when 'affiliate' then jsonb_build_object(
 *           'event_type', 'PagoExitoso', 'event_id', gen_random_uuid(), 'timestamp', moment.text,
 *           'data', jsonb_build_object(
 *             'id_pago', id, 'id_afiliado', recipient_id, 'monto', trim_scale(amount), 'moneda', currency,
 *             'referencia_pago', 'ref_' || replace(id::text, '-', '')
 *           )
 *         )
 *         else jsonb_build_object(
 *           'seller_id', recipient_id, 'amount', trim_scale(amount)::text, 'currency', currency,
 *           'gateway_reference', gateway_reference
 *         )
 *       end
 *     ),
 *     array_agg(traceparent)
 *   ) as appended
 *   from numbered cross join moment
 *   group by recipient_kind
 * )
 * -- The posting comes last: it locks the account that everybody is paid from until the commit.
 * select coalesce((select string_agg(id::text, ',') from numbered), '') as "settledIds!", now() as "processedAt!",
 *        (select sum(appended) from logged) as "logged", (select post_all from posted) as "posted"                                                                                                     
 * ```
 */
export const settlePaidPayouts = new PreparedStatement<SettlePaidPayoutsParams, SettlePaidPayoutsResult>("payouts.settlePaidPayouts", settlePaidPayoutsIR);

/** 'SettleDeclinedPayouts' parameters type */
export interface SettleDeclinedPayoutsParams {
  amounts: stringArray;
  failureCodes: stringArray;
  failureMessages: stringArray;
  ids: stringArray;
  tenant: string;
}

/** 'SettleDeclinedPayouts' return type */
export interface SettleDeclinedPayoutsResult {
  logged: string | null;
  notFreed: Json | null;
  processedAt: Date;
  settledIds: string;
}

const settleDeclinedPayoutsIR = {"statement":"with input as (\n  select * from unnest(:ids!::uuid[], :failureCodes!::text[], :failureMessages!::text[], :amounts!::numeric[])\n    as i (id, failure_code, failure_message, amount)\n),\nended as (\n  delete from payouts.under_way u using input i where u.payout_id = i.id\n  returning i.id, i.failure_code, i.failure_message, i.amount, u.hold_id\n),\nfailed as (\n  update payouts.payouts p\n  set status = 'FALLIDO', failure_code = e.failure_code, failure_message = e.failure_message,\n      version = p.version + 1, processed_at = now()\n  from ended e\n  where p.id = e.id\n  returning p.id, p.recipient_kind, p.recipient_id, p.currency, p.version, p.traceparent, p.failure_code,\n            p.failure_message, e.hold_id, e.amount\n),\nfreed as (\n  select ledger.void_holds(:tenant!::text, array_agg(hold_id)) from failed\n  where hold_id is not null\n  having count(*) > 0\n),\nmoment as materialized (\n  select to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') as text\n),\nlogged as (\n  select events.append(\n    case recipient_kind when 'affiliate' then 'pago' else 'payout' end, array_agg(id), array_agg(version),\n    array_agg(case recipient_kind when 'affiliate' then 'PagoFallido' else 'payout.failed' end),\n    array_agg(\n      case recipient_kind\n        when 'affiliate' then jsonb_build_object(\n          'event_type', 'PagoFallido', 'event_id', gen_random_uuid(), 'timestamp', moment.text,\n          'data', jsonb_build_object(\n            'id_pago', id, 'id_afiliado', recipient_id, 'monto', trim_scale(amount), 'moneda', currency,\n            'referencia_pago', 'ref_' || replace(id::text, '-', ''), 'mensaje_error', failure_message\n          )\n        )\n        else jsonb_build_object(\n          'seller_id', recipient_id, 'amount', trim_scale(amount)::text, 'currency', currency,\n          'failure_code', failure_code, 'failure_message', failure_message\n        )\n      end\n    ),\n    array_agg(traceparent)\n  ) as appended\n  from failed cross join moment\n  group by recipient_kind\n)\n-- The holds come last, as the posting does above.\nselect coalesce((select string_agg(id::text, ',') from failed), '') as \"settledIds\" , now() as \"processedAt\" ,\n       (select sum(appended) from logged) as \"logged\", (select void_holds from freed) as \"notFreed\"","params":[{"name":"ids","locs":[{"a":39,"b":44}]},{"name":"failureCodes","locs":[{"a":54,"b":68}]},{"name":"failureMessages","locs":[{"a":78,"b":95}]},{"name":"amounts","locs":[{"a":105,"b":114}]},{"name":"tenant","locs":[{"a":761,"b":769}]}]};

/**
 * Query generated from SQL:
 * ```
 * with input as (
 *   select * from unnest(:ids!::uuid[], :failureCodes!::text[], :failureMessages!::text[], :amounts!::numeric[])
 *     as i (id, failure_code, failure_message, amount)
 * ),
 * ended as (
 *   delete from payouts.under_way u using input i where u.payout_id = i.id
 *   returning i.id, i.failure_code, i.failure_message, i.amount, u.hold_id
 * ),
 * failed as (
 *   update payouts.payouts p
 *   set status = 'FALLIDO', failure_code = e.failure_code, failure_message = e.failure_message,
 *       version = p.version + 1, processed_at = now()
 *   from ended e
 *   where p.id = e.id
 *   returning p.id, p.recipient_kind, p.recipient_id, p.currency, p.version, p.traceparent, p.failure_code,
 *             p.failure_message, e.hold_id, e.amount
 * ),
 * freed as (
 *   select ledger.void_holds(:tenant!::text, array_agg(hold_id)) from failed
 *   where hold_id is not null
 *   having count(*) > 0
 * ),
 * moment as materialized (
 *   select to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as text
 * ),
 * logged as (
 *   select events.append(
 *     case recipient_kind when 'affiliate' then 'pago' else 'payout' end, array_agg(id), array_agg(version),
 *     array_agg(case recipient_kind when 'affiliate' then 'PagoFallido' else 'payout.failed' end),
 *     array_agg(
 *       case recipient_kind
 *         when 'affiliate' then jsonb_build_object(
 *           'event_type', 'PagoFallido', 'event_id', gen_random_uuid(), 'timestamp', moment.text,
 *           'data', jsonb_build_object(
 *             'id_pago', id, 'id_afiliado', recipient_id, 'monto', trim_scale(amount), 'moneda', currency,
 *             'referencia_pago', 'ref_' || replace(id::text, '-', ''), 'mensaje_error', failure_message
 *           )
 *         )
 *         else jsonb_build_object(
 *           'seller_id', recipient_id, 'amount', trim_scale(amount)::text, 'currency', currency,
 *           'failure_code', failure_code, 'failure_message', failure_message
 *         )
 *       end
 *     ),
 *     array_agg(traceparent)
 *   ) as appended
 *   from failed cross join moment
 *   group by recipient_kind
 * )
 * -- The holds come last, as the posting does above.
 * select coalesce((select string_agg(id::text, ',') from failed), '') as "settledIds!", now() as "processedAt!",
 *        (select sum(appended) from logged) as "logged", (select void_holds from freed) as "notFreed"                                                                                                                                                                                                                                                                                                            
 * ```
 */
export const settleDeclinedPayouts = new PreparedStatement<SettleDeclinedPayoutsParams, SettleDeclinedPayoutsResult>("payouts.settleDeclinedPayouts", settleDeclinedPayoutsIR);

/** 'ClaimDuePayouts' parameters type */
export interface ClaimDuePayoutsParams {
  gateway: string;
  leaseMs: number;
  limit: number;
}

/** 'ClaimDuePayouts' return type */
export interface ClaimDuePayoutsResult {
  absences: number;
  amountMinor: bigint;
  currency: string;
  holdId: bigint | null;
  payoutId: string;
  recipientId: string;
  recipientKind: string;
  traceparent: string | null;
  tries: number;
}

const claimDuePayoutsIR = {"statement":"with due as materialized (\n  select u.payout_id\n  from payouts.under_way u\n  cross join lateral (select p.gateway from payouts.payouts p where p.id = u.payout_id offset 0) p\n  where not u.parked and u.due_at <= now() and p.gateway = :gateway!\n  order by u.due_at\n  limit :limit!::integer\n  for update of u skip locked\n)\nupdate payouts.under_way u\nset tries = u.tries + 1, due_at = now() + :leaseMs!::integer * interval '1 millisecond'\nfrom due\njoin payouts.payouts p on p.id = due.payout_id\nwhere u.payout_id = due.payout_id\nreturning u.payout_id as \"payoutId\" , u.hold_id as \"holdId\", u.tries as \"tries\" , u.absences as \"absences\" ,\n          p.recipient_kind as \"recipientKind\" , p.recipient_id as \"recipientId\" , p.amount_minor as \"amountMinor\" ,\n          p.currency as \"currency\" , p.traceparent","params":[{"name":"gateway","locs":[{"a":233,"b":242}]},{"name":"limit","locs":[{"a":271,"b":278}]},{"name":"leaseMs","locs":[{"a":389,"b":398}]}]};

/**
 * Query generated from SQL:
 * ```
 * with due as materialized (
 *   select u.payout_id
 *   from payouts.under_way u
 *   cross join lateral (select p.gateway from payouts.payouts p where p.id = u.payout_id offset 0) p
 *   where not u.parked and u.due_at <= now() and p.gateway = :gateway!
 *   order by u.due_at
 *   limit :limit!::integer
 *   for update of u skip locked
 * )
 * update payouts.under_way u
 * set tries = u.tries + 1, due_at = now() + :leaseMs!::integer * interval '1 millisecond'
 * from due
 * join payouts.payouts p on p.id = due.payout_id
 * where u.payout_id = due.payout_id
 * returning u.payout_id as "payoutId!", u.hold_id as "holdId", u.tries as "tries!", u.absences as "absences!",
 *           p.recipient_kind as "recipientKind!", p.recipient_id as "recipientId!", p.amount_minor as "amountMinor!",
 *           p.currency as "currency!", p.traceparent                                                                                                                     
 * ```
 */
export const claimDuePayouts = new PreparedStatement<ClaimDuePayoutsParams, ClaimDuePayoutsResult>("payouts.claimDuePayouts", claimDuePayoutsIR);

/** 'PostponePayout' parameters type */
export interface PostponePayoutParams {
  absences: number;
  delayMs: number;
  error: string;
  park: boolean;
  payoutId: string;
}

/** 'PostponePayout' return type */
export type PostponePayoutResult = void;

const postponePayoutIR = {"statement":"update payouts.under_way\nset due_at = now() + :delayMs!::integer * interval '1 millisecond', last_error = :error!, absences = :absences!,\n    parked = :park!\nwhere payout_id = :payoutId!","params":[{"name":"delayMs","locs":[{"a":46,"b":55}]},{"name":"error","locs":[{"a":106,"b":113}]},{"name":"absences","locs":[{"a":126,"b":136}]},{"name":"park","locs":[{"a":151,"b":157}]},{"name":"payoutId","locs":[{"a":176,"b":186}]}]};

/**
 * Query generated from SQL:
 * ```
 * update payouts.under_way
 * set due_at = now() + :delayMs!::integer * interval '1 millisecond', last_error = :error!, absences = :absences!,
 *     parked = :park!
 * where payout_id = :payoutId!
 * ```
 */
export const postponePayout = new PreparedStatement<PostponePayoutParams, PostponePayoutResult>("payouts.postponePayout", postponePayoutIR);

/** 'CountDuePayouts' parameters type */
export type CountDuePayoutsParams = void;

/** 'CountDuePayouts' return type */
export interface CountDuePayoutsResult {
  due: bigint;
}

const countDuePayoutsIR = {"statement":"select count(*) as \"due\"  from payouts.under_way where not parked and due_at <= now()","params":[]};

/**
 * Query generated from SQL:
 * ```
 * select count(*) as "due!" from payouts.under_way where not parked and due_at <= now()
 * ```
 */
export const countDuePayouts = new PreparedStatement<CountDuePayoutsParams, CountDuePayoutsResult>("payouts.countDuePayouts", countDuePayoutsIR);
