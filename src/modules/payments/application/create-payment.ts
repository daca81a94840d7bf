import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { announce, complete, lookUntilOver, type Trace } from "../../../movements/index.ts";
import {
  attemptIdOf,
  canonicalRequest,
  judgeRequest,
  type PaymentIntent,
  type PaymentRequest,
  type RequestRefusal,
} from "../domain/payment.ts";
import type { PaymentsContext } from "./context.ts";
import type { PaymentSummary, StandingPayment } from "./lanes.ts";
import { creation, type PaymentAttempt, type UndecidedRefusal, undecided } from "./movements.ts";

/** A payment as its request is answered; `replayed` where an earlier request had made it. */
export type CreatedPayment = { readonly payment: PaymentSummary; readonly replayed: boolean };

export type CreatePaymentRefusal =
  | RequestRefusal
  | { type: "idempotency_key_reused" }
  | { type: "idempotency_key_in_use" }
  | UndecidedRefusal;

/**
 * Makes a payment: judged, committed, created at the gateway, settled. A repeated request gets the payment of the
 * first one; where the first is still under way it waits for it up to `replayWaitMs`.
 *
 * A payment that was accepted is never lost: where the gateway is away (`gateway_unavailable`) or does not answer
 * (`gateway_outcome_unknown`) recovery goes on with it, and the same request with the same key finds it later.
 */
export async function createPayment(
  context: PaymentsContext,
  scope: string,
  request: PaymentRequest,
  trace: Trace,
): Promise<Result<CreatedPayment, CreatePaymentRefusal>> {
  const judged = judgeRequest(request);
  if (!judged.ok) return judged;
  const intent = judged.value;
  const fingerprint = context.sha256(canonicalRequest(intent));
  const accepted = await acceptIntent(context, scope, intent, fingerprint, trace);
  if (accepted === null) return await replay(context, scope, intent.idempotencyKey, fingerprint);

  const { id, createdAt } = accepted;
  const attempt: PaymentAttempt = {
    id: attemptIdOf(id, 1),
    tries: 1,
    absences: 0,
    paymentId: id,
    number: 1,
    amount: intent.amount,
    capture: intent.capture,
    reference: intent.reference,
    intentId: null,
    acceptedAt: createdAt,
    traceparent: trace.traceparent,
  };
  const completing = complete(creation(context), attempt, trace, context.pipeline);
  const completion = await announce(context.underWay, keyOf(scope, intent.idempotencyKey), completing);
  if (completion.type === "postponed") return refuse(undecided(id, completion.outcome));
  if (completion.settled === null) return await replay(context, scope, intent.idempotencyKey, fingerprint, false);
  const payment = { id, createdAt, amount: intent.amount, ...completion.settled };
  return accept({ payment, replayed: false });
}

async function acceptIntent(
  context: PaymentsContext,
  scope: string,
  intent: PaymentIntent,
  fingerprint: string,
  trace: Trace,
): Promise<{ id: string; createdAt: Date } | null> {
  const id = context.newId();
  const { lanes, gateway } = context;
  const item = { id, scope, intent, fingerprint, gateway: gateway.name, traceparent: trace.traceparent };
  const createdAt = await trace.span("accept", () => lanes.accept.submit(item));
  return createdAt === null ? null : { id, createdAt };
}

function keyOf(scope: string, idempotencyKey: string): string {
  return `${scope} ${idempotencyKey}`;
}

/** Answers from what stands under the key; waits while the first request is under way, here or in another process. */
async function replay(
  context: PaymentsContext,
  scope: string,
  key: string,
  fingerprint: string,
  replayed = true,
): Promise<Result<CreatedPayment, CreatePaymentRefusal>> {
  const { lanes, underWay, replayWaitMs } = context;
  const standing = await lookUntilOver(
    { underWay, key: keyOf(scope, key), untilMs: performance.now() + replayWaitMs },
    async () => {
      const found = await lanes.findByKey.submit({ scope, key });
      if (found === null) throw new Error(`no payment stands under a key that is taken: ${key}`);
      return found;
    },
    (found) => found.fingerprint !== fingerprint || !found.underWay,
  );
  if (standing.fingerprint !== fingerprint) return refuse({ type: "idempotency_key_reused" });
  if (standing.underWay) return refuse({ type: "idempotency_key_in_use" });
  return accept({ payment: summaryOf(standing), replayed });
}

function summaryOf({ fingerprint: _, underWay: __, ...summary }: StandingPayment): PaymentSummary {
  return summary;
}
