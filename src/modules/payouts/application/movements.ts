import type { Money } from "../../../kernel/money.ts";
import type {
  DisbursementFinding,
  DisbursementOutcome,
  Finding,
  Policy,
  Postponement,
} from "../../../movements/index.ts";
import { lackOfFunds, type PayoutFailure, payoutReference, type Recipient } from "../domain/payout.ts";
import { postponePayout } from "../persistence/movements.queries.ts";
import type { PayoutsContext } from "./context.ts";

/** A committed payout that a gateway is to make. A payout has one attempt, whose id is the payout's. */
export type PayoutAttempt = {
  readonly id: string;
  readonly payoutId: string;
  readonly recipient: Recipient;
  readonly amount: Money;
  /** What the recipient's statement shows ("ref_…"). */
  readonly reference: string;
  /** The hold on its money; null where the money was not there, and then no gateway is called. */
  readonly holdId: bigint | null;
  readonly tries: number;
  readonly absences: number;
  readonly traceparent: string | null;
};

/** What a gateway answered for good about a payout. */
export type FinalPayoutOutcome = Extract<DisbursementOutcome, { type: "succeeded" | "declined" }>;

/** What a payout became by this settlement, and when; null where somebody else had settled it. */
export type SettledPayout = { readonly outcome: FinalPayoutOutcome; readonly processedAt: Date } | null;

/** The attempt of a payout that has just begun. */
export function firstAttempt(
  payout: { readonly id: string; readonly recipient: Recipient; readonly amount: Money },
  holdId: bigint | null,
  traceparent: string | null,
): PayoutAttempt {
  const { id, recipient, amount } = payout;
  const reference = payoutReference(id);
  return { id, payoutId: id, recipient, amount, reference, holdId, tries: 1, absences: 0, traceparent };
}

/**
 * Money out: have the gateway pay a recipient. There is no `decline`: a payout whose outcome is not known is asked for
 * and called again under the same id, and never taken for one that failed.
 */
export function payingOut(context: PayoutsContext): Policy<PayoutAttempt, SettledPayout, FinalPayoutOutcome> {
  const { gateway } = context;
  return {
    operation: "payout",
    async call(attempt, deadlineMs) {
      if (attempt.holdId === null) return notFunded(attempt);
      const { id: attemptId, payoutId, recipient, amount, reference } = attempt;
      return await gateway.createPayout(
        { attemptId, payoutId, recipient: recipient.id, amount, reference },
        deadlineMs,
      );
    },
    async find(attempt, deadlineMs) {
      if (attempt.holdId === null) return notFunded(attempt);
      const { id: attemptId, payoutId } = attempt;
      return findingOf(await gateway.findPayout({ attemptId, payoutId }, deadlineMs));
    },
    settle: (attempt, outcome) => settle(context, attempt, outcome),
    postpone: (attempt, failure, postponement) => postpone(context, attempt, failure, postponement),
  };
}

/** The gateway is not asked about a payout that no money was reserved for: it was never told of it. */
function notFunded({ recipient }: PayoutAttempt): FinalPayoutOutcome {
  return { type: "declined", ...lackOfFunds(recipient) };
}

function findingOf(finding: DisbursementFinding): Finding<FinalPayoutOutcome> {
  return finding.type === "absent" ? neverReceived : finding;
}

const neverReceived = {
  type: "absent",
  code: "gateway_never_received",
  message: "The gateway never received this payout.",
} as const;

async function settle(
  context: PayoutsContext,
  attempt: PayoutAttempt,
  outcome: FinalPayoutOutcome,
): Promise<SettledPayout> {
  const { lanes, observe } = context;
  const { payoutId, amount } = attempt;
  const processedAt =
    outcome.type === "succeeded"
      ? await lanes.paid.submit({ payoutId, amount, gatewayReference: outcome.gatewayReference })
      : await lanes.declined.submit({ payoutId, amount, code: outcome.code, message: outcome.message });
  if (processedAt === null) return null;
  observe.statusReached(attempt.recipient.kind, outcome.type === "succeeded" ? "EXITOSO" : "FALLIDO");
  return { outcome, processedAt };
}

/** Leaves a payout open for recovery. */
async function postpone(
  { database }: PayoutsContext,
  { payoutId }: PayoutAttempt,
  { code }: PayoutFailure,
  postponement: Postponement,
): Promise<void> {
  await postponePayout.run({ payoutId, error: code, ...postponement }, database);
}
