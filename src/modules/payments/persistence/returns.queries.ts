/** Types generated for queries found in "src/modules/payments/persistence/returns.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type bigintArray = readonly (bigint | null)[];

export type numberArray = readonly (number | null)[];

export type stringArray = readonly (string | null)[];

/** 'ReadFunds' parameters type */
export interface ReadFundsParams {
  paymentId: string;
  scope?: string | null | undefined;
}

/** 'ReadFunds' return type */
export interface ReadFundsResult {
  capturedMinor: bigint;
  currency: string;
  feeMinor: bigint;
  gateway: string;
  id: string;
  intentId: string | null;
  lastAttempt: number;
  refundedMinor: bigint;
  refundingMinor: bigint;
  returnedFeeMinor: bigint;
  returnedMinor: bigint;
  sellerId: string | null;
  status: string;
  version: number;
}

const readFundsIR = {"statement":"select p.id as \"id\" , p.version as \"version\" , p.status as \"status\" , p.currency as \"currency\" ,\n       p.gateway as \"gateway\" , p.seller_id as \"sellerId\", p.last_attempt as \"lastAttempt\" ,\n       coalesce(p.captured_minor, 0) as \"capturedMinor\" , coalesce(p.fee_minor, 0) as \"feeMinor\" ,\n       p.returned_minor as \"returnedMinor\" , p.returned_fee_minor as \"returnedFeeMinor\" ,\n       p.refunding_minor as \"refundingMinor\" , p.refunded_minor as \"refundedMinor\" ,\n       a.stripe_payment_intent_id as \"intentId\"\nfrom payments.payments p\njoin payments.attempts a on a.payment_id = p.id and a.number = 1\nwhere p.id = :paymentId! and (:scope::text is null or p.scope = :scope)","params":[{"name":"paymentId","locs":[{"a":615,"b":626}]},{"name":"scope","locs":[{"a":632,"b":638},{"a":666,"b":672}]}]};

/**
 * Query generated from SQL:
 * ```
 * select p.id as "id!", p.version as "version!", p.status as "status!", p.currency as "currency!",
 *        p.gateway as "gateway!", p.seller_id as "sellerId", p.last_attempt as "lastAttempt!",
 *        coalesce(p.captured_minor, 0) as "capturedMinor!", coalesce(p.fee_minor, 0) as "feeMinor!",
 *        p.returned_minor as "returnedMinor!", p.returned_fee_minor as "returnedFeeMinor!",
 *        p.refunding_minor as "refundingMinor!", p.refunded_minor as "refundedMinor!",
 *        a.stripe_payment_intent_id as "intentId"
 * from payments.payments p
 * join payments.attempts a on a.payment_id = p.id and a.number = 1
 * where p.id = :paymentId! and (:scope::text is null or p.scope = :scope)
 * ```
 */
export const readFunds = new PreparedStatement<ReadFundsParams, ReadFundsResult>("payments.readFunds", readFundsIR);

/** 'FindPaymentOfIntent' parameters type */
export interface FindPaymentOfIntentParams {
  intentId: string;
}

/** 'FindPaymentOfIntent' return type */
export interface FindPaymentOfIntentResult {
  paymentId: string;
}

const findPaymentOfIntentIR = {"statement":"select payment_id as \"paymentId\"  from payments.attempts where stripe_payment_intent_id = :intentId!","params":[{"name":"intentId","locs":[{"a":90,"b":100}]}]};

/**
 * Query generated from SQL:
 * ```
 * select payment_id as "paymentId!" from payments.attempts where stripe_payment_intent_id = :intentId!
 * ```
 */
export const findPaymentOfIntent = new PreparedStatement<FindPaymentOfIntentParams, FindPaymentOfIntentResult>("payments.findPaymentOfIntent", findPaymentOfIntentIR);

/** 'ReadRefund' parameters type */
export interface ReadRefundParams {
  refundId: string;
}

/** 'ReadRefund' return type */
export interface ReadRefundResult {
  amountMinor: bigint;
  feeMinor: bigint;
  gatewayRefundId: string | null;
  holdId: bigint | null;
  id: string;
  paymentId: string;
  status: string;
}

const readRefundIR = {"statement":"select id as \"id\" , payment_id as \"paymentId\" , amount_minor as \"amountMinor\" , fee_minor as \"feeMinor\" ,\n       status as \"status\" , gateway_refund_id as \"gatewayRefundId\", hold_id as \"holdId\"\nfrom payments.refunds\nwhere id = :refundId!","params":[{"name":"refundId","locs":[{"a":227,"b":237}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!", payment_id as "paymentId!", amount_minor as "amountMinor!", fee_minor as "feeMinor!",
 *        status as "status!", gateway_refund_id as "gatewayRefundId", hold_id as "holdId"
 * from payments.refunds
 * where id = :refundId!
 * ```
 */
export const readRefund = new PreparedStatement<ReadRefundParams, ReadRefundResult>("payments.readRefund", readRefundIR);

/** 'FindRefundByKey' parameters type */
export interface FindRefundByKeyParams {
  key: string;
  scope: string;
}

/** 'FindRefundByKey' return type */
export interface FindRefundByKeyResult {
  amountMinor: bigint;
  createdAt: Date;
  currency: string;
  failureCode: string | null;
  failureMessage: string | null;
  fingerprint: string;
  id: string;
  paymentId: string;
  reason: string | null;
  status: string;
  underWay: boolean;
}

const findRefundByKeyIR = {"statement":"select r.id as \"id\" , r.payment_id as \"paymentId\" , encode(r.fingerprint, 'hex') as \"fingerprint\" ,\n       r.amount_minor as \"amountMinor\" , p.currency as \"currency\" , r.reason, r.status as \"status\" ,\n       r.failure_code as \"failureCode\", r.failure_message as \"failureMessage\", r.created_at as \"createdAt\" ,\n       exists (\n         select from payments.attempts a where a.payment_id = r.payment_id and a.refund_id = r.id and a.state = 'open'\n       ) as \"underWay\" \nfrom payments.refunds r\njoin payments.payments p on p.id = r.payment_id\nwhere r.scope = :scope! and r.idempotency_key = :key!","params":[{"name":"scope","locs":[{"a":557,"b":564}]},{"name":"key","locs":[{"a":589,"b":594}]}]};

/**
 * Query generated from SQL:
 * ```
 * select r.id as "id!", r.payment_id as "paymentId!", encode(r.fingerprint, 'hex') as "fingerprint!",
 *        r.amount_minor as "amountMinor!", p.currency as "currency!", r.reason, r.status as "status!",
 *        r.failure_code as "failureCode", r.failure_message as "failureMessage", r.created_at as "createdAt!",
 *        exists (
 *          select from payments.attempts a where a.payment_id = r.payment_id and a.refund_id = r.id and a.state = 'open'
 *        ) as "underWay!"
 * from payments.refunds r
 * join payments.payments p on p.id = r.payment_id
 * where r.scope = :scope! and r.idempotency_key = :key!
 * ```
 */
export const findRefundByKey = new PreparedStatement<FindRefundByKeyParams, FindRefundByKeyResult>("payments.findRefundByKey", findRefundByKeyIR);

/** 'ListRefunds' parameters type */
export interface ListRefundsParams {
  limit: number;
  paymentId: string;
}

/** 'ListRefunds' return type */
export interface ListRefundsResult {
  amountMinor: bigint;
  createdAt: Date;
  currency: string;
  failureCode: string | null;
  failureMessage: string | null;
  id: string;
  paymentId: string;
  reason: string | null;
  status: string;
}

const listRefundsIR = {"statement":"select r.id as \"id\" , r.payment_id as \"paymentId\" , r.amount_minor as \"amountMinor\" , p.currency as \"currency\" ,\n       r.reason, r.status as \"status\" , r.failure_code as \"failureCode\", r.failure_message as \"failureMessage\",\n       r.created_at as \"createdAt\" \nfrom payments.refunds r\njoin payments.payments p on p.id = r.payment_id\nwhere r.payment_id = :paymentId!\norder by r.id\nlimit :limit!::integer","params":[{"name":"paymentId","locs":[{"a":354,"b":365}]},{"name":"limit","locs":[{"a":386,"b":393}]}]};

/**
 * Query generated from SQL:
 * ```
 * select r.id as "id!", r.payment_id as "paymentId!", r.amount_minor as "amountMinor!", p.currency as "currency!",
 *        r.reason, r.status as "status!", r.failure_code as "failureCode", r.failure_message as "failureMessage",
 *        r.created_at as "createdAt!"
 * from payments.refunds r
 * join payments.payments p on p.id = r.payment_id
 * where r.payment_id = :paymentId!
 * order by r.id
 * limit :limit!::integer
 * ```
 */
export const listRefunds = new PreparedStatement<ListRefundsParams, ListRefundsResult>("payments.listRefunds", listRefundsIR);

/** 'ReadDispute' parameters type */
export interface ReadDisputeParams {
  disputeId: string;
}

/** 'ReadDispute' return type */
export interface ReadDisputeResult {
  amountMinor: bigint;
  borneMinor: bigint;
  feeMinor: bigint;
  holdId: bigint | null;
  id: string;
  paymentId: string;
  status: string;
}

const readDisputeIR = {"statement":"select id as \"id\" , payment_id as \"paymentId\" , amount_minor as \"amountMinor\" , borne_minor as \"borneMinor\" ,\n       fee_minor as \"feeMinor\" , status as \"status\" , hold_id as \"holdId\"\nfrom payments.disputes\nwhere id = :disputeId!","params":[{"name":"disputeId","locs":[{"a":218,"b":229}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!", payment_id as "paymentId!", amount_minor as "amountMinor!", borne_minor as "borneMinor!",
 *        fee_minor as "feeMinor!", status as "status!", hold_id as "holdId"
 * from payments.disputes
 * where id = :disputeId!
 * ```
 */
export const readDispute = new PreparedStatement<ReadDisputeParams, ReadDisputeResult>("payments.readDispute", readDisputeIR);

/** 'ListDisputes' parameters type */
export interface ListDisputesParams {
  limit: number;
  paymentId: string;
}

/** 'ListDisputes' return type */
export interface ListDisputesResult {
  id: string;
}

const listDisputesIR = {"statement":"select id as \"id\"  from payments.disputes where payment_id = :paymentId! order by created_at, id limit :limit!::integer","params":[{"name":"paymentId","locs":[{"a":61,"b":72}]},{"name":"limit","locs":[{"a":103,"b":110}]}]};

/**
 * Query generated from SQL:
 * ```
 * select id as "id!" from payments.disputes where payment_id = :paymentId! order by created_at, id limit :limit!::integer
 * ```
 */
export const listDisputes = new PreparedStatement<ListDisputesParams, ListDisputesResult>("payments.listDisputes", listDisputesIR);

/** 'ReadInboxEvent' parameters type */
export interface ReadInboxEventParams {
  eventId: string;
}

/** 'ReadInboxEvent' return type */
export interface ReadInboxEventResult {
  processedAt: Date | null;
}

const readInboxEventIR = {"statement":"select processed_at as \"processedAt\" from payments.webhook_inbox where event_id = :eventId!","params":[{"name":"eventId","locs":[{"a":82,"b":91}]}]};

/**
 * Query generated from SQL:
 * ```
 * select processed_at as "processedAt" from payments.webhook_inbox where event_id = :eventId!                                                          
 * ```
 */
export const readInboxEvent = new PreparedStatement<ReadInboxEventParams, ReadInboxEventResult>("payments.readInboxEvent", readInboxEventIR);

/** 'KeepEvent' parameters type */
export interface KeepEventParams {
  disposition: string;
  eventId: string;
  intentId?: string | null | undefined;
  payload: Json;
  paymentId?: string | null | undefined;
  type: string;
}

/** 'KeepEvent' return type */
export interface KeepEventResult {
  disposition: string;
}

const keepEventIR = {"statement":"insert into payments.webhook_inbox (event_id, type, intent_id, payment_id, payload, processed_at, disposition)\nvalues (\n  :eventId!, :type!, :intentId, :paymentId, :payload!::json,\n  case when :disposition! <> 'waiting' then now() end, :disposition!\n)\non conflict (event_id) do update\nset processed_at = excluded.processed_at, payment_id = excluded.payment_id, disposition = excluded.disposition\nwhere webhook_inbox.processed_at is null\nreturning disposition as \"disposition\"","params":[{"name":"eventId","locs":[{"a":122,"b":131}]},{"name":"type","locs":[{"a":133,"b":139}]},{"name":"intentId","locs":[{"a":141,"b":150}]},{"name":"paymentId","locs":[{"a":152,"b":162}]},{"name":"payload","locs":[{"a":164,"b":173}]},{"name":"disposition","locs":[{"a":193,"b":206},{"a":236,"b":249}]}]};

/**
 * Query generated from SQL:
 * ```
 * insert into payments.webhook_inbox (event_id, type, intent_id, payment_id, payload, processed_at, disposition)
 * values (
 *   :eventId!, :type!, :intentId, :paymentId, :payload!::json,
 *   case when :disposition! <> 'waiting' then now() end, :disposition!
 * )
 * on conflict (event_id) do update
 * set processed_at = excluded.processed_at, payment_id = excluded.payment_id, disposition = excluded.disposition
 * where webhook_inbox.processed_at is null
 * returning disposition as "disposition!"                                                                                                                                                                                                                                                                                                                                                                                                   
 * ```
 */
export const keepEvent = new PreparedStatement<KeepEventParams, KeepEventResult>("payments.keepEvent", keepEventIR);

/** 'CommitChange' parameters type */
export interface CommitChangeParams {
  attemptNumber?: number | null | undefined;
  attemptState?: string | null | undefined;
  disputeBorneMinor?: bigint | null | undefined;
  disputeFeeMinor?: bigint | null | undefined;
  disputeId?: string | null | undefined;
  disputeMinor?: bigint | null | undefined;
  disputeStatus?: string | null | undefined;
  eventData?: string | null | undefined;
  eventId?: string | null | undefined;
  eventType?: string | null | undefined;
  externalIds?: stringArray | null | undefined;
  failureCode?: string | null | undefined;
  failureMessage?: string | null | undefined;
  gatewayRefundId?: string | null | undefined;
  holdAccount?: string | null | undefined;
  holdIds?: bigintArray | null | undefined;
  holdMinor?: bigint | null | undefined;
  holdPartially?: boolean | null | undefined;
  holdReference?: string | null | undefined;
  inboxType?: string | null | undefined;
  intentId?: string | null | undefined;
  kinds?: stringArray | null | undefined;
  lastAttempt: number;
  leaseMs?: number | null | undefined;
  legAccounts?: stringArray | null | undefined;
  legAmounts?: bigintArray | null | undefined;
  legItems?: numberArray | null | undefined;
  payload?: Json | null | undefined;
  paymentId: string;
  references?: stringArray | null | undefined;
  refundedMinor: bigint;
  refundFeeMinor?: bigint | null | undefined;
  refundFingerprint?: string | null | undefined;
  refundId?: string | null | undefined;
  refundingMinor: bigint;
  refundKey?: string | null | undefined;
  refundMinor?: bigint | null | undefined;
  refundReason?: string | null | undefined;
  refundStatus?: string | null | undefined;
  returnedFeeMinor: bigint;
  returnedMinor: bigint;
  version: number;
  voidHoldId?: bigint | null | undefined;
}

/** 'CommitChange' return type */
export interface CommitChangeResult {
  freed: Json | null;
  heldId: bigint | null;
  logged: bigint | null;
  postedId: bigint | null;
  refundCreatedAt: Date;
  version: number;
}

const commitChangeIR = {"statement":"with guarded as (\n  update payments.payments\n  set returned_minor = :returnedMinor!, returned_fee_minor = :returnedFeeMinor!, refunding_minor = :refundingMinor!,\n      refunded_minor = :refundedMinor!, last_attempt = :lastAttempt!, updated_at = now(),\n      -- The version counts the events. What has none (an attempt is closed, an event is kept) changes no sum.\n      version = version + case when :eventType::text is null then 0 else 1 end\n  where id = :paymentId! and version = :version!\n  returning id, version, scope, currency, gateway, traceparent\n),\nheld as materialized (\n  select ledger.must_hold(\n    'default', :holdReference::text, :holdAccount::text, currency, :holdMinor::bigint, null, :holdPartially::boolean\n  ) as id\n  from guarded\n  where :holdReference::text is not null\n),\nfreed as materialized (\n  select ledger.void_holds('default', array[:voidHoldId::bigint]) as refused\n  from guarded\n  where :voidHoldId::bigint is not null\n),\nposted as materialized (\n  select ledger.post_all(\n    'default', :kinds::text[], :references::text[], :externalIds::text[], null, :holdIds::bigint[],\n    :legItems::integer[], :legAccounts::text[], array_fill(currency, array[cardinality(:legItems::integer[])]),\n    :legAmounts::bigint[]\n  ) as first_id\n  -- After what was held is free again: a posting that takes less or more than its hold posts without it.\n  from guarded left join freed on true\n  where :references::text[] is not null\n),\nrefund as (\n  insert into payments.refunds (\n    id, payment_id, scope, idempotency_key, fingerprint, amount_minor, fee_minor, reason, status, gateway_refund_id,\n    hold_id, failure_code, failure_message, created_at, updated_at\n  )\n  select :refundId::uuid, g.id, g.scope, :refundKey::text, decode(:refundFingerprint::text, 'hex'),\n         :refundMinor::bigint, :refundFeeMinor::bigint, :refundReason::text, :refundStatus::text,\n         :gatewayRefundId::text, h.id, :failureCode::text, :failureMessage::text, now(), now()\n  from guarded g left join held h on true\n  where :refundId::uuid is not null\n  on conflict (id) do update\n  set status = excluded.status, gateway_refund_id = coalesce(excluded.gateway_refund_id, refunds.gateway_refund_id),\n      failure_code = excluded.failure_code, failure_message = excluded.failure_message, updated_at = now()\n  returning created_at\n),\ndispute as (\n  insert into payments.disputes (\n    id, payment_id, amount_minor, borne_minor, fee_minor, status, hold_id, created_at, updated_at\n  )\n  select :disputeId::text, g.id, :disputeMinor::bigint, :disputeBorneMinor::bigint, :disputeFeeMinor::bigint,\n         :disputeStatus::text, h.id, now(), now()\n  from guarded g left join held h on true\n  where :disputeId::text is not null\n  on conflict (id) do update\n  set status = excluded.status, borne_minor = excluded.borne_minor, fee_minor = excluded.fee_minor, updated_at = now()\n),\nopened as (\n  insert into payments.attempts (\n    payment_id, number, operation, gateway, state, tries, due_at, accepted_at, amount_minor, refund_id\n  )\n  select id, :lastAttempt!, 'refund', gateway, 'open', 1, now() + :leaseMs::integer * interval '1 millisecond', now(),\n         :refundMinor::bigint, :refundId::uuid\n  from guarded\n  where :leaseMs::integer is not null\n),\nclosed as (\n  update payments.attempts a\n  set state = :attemptState::text, settled_at = now(), last_error = :failureCode::text\n  from guarded\n  -- The parameter and not the guarded row, so that the attempt is found by its whole key, whatever the statistics say.\n  where a.payment_id = :paymentId! and a.number = :attemptNumber::integer and a.settled_at is null\n),\nlogged as materialized (\n  select events.append(\n    'payment', array[id], array[version], array[:eventType::text], array[:eventData::text::jsonb], array[traceparent]\n  ) as appended\n  from guarded\n  where :eventType::text is not null\n),\nreceived as (\n  insert into payments.webhook_inbox (event_id, type, intent_id, payment_id, payload, processed_at, disposition)\n  select :eventId::text, :inboxType::text, :intentId::text, id, :payload::json, now(), 'applied'\n  from guarded\n  where :eventId::text is not null\n  on conflict (event_id) do update\n  set processed_at = excluded.processed_at, payment_id = excluded.payment_id, disposition = excluded.disposition\n  where webhook_inbox.processed_at is null\n)\nselect g.version as \"version\" , r.created_at as \"refundCreatedAt\", h.id as \"heldId\", p.first_id as \"postedId\",\n       f.refused as \"freed\", l.appended as \"logged\"\nfrom guarded g\nleft join held h on true left join freed f on true left join posted p on true left join refund r on true\nleft join logged l on true","params":[{"name":"returnedMinor","locs":[{"a":68,"b":83}]},{"name":"returnedFeeMinor","locs":[{"a":106,"b":124}]},{"name":"refundingMinor","locs":[{"a":144,"b":160}]},{"name":"refundedMinor","locs":[{"a":185,"b":200}]},{"name":"lastAttempt","locs":[{"a":217,"b":230},{"a":3033,"b":3046}]},{"name":"eventType","locs":[{"a":399,"b":409},{"a":3704,"b":3714},{"a":3813,"b":3823}]},{"name":"paymentId","locs":[{"a":455,"b":466},{"a":3528,"b":3539}]},{"name":"version","locs":[{"a":481,"b":490}]},{"name":"holdReference","locs":[{"a":622,"b":636},{"a":757,"b":771}]},{"name":"holdAccount","locs":[{"a":644,"b":656}]},{"name":"holdMinor","locs":[{"a":674,"b":684}]},{"name":"holdPartially","locs":[{"a":700,"b":714}]},{"name":"voidHoldId","locs":[{"a":861,"b":872},{"a":917,"b":928}]},{"name":"kinds","locs":[{"a":1018,"b":1024}]},{"name":"references","locs":[{"a":1034,"b":1045},{"a":1410,"b":1421}]},{"name":"externalIds","locs":[{"a":1055,"b":1067}]},{"name":"holdIds","locs":[{"a":1083,"b":1091}]},{"name":"legItems","locs":[{"a":1107,"b":1116},{"a":1190,"b":1199}]},{"name":"legAccounts","locs":[{"a":1129,"b":1141}]},{"name":"legAmounts","locs":[{"a":1219,"b":1230}]},{"name":"refundId","locs":[{"a":1687,"b":1696},{"a":2021,"b":2030},{"a":3170,"b":3179}]},{"name":"refundKey","locs":[{"a":1719,"b":1729}]},{"name":"refundFingerprint","locs":[{"a":1744,"b":1762}]},{"name":"refundMinor","locs":[{"a":1787,"b":1799},{"a":3148,"b":3160}]},{"name":"refundFeeMinor","locs":[{"a":1809,"b":1824}]},{"name":"refundReason","locs":[{"a":1834,"b":1847}]},{"name":"refundStatus","locs":[{"a":1855,"b":1868}]},{"name":"gatewayRefundId","locs":[{"a":1885,"b":1901}]},{"name":"failureCode","locs":[{"a":1915,"b":1927},{"a":3351,"b":3363}]},{"name":"failureMessage","locs":[{"a":1935,"b":1950}]},{"name":"disputeId","locs":[{"a":2486,"b":2496},{"a":2687,"b":2697}]},{"name":"disputeMinor","locs":[{"a":2510,"b":2523}]},{"name":"disputeBorneMinor","locs":[{"a":2533,"b":2551}]},{"name":"disputeFeeMinor","locs":[{"a":2561,"b":2577}]},{"name":"disputeStatus","locs":[{"a":2596,"b":2610}]},{"name":"leaseMs","locs":[{"a":3086,"b":3094},{"a":3209,"b":3217}]},{"name":"attemptState","locs":[{"a":3297,"b":3310}]},{"name":"attemptNumber","locs":[{"a":3555,"b":3569}]},{"name":"eventData","locs":[{"a":3729,"b":3739}]},{"name":"eventId","locs":[{"a":3981,"b":3989},{"a":4092,"b":4100}]},{"name":"inboxType","locs":[{"a":3997,"b":4007}]},{"name":"intentId","locs":[{"a":4015,"b":4024}]},{"name":"payload","locs":[{"a":4036,"b":4044}]}]};

/**
 * Query generated from SQL:
 * ```
 * with guarded as (
 *   update payments.payments
 *   set returned_minor = :returnedMinor!, returned_fee_minor = :returnedFeeMinor!, refunding_minor = :refundingMinor!,
 *       refunded_minor = :refundedMinor!, last_attempt = :lastAttempt!, updated_at = now(),
 *       -- The version counts the events. What has none (an attempt is closed, an event is kept) changes no sum.
 *       version = version + case when :eventType::text is null then 0 else 1 end
 *   where id = :paymentId! and version = :version!
 *   returning id, version, scope, currency, gateway, traceparent
 * ),
 * held as materialized (
 *   select ledger.must_hold(
 *     'default', :holdReference::text, :holdAccount::text, currency, :holdMinor::bigint, null, :holdPartially::boolean
 *   ) as id
 *   from guarded
 *   where :holdReference::text is not null
 * ),
 * freed as materialized (
 *   select ledger.void_holds('default', array[:voidHoldId::bigint]) as refused
 *   from guarded
 *   where :voidHoldId::bigint is not null
 * ),
 * posted as materialized (
 *   select ledger.post_all(
 *     'default', :kinds::text[], :references::text[], :externalIds::text[], null, :holdIds::bigint[],
 *     :legItems::integer[], :legAccounts::text[], array_fill(currency, array[cardinality(:legItems::integer[])]),
 *     :legAmounts::bigint[]
 *   ) as first_id
 *   -- After what was held is free again: a posting that takes less or more than its hold posts without it.
 *   from guarded left join freed on true
 *   where :references::text[] is not null
 * ),
 * refund as (
 *   insert into payments.refunds (
 *     id, payment_id, scope, idempotency_key, fingerprint, amount_minor, fee_minor, reason, status, gateway_refund_id,
 *     hold_id, failure_code, failure_message, created_at, updated_at
 *   )
 *   select :refundId::uuid, g.id, g.scope, :refundKey::text, decode(:refundFingerprint::text, 'hex'),
 *          :refundMinor::bigint, :refundFeeMinor::bigint, :refundReason::text, :refundStatus::text,
 *          :gatewayRefundId::text, h.id, :failureCode::text, :failureMessage::text, now(), now()
 *   from guarded g left join held h on true
 *   where :refundId::uuid is not null
 *   on conflict (id) do update
 *   set status = excluded.status, gateway_refund_id = coalesce(excluded.gateway_refund_id, refunds.gateway_refund_id),
 *       failure_code = excluded.failure_code, failure_message = excluded.failure_message, updated_at = now()
 *   returning created_at
 * ),
 * dispute as (
 *   insert into payments.disputes (
 *     id, payment_id, amount_minor, borne_minor, fee_minor, status, hold_id, created_at, updated_at
 *   )
 *   select :disputeId::text, g.id, :disputeMinor::bigint, :disputeBorneMinor::bigint, :disputeFeeMinor::bigint,
 *          :disputeStatus::text, h.id, now(), now()
 *   from guarded g left join held h on true
 *   where :disputeId::text is not null
 *   on conflict (id) do update
 *   set status = excluded.status, borne_minor = excluded.borne_minor, fee_minor = excluded.fee_minor, updated_at = now()
 * ),
 * opened as (
 *   insert into payments.attempts (
 *     payment_id, number, operation, gateway, state, tries, due_at, accepted_at, amount_minor, refund_id
 *   )
 *   select id, :lastAttempt!, 'refund', gateway, 'open', 1, now() + :leaseMs::integer * interval '1 millisecond', now(),
 *          :refundMinor::bigint, :refundId::uuid
 *   from guarded
 *   where :leaseMs::integer is not null
 * ),
 * closed as (
 *   update payments.attempts a
 *   set state = :attemptState::text, settled_at = now(), last_error = :failureCode::text
 *   from guarded
 *   -- The parameter and not the guarded row, so that the attempt is found by its whole key, whatever the statistics say.
 *   where a.payment_id = :paymentId! and a.number = :attemptNumber::integer and a.settled_at is null
 * ),
 * logged as materialized (
 *   select events.append(
 *     'payment', array[id], array[version], array[:eventType::text], array[:eventData::text::jsonb], array[traceparent]
 *   ) as appended
 *   from guarded
 *   where :eventType::text is not null
 * ),
 * received as (
 *   insert into payments.webhook_inbox (event_id, type, intent_id, payment_id, payload, processed_at, disposition)
 *   select :eventId::text, :inboxType::text, :intentId::text, id, :payload::json, now(), 'applied'
 *   from guarded
 *   where :eventId::text is not null
 *   on conflict (event_id) do update
 *   set processed_at = excluded.processed_at, payment_id = excluded.payment_id, disposition = excluded.disposition
 *   where webhook_inbox.processed_at is null
 * )
 * select g.version as "version!", r.created_at as "refundCreatedAt", h.id as "heldId", p.first_id as "postedId",
 *        f.refused as "freed", l.appended as "logged"
 * from guarded g
 * left join held h on true left join freed f on true left join posted p on true left join refund r on true
 * left join logged l on true                                                                                                                                                                                                                                            
 * ```
 */
export const commitChange = new PreparedStatement<CommitChangeParams, CommitChangeResult>("payments.commitChange", commitChangeIR);

/** 'ClaimUndecidedRefunds' parameters type */
export interface ClaimUndecidedRefundsParams {
  limit: number;
  quietMs: bigint;
}

/** 'ClaimUndecidedRefunds' return type */
export interface ClaimUndecidedRefundsResult {
  gatewayRefundId: string;
  id: string;
  intentId: string;
  paymentId: string;
}

const claimUndecidedRefundsIR = {"statement":"update payments.refunds r\nset updated_at = now()\nfrom (\n  select id from payments.refunds\n  where status = 'pending' and gateway_refund_id is not null\n    and updated_at < now() - :quietMs!::bigint * interval '1 millisecond'\n  order by updated_at\n  limit :limit!::integer\n  for update skip locked\n) due\njoin payments.refunds d on d.id = due.id\njoin payments.attempts c on c.payment_id = d.payment_id and c.number = 1\nwhere r.id = due.id\nreturning r.id as \"id\" , r.payment_id as \"paymentId\" , r.gateway_refund_id as \"gatewayRefundId\" ,\n          c.stripe_payment_intent_id as \"intentId\"","params":[{"name":"quietMs","locs":[{"a":180,"b":189}]},{"name":"limit","locs":[{"a":255,"b":262}]}]};

/**
 * Query generated from SQL:
 * ```
 * update payments.refunds r
 * set updated_at = now()
 * from (
 *   select id from payments.refunds
 *   where status = 'pending' and gateway_refund_id is not null
 *     and updated_at < now() - :quietMs!::bigint * interval '1 millisecond'
 *   order by updated_at
 *   limit :limit!::integer
 *   for update skip locked
 * ) due
 * join payments.refunds d on d.id = due.id
 * join payments.attempts c on c.payment_id = d.payment_id and c.number = 1
 * where r.id = due.id
 * returning r.id as "id!", r.payment_id as "paymentId!", r.gateway_refund_id as "gatewayRefundId!",
 *           c.stripe_payment_intent_id as "intentId!"
 * ```
 */
export const claimUndecidedRefunds = new PreparedStatement<ClaimUndecidedRefundsParams, ClaimUndecidedRefundsResult>("payments.claimUndecidedRefunds", claimUndecidedRefundsIR);
