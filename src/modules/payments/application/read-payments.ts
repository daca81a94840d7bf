import type { Currency } from "../../../kernel/currency.ts";
import { isUuid } from "../../../kernel/identifiers.ts";
import { fromStoredDecimal, toJsonAmount } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { readStream } from "../../events/index.ts";
import { findTransactionsByReferences, type LedgerTransaction } from "../../ledger/index.ts";
import { lowestIdAt, type Metadata, type Payment, type PaymentStatus } from "../domain/payment.ts";
import * as statements from "../persistence/reading.queries.ts";
import { listDisputes, listRefunds } from "../persistence/returns.queries.ts";
import type { PaymentsContext } from "./context.ts";
import { saleReference } from "./postings.ts";

export type PaymentNotFound = { type: "payment_not_found" };

/** The payment as it stands. Only the scope it was made in sees it. */
export async function getPayment(
  context: PaymentsContext,
  scope: string,
  id: string,
): Promise<Result<Payment, PaymentNotFound>> {
  if (!isUuid(id)) return refuse({ type: "payment_not_found" });
  const [row] = await statements.getPayment.run({ id, scope }, context.database);
  return row === undefined ? refuse({ type: "payment_not_found" }) : accept(paymentOf(row));
}

export type PaymentFilter = {
  readonly status: PaymentStatus | null;
  readonly currency: string | null;
  readonly createdAfter: Date | null;
  /** The id of the last payment of the page before. */
  readonly before: string | null;
  readonly limit: number;
};

/** How far the clock of the process that made an id may be from the database's, when ids bound a walk over time. */
const clockSkewMs = 300_000;

const aboveEveryId = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** A page of payments, newest first; `next` continues after it, null where it was the last. */
export async function listPayments(
  context: PaymentsContext,
  scope: string,
  filter: PaymentFilter,
): Promise<{ payments: Payment[]; next: string | null }> {
  const { createdAfter, limit } = filter;
  const notBefore = lowestIdAt(new Date((createdAfter?.getTime() ?? 0) - clockSkewMs));
  const parameters = { ...filter, scope, notBefore, before: filter.before ?? aboveEveryId, limit: limit + 1 };
  const rows = await statements.listPayments.run(parameters, context.database);
  const payments = rows.slice(0, limit).map(paymentOf);
  return { payments, next: rows.length > limit ? (payments.at(-1)?.id ?? null) : null };
}

/** An attempt on the gateway, a webhook of the gateway's, a change of state, a transaction of the ledger. */
export const timelineKinds = ["attempt", "webhook", "event", "posting"] as const;
type TimelineKind = (typeof timelineKinds)[number];

/** One thing that happened to a payment. */
export type TimelineEntry = { readonly at: Date; readonly kind: TimelineKind } & Readonly<Record<string, unknown>>;

const mostTimelineEntries = 1_000;

/** Everything that happened to a payment, oldest first. */
export async function readTimeline(
  context: PaymentsContext,
  scope: string,
  id: string,
): Promise<Result<TimelineEntry[], PaymentNotFound>> {
  const payment = await getPayment(context, scope, id);
  if (!payment.ok) return payment;
  const { database } = context;
  const [attempts, webhooks, events, postings] = await Promise.all([
    statements.listAttempts.run({ paymentId: id }, database),
    statements.listReceivedEvents.run({ paymentId: id, limit: mostTimelineEntries }, database),
    readStream(database, id, mostTimelineEntries),
    readPostings(context, id),
  ]);
  const entries: TimelineEntry[] = [
    ...attempts.map(({ acceptedAt, settledAt, lastError, ...attempt }) => ({
      at: acceptedAt,
      kind: "attempt" as const,
      ...attempt,
      last_error: lastError,
      settled_at: settledAt,
    })),
    ...webhooks.map(({ receivedAt, processedAt, eventId, ...webhook }) => ({
      at: receivedAt,
      kind: "webhook" as const,
      event_id: eventId,
      ...webhook,
      processed_at: processedAt,
    })),
    ...events.map(({ recordedAt, ...event }) => ({ at: recordedAt, kind: "event" as const, ...event })),
    ...postings.map(presentPosting),
  ];
  return accept(entries.sort((left, right) => left.at.getTime() - right.at.getTime()));
}

/** The ledger takes a thousand references at once: the sale's, two of each refund and three of each dispute. */
const mostTimelineReturns = 190;

/** What a payment moved in the ledger. */
async function readPostings({ database, ledger }: PaymentsContext, paymentId: string): Promise<LedgerTransaction[]> {
  const page = { paymentId, limit: mostTimelineReturns };
  const [refunds, disputes] = await Promise.all([listRefunds.run(page, database), listDisputes.run(page, database)]);
  return await findTransactionsByReferences(ledger, [
    saleReference(paymentId),
    ...refunds.flatMap(({ id }) => [`refund:${id}`, `refund_reversal:${id}`]),
    ...disputes.flatMap(({ id }) => [`dispute:${id}`, `dispute_reversal:${id}`, `chargeback:${id}`]),
  ]);
}

function presentPosting({ id, kind, reference, postedAt, entries }: LedgerTransaction): TimelineEntry {
  return {
    at: new Date(postedAt),
    kind: "posting",
    transaction_id: id,
    type: kind,
    reference,
    entries: entries.map(({ code, amount }) => {
      const debit = amount.amountMinor > 0n;
      const positive = debit ? amount : { ...amount, amountMinor: -amount.amountMinor };
      return { account: code, direction: debit ? "debit" : "credit", amount: toJsonAmount(positive) };
    }),
  };
}

function paymentOf(row: statements.GetPaymentResult): Payment {
  const { amount, status, capture, metadata, failureCode, failureMessage, ...others } = row;
  const { capturedMinor, feeMinor, refundedMinor, currency: code, ...facts } = others;
  const currency = code as Currency;
  const payment = {
    ...facts,
    amount: fromStoredDecimal(amount, currency),
    captured: capturedMinor === null ? null : { amountMinor: capturedMinor, currency },
    commission: feeMinor === null ? null : { amountMinor: feeMinor, currency },
    refunded: { amountMinor: refundedMinor, currency },
    capture: capture as Payment["capture"],
    metadata: metadata as Metadata,
  };
  if (status !== "failed") return { ...payment, status: status as Exclude<PaymentStatus, "failed"> };
  const failure = { code: failureCode ?? "payment_failed", message: failureMessage ?? "The payment failed." };
  return { ...payment, status, failure };
}
