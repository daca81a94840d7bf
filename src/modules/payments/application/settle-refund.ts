import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { Database } from "../../../kernel/statement.ts";
import type { FinalRefundOutcome, GatewayFailure, Policy } from "../../../movements/index.ts";
import { type Funds, giveBack, type Part, takeBack } from "../domain/returns.ts";
import { readRefund } from "../persistence/returns.queries.ts";
import { type Change, changePayment, type Decide, type FundsState, type RefundRow } from "./change-payment.ts";
import type { PaymentsContext } from "./context.ts";
import { type PaymentAttempt, postpone } from "./movements.ts";
import { refundDraft, refundReversalDraft } from "./postings.ts";

export type RefundStatus = RefundRow["status"];

/** A committed attempt to have the gateway give money back. */
export type RefundAttempt = PaymentAttempt & { readonly refundId: string };

/** What became of a refund; `attempt` is closed with it. */
export type RefundResult = {
  readonly refundId: string;
  readonly status: RefundStatus;
  readonly gatewayRefundId: string | null;
  readonly failure: GatewayFailure | null;
  readonly attempt: number | null;
};

/** Money back: have the gateway make the refund. */
export function refunding(context: PaymentsContext): Policy<RefundAttempt, RefundStatus, FinalRefundOutcome> {
  const { gateway } = context;
  return {
    operation: "refund",
    call: (attempt, deadlineMs) => gateway.createRefund({ ...named(attempt), amount: attempt.amount }, deadlineMs),
    async find(attempt, deadlineMs) {
      const finding = await gateway.findRefund({ ...named(attempt), gatewayRefundId: null }, deadlineMs);
      if (finding.type === "found") return { type: "succeeded", refund: finding.refund };
      if (finding.type === "unreachable") return finding;
      const message = "The gateway never received this refund. Make a new one with a new idempotency key.";
      return { type: "absent", code: "gateway_never_received", message };
    },
    decline: (failure) => ({ type: "declined", refund: null, ...failure }),
    settle: (attempt, outcome) => settleRefund(context, attempt.paymentId, resultOf(attempt, outcome)),
    postpone: (attempt, failure, postponement) => postpone(context, attempt, failure, postponement),
  };
}

function named(attempt: RefundAttempt) {
  const { id: attemptId, paymentId, refundId, intentId } = attempt;
  if (intentId === null) throw new Error(`attempt ${attemptId} refunds an intent that has no id`);
  return { attemptId, paymentId, refundId, intentId };
}

function resultOf({ refundId, number }: RefundAttempt, outcome: FinalRefundOutcome): RefundResult {
  const { refund } = outcome;
  const gatewayRefundId = refund?.id ?? null;
  if (outcome.type === "declined") {
    const { code, message } = outcome;
    return { refundId, status: "failed", gatewayRefundId, failure: { code, message }, attempt: number };
  }
  const { status } = outcome.refund;
  const failure = status === "failed" ? { code: "refund_failed", message: "The refund failed at the gateway." } : null;
  return { refundId, status, gatewayRefundId, failure, attempt: number };
}

/**
 * The one way in which a refund ends, whoever learned of it: the request, recovery or the gateway's event. Resolves to
 * its status afterwards. A refund that has ended stays as it is, but that a confirmed one can fail later, at the bank.
 */
export async function settleRefund(
  context: PaymentsContext,
  paymentId: string,
  result: RefundResult,
): Promise<RefundStatus> {
  const settled = await changePayment(context, paymentId, null, refundSettlement(result));
  if (!settled.ok) throw new Error(`refund ${result.refundId} cannot be settled: ${settled.refusal.type}`);
  return settled.value.value;
}

/** Decides what a refund's result changes: nothing where it has ended so before and no attempt is to be closed. */
export function refundSettlement(result: RefundResult): Decide<RefundStatus, { type: "refund_not_found" }> {
  return async (state, database) => {
    const refund = await refundOf(result.refundId, database);
    if (!refund.ok) return refund;
    const { row, holdId } = refund.value;
    const change = changeOf(state, row, holdId, result);
    const value = change === null ? row.status : result.status;
    if (result.attempt === null) return accept({ change, value });
    const closeAttempt = { number: result.attempt, state: stateOfAttempt(result) };
    return accept({ change: { funds: state.funds, ...change, closeAttempt }, value });
  };
}

function stateOfAttempt({ status }: RefundResult): "succeeded" | "declined" {
  return status === "failed" ? "declined" : "succeeded";
}

async function refundOf(
  id: string,
  database: Database,
): Promise<Result<{ row: RefundRow; holdId: bigint | null }, { type: "refund_not_found" }>> {
  const [found] = await readRefund.run({ refundId: id }, database);
  if (found === undefined) return refuse({ type: "refund_not_found" });
  const { holdId, status, amountMinor, feeMinor, gatewayRefundId } = found;
  const facts = { id, key: null, fingerprint: null, reason: null, failure: null };
  return accept({ row: { ...facts, amountMinor, feeMinor, gatewayRefundId, status: status as RefundStatus }, holdId });
}

/** Null where the refund stays as it is. */
function changeOf(
  state: FundsState,
  row: RefundRow,
  holdId: bigint | null,
  { status, gatewayRefundId, failure }: RefundResult,
): Change | null {
  const refund = { ...row, status, gatewayRefundId: gatewayRefundId ?? row.gatewayRefundId, failure };
  const { funds } = state;
  if (row.status === "pending" && status === "succeeded") {
    return {
      funds: confirm(funds, row.amountMinor),
      refund,
      transactions: [refundDraft(state, row.id, row, refund.gatewayRefundId, holdId)],
      event: eventOf("payment.refunded", state, refund),
    };
  }
  if (row.status === "pending" && status === "failed") {
    return {
      funds: { ...takeBack(funds, row), refundingMinor: funds.refundingMinor - row.amountMinor },
      refund,
      ...(holdId === null ? {} : { voidHoldId: holdId }),
      event: eventOf("payment.refund_failed", state, refund),
    };
  }
  if (row.status === "pending" && row.gatewayRefundId === null && gatewayRefundId !== null) return { funds, refund };
  if (row.status === "succeeded" && status === "failed") {
    return {
      funds: { ...takeBack(funds, row), refundedMinor: funds.refundedMinor - row.amountMinor },
      refund,
      transactions: [refundReversalDraft(state, row.id, row, refund.gatewayRefundId ?? "")],
      event: eventOf("payment.refund_failed", state, refund),
    };
  }
  return null;
}

function confirm(funds: Funds, amountMinor: bigint): Funds {
  return {
    ...funds,
    refundingMinor: funds.refundingMinor - amountMinor,
    refundedMinor: funds.refundedMinor + amountMinor,
  };
}

/** Counts a refund that was accepted and is not confirmed yet. */
export function reserve(funds: Funds, part: Part): Funds {
  return { ...giveBack(funds, part), refundingMinor: funds.refundingMinor + part.amountMinor };
}

/** What the event log says of a refund; amounts in minor units, because that is what they are in the ledger. */
export function eventOf(type: string, state: FundsState, refund: RefundRow): NonNullable<Change["event"]> {
  const { id, amountMinor, feeMinor, failure } = refund;
  const data = {
    refund_id: id,
    amount_minor: amountMinor.toString(),
    fee_minor: feeMinor.toString(),
    currency: state.currency,
    gateway_refund_id: refund.gatewayRefundId,
    failure_code: failure?.code ?? null,
  };
  return { type, data };
}
