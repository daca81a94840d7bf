import { hash, randomUUIDv7 } from "node:crypto";
import type { Logger } from "pino";
import type { Metrics } from "../infrastructure/telemetry/metrics.ts";
import { type BillsContext, createBillLanes } from "../modules/bills/index.ts";
import { eventTypes } from "../modules/events/index.ts";
import {
  createPostingLane,
  listMovements,
  ownBooks,
  type PostingContext,
  postTransaction,
} from "../modules/ledger/index.ts";
import { createPaymentLanes, type PaymentsContext } from "../modules/payments/index.ts";
import {
  type BatchWorker,
  createBatchWorker,
  createPayoutLanes,
  type PayoutsContext,
} from "../modules/payouts/index.ts";
import type { ReconciliationContext } from "../modules/reconciliation/index.ts";
import type { WebhooksContext } from "../modules/webhooks/index.ts";
import type {
  BillGateway,
  Cache,
  LaneLimits,
  MovementContext,
  PaymentGateway,
  PayoutGateway,
} from "../movements/index.ts";
import type { OpenDatabase } from "./database.ts";
import type { AppOverrides, AppSettings } from "./settings.ts";

/** What every context is made of. */
export type Parts = {
  readonly settings: AppSettings;
  readonly overrides: AppOverrides;
  readonly database: OpenDatabase;
  readonly metrics: Metrics;
};

const replayWaitMs = 2_000;

/** Batches of up to 256 measured best at 256 connections; 4,096 waiting items are half a second of work. */
const laneLimits = { maxBatch: 256, maxQueued: 4_096, maxWaitMs: 5_000, sendAheadFrom: 32 };

/** Tells metrics about a lane. */
function observerOf(metrics: Metrics) {
  return (name: string, depth: () => number) => {
    const lane = metrics.lane(name);
    lane.readDepth(depth);
    return lane;
  };
}

export function ledgerContext({ database, metrics }: Pick<Parts, "database" | "metrics">): PostingContext {
  const name = "post_transaction";
  const observer = observerOf(metrics)(name, () => lane.depth());
  const lane: PostingContext["lane"] = createPostingLane(database.lane(name), ownBooks, { ...laneLimits, observer });
  return { database: database.pool, tenant: ownBooks, lane };
}

export function reconciliationContext(
  { settings, database }: Pick<Parts, "settings" | "database">,
  ledger: PostingContext,
  gateway: PaymentGateway,
): ReconciliationContext {
  return {
    database: database.pool,
    gateway,
    ledger: {
      listMovements: (request) => listMovements(ledger, request),
      post: (draft) => postTransaction(ledger, draft),
    },
    newId: randomUUIDv7,
    callDeadlineMs: settings.gatewayTimeoutMs,
    leaseMs: 60_000,
    retryMs: 1_000,
  };
}

export function paymentsContext(parts: Parts, ledger: PostingContext, gateway: PaymentGateway): PaymentsContext {
  const { database, metrics } = parts;
  return {
    ...movementsOf(parts),
    lanes: createPaymentLanes(database.lane, limitsOf(parts)),
    ledger,
    gateway,
    sha256,
    observe: {
      statusReached: (status) => metrics.payment(status),
      eventReceived: (type, disposition) => metrics.webhook(type, disposition),
      attemptRecovered: (operation, result) => metrics.recovered(operation, result),
    },
  };
}

export function billsContext(parts: Parts, cache: Cache, gateway: BillGateway): BillsContext {
  const { settings, database, metrics } = parts;
  const idempotencyTtlMs = settings.idempotencyTtlSeconds * 1_000;
  return {
    ...movementsOf(parts),
    lanes: createBillLanes(database.lane, { ...limitsOf(parts), idempotencyTtlMs }),
    cache,
    gateway,
    maxRetries: settings.maxRetries,
    takenKeys: new Set(),
    retrying: new Map(),
    observe: {
      statusReached: (status) => metrics.bill(status),
      attemptRecovered: (operation, result) => metrics.recovered(operation, result),
    },
  };
}

export function payoutsContext(parts: Parts, ledger: PostingContext, gateway: PayoutGateway): PayoutsContext {
  const { database, metrics } = parts;
  return {
    ...movementsOf(parts),
    lanes: createPayoutLanes(database.lane, { ...limitsOf(parts), tenant: ledger.tenant }),
    ledger,
    gateway,
    sha256,
    observe: {
      statusReached: (kind, status) => metrics.payout(kind, status),
      payoutRecovered: (result) => metrics.recovered("payout", result),
    },
  };
}

/** Pays the lines of batches, behind the requests that brought them. */
export function batchWorker(
  { settings, database, metrics }: Parts,
  payouts: PayoutsContext,
  cache: Cache,
  logger: Logger,
): BatchWorker {
  const worker = createBatchWorker(payouts, {
    database: database.lane("start_payout_lines"),
    cache,
    concurrency: settings.payoutConcurrency,
    onFailure: (payout, error) => logger.warn({ payout, error }, "a step of a batch of payouts failed; it goes on"),
    onSettled: metrics.payoutSettled,
  });
  metrics.payoutsInFlight(worker.inFlight);
  return worker;
}

/** What integrators registered. Only `client` knows which addresses they may have. */
export function webhooksContext(
  { overrides, database }: Pick<Parts, "overrides" | "database">,
  client: WebhooksContext["client"],
): WebhooksContext {
  const { nowMs = Date.now } = overrides;
  return { database: database.pool, client, knownTypes: eventTypes, newId: randomUUIDv7, nowMs };
}

function limitsOf({ settings, metrics }: Parts): LaneLimits {
  return { ...laneLimits, leaseMs: settings.acceptLeaseMs, observerOf: observerOf(metrics) };
}

/** What every kind of movement works with. */
function movementsOf({ settings, overrides, database }: Parts): MovementContext {
  const { acceptLeaseMs: leaseMs, gatewayTimeoutMs: callDeadlineMs } = settings;
  const { onStep } = overrides;
  return {
    database: database.pool,
    pipeline: onStep === undefined ? { callDeadlineMs } : { callDeadlineMs, onStep },
    leaseMs,
    replayWaitMs,
    newId: randomUUIDv7,
    underWay: new Map(),
  };
}

function sha256(text: string): string {
  return hash("sha256", text, "hex");
}
