import type { Currency } from "../../../kernel/currency.ts";
import { fromStoredDecimal, type Money, toDecimal } from "../../../kernel/money.ts";
import type { Database } from "../../../kernel/statement.ts";
import { type Lane, type LaneLimits, laneMaker } from "../../../movements/index.ts";
import type { StatusEvent } from "../domain/gateway-event.ts";
import type { PaymentIntent, PaymentStatus } from "../domain/payment.ts";
import { acceptPayments, receiveEvents, settleAttempts } from "../persistence/movements.queries.ts";
import { findPaymentsByKey } from "../persistence/reading.queries.ts";
import { type ChangeItem, type ChangeOutcome, runChange } from "./change-payment.ts";

/** What the answer to a payment request shows of a payment. */
export type PaymentSummary = {
  readonly id: string;
  readonly intentId: string | null;
  readonly amount: Money;
  readonly status: PaymentStatus;
  readonly createdAt: Date;
};

export type AcceptItem = {
  readonly id: string;
  readonly scope: string;
  readonly intent: PaymentIntent;
  readonly fingerprint: string;
  readonly gateway: string;
  readonly traceparent: string | null;
};

export type SettleItem = {
  readonly paymentId: string;
  readonly number: number;
  readonly state: "succeeded" | "declined";
  readonly intentId: string | null;
  readonly clientSecret: string | null;
  readonly status: PaymentStatus;
  /** What was taken, in minor units; null unless the status is succeeded. */
  readonly capturedMinor: bigint | null;
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
};

export type StandingPayment = PaymentSummary & { readonly fingerprint: string; readonly underWay: boolean };

export type ReceiveItem = { readonly event: StatusEvent; readonly payload: string };

/** What became of an event: `duplicate` where it had been processed before. */
export type Disposition = "applied" | "superseded" | "recorded" | "waiting" | "mismatched" | "duplicate";

export type PaymentLanes = {
  /** Resolves to when the payment was created, or null where its key is taken. */
  readonly accept: Lane<AcceptItem, Date | null>;
  /** Resolves to what was settled, or null where the attempt was not open any more. */
  readonly settle: Lane<SettleItem, { intentId: string | null; status: PaymentStatus } | null>;
  readonly findByKey: Lane<{ scope: string; key: string }, StandingPayment | null>;
  readonly receive: Lane<ReceiveItem, Disposition>;
  /** Refunds and disputes: one change of a payment's money after the other. */
  readonly change: Lane<ChangeItem, ChangeOutcome>;
};

/**
 * The hot statements of this module, each in a lane of its own, which `database(lane)` gives a connection of its own.
 */
export function createPaymentLanes(database: (lane: string) => Database, limits: LaneLimits): PaymentLanes {
  const lane = laneMaker(database, limits);
  return {
    accept: lane("accept_payment", (items, connection) => runAccept(items, connection, limits.leaseMs)),
    settle: lane("settle_payment", runSettle, (item) => item.paymentId),
    findByKey: lane("find_payment", runFind),
    receive: lane("receive_event", runReceive, keyOfEvent),
    change: lane("change_payment", runChanges, undefined, oneAtATime),
  };
}

/** A change reads, decides and commits: there is nothing to be gained by sending another one ahead. */
const oneAtATime = { maxBatch: 1, sendAheadFrom: Number.POSITIVE_INFINITY };

async function runChanges(items: readonly ChangeItem[], database: Database): Promise<ChangeOutcome[]> {
  const outcomes: ChangeOutcome[] = [];
  for (const item of items) outcomes.push(await runChange(item, database));
  return outcomes;
}

/** Two events of one payment in one statement would be two updates of one row, of which PostgreSQL does one. */
function keyOfEvent({ event }: ReceiveItem): string {
  return event.effect === null ? event.id : (event.intentId ?? event.id);
}

async function runAccept(items: readonly AcceptItem[], database: Database, leaseMs: number): Promise<(Date | null)[]> {
  const rows = await acceptPayments.run(
    {
      ids: items.map((item) => item.id),
      scopes: items.map((item) => item.scope),
      idempotencyKeys: items.map((item) => item.intent.idempotencyKey),
      fingerprints: items.map((item) => item.fingerprint),
      amounts: items.map((item) => toDecimal(item.intent.amount)),
      currencies: items.map((item) => item.intent.amount.currency),
      captures: items.map((item) => item.intent.capture),
      gateways: items.map((item) => item.gateway),
      sellerIds: items.map((item) => item.intent.sellerId),
      references: items.map((item) => item.intent.reference),
      metadata: items.map((item) => JSON.stringify(item.intent.metadata)),
      traceparents: items.map((item) => item.traceparent),
      leaseMs,
    },
    database,
  );
  const accepted = new Set(rows[0]?.acceptedIds.split(","));
  return items.map((item) => (accepted.has(item.id) ? (rows[0]?.createdAt ?? null) : null));
}

async function runSettle(
  items: readonly SettleItem[],
  database: Database,
): Promise<({ intentId: string | null; status: PaymentStatus } | null)[]> {
  const rows = await settleAttempts.run(
    {
      paymentIds: items.map((item) => item.paymentId),
      numbers: items.map((item) => item.number),
      states: items.map((item) => item.state),
      intentIds: items.map((item) => item.intentId),
      clientSecrets: items.map((item) => item.clientSecret),
      statuses: items.map((item) => item.status),
      capturedMinor: items.map((item) => item.capturedMinor),
      failureCodes: items.map((item) => item.failureCode),
      failureMessages: items.map((item) => item.failureMessage),
    },
    database,
  );
  const settled = new Set(rows[0]?.settledIds.split(","));
  const otherStatuses = (rows[0]?.otherStatuses ?? {}) as Record<string, PaymentStatus>;
  return items.map(({ paymentId, intentId, status }) =>
    settled.has(paymentId) ? { intentId, status: otherStatuses[paymentId] ?? status } : null,
  );
}

async function runFind(
  items: readonly { scope: string; key: string }[],
  database: Database,
): Promise<(StandingPayment | null)[]> {
  const rows = await findPaymentsByKey.run(
    { scopes: items.map((item) => item.scope), idempotencyKeys: items.map((item) => item.key) },
    database,
  );
  const found = new Map(rows.map((row) => [Number(row.place), row]));
  return items.map((_item, index) => {
    const row = found.get(index + 1);
    if (row === undefined) return null;
    return {
      id: row.id,
      intentId: row.intentId,
      amount: fromStoredDecimal(row.amount, row.currency as Currency),
      status: row.status as PaymentStatus,
      createdAt: row.createdAt,
      fingerprint: row.fingerprint,
      underWay: row.underWay,
    };
  });
}

async function runReceive(items: readonly ReceiveItem[], database: Database): Promise<Disposition[]> {
  const rows = await receiveEvents.run(
    {
      eventIds: items.map(({ event }) => event.id),
      types: items.map(({ event }) => event.type),
      intentIds: items.map(({ event }) => event.intentId),
      paymentIds: items.map(({ event }) => event.paymentId),
      statuses: items.map(({ event }) => event.effect?.status ?? null),
      amounts: items.map(({ event }) => (event.effect === null ? null : toDecimal(event.effect.amount))),
      currencies: items.map(({ event }) => event.effect?.amount.currency ?? null),
      capturedMinor: items.map(({ event }) => event.effect?.captured?.amountMinor ?? null),
      failureCodes: items.map(({ event }) => event.effect?.failureCode ?? null),
      failureMessages: items.map(({ event }) => event.effect?.failureMessage ?? null),
      payloads: items.map((item) => item.payload),
    },
    database,
  );
  const dispositions = new Map(rows.map((row) => [row.eventId, row.disposition as Disposition]));
  return items.map(({ event }) => dispositions.get(event.id) ?? "duplicate");
}
