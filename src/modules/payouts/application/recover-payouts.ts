import type { Currency } from "../../../kernel/currency.ts";
import { recover, type Trace } from "../../../movements/index.ts";
import { payoutReference, type Recipient } from "../domain/payout.ts";
import { type ClaimDuePayoutsResult, claimDuePayouts, countDuePayouts } from "../persistence/movements.queries.ts";
import type { PayoutsContext } from "./context.ts";
import { type PayoutAttempt, payingOut } from "./movements.ts";

/** How many are taken up at once: what a killed process had in flight, 512, is over in a few rounds. */
const payoutsAtOnce = 128;

/**
 * Takes up payouts that began and were never settled, in whatever process and however that one ended. Returns how many
 * it took up. One that fails to be recovered is due again after its lease.
 */
export async function recoverDuePayouts(
  context: PayoutsContext,
  resume: (traceparent: string | null) => Trace,
  onFailure: (payoutId: string, error: unknown) => void,
): Promise<number> {
  const { leaseMs, gateway, database, observe, pipeline } = context;
  const due = await claimDuePayouts.run({ limit: payoutsAtOnce, leaseMs, gateway: gateway.name }, database);
  const policy = payingOut(context);
  await Promise.all(
    due.map(async (row) => {
      const attempt = attemptOf(row);
      try {
        const completion = await recover(policy, attempt, resume(attempt.traceparent), pipeline);
        observe.payoutRecovered(
          completion.type === "postponed" ? completion.outcome : (completion.settled?.outcome.type ?? "elsewhere"),
        );
      } catch (error) {
        onFailure(attempt.payoutId, error);
      }
    }),
  );
  return due.length;
}

/** How many payouts are past their lease: what recovery has before it. */
export async function countPayoutsDue({ database }: PayoutsContext): Promise<number> {
  const [count] = await countDuePayouts.run(undefined, database);
  return Number(count?.due ?? 0n);
}

function attemptOf(row: ClaimDuePayoutsResult): PayoutAttempt {
  const { payoutId, holdId, tries, absences, traceparent } = row;
  return {
    id: payoutId,
    payoutId,
    recipient: { kind: row.recipientKind as Recipient["kind"], id: row.recipientId },
    amount: { amountMinor: row.amountMinor, currency: row.currency as Currency },
    reference: payoutReference(payoutId),
    holdId,
    tries,
    absences,
    traceparent,
  };
}
