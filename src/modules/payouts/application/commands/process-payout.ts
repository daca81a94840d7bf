import { accept, type Result } from "../../../../kernel/result.ts";
import { announce, complete, type Trace } from "../../../../movements/index.ts";
import { beginPayout, type MoveRefusal, type Payout, requestPayout, settlePayout } from "../../domain/payout.ts";
import { canonicalOrder, type PayoutOrder } from "../../domain/payout-order.ts";
import type { PayoutsContext } from "../context.ts";
import type { AcceptedPayout } from "../lanes.ts";
import { firstAttempt, payingOut } from "../movements.ts";
import { readPayout } from "../queries/get-payout.ts";
import { type KeyRefusal, type ProcessedPayout, replayPayout, underWayKey } from "./replay-payout.ts";

/**
 * Makes a payout that was judged: committed with the hold on its money, called, settled. A repeated request gets the
 * payout of the first one; where the first is still under way it waits for it up to `replayWaitMs`.
 *
 * A payout whose outcome is not known comes back as PROCESANDO and is never lost: recovery goes on with it.
 */
export async function processPayout(
  context: PayoutsContext,
  scope: string,
  order: PayoutOrder,
  trace: Trace,
): Promise<Result<ProcessedPayout, KeyRefusal>> {
  const { idempotencyKey: key, recipient, amount } = order;
  const id = context.newId();
  const fingerprint = key === null ? null : context.sha256(canonicalOrder(order));
  const { gateway, lanes } = context;
  const item = { id, scope, order, fingerprint, gateway: gateway.name, traceparent: trace.traceparent };
  const accepted = await trace.span("accept", () => lanes.accept.submit(item));
  if (accepted === null) {
    if (key === null || fingerprint === null) throw new Error(`payout ${id} was not accepted, and has no key`);
    return await replayPayout(context, scope, key, fingerprint);
  }
  const making = makePayout(context, { id, scope, recipient, amount }, accepted, trace);
  const payout = await (key === null ? making : announce(context.underWay, underWayKey(scope, key), making));
  return accept({ payout, replayed: false });
}

/** Has the gateway make a payout that is committed. */
async function makePayout(
  context: PayoutsContext,
  wanted: Pick<PayoutOrder, "recipient" | "amount"> & { readonly id: string; readonly scope: string },
  { createdAt, holdId }: AcceptedPayout,
  trace: Trace,
): Promise<Payout> {
  const { id, scope, recipient, amount } = wanted;
  const begun = moved(beginPayout(requestPayout({ id, recipient, amount, createdAt })));
  const attempt = firstAttempt(begun, holdId, trace.traceparent);
  const completion = await complete(payingOut(context), attempt, trace, context.pipeline);
  if (completion.type === "postponed") return begun;
  const { settled } = completion;
  if (settled !== null) return moved(settlePayout(begun, settled.outcome, settled.processedAt));
  // Recovery was faster: what it settled stands.
  const standing = await readPayout(context, scope, recipient.kind, id);
  if (standing === undefined) throw new Error(`payout ${id} was settled and is not there`);
  return standing;
}

/** The payout after a move that cannot be refused here: the database guards the same order. */
function moved<Value>(result: Result<Value, MoveRefusal>): Value {
  if (!result.ok) throw new Error(`${result.refusal.type}: it is ${result.refusal.status}`);
  return result.value;
}
