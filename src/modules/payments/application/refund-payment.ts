import type { Currency } from "../../../kernel/currency.ts";
import { isIdempotencyKey } from "../../../kernel/identifiers.ts";
import { type AmountRefusal, type Money, parseAmount } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { complete, type Trace } from "../../../movements/index.ts";
import { attemptIdOf, isStorable } from "../domain/payment.ts";
import { type Part, type RefundSizeRefusal, sizeRefund } from "../domain/returns.ts";
import { findRefundByKey, type ListRefundsResult, listRefunds } from "../persistence/returns.queries.ts";
import { type Change, type ChangeRefusal, changePayment, type FundsState, type RefundRow } from "./change-payment.ts";
import type { PaymentsContext } from "./context.ts";
import { sellerAccount } from "./postings.ts";
import { getPayment } from "./read-payments.ts";
import { eventOf, type RefundStatus, refunding, reserve } from "./settle-refund.ts";

/** A refund request as it came. */
export type RefundRequest = {
  /** Decimal digits in the payment's currency; null for all that is left. */
  readonly amount: string | null;
  readonly reason: string | null;
  readonly idempotencyKey: string;
};

/** Money that goes back to the buyer. */
export type Refund = {
  readonly id: string;
  readonly paymentId: string;
  readonly amount: Money;
  readonly reason: string | null;
  readonly status: RefundStatus;
  readonly failure: { readonly code: string; readonly message: string } | null;
  readonly createdAt: Date;
};

export type RefundRefusal =
  | AmountRefusal
  | RefundSizeRefusal
  | Exclude<ChangeRefusal, { type: "refund_key_taken" }>
  | { type: "idempotency_key_malformed" }
  | { type: "idempotency_key_reused" }
  | { type: "text_not_storable"; field: "reason" };

/**
 * Gives money of a payment back: sized, committed together with a hold on the seller's share, made at the gateway,
 * settled. The sum of a payment's refunds never exceeds what was captured. Where the gateway is away or does not answer
 * the refund is pending, and recovery goes on with it. A repeated request gets the refund of the first one.
 */
export async function refundPayment(
  context: PaymentsContext,
  scope: string,
  paymentId: string,
  request: RefundRequest,
  trace: Trace,
): Promise<Result<{ refund: Refund; replayed: boolean }, RefundRefusal>> {
  const payment = await getPayment(context, scope, paymentId);
  if (!payment.ok) return payment;
  const judged = judge(request, payment.value.amount.currency);
  if (!judged.ok) return judged;
  const fingerprint = context.sha256(JSON.stringify([paymentId, judged.value?.toString() ?? null, request.reason]));
  const before = await replay(context, scope, request.idempotencyKey, fingerprint);
  if (before !== null) return before;

  const id = context.newId();
  const accepting = changePayment(context, paymentId, scope, async (state) =>
    decide(context, state, { ...request, id, fingerprint, asked: judged.value }),
  );
  const accepted = await trace.span("accept", () => accepting);
  if (!accepted.ok) {
    // The same request may have been accepted meanwhile, and be why there was not enough left for this one.
    const first = await replay(context, scope, request.idempotencyKey, fingerprint);
    if (first !== null) return first;
    const { refusal } = accepted;
    if (refusal.type !== "refund_key_taken") return refuse(refusal);
    throw new Error(`no refund stands under a key that is taken: ${request.idempotencyKey}`);
  }
  const { value, committed } = accepted.value;
  const refund: Refund = {
    id,
    paymentId,
    amount: { amountMinor: value.part.amountMinor, currency: value.state.currency },
    reason: request.reason,
    status: "pending",
    failure: null,
    createdAt: committed?.refundCreatedAt ?? new Date(),
  };
  const attempt = attemptOf(value.state, refund, committed?.attemptNumber ?? 0, trace.traceparent);
  const completion = await complete(refunding(context), attempt, trace, context.pipeline);
  if (completion.type === "postponed") return accept({ refund, replayed: false });
  const settled = await replay(context, scope, request.idempotencyKey, fingerprint);
  return settled?.ok ? accept({ ...settled.value, replayed: false }) : accept({ refund, replayed: false });
}

function judge(
  request: RefundRequest,
  currency: Currency,
): Result<bigint | null, AmountRefusal | { type: "idempotency_key_malformed" } | RefundRefusal> {
  if (!isIdempotencyKey(request.idempotencyKey)) return refuse({ type: "idempotency_key_malformed" });
  if (!isStorable(request.reason ?? "")) return refuse({ type: "text_not_storable", field: "reason" });
  if (request.amount === null) return accept(null);
  const amount = parseAmount(request.amount, currency);
  return amount.ok ? accept(amount.value.amountMinor) : amount;
}

type Asked = RefundRequest & { readonly id: string; readonly fingerprint: string; readonly asked: bigint | null };

type Accepted = { readonly state: FundsState; readonly part: Part };

function decide(
  context: PaymentsContext,
  state: FundsState,
  request: Asked,
): Result<{ change: Change; value: Accepted }, RefundSizeRefusal> {
  const sized = sizeRefund(state.funds, request.asked);
  if (!sized.ok) return sized;
  const part = sized.value;
  const refund: RefundRow = {
    id: request.id,
    key: request.idempotencyKey,
    fingerprint: request.fingerprint,
    ...part,
    reason: request.reason,
    status: "pending",
    gatewayRefundId: null,
    failure: null,
  };
  const share = part.amountMinor - part.feeMinor;
  const hold = {
    reference: `refund:${request.id}`,
    account: sellerAccount(state.sellerId),
    amountMinor: share,
    partially: false,
  };
  const change: Change = {
    funds: reserve(state.funds, part),
    refund,
    attemptLeaseMs: context.leaseMs,
    event: eventOf("payment.refund_created", state, refund),
    ...(share > 0n ? { hold } : {}),
  };
  return accept({ change, value: { state, part } });
}

function attemptOf(state: FundsState, refund: Refund, number: number, traceparent: string | null) {
  return {
    id: attemptIdOf(state.paymentId, number),
    tries: 1,
    absences: 0,
    paymentId: state.paymentId,
    refundId: refund.id,
    number,
    amount: refund.amount,
    capture: "automatic" as const,
    reference: null,
    intentId: state.intentId,
    acceptedAt: refund.createdAt,
    traceparent,
  };
}

const firstPollMs = 20;
const longestPollMs = 200;

/** What stands under a key, once it is not being worked on, or after a while as it is; null where nothing does. */
async function replay(
  context: PaymentsContext,
  scope: string,
  key: string,
  fingerprint: string,
): Promise<Result<{ refund: Refund; replayed: boolean }, { type: "idempotency_key_reused" }> | null> {
  const untilMs = performance.now() + context.replayWaitMs;
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, longestPollMs)) {
    const [standing] = await findRefundByKey.run({ scope, key }, context.database);
    if (standing === undefined) return null;
    if (standing.fingerprint !== fingerprint) return refuse({ type: "idempotency_key_reused" });
    const mayEnd = standing.underWay && performance.now() < untilMs;
    if (!mayEnd) return accept({ refund: presentable(standing), replayed: true });
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function presentable(row: ListRefundsResult): Refund {
  const { id, paymentId, amountMinor, currency, reason, status, failureCode, failureMessage, createdAt } = row;
  return {
    id,
    paymentId,
    amount: { amountMinor, currency: currency as Currency },
    reason,
    status: status as RefundStatus,
    failure: failureCode === null ? null : { code: failureCode, message: failureMessage ?? "The refund failed." },
    createdAt,
  };
}

const mostListedRefunds = 1_000;

/** The refunds of a payment, oldest first. */
export async function readRefunds(
  context: PaymentsContext,
  scope: string,
  paymentId: string,
): Promise<Result<Refund[], { type: "payment_not_found" }>> {
  const payment = await getPayment(context, scope, paymentId);
  if (!payment.ok) return payment;
  const rows = await listRefunds.run({ paymentId, limit: mostListedRefunds }, context.database);
  return accept(rows.map(presentable));
}
