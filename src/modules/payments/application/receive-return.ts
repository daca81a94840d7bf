import { accept, refuse } from "../../../kernel/result.ts";
import type { Database } from "../../../kernel/statement.ts";
import type { DisputeEvent, RefundedEvent, RefundStatusEvent } from "../domain/gateway-event.ts";
import { feePartOf, giveBack, leftOf, lesserOf, type Part, takeBack } from "../domain/returns.ts";
import * as statements from "../persistence/returns.queries.ts";
import { type Change, changePayment, type Decide, type DisputeRow, type FundsState } from "./change-payment.ts";
import type { PaymentsContext } from "./context.ts";
import type { Disposition } from "./lanes.ts";
import { chargebackDraft, disputeDraft, disputeReversalDraft, refundDraft, sellerAccount } from "./postings.ts";
import { eventOf, refundSettlement } from "./settle-refund.ts";

export type ReturnEvent = RefundedEvent | RefundStatusEvent | DisputeEvent;

/**
 * Takes in an event by which money goes back: the inbox row and its effect are one commit. One that comes before what
 * it is about waits in the inbox; the same event again has no effect.
 */
export async function receiveReturn(context: PaymentsContext, event: ReturnEvent, body: string): Promise<Disposition> {
  const { database } = context;
  if (await isProcessed(event.id, database)) return "duplicate";
  const paymentId = await paymentOf(event, database);
  // A refund of ours is committed before the gateway hears of it: one that is not here is none of ours.
  const aside = event.about === "refund_status" ? "recorded" : "waiting";
  if (paymentId === null) return await keep(context, event, null, body, aside);
  const received = { id: event.id, type: event.type, payload: body };
  const decide = decisionOn(context, event);
  const guarded: Decide<unknown, Aside> = async (state, connection) => {
    if (await isProcessed(event.id, connection)) return refuse({ type: "duplicate" });
    if (state.status !== "succeeded") return refuse({ type: "waiting" });
    const decided = await decide(state, connection);
    if (!decided.ok) return decided;
    const { change, value } = decided.value;
    if (change === null) return refuse({ type: "superseded" });
    return accept({ change: { ...change, received }, value });
  };
  const changed = await changePayment(context, paymentId, null, guarded);
  if (changed.ok) return "applied";
  const { type } = changed.refusal;
  if (type === "duplicate") return type;
  if (type === "waiting" || type === "superseded" || type === "mismatched") {
    return await keep(context, event, paymentId, body, type);
  }
  throw new Error(`event ${event.id} cannot be applied: ${type}`);
}

type Aside = { type: "waiting" | "superseded" | "mismatched" | "duplicate" | "refund_not_found" };

function decisionOn(context: PaymentsContext, event: ReturnEvent): Decide<unknown, Aside> {
  if (event.about === "refund") return refundedElsewhere(context, event);
  if (event.about === "dispute") return disputed(event);
  const { refundId, status, gatewayRefundId, failureCode } = event;
  const failure = failureCode === null ? null : { code: failureCode, message: "The refund failed at the bank." };
  return refundSettlement({ refundId, status, gatewayRefundId, failure, attempt: null });
}

async function isProcessed(eventId: string, database: Database): Promise<boolean> {
  const [row] = await statements.readInboxEvent.run({ eventId }, database);
  return row !== undefined && row.processedAt !== null;
}

async function paymentOf(event: ReturnEvent, database: Database): Promise<string | null> {
  if (event.about === "refund_status") {
    const [refund] = await statements.readRefund.run({ refundId: event.refundId }, database);
    return refund?.paymentId ?? null;
  }
  const [attempt] = await statements.findPaymentOfIntent.run({ intentId: event.intentId }, database);
  return attempt?.paymentId ?? null;
}

async function keep(
  { database }: PaymentsContext,
  event: ReturnEvent,
  paymentId: string | null,
  payload: string,
  disposition: "waiting" | "superseded" | "mismatched" | "recorded",
): Promise<Disposition> {
  const { id: eventId, type, intentId } = event;
  const [kept] = await statements.keepEvent.run({ eventId, type, intentId, paymentId, payload, disposition }, database);
  return kept === undefined ? "duplicate" : disposition;
}

/**
 * The gateway says how much went back in all. What our own refunds do not explain was refunded at the gateway itself;
 * while one of ours is under way that cannot be told apart, so the event waits.
 */
function refundedElsewhere(context: PaymentsContext, event: RefundedEvent): Decide<null, Aside> {
  return async (state) => {
    const { funds, currency } = state;
    if (event.refundedInAll.currency !== currency) return refuse({ type: "mismatched" });
    const elsewhere = event.refundedInAll.amountMinor - funds.refundedMinor;
    if (elsewhere <= 0n) return refuse({ type: "superseded" });
    if (funds.refundingMinor > 0n) return refuse({ type: "waiting" });
    if (elsewhere > leftOf(funds)) return refuse({ type: "mismatched" });
    const part = { amountMinor: elsewhere, feeMinor: feePartOf(funds, elsewhere) };
    const refund = {
      id: context.newId(),
      key: null,
      fingerprint: null,
      ...part,
      reason: "refunded at the gateway",
      status: "succeeded" as const,
      gatewayRefundId: null,
      failure: null,
    };
    const returned = giveBack(funds, part);
    const change: Change = {
      funds: { ...returned, refundedMinor: returned.refundedMinor + elsewhere },
      refund,
      transactions: [refundDraft(state, refund.id, part, null, null)],
      event: eventOf("payment.refunded", state, refund),
    };
    return accept({ change, value: null });
  };
}

/** A dispute moves from open to won or lost, and stays there; the events may come in any order. */
function disputed(event: DisputeEvent): Decide<null, Aside> {
  return async (state, database) => {
    if (event.amount.currency !== state.currency) return refuse({ type: "mismatched" });
    const [standing] = await statements.readDispute.run({ disputeId: event.disputeId }, database);
    if (standing === undefined) return accept({ change: firstHeard(state, event), value: null });
    if (standing.paymentId !== state.paymentId) return refuse({ type: "mismatched" });
    if (standing.status !== "open" || event.status === "open") return refuse({ type: "superseded" });
    const { id, amountMinor, borneMinor, feeMinor } = standing;
    const row: DisputeRow = { id, amountMinor, borneMinor, feeMinor, status: event.status };
    const change = event.status === "lost" ? lostInTheEnd(state, row) : won(state, row, true);
    return accept({
      change: standing.holdId === null ? change : { ...change, voidHoldId: standing.holdId },
      value: null,
    });
  };
}

/** The first event of a dispute, which need not be its opening: what was missed before is made up for. */
function firstHeard(state: FundsState, event: DisputeEvent): Change {
  const amountMinor = event.amount.amountMinor;
  const left = leftOf(state.funds);
  const borneMinor = lesserOf(amountMinor, left);
  const feeMinor = feePartOf(state.funds, borneMinor);
  const row: DisputeRow = { id: event.disputeId, amountMinor, borneMinor, feeMinor, status: event.status };
  const opening = disputeDraft(state, row.id, amountMinor);
  if (event.status === "won") {
    const change = won(state, row, false);
    return { ...change, transactions: [opening, ...(change.transactions ?? [])] };
  }
  const funds = giveBack(state.funds, { amountMinor: borneMinor, feeMinor });
  if (event.status === "lost") {
    const change = lost(state, row);
    return { ...change, funds, transactions: [opening, ...(change.transactions ?? [])] };
  }
  const share = borneMinor - feeMinor;
  const hold = { reference: `dispute:${row.id}`, account: sellerAccount(state.sellerId), amountMinor: share };
  return {
    funds,
    dispute: row,
    // What is there: the seller may have been paid out already.
    ...(share > 0n ? { hold: { ...hold, partially: true } } : {}),
    transactions: [opening],
    event: disputeEvent("payment.disputed", state, row),
  };
}

/** What has come free of the payment since the dispute was opened, by refunds that failed, is borne as well. */
function lostInTheEnd(state: FundsState, row: DisputeRow): Change {
  const amountMinor = lesserOf(row.amountMinor - row.borneMinor, leftOf(state.funds));
  const feeMinor = feePartOf(state.funds, amountMinor);
  const inAll = { ...row, borneMinor: row.borneMinor + amountMinor, feeMinor: row.feeMinor + feeMinor };
  return { ...lost(state, inAll), funds: giveBack(state.funds, { amountMinor, feeMinor }) };
}

function lost(state: FundsState, row: DisputeRow): Change {
  return {
    funds: state.funds,
    dispute: row,
    transactions: [chargebackDraft(state, row.id, partOf(row), row.amountMinor)],
    event: disputeEvent("payment.dispute_lost", state, row),
  };
}

function won(state: FundsState, row: DisputeRow, counted: boolean): Change {
  return {
    funds: counted ? takeBack(state.funds, partOf(row)) : state.funds,
    dispute: row,
    transactions: [disputeReversalDraft(state, row.id, row.amountMinor)],
    event: disputeEvent("payment.dispute_won", state, row),
  };
}

function partOf({ borneMinor, feeMinor }: DisputeRow): Part {
  return { amountMinor: borneMinor, feeMinor };
}

function disputeEvent(type: string, { currency }: FundsState, row: DisputeRow): NonNullable<Change["event"]> {
  const { id, amountMinor, feeMinor } = row;
  const amounts = { amount_minor: amountMinor.toString(), fee_minor: feeMinor.toString(), currency };
  return { type, data: { dispute_id: id, ...amounts } };
}
