import type { Money } from "../../../kernel/money.ts";
import type { FinalOutcome, GatewayFailure, Policy, Postponement } from "../../../movements/index.ts";
import { attemptIdOf, type PaymentStatus } from "../domain.ts";
import { postponeAttempt } from "../persistence.queries.ts";
import type { PaymentsContext } from "./context.ts";
import type { SettleItem } from "./lanes.ts";

/** A committed attempt on a payment, with what calling the gateway for it takes. */
export type PaymentAttempt = {
  readonly id: string;
  readonly tries: number;
  readonly absences: number;
  readonly paymentId: string;
  readonly number: number;
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
    call: (attempt, deadlineMs) => gateway.cancelIntent(cancelRequest(attempt), deadlineMs),
    async find(attempt, deadlineMs) {
      const finding = await gateway.findIntent(
        { ...attempt, attemptId: attemptIdOf(attempt.paymentId, 1) },
        deadlineMs,
      );
      if (finding.type !== "found") return finding.type === "absent" ? neverReceived : finding;
      // An intent that still waits for its buyer says that the cancellation has not happened: call again.
      if (finding.intent.status === "pending") return notCancelled;
      return { type: "succeeded", intent: finding.intent };
    },
    settle: (attempt, outcome) => settle(context, attempt, outcome, "pending"),
    postpone: (attempt, failure, postponement) => postpone(context, attempt, failure, postponement),
  };
}

const notCancelled = {
  type: "absent",
  code: "gateway_did_not_cancel",
  message: "The gateway has not cancelled this payment. Try again.",
} as const;

function cancelRequest(attempt: PaymentAttempt): { attemptId: string; paymentId: string; intentId: string } {
  if (attempt.intentId === null) throw new Error(`attempt ${attempt.id} cancels an intent that has no id`);
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
  return {
    paymentId: attempt.paymentId,
    number: attempt.number,
    state: outcome.type,
    intentId: intent?.id ?? null,
    clientSecret: intent?.clientSecret ?? null,
    status: intent === null || (refused && whenRefused === "failed") ? whenRefused : intent.status,
    failureCode: refused ? outcome.code : null,
    failureMessage: refused ? outcome.message : null,
  };
}

async function postpone(
  context: PaymentsContext,
  attempt: PaymentAttempt,
  failure: GatewayFailure,
  postponement: Postponement,
): Promise<void> {
  const { paymentId, number } = attempt;
  await postponeAttempt.run({ paymentId, number, error: failure.code, ...postponement }, context.database);
}
