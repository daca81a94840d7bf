/** Types generated for queries found in "src/modules/payments/persistence/reading.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type stringArray = readonly (string | null)[];

/** 'FindPaymentsByKey' parameters type */
export interface FindPaymentsByKeyParams {
  idempotencyKeys: stringArray;
  scopes: stringArray;
}

/** 'FindPaymentsByKey' return type */
export interface FindPaymentsByKeyResult {
  amount: string;
  createdAt: Date;
  currency: string;
  fingerprint: string;
  id: string;
  intentId: string | null;
  place: bigint;
  status: string;
  underWay: boolean;
}

const findPaymentsByKeyIR = {"statement":"select i.place as \"place\" , p.id as \"id\" , encode(p.fingerprint, 'hex') as \"fingerprint\" ,\n       a.stripe_payment_intent_id as \"intentId\", p.amount as \"amount\" , p.currency as \"currency\" ,\n       p.status as \"status\" , p.created_at as \"createdAt\" ,\n       (a.state = 'open' and p.status = 'pending') as \"underWay\" \nfrom unnest(:scopes!::text[], :idempotencyKeys!::text[]) with ordinality as i (scope, idempotency_key, place)\n-- Lateral and with an offset, so that whatever the statistics say each key is looked up in the index.\ncross join lateral (\n  select * from payments.payments where scope = i.scope and idempotency_key = i.idempotency_key offset 0\n) p\ncross join lateral (select * from payments.attempts where payment_id = p.id and number = 1 offset 0) a","params":[{"name":"scopes","locs":[{"a":328,"b":336}]},{"name":"idempotencyKeys","locs":[{"a":346,"b":363}]}]};

/**
 * Query generated from SQL:
 * ```
 * select i.place as "place!", p.id as "id!", encode(p.fingerprint, 'hex') as "fingerprint!",
 *        a.stripe_payment_intent_id as "intentId", p.amount as "amount!", p.currency as "currency!",
 *        p.status as "status!", p.created_at as "createdAt!",
 *        (a.state = 'open' and p.status = 'pending') as "underWay!"
 * from unnest(:scopes!::text[], :idempotencyKeys!::text[]) with ordinality as i (scope, idempotency_key, place)
 * -- Lateral and with an offset, so that whatever the statistics say each key is looked up in the index.
 * cross join lateral (
 *   select * from payments.payments where scope = i.scope and idempotency_key = i.idempotency_key offset 0
 * ) p
 * cross join lateral (select * from payments.attempts where payment_id = p.id and number = 1 offset 0) a                                                                                              
 * ```
 */
export const findPaymentsByKey = new PreparedStatement<FindPaymentsByKeyParams, FindPaymentsByKeyResult>("payments.findPaymentsByKey", findPaymentsByKeyIR);

/** 'GetPayment' parameters type */
export interface GetPaymentParams {
  id: string;
  scope: string;
}

/** 'GetPayment' return type */
export interface GetPaymentResult {
  amount: string;
  capture: string;
  capturedMinor: bigint | null;
  clientSecret: string | null;
  createdAt: Date;
  currency: string;
  failureCode: string | null;
  failureMessage: string | null;
  feeMinor: bigint | null;
  id: string;
  idempotencyKey: string;
  intentId: string | null;
  metadata: Json;
  reference: string | null;
  refundedMinor: bigint;
  sellerId: string | null;
  status: string;
  updatedAt: Date;
}

const getPaymentIR = {"statement":"select p.id as \"id\" , a.stripe_payment_intent_id as \"intentId\", a.client_secret as \"clientSecret\",\n       p.idempotency_key as \"idempotencyKey\" , p.amount as \"amount\" , p.currency as \"currency\" , p.status as \"status\" ,\n       p.capture as \"capture\" , p.seller_id as \"sellerId\", p.reference, p.metadata as \"metadata\" ,\n       p.failure_code as \"failureCode\", p.failure_message as \"failureMessage\",\n       p.captured_minor as \"capturedMinor\", p.fee_minor as \"feeMinor\", p.refunded_minor as \"refundedMinor\" ,\n       p.created_at as \"createdAt\" , p.updated_at as \"updatedAt\" \nfrom payments.payments p\njoin payments.attempts a on a.payment_id = p.id and a.number = 1\nwhere p.id = :id! and (p.scope = :scope!) is true","params":[{"name":"id","locs":[{"a":675,"b":679}]},{"name":"scope","locs":[{"a":695,"b":702}]}]};

/**
 * Query generated from SQL:
 * ```
 * select p.id as "id!", a.stripe_payment_intent_id as "intentId", a.client_secret as "clientSecret",
 *        p.idempotency_key as "idempotencyKey!", p.amount as "amount!", p.currency as "currency!", p.status as "status!",
 *        p.capture as "capture!", p.seller_id as "sellerId", p.reference, p.metadata as "metadata!",
 *        p.failure_code as "failureCode", p.failure_message as "failureMessage",
 *        p.captured_minor as "capturedMinor", p.fee_minor as "feeMinor", p.refunded_minor as "refundedMinor!",
 *        p.created_at as "createdAt!", p.updated_at as "updatedAt!"
 * from payments.payments p
 * join payments.attempts a on a.payment_id = p.id and a.number = 1
 * where p.id = :id! and (p.scope = :scope!) is true                                                                                                                                                                                                                                                                                                                              
 * ```
 */
export const getPayment = new PreparedStatement<GetPaymentParams, GetPaymentResult>("payments.getPayment", getPaymentIR);

/** 'ListPayments' parameters type */
export interface ListPaymentsParams {
  before: string;
  createdAfter?: Date | null | undefined;
  currency?: string | null | undefined;
  limit: number;
  notBefore: string;
  scope: string;
  status?: string | null | undefined;
}

/** 'ListPayments' return type */
export interface ListPaymentsResult {
  amount: string;
  capture: string;
  capturedMinor: bigint | null;
  clientSecret: string | null;
  createdAt: Date;
  currency: string;
  failureCode: string | null;
  failureMessage: string | null;
  feeMinor: bigint | null;
  id: string;
  idempotencyKey: string;
  intentId: string | null;
  metadata: Json;
  reference: string | null;
  refundedMinor: bigint;
  sellerId: string | null;
  status: string;
  updatedAt: Date;
}

const listPaymentsIR = {"statement":"select p.id as \"id\" , a.stripe_payment_intent_id as \"intentId\", a.client_secret as \"clientSecret\",\n       p.idempotency_key as \"idempotencyKey\" , p.amount as \"amount\" , p.currency as \"currency\" , p.status as \"status\" ,\n       p.capture as \"capture\" , p.seller_id as \"sellerId\", p.reference, p.metadata as \"metadata\" ,\n       p.failure_code as \"failureCode\", p.failure_message as \"failureMessage\",\n       p.captured_minor as \"capturedMinor\", p.fee_minor as \"feeMinor\", p.refunded_minor as \"refundedMinor\" ,\n       p.created_at as \"createdAt\" , p.updated_at as \"updatedAt\" \nfrom payments.payments p\njoin payments.attempts a on a.payment_id = p.id and a.number = 1\nwhere p.scope = :scope!\n  and (:status::text is null or p.status = :status)\n  and (:currency::text is null or p.currency = :currency)\n  and (:createdAfter::timestamptz is null or p.created_at > :createdAfter)\n  and p.id >= :notBefore!\n  and p.id < :before!\n  -- The same of the attempts, because a plan that merges both would walk over theirs from the newest.\n  and a.payment_id >= :notBefore!\n  and a.payment_id < :before!\norder by p.id desc\nlimit :limit!::integer","params":[{"name":"scope","locs":[{"a":678,"b":685}]},{"name":"status","locs":[{"a":693,"b":700},{"a":729,"b":736}]},{"name":"currency","locs":[{"a":745,"b":754},{"a":785,"b":794}]},{"name":"createdAfter","locs":[{"a":803,"b":816},{"a":856,"b":869}]},{"name":"notBefore","locs":[{"a":885,"b":896},{"a":1044,"b":1055}]},{"name":"before","locs":[{"a":910,"b":918},{"a":1077,"b":1085}]},{"name":"limit","locs":[{"a":1111,"b":1118}]}]};

/**
 * Query generated from SQL:
 * ```
 * select p.id as "id!", a.stripe_payment_intent_id as "intentId", a.client_secret as "clientSecret",
 *        p.idempotency_key as "idempotencyKey!", p.amount as "amount!", p.currency as "currency!", p.status as "status!",
 *        p.capture as "capture!", p.seller_id as "sellerId", p.reference, p.metadata as "metadata!",
 *        p.failure_code as "failureCode", p.failure_message as "failureMessage",
 *        p.captured_minor as "capturedMinor", p.fee_minor as "feeMinor", p.refunded_minor as "refundedMinor!",
 *        p.created_at as "createdAt!", p.updated_at as "updatedAt!"
 * from payments.payments p
 * join payments.attempts a on a.payment_id = p.id and a.number = 1
 * where p.scope = :scope!
 *   and (:status::text is null or p.status = :status)
 *   and (:currency::text is null or p.currency = :currency)
 *   and (:createdAfter::timestamptz is null or p.created_at > :createdAfter)
 *   and p.id >= :notBefore!
 *   and p.id < :before!
 *   -- The same of the attempts, because a plan that merges both would walk over theirs from the newest.
 *   and a.payment_id >= :notBefore!
 *   and a.payment_id < :before!
 * order by p.id desc
 * limit :limit!::integer
 * ```
 */
export const listPayments = new PreparedStatement<ListPaymentsParams, ListPaymentsResult>("payments.listPayments", listPaymentsIR);

/** 'ListAttempts' parameters type */
export interface ListAttemptsParams {
  paymentId: string;
}

/** 'ListAttempts' return type */
export interface ListAttemptsResult {
  acceptedAt: Date;
  gateway: string;
  lastError: string | null;
  number: number;
  operation: string;
  settledAt: Date | null;
  state: string;
  tries: number;
}

const listAttemptsIR = {"statement":"select number as \"number\" , operation as \"operation\" , gateway as \"gateway\" , state as \"state\" , tries as \"tries\" ,\n       last_error as \"lastError\", accepted_at as \"acceptedAt\" , settled_at as \"settledAt\"\nfrom payments.attempts\nwhere payment_id = :paymentId!\norder by number","params":[{"name":"paymentId","locs":[{"a":248,"b":259}]}]};

/**
 * Query generated from SQL:
 * ```
 * select number as "number!", operation as "operation!", gateway as "gateway!", state as "state!", tries as "tries!",
 *        last_error as "lastError", accepted_at as "acceptedAt!", settled_at as "settledAt"
 * from payments.attempts
 * where payment_id = :paymentId!
 * order by number
 * ```
 */
export const listAttempts = new PreparedStatement<ListAttemptsParams, ListAttemptsResult>("payments.listAttempts", listAttemptsIR);

/** 'ListReceivedEvents' parameters type */
export interface ListReceivedEventsParams {
  limit: number;
  paymentId: string;
}

/** 'ListReceivedEvents' return type */
export interface ListReceivedEventsResult {
  disposition: string;
  eventId: string;
  processedAt: Date | null;
  receivedAt: Date;
  type: string;
}

const listReceivedEventsIR = {"statement":"select event_id as \"eventId\" , type as \"type\" , disposition as \"disposition\" , received_at as \"receivedAt\" ,\n       processed_at as \"processedAt\"\nfrom payments.webhook_inbox\nwhere payment_id = :paymentId!\norder by received_at, event_id\nlimit :limit!::integer","params":[{"name":"paymentId","locs":[{"a":193,"b":204}]},{"name":"limit","locs":[{"a":242,"b":249}]}]};

/**
 * Query generated from SQL:
 * ```
 * select event_id as "eventId!", type as "type!", disposition as "disposition!", received_at as "receivedAt!",
 *        processed_at as "processedAt"
 * from payments.webhook_inbox
 * where payment_id = :paymentId!
 * order by received_at, event_id
 * limit :limit!::integer
 * ```
 */
export const listReceivedEvents = new PreparedStatement<ListReceivedEventsParams, ListReceivedEventsResult>("payments.listReceivedEvents", listReceivedEventsIR);
