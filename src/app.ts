import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { openCache } from "./app/cache.ts";
import {
  batchWorker,
  billsContext,
  ledgerContext,
  type Parts,
  paymentsContext,
  payoutsContext,
  reconciliationContext,
  webhooksContext,
} from "./app/contexts.ts";
import { connectTimeoutMs, type OpenDatabase, openDatabase } from "./app/database.ts";
import { type GuardedGateways, guardGateways, openGateways } from "./app/gateways.ts";
import { createListener, type Edge, registerMetrics } from "./app/listeners.ts";
import { openOutbox, openWebhookClient } from "./app/outbox.ts";
import { headLog, type Movements, recoveryJobs } from "./app/recovery.ts";
import type { AppOverrides, AppSettings } from "./app/settings.ts";
import { openTracing } from "./app/tracing.ts";
import { withMetrics } from "./infrastructure/gateways/measured.ts";
import { type HealthChecks, registerHealth, registerPartnerHealth } from "./infrastructure/http/health.ts";
import { presentPartnerProblem } from "./infrastructure/http/partner-problems.ts";
import { createOwnership } from "./infrastructure/postgres/ownership.ts";
import { createMetrics } from "./infrastructure/telemetry/metrics.ts";
import { registerBillRoutes } from "./modules/bills/index.ts";
import { eventJobs, eventStatistics, registerEventDocs, relayConsumer } from "./modules/events/index.ts";
import { ledgerJobs, type PostingContext, registerLedgerRoutes } from "./modules/ledger/index.ts";
import { registerPaymentRoutes } from "./modules/payments/index.ts";
import {
  type BatchWorker,
  registerEstadoDeCuentaRoutes,
  registerLoteRoutes,
  registerPagoRoutes,
  registerPayoutRoutes,
} from "./modules/payouts/index.ts";
import { createRunWorker, reconciliationJobs, registerReconciliationRoutes } from "./modules/reconciliation/index.ts";
import { registerWebhookRoutes, webhookJobs } from "./modules/webhooks/index.ts";
import { type Cache, type Sweeper, startSweeper } from "./movements/index.ts";
import { version } from "./version.ts";

export type Addresses = { readonly marketplace: string; readonly partner: string };

export type App = {
  readonly marketplace: FastifyInstance;
  readonly partner: FastifyInstance;
  readonly gateways: GuardedGateways;
  /** Begins to listen and to recover. Resolves to where the two APIs are. */
  start(): Promise<Addresses>;
  /** Takes no new work, finishes what is under way and lets go of everything. Safe to call twice. */
  close(): Promise<void>;
};

const sweepIntervalMs = 1_000;
/** Whose payments, bills and payouts requests may see and make: there is nobody else yet. */
const scopeOf = () => "default";

/** The composition root: builds everything from settings, top to bottom. Nothing listens before `start`. */
export async function createApp(settings: AppSettings, logger: Logger, overrides: AppOverrides = {}): Promise<App> {
  const metrics = createMetrics();
  const tracer = await openTracing(settings, logger);
  const database = openDatabase(settings, logger);
  const cache = await openCache(settings, logger, metrics);
  let address = `http://${settings.host}:${settings.port}`;
  const bare = overrides.gateways ?? (await openGateways(settings, () => address));
  const gateways = guardGateways(bare, metrics, logger, overrides.nowMs);

  const parts: Parts = { settings, overrides, database, metrics };
  const ledger = ledgerContext(parts);
  const movements: Movements = {
    payments: paymentsContext(parts, ledger, gateways.payments),
    bills: billsContext(parts, cache, gateways.bills),
    payouts: payoutsContext(parts, ledger, gateways.payouts),
  };
  const batches = batchWorker(parts, movements.payouts, cache, logger);
  // Past the circuit breaker: a report that cannot be had is no reason to take no payments.
  const reconciliation = reconciliationContext(parts, ledger, withMetrics(bare.payments, metrics.gatewayCall));
  const runs = createRunWorker(reconciliation, (run, error) =>
    logger.warn({ run, error }, "a step of a reconciliation failed; it is tried again"),
  );

  let ready = false;
  const edge = { logger, metrics, tracer, overrides };
  const health = healthChecks(database, cache, gateways, () => ready);

  const marketplace = await openMarketplace(edge, settings, health, movements, ledger);
  registerReconciliationRoutes(marketplace, reconciliation, runs, { actorOf: () => "operator" });
  const webhookClient = openWebhookClient(settings);
  const webhooks = webhooksContext(parts, webhookClient);
  registerWebhookRoutes(marketplace, webhooks);
  const partner = await openPartner(edge, settings, health, movements, batches);

  const outbox = settings.publishes ? await openOutbox({ ...parts, ...edge }) : undefined;
  let sweeper: Sweeper | undefined;
  const ownership = createOwnership(settings.databaseUrl, "recovery", connectTimeoutMs);
  async function close(): Promise<void> {
    ready = false;
    await Promise.all([marketplace.close(), partner.close()]);
    await sweeper?.stop();
    await Promise.all([runs.stop(), batches.stop(), outbox?.close()]);
    await ownership.release();
    await drainLanes(movements, ledger);
    await bare.close();
    webhookClient.close();
    await database.close();
    await cache.close();
    await tracer.shutdown();
  }

  let closing: Promise<void> | undefined;
  return {
    marketplace,
    partner,
    gateways,
    async start() {
      address = await marketplace.listen({ host: settings.host, port: settings.port });
      const partnerAddress = await partner.listen({ host: settings.host, port: settings.partnerPort });
      sweeper = startSweeper({
        jobs: [
          ...recoveryJobs(movements, edge),
          ...ledgerJobs(ledger, headLog(logger)),
          ...reconciliationJobs(reconciliation, runs),
          ...eventJobs(database.pool),
          ...webhookJobs(webhooks, metrics.delivery.webhooksDue),
        ],
        holdsOwnership: () => ownership.holds(),
        intervalMs: sweepIntervalMs,
        onFailure: (job, error) => logger.warn({ job, error }, "recovery could not do its work; it tries again"),
      });
      batches.start();
      outbox?.start();
      ready = true;
      return { marketplace: address, partner: partnerAddress };
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

async function drainLanes({ payments, bills, payouts }: Movements, ledger: PostingContext): Promise<void> {
  const lanes = [payments, bills, payouts].flatMap((context) => Object.values(context.lanes));
  await Promise.all([...lanes, ledger.lane].map((lane) => lane.drain()));
}

function healthChecks(
  { ping }: OpenDatabase,
  cache: Cache,
  { payments }: GuardedGateways,
  isReady: () => boolean,
): HealthChecks {
  return {
    database: ping,
    redis: cache.kind === "redis" ? () => cache.ping() : undefined,
    gateway: () => ({ name: payments.name, circuit: payments.breaker.state() }),
    isReady,
  };
}

async function openMarketplace(
  edge: Edge,
  settings: AppSettings,
  health: HealthChecks,
  { payments, payouts }: Movements,
  ledger: PostingContext,
): Promise<FastifyInstance> {
  const server = await createListener(edge, { name: "marketplace", title: "MarketFlow marketplace API" });
  registerEventDocs(server, { version, pagoTopic: settings.pulsarTopic });
  registerMetrics(server, edge.metrics);
  registerHealth(server, health);
  registerPaymentRoutes(server, payments, {
    webhookSecret: settings.stripeWebhookSecret,
    nowMs: edge.overrides.nowMs ?? Date.now,
    scopeOf,
  });
  registerPayoutRoutes(server, payouts, { scopeOf });
  registerLedgerRoutes(server, ledger);
  return server;
}

async function openPartner(
  edge: Edge,
  settings: AppSettings,
  health: HealthChecks,
  { bills, payouts }: Movements,
  batches: BatchWorker,
): Promise<FastifyInstance> {
  const { appName: title, appVersion = version } = settings;
  const server = await createListener(edge, {
    name: "partner",
    title,
    redoc: true,
    present: presentPartnerProblem,
    ...(settings.appVersion === undefined ? {} : { version: appVersion }),
  });
  registerEventDocs(server, { version: appVersion, pagoTopic: settings.pulsarTopic });
  registerPartnerHealth(server, health);
  registerBillRoutes(server, bills, { scopeOf });
  registerPagoRoutes(server, payouts, {
    scopeOf,
    readStatistics: () => eventStatistics(payouts.database, "pago", relayConsumer),
  });
  registerLoteRoutes(server, payouts, batches, { scopeOf });
  registerEstadoDeCuentaRoutes(server, payouts);
  return server;
}
