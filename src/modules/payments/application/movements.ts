import type { Money } from "../../../kernel/money.ts";
import type { FinalOutcome, Finding, GatewayFailure, Policy, Postponement } from "../../../movements/index.ts";
import { attemptIdOf, type PaymentStatus } from "../domain/payment.ts";
import { postponeAttempt } from "../persistence/movements.queries.ts";
import type { PaymentsContext } from "./context.ts";
import type { SettleItem } from "./lanes.ts";

/** A committed attempt on a payment, with what calling the gateway for it takes. */
export type PaymentAttempt = {
  readonly id: string;
  readonly tries: number;
  readonly absences: number;
  readonly paymentId: string;
  readonly number: number;
  /** What the gateway is asked for: the payment's amount, or what a capture takes or a refund gives back. */
  readonly amount: Money;
  readonly capture: "automatic" | "manual";
  readonly reference: string | null;
  readonly intentId: string | null;
  readonly acceptedAt: Date;
  readonly traceparent: string | null;
};

/** The gateway has not decided: nothing was sent to it, or it has not answered. Recovery goes on with the attempt. */
export type UndecidedRefusal = { type: "gateway_unavailable" | "gateway_outcome_unknown"; paymentId: string };

/** What a request is told whose attempt was postponed. */
export function undecided(paymentId: string, outcome: "not_sent" | "unknown"): UndecidedRefusal {
  return { type: outcome === "unknown" ? "gateway_outcome_unknown" : "gateway_unavailable", paymentId };
}

/** What settling found: null where somebody else had settled the attempt. */
export type SettledPayment = { readonly intentId: string | null; readonly status: PaymentStatus } | null;

/** Money in: have the gateway make the payment intent. */
export function creation(context: PaymentsContext): Policy<PaymentAttempt, SettledPayment> {
  const { gateway } = context;
  return {
    operation: "create",
    call: (attempt, deadlineMs) => gateway.createIntent({ ...attempt, attemptId: attempt.id }, deadlineMs),
    async find(attempt, deadlineMs) {
      const finding = await gateway.findIntent({ ...attempt, attemptId: attempt.id }, deadlineMs);
      if (finding.type === "found") return { type: "succeeded", intent: finding.intent };
      return finding.type === "absent" ? neverReceived : finding;
    },
    decline,
    settle: (attempt, outcome) => settle(context, attempt, outcome, "failed"),
    postpone: (attempt, failure, postponement) => postpone(context, attempt, failure, postponement),
  };
}

const neverReceived = {
  type: "absent",
  code: "gateway_never_received",
  message: "The gateway never received this payment. Make a new one with a new idempotency key.",
} as const;

/** Have the gateway cancel a payment intent that nobody has paid. */
export function cancellation(context: PaymentsContext): Policy<PaymentAttempt, SettledPayment> {
  const { gateway } = context;
  return {
    operation: "cancel",
    call: (attempt, deadlineMs) => gateway.cancelIntent(moveRequest(attempt), deadlineMs),
    find: (attempt, deadlineMs) => findMoved(gateway, attempt, deadlineMs, notCancelled),
    decline,
    settle: (attempt, outcome) => settle(context, attempt, outcome, "pending"),
    postpone: (attempt, failure, postponement) => postpone(context, attempt, failure, postponement),
  };
}

const notCancelled = {
  type: "absent",
  code: "gateway_did_not_cancel",
  message: "The gateway has not cancelled this payment. Try again.",
} as const;

/** Have the gateway take the money of a payment intent that its buyer has paid. */
export function capturing(context: PaymentsContext): Policy<PaymentAttempt, SettledPayment> {
  const { gateway } = context;
  return {
    operation: "capture",
    call: (attempt, deadlineMs) =>
      gateway.captureIntent({ ...moveRequest(attempt), amount: attempt.amount }, deadlineMs),
    find: (attempt, deadlineMs) => findMoved(gateway, attempt, deadlineMs, notCaptured),
    decline,
    settle: (attempt, outcome) => settle(context, attempt, outcome, "pending"),
    postpone: (attempt, failure, postponement) => postpone(context, attempt, failure, postponement),
  };
}

const notCaptured = {
  type: "absent",
  code: "gateway_did_not_capture",
  message: "The gateway has not captured this payment. Try again.",
} as const;

/** An intent that still stands where it stood says that it was not moved: call again. */
async function findMoved(
  gateway: PaymentsContext["gateway"],
  attempt: PaymentAttempt,
  deadlineMs: number,
  notMoved: Extract<Finding, { type: "absent" }>,
): Promise<Finding> {
  const request = { ...attempt, attemptId: attemptIdOf(attempt.paymentId, 1) };
  const finding = await gateway.findIntent(request, deadlineMs);
  if (finding.type !== "found") return finding.type === "absent" ? neverReceived : finding;
  return finding.intent.status === "pending" ? notMoved : { type: "succeeded", intent: finding.intent };
}

function decline(failure: GatewayFailure): FinalOutcome {
  return { type: "declined", intent: null, ...failure };
}

function moveRequest(attempt: PaymentAttempt): { attemptId: string; paymentId: string; intentId: string } {
  if (attempt.intentId === null) throw new Error(`attempt ${attempt.id} moves an intent that has no id`);
  return { attemptId: attempt.id, paymentId: attempt.paymentId, intentId: attempt.intentId };
}

/** `whenRefused` is the status of a payment whose gateway declined and showed no intent. */
async function settle(
  context: PaymentsContext,
  attempt: PaymentAttempt,
  outcome: FinalOutcome,
  whenRefused: "failed" | "pending",
): Promise<SettledPayment> {
  const item = settlement(attempt, outcome, whenRefused);
  const settled = await context.lanes.settle.submit(item);
  if (settled !== null && settled.status !== "pending") context.observe.statusReached(settled.status);
  return settled;
}

function settlement(attempt: PaymentAttempt, outcome: FinalOutcome, whenRefused: "failed" | "pending"): SettleItem {
  const { intent } = outcome;
  const refused = outcome.type === "declined";
  const status = intent === null || (refused && whenRefused === "failed") ? whenRefused : intent.status;
  return {
    paymentId: attempt.paymentId,
    number: attempt.number,
    state: outcome.type,
    intentId: intent?.id ?? null,
    clientSecret: intent?.clientSecret ?? null,
    status,
    capturedMinor: status === "succeeded" && intent !== null ? intent.captured.amountMinor : null,
    failureCode: refused ? outcome.code : null,
    failureMessage: refused ? outcome.message : null,
  };
}

/** Leaves an attempt open for recovery. */
export async function postpone(
  context: PaymentsContext,
  attempt: PaymentAttempt,
  failure: GatewayFailure,
  postponement: Postponement,
): Promise<void> {
  const { paymentId, number } = attempt;
  await postponeAttempt.run({ paymentId, number, error: failure.code, ...postponement }, context.database);
}
