import type { Currency } from "../../../kernel/currency.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { type Database, DatabaseFailure } from "../../../kernel/statement.ts";
import type { Lane } from "../../../movements/index.ts";
import { draftColumns, type TransactionDraft } from "../../ledger/index.ts";
import type { Funds } from "../domain/returns.ts";
import { commitChange, readFunds } from "../persistence/returns.queries.ts";

/** A payment as a change of its money is decided on. */
export type FundsState = {
  readonly paymentId: string;
  readonly version: number;
  readonly status: string;
  readonly currency: Currency;
  readonly gateway: string;
  readonly sellerId: string | null;
  readonly intentId: string | null;
  readonly lastAttempt: number;
  readonly funds: Funds;
};

export type RefundRow = {
  readonly id: string;
  readonly key: string | null;
  readonly fingerprint: string | null;
  readonly amountMinor: bigint;
  readonly feeMinor: bigint;
  readonly reason: string | null;
  readonly status: "pending" | "succeeded" | "failed";
  readonly gatewayRefundId: string | null;
  readonly failure: { readonly code: string; readonly message: string } | null;
};

export type DisputeRow = {
  readonly id: string;
  readonly amountMinor: bigint;
  readonly borneMinor: bigint;
  readonly feeMinor: bigint;
  readonly status: "open" | "won" | "lost";
};

/** What becomes of a payment's money: all of it is one commit. */
export type Change = {
  readonly funds: Funds;
  readonly refund?: RefundRow;
  readonly dispute?: DisputeRow;
  /** Opens the next attempt, to have the gateway make the refund, with this lease. */
  readonly attemptLeaseMs?: number;
  readonly closeAttempt?: { readonly number: number; readonly state: "succeeded" | "declined" };
  readonly hold?: { readonly reference: string; readonly account: string; readonly amountMinor: bigint } & {
    readonly partially: boolean;
  };
  readonly voidHoldId?: bigint;
  readonly transactions?: readonly TransactionDraft[];
  readonly event?: { readonly type: string; readonly data: Readonly<Record<string, string | null>> };
  readonly received?: { readonly id: string; readonly type: string; readonly payload: string };
};

/** What was committed, for the answer. */
export type Committed = { readonly attemptNumber: number; readonly refundCreatedAt: Date | null };

/** Null changes nothing, and the value is the answer all the same. */
export type Decision<Value> = { readonly change: Change | null; readonly value: Value };

export type ChangeRefusal =
  | { type: "payment_not_found" }
  | { type: "seller_balance_insufficient" }
  /** Another request has used the refund's idempotency key meanwhile. */
  | { type: "refund_key_taken" };

/** Decides on the state as it was read; may read more, and is asked again where the payment changed meanwhile. */
export type Decide<Value, Refusal extends { type: string }> = (
  state: FundsState,
  database: Database,
) => Promise<Result<Decision<Value>, Refusal>>;

/** One change that waits for its turn in the lane. */
export type ChangeItem = {
  readonly paymentId: string;
  readonly scope: string | null;
  readonly decide: Decide<unknown, { type: string }>;
};

export type ChangeOutcome = Result<{ readonly value: unknown; readonly committed: Committed | null }, { type: string }>;

/**
 * Changes what a payment's money did: reads, decides, and commits where nobody has changed the payment since. One
 * change at a time in this process, so that only other processes make it read again.
 */
export async function changePayment<Value, Refusal extends { type: string }>(
  context: { readonly lanes: { readonly change: Lane<ChangeItem, ChangeOutcome> } },
  paymentId: string,
  scope: string | null,
  decide: Decide<Value, Refusal>,
): Promise<Result<{ readonly value: Value; readonly committed: Committed | null }, Refusal | ChangeRefusal>> {
  const outcome = await context.lanes.change.submit({ paymentId, scope, decide });
  return outcome as Result<{ value: Value; committed: Committed | null }, Refusal | ChangeRefusal>;
}

/** So many changes by other processes in the time of one of ours are more than there can be. */
const mostTries = 50;

/** The lane's work. Throws a {@link DatabaseFailure} that says "busy" where the payment never stands still. */
export async function runChange({ paymentId, scope, decide }: ChangeItem, database: Database): Promise<ChangeOutcome> {
  for (let tries = 1; tries <= mostTries; tries++) {
    const [row] = await readFunds.run({ paymentId, scope }, database);
    if (row === undefined) return refuse({ type: "payment_not_found" });
    const state = stateOf(row);
    const decided = await decide(state, database);
    if (!decided.ok) return decided;
    const { change, value } = decided.value;
    if (change === null) return accept({ value, committed: null });
    const committed = await commit(state, change, database);
    if (committed === "changed_meanwhile") continue;
    if ("type" in committed) return refuse(committed);
    return accept({ value, committed });
  }
  throw new DatabaseFailure("busy", false, `payment ${paymentId} changed ${mostTries} times while it was changed`);
}

function stateOf(row: Awaited<ReturnType<typeof readFunds.run>>[number]): FundsState {
  const { id, currency, version, status, gateway, sellerId, intentId, lastAttempt, ...funds } = row;
  return {
    paymentId: id,
    currency: currency as Currency,
    version,
    status,
    gateway,
    sellerId,
    intentId,
    lastAttempt,
    funds,
  };
}

async function commit(
  state: FundsState,
  change: Change,
  database: Database,
): Promise<Committed | ChangeRefusal | "changed_meanwhile"> {
  const opensAttempt = change.attemptLeaseMs !== undefined;
  const lastAttempt = state.lastAttempt + (opensAttempt ? 1 : 0);
  try {
    const [row] = await commitChange.run(parametersOf(state, change, lastAttempt), database);
    if (row === undefined) return "changed_meanwhile";
    return { attemptNumber: lastAttempt, refundCreatedAt: row.refundCreatedAt };
  } catch (error) {
    if (!(error instanceof DatabaseFailure) || error.kind !== "rejected") throw error;
    if (error.constraint === "ledger_must_hold") return { type: "seller_balance_insufficient" };
    if (error.constraint === "refunds_scope_idempotency_key_key") return { type: "refund_key_taken" };
    // The same dispute, told twice at once: the second reads what the first has left.
    if (error.constraint === "disputes_pkey") return "changed_meanwhile";
    throw error;
  }
}

/** What is undefined is left out of the statement, as null is. */
function parametersOf(state: FundsState, change: Change, lastAttempt: number) {
  const { funds, refund, dispute, hold, event, received, closeAttempt } = change;
  const drafts = change.transactions ?? [];
  const columns = drafts.length > 0 ? draftColumns(drafts) : undefined;
  return {
    paymentId: state.paymentId,
    version: state.version,
    returnedMinor: funds.returnedMinor,
    returnedFeeMinor: funds.returnedFeeMinor,
    refundingMinor: funds.refundingMinor,
    refundedMinor: funds.refundedMinor,
    lastAttempt,
    holdReference: hold?.reference,
    holdAccount: hold?.account,
    holdMinor: hold?.amountMinor,
    holdPartially: hold?.partially,
    voidHoldId: change.voidHoldId,
    kinds: columns?.kinds,
    references: columns?.references,
    externalIds: columns?.externalIds,
    holdIds: columns?.holdIds,
    legItems: columns?.legItems,
    legAccounts: columns?.legAccounts,
    legAmounts: columns?.legAmounts,
    refundId: refund?.id,
    refundKey: refund?.key,
    refundFingerprint: refund?.fingerprint,
    refundMinor: refund?.amountMinor,
    refundFeeMinor: refund?.feeMinor,
    refundReason: refund?.reason,
    refundStatus: refund?.status,
    gatewayRefundId: refund?.gatewayRefundId,
    failureCode: refund?.failure?.code,
    failureMessage: refund?.failure?.message,
    disputeId: dispute?.id,
    disputeMinor: dispute?.amountMinor,
    disputeBorneMinor: dispute?.borneMinor,
    disputeFeeMinor: dispute?.feeMinor,
    disputeStatus: dispute?.status,
    leaseMs: change.attemptLeaseMs,
    attemptNumber: closeAttempt?.number,
    attemptState: closeAttempt?.state,
    eventType: event?.type,
    eventData: event === undefined ? null : JSON.stringify(event.data),
    eventId: received?.id,
    inboxType: received?.type,
    intentId: state.intentId,
    payload: received?.payload,
  };
}
