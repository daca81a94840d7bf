import type { Currency } from "../kernel/currency.ts";
import type { Money } from "../kernel/money.ts";

/** Where a payment intent stands at the gateway, in our words. Money has moved only in "succeeded". */
export type IntentStatus = "pending" | "succeeded" | "failed" | "cancelled";

/** A payment intent as the gateway knows it. */
export type GatewayIntent = {
  readonly id: string;
  readonly status: IntentStatus;
  /** What the intent is for: the amount that was authorized. */
  readonly amount: Money;
  /** What was taken: zero unless it has succeeded, and then less than the amount where a capture took less. */
  readonly captured: Money;
  /** What the buyer's browser needs to confirm the payment (Stripe's client secret); null where there is none. */
  readonly clientSecret: string | null;
  /** Our own payment id, as we wrote it into the intent's metadata; null on an intent that is not ours. */
  readonly paymentId: string | null;
};

/** Why a gateway did not do what was asked. `code` is stable and snake_case, `message` is a sentence. */
export type GatewayFailure = { readonly code: string; readonly message: string };

/**
 * What came of one call.
 * - `succeeded`: the gateway did what was asked; `intent` is the state after it.
 * - `declined`: the gateway answered no, for good; asking again with the same request cannot help.
 * - `not_sent`: provably nothing reached the gateway: it may be asked again, or another gateway may be.
 * - `unknown`: it may have happened (a timeout or a broken connection after sending, a 5xx answer): never treated
 *   as failed, never sent elsewhere; the gateway has to be asked.
 */
export type GatewayOutcome =
  | { readonly type: "succeeded"; readonly intent: GatewayIntent }
  | ({ readonly type: "declined"; readonly intent: GatewayIntent | null } & GatewayFailure)
  | ({ readonly type: "not_sent" } & GatewayFailure)
  | ({ readonly type: "unknown" } & GatewayFailure);

/** What the gateway says when asked about an attempt whose outcome we do not know. */
export type IntentFinding =
  | { readonly type: "found"; readonly intent: GatewayIntent }
  | { readonly type: "absent" }
  | ({ readonly type: "unreachable" } & GatewayFailure);

/** A refund as the gateway knows it. A pending one is taken and has not failed: banks may take days to tell. */
export type GatewayRefund = {
  readonly id: string;
  readonly status: "pending" | "succeeded" | "failed";
  readonly amount: Money;
  readonly intentId: string;
};

/** As {@link GatewayOutcome}, of giving money back. */
export type RefundOutcome =
  | { readonly type: "succeeded"; readonly refund: GatewayRefund }
  | ({ readonly type: "declined"; readonly refund: GatewayRefund | null } & GatewayFailure)
  | ({ readonly type: "not_sent" } & GatewayFailure)
  | ({ readonly type: "unknown" } & GatewayFailure);

/** What the gateway says when asked about a refund whose outcome we do not know. */
export type RefundFinding =
  | { readonly type: "found"; readonly refund: GatewayRefund }
  | { readonly type: "absent" }
  | ({ readonly type: "unreachable" } & GatewayFailure);

/**
 * One line of what the gateway did with money, as its settlement report has it. A dispute takes the amount back from
 * us, a dispute_reversal gives it back to us after we won.
 */
export type SettlementLine = {
  /** The line's own id: unique at the gateway ("txn_…"). */
  readonly id: string;
  readonly kind: "charge" | "refund" | "dispute" | "dispute_reversal";
  readonly intentId: string;
  /** The refund (re_…) or dispute (dp_…) that the line is about; null for a charge. */
  readonly sourceId: string | null;
  /** Always positive; the kind says which way. */
  readonly amount: Money;
  readonly occurredAt: Date;
};

export type SettlementRequest = {
  /** Lines that occurred in [from, to). */
  readonly from: Date;
  readonly to: Date;
  /** The cursor of the page before; null for the first page. */
  readonly cursor: string | null;
};

export type SettlementPage =
  | { readonly type: "page"; readonly lines: readonly SettlementLine[]; readonly nextCursor: string | null }
  | ({ readonly type: "unreachable" } & GatewayFailure);

export type CreateIntentRequest = {
  /** Our attempt id; the gateway's idempotency key is derived from it, so calling again can never charge again. */
  readonly attemptId: string;
  readonly paymentId: string;
  readonly amount: Money;
  readonly capture: "automatic" | "manual";
  readonly reference: string | null;
};

export type CancelIntentRequest = {
  /** The cancellation's own attempt, not the one that created the intent. */
  readonly attemptId: string;
  readonly paymentId: string;
  readonly intentId: string;
};

export type CaptureIntentRequest = {
  /** The capture's own attempt, not the one that created the intent. */
  readonly attemptId: string;
  readonly paymentId: string;
  readonly intentId: string;
  /** At most what was authorized; the rest is released. */
  readonly amount: Money;
};

export type CreateRefundRequest = {
  /** The refund's own attempt. */
  readonly attemptId: string;
  readonly paymentId: string;
  readonly refundId: string;
  readonly intentId: string;
  readonly amount: Money;
};

export type FindRefundRequest = {
  readonly attemptId: string;
  readonly intentId: string;
  /** The gateway's id, known where the gateway has answered before. */
  readonly gatewayRefundId: string | null;
};

export type FindIntentRequest = {
  readonly attemptId: string;
  readonly paymentId: string;
  /** Known where the gateway has answered before. */
  readonly intentId: string | null;
  /** When the attempt was committed: the intent cannot be older than this. */
  readonly acceptedAt: Date;
};

/**
 * A payment gateway. Every function resolves to a value, whatever the gateway does, and within its deadline:
 * a throw is a bug. Adapters must pass the conformance suite in `tests/conformance/payment-gateway.ts`.
 */
export interface PaymentGateway {
  readonly name: "stripe" | "simulator";
  /**
   * What an amount in the gateway's own units is, in webhooks and reports: Stripe counts ISK and UGX in hundredths.
   * Throws a RangeError where it is no amount of the currency.
   */
  readAmount(units: bigint, currency: Currency): Money;
  /** Creates the payment intent of one attempt, or returns the one that this attempt created before. */
  createIntent(request: CreateIntentRequest, deadlineMs: number): Promise<GatewayOutcome>;
  /** Cancels an intent that has not succeeded. `declined` carries the intent as it stands when it has. */
  cancelIntent(request: CancelIntentRequest, deadlineMs: number): Promise<GatewayOutcome>;
  /**
   * Takes the money of an intent that was authorized for manual capture. `declined` carries the intent as it stands
   * where its state forbids it (it is captured already, cancelled, or the buyer has not paid).
   */
  captureIntent(request: CaptureIntentRequest, deadlineMs: number): Promise<GatewayOutcome>;
  /** Gives money of a succeeded intent back, or returns the refund that this attempt made before. */
  createRefund(request: CreateRefundRequest, deadlineMs: number): Promise<RefundOutcome>;
  /** Asks what became of a refund's attempt; gives nothing back. */
  findRefund(request: FindRefundRequest, deadlineMs: number): Promise<RefundFinding>;
  /** A page of the settlement report, in pages of at most 1,000 lines, in an order that does not change. */
  listSettlements(request: SettlementRequest, deadlineMs: number): Promise<SettlementPage>;
  /** Asks what became of an attempt; charges nothing and creates nothing. */
  findIntent(request: FindIntentRequest, deadlineMs: number): Promise<IntentFinding>;
  close(): Promise<void>;
}

/**
 * What came of one call that sends money out: as {@link GatewayOutcome}, with the gateway's own id of what it did.
 */
export type DisbursementOutcome =
  | { readonly type: "succeeded"; readonly gatewayReference: string }
  | ({ readonly type: "declined" } & GatewayFailure)
  | ({ readonly type: "not_sent" } & GatewayFailure)
  | ({ readonly type: "unknown" } & GatewayFailure);

/** What the gateway says when asked about money sent out whose outcome we do not know; it remembers its declines. */
export type DisbursementFinding =
  | Extract<DisbursementOutcome, { type: "succeeded" | "declined" }>
  | { readonly type: "absent" }
  | ({ readonly type: "unreachable" } & GatewayFailure);

export type PayBillRequest = {
  /** Our attempt id: the same attempt is paid at most once, however often it is asked for. */
  readonly attemptId: string;
  readonly paymentId: string;
  /** The bill's own number ("FAC-12345"). */
  readonly reference: string;
  readonly amount: Money;
  /** Which retry this is: 0 for the first attempt. */
  readonly retry: number;
};

/** Pays bills. Functions resolve within their deadline whatever happens, as those of {@link PaymentGateway}. */
export interface BillGateway {
  readonly name: string;
  payBill(request: PayBillRequest, deadlineMs: number): Promise<DisbursementOutcome>;
  /** Asks what became of an attempt; pays nothing. */
  findBillPayment(
    request: Pick<PayBillRequest, "attemptId" | "paymentId">,
    deadlineMs: number,
  ): Promise<DisbursementFinding>;
}

export type CreatePayoutRequest = {
  /** Our attempt id: the same attempt is paid out at most once, however often it is asked for. */
  readonly attemptId: string;
  readonly payoutId: string;
  /** Who is paid, by the id that our caller gave: an affiliate or a seller. */
  readonly recipient: string;
  readonly amount: Money;
  /** What the recipient's statement shows ("ref_…"). */
  readonly reference: string;
};

/** Pays affiliates and sellers out. Functions resolve within their deadline, as those of {@link PaymentGateway}. */
export interface PayoutGateway {
  readonly name: string;
  createPayout(request: CreatePayoutRequest, deadlineMs: number): Promise<DisbursementOutcome>;
  /** Asks what became of an attempt; pays nothing. */
  findPayout(
    request: Pick<CreatePayoutRequest, "attemptId" | "payoutId">,
    deadlineMs: number,
  ): Promise<DisbursementFinding>;
}

/** A lock that is ours for a while. */
export type Lease = {
  /** Higher than that of every earlier holder: what is written under the lock refuses a lower one. */
  readonly fence: bigint;
  /** Makes it ours for longer; false where it is not ours any more, or that is not known. */
  renew(ttlMs: number): Promise<boolean>;
  release(): Promise<void>;
};

export type LockOutcome =
  | { readonly type: "locked"; readonly lease: Lease }
  | { readonly type: "held_elsewhere" }
  | { readonly type: "unreachable" };

/**
 * What processes remember together so as to be faster. It is never asked whether money moved: losing everything in it
 * at any moment loses nothing but speed. Nothing here rejects, and nothing waits longer than a moment: a cache that is
 * away has nothing, keeps nothing and locks nothing.
 */
export interface Cache {
  readonly kind: "memory" | "redis";
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, ttlMs: number): Promise<void>;
  lock(name: string, ttlMs: number): Promise<LockOutcome>;
  /** Resolves when it answers, and rejects where it is away: for health only. */
  ping(): Promise<unknown>;
  close(): Promise<void>;
}

/** One traced request or attempt, as far as the money boundaries need to know: telemetry stands behind it. */
export interface Trace {
  /** W3C traceparent of the current span, kept with attempts and events; null where nothing is traced. */
  readonly traceparent: string | null;
  /** Runs the work as a child span of the given name. */
  span<Value>(name: string, work: () => Promise<Value>): Promise<Value>;
}

/** For work that is not traced: the span is the work. */
export const untraced: Trace = {
  traceparent: null,
  span: (_name, work) => work(),
};

/**
 * A lane did not take an item, and nothing was done: its queue is full, the item waited too long for its turn, or the
 * process is stopping.
 */
export class LaneRefusal extends Error {
  readonly reason: "full" | "waited_too_long" | "closed";

  constructor(lane: string, reason: LaneRefusal["reason"]) {
    super(`the ${lane} lane took nothing: ${reason.replaceAll("_", " ")}`);
    this.name = "LaneRefusal";
    this.reason = reason;
  }
}
