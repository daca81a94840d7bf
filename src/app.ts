import { hash, randomUUIDv7 } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { connectRedis, type RedisConnection } from "./infrastructure/caches/redis.ts";
import { type GuardedGateway, withCircuitBreaker } from "./infrastructure/gateways/circuit-breaker.ts";
import { withMetrics } from "./infrastructure/gateways/measured.ts";
import { registerDocs } from "./infrastructure/http/docs.ts";
import { registerHealth } from "./infrastructure/http/health.ts";
import { traceIdOf, traceRequests } from "./infrastructure/http/request-traces.ts";
import { createHttpServer } from "./infrastructure/http/server.ts";
import { type ClosableDatabase, createDedicatedConnection, createPool } from "./infrastructure/postgres/connections.ts";
import { createOwnership } from "./infrastructure/postgres/ownership.ts";
import { createMetrics, type Metrics } from "./infrastructure/telemetry/metrics.ts";
import type { Tracer } from "./infrastructure/telemetry/tracer.ts";
import { traceOf } from "./infrastructure/telemetry/traces.ts";
import { createTracing } from "./infrastructure/telemetry/tracing.ts";
import type { Database } from "./kernel/statement.ts";
import {
  createPostingLane,
  ledgerJobs,
  listMovements,
  ownBooks,
  type PostingContext,
  postTransaction,
  registerLedgerRoutes,
} from "./modules/ledger/index.ts";
import {
  createPaymentLanes,
  type PaymentsContext,
  paymentJobs,
  registerPaymentRoutes,
} from "./modules/payments/index.ts";
import {
  createRunWorker,
  type ReconciliationContext,
  reconciliationJobs,
  registerReconciliationRoutes,
} from "./modules/reconciliation/index.ts";
import { type PaymentGateway, type Step, type Sweeper, startSweeper, type Trace, untraced } from "./movements/index.ts";
import type { Settings } from "./settings.ts";
import { version } from "./version.ts";

/** The settings an application is built from: where its database is has been decided by now. */
export type AppSettings = Settings & { readonly databaseUrl: string; readonly stripeWebhookSecret: string };

/** What tests put in place of the edges: the gateway, the clock, and where a process dies. */
export type AppOverrides = {
  readonly gateway?: PaymentGateway;
  readonly nowMs?: () => number;
  readonly onStep?: (step: Step, operation: string, attemptId: string) => void;
  /** Called with each listener before its routes are there: the OpenAPI document is made from them. */
  readonly onServer?: (server: FastifyInstance) => Promise<void>;
};

export type App = {
  readonly marketplace: FastifyInstance;
  readonly gateway: GuardedGateway;
  /** Begins to listen and to recover. Resolves to the marketplace API's address. */
  start(): Promise<string>;
  /** Takes no new work, finishes what is under way and lets go of everything. Safe to call twice. */
  close(): Promise<void>;
};

/** A statement of ours that takes longer than this has gone wrong. */
const statementTimeoutMs = 5_000;
const connectTimeoutMs = 2_000;
const sweepIntervalMs = 1_000;
const replayWaitMs = 2_000;

/** Batches of up to 256 measured best at 256 connections; 4,096 waiting items are half a second of work. */
const laneLimits = { maxBatch: 256, maxQueued: 4_096, maxWaitMs: 5_000, sendAheadFrom: 32 };

/** The composition root: builds everything from settings, top to bottom. Nothing listens before `start`. */
export async function createApp(settings: AppSettings, logger: Logger, overrides: AppOverrides = {}): Promise<App> {
  const metrics = createMetrics();
  const tracer = await createTracing({
    otlpEndpoint: settings.otlpEndpoint,
    traceSampleRatio: settings.traceSampleRatio,
    serviceVersion: version,
    onLost: (reason, spans) => logger.warn({ reason, spans }, "traces were lost"),
  });
  const database = openDatabase(settings, logger);
  const redis = await openRedis(settings, logger);
  let address = `http://${settings.host}:${settings.port}`;
  const bare = overrides.gateway ?? (await openGateway(settings, () => address));
  const gateway = guard(bare, metrics, logger);
  const ledger = ledgerContext(database, metrics);
  const payments = paymentsContext(settings, overrides, database, ledger, gateway, metrics);

  let ready = false;
  const marketplace = createHttpServer({ logger, routeMetric: metrics.httpRoute, traceIdOf });
  await overrides.onServer?.(marketplace);
  traceRequests(marketplace, tracer);
  registerDocs(marketplace, "MarketFlow marketplace API", "marketplace.json");
  registerMetrics(marketplace, metrics);
  registerHealth(marketplace, {
    database: () => database.pool.query({ name: "health", text: "select 1", values: [] }),
    redis: redis?.ping,
    gateway: () => ({ name: gateway.name, circuit: gateway.breaker.state() }),
    isReady: () => ready,
  });
  registerPaymentRoutes(marketplace, payments, {
    webhookSecret: settings.stripeWebhookSecret,
    nowMs: overrides.nowMs ?? Date.now,
    scopeOf: () => "default",
  });

  registerLedgerRoutes(marketplace, ledger);
  // Past the circuit breaker: a report that cannot be had is no reason to take no payments.
  const reconciliation = reconciliationContext(settings, database.pool, withMetrics(bare, metrics.gatewayCall), ledger);
  const runs = createRunWorker(reconciliation, (run, error) =>
    logger.warn({ run, error }, "a step of a reconciliation failed; it is tried again"),
  );
  registerReconciliationRoutes(marketplace, reconciliation, runs, { actorOf: () => "operator" });

  let sweeper: Sweeper | undefined;
  const ownership = createOwnership(settings.databaseUrl, "recovery", connectTimeoutMs);
  async function close(): Promise<void> {
    ready = false;
    await marketplace.close();
    await sweeper?.stop();
    await runs.stop();
    await ownership.release();
    await Promise.all([...Object.values(payments.lanes), ledger.lane].map((lane) => lane.drain()));
    await gateway.close();
    await database.close();
    await redis?.close();
    await tracer.shutdown();
  }

  let closing: Promise<void> | undefined;
  return {
    marketplace,
    gateway,
    async start() {
      address = await marketplace.listen({ host: settings.host, port: settings.port });
      sweeper = startSweeper({
        jobs: [
          ...recoveryJobs(payments, metrics, tracer, logger),
          ...ledgerJobs(ledger, headLog(logger)),
          ...reconciliationJobs(reconciliation, runs),
        ],
        holdsOwnership: () => ownership.holds(),
        intervalMs: sweepIntervalMs,
        onFailure: (job, error) => logger.warn({ job, error }, "recovery could not do its work; it tries again"),
      });
      ready = true;
      return address;
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

type OpenDatabase = { pool: ClosableDatabase; lane: (name: string) => ClosableDatabase; close(): Promise<void> };

/** A pool for what is not hot, and a connection of its own for each lane. */
function openDatabase(settings: AppSettings, logger: Logger): OpenDatabase {
  const connection = {
    url: settings.databaseUrl,
    applicationName: "marketflow",
    statementTimeoutMs,
    connectTimeoutMs,
    onIdleError: (error: Error) => logger.warn({ error }, "a database connection broke"),
  };
  const pool = createPool({ ...connection, most: 8 });
  const lanes: ClosableDatabase[] = [];
  return {
    pool,
    lane(name) {
      const opened = createDedicatedConnection({ ...connection, applicationName: `marketflow ${name}` });
      lanes.push(opened);
      return opened;
    },
    async close() {
      await Promise.all([pool, ...lanes].map((opened) => opened.close()));
    },
  };
}

/** Undefined where none is configured. */
async function openRedis({ redisUrl }: AppSettings, logger: Logger): Promise<RedisConnection | undefined> {
  if (redisUrl === undefined) return undefined;
  return await connectRedis(redisUrl, (error) => logger.warn({ error }, "Redis does not answer"));
}

/** The gateway of the settings. Each is loaded only where it is used: Stripe's package alone costs 40 MB of memory. */
async function openGateway(settings: AppSettings, address: () => string): Promise<PaymentGateway> {
  if (settings.gateway === "stripe") {
    const { createStripeGateway } = await import("./infrastructure/gateways/stripe/adapter.ts");
    return createStripeGateway({ secretKey: settings.stripeSecretKey ?? "", apiBase: settings.stripeApiBase });
  }
  const { createSimulator } = await import("./infrastructure/gateways/simulator/simulator.ts");
  await mkdir(settings.home, { recursive: true });
  return createSimulator({
    path: join(settings.home, "simulator.db"),
    latencyMs: settings.simulatorLatencyMs,
    payAfterMs: settings.simulatorPayAfterMs,
    buyer: settings.simulatorBuyer,
    webhook: {
      // Which port it is may be known only when we listen.
      url: () => `${address()}/webhooks/stripe`,
      secret: settings.stripeWebhookSecret,
    },
  });
}

function guard(gateway: PaymentGateway, metrics: Metrics, logger: Logger): GuardedGateway {
  const tellMetrics = metrics.breaker(gateway.name);
  return withCircuitBreaker(withMetrics(gateway, metrics.gatewayCall), {
    onStateChange(state) {
      tellMetrics(state);
      logger[state === "open" ? "error" : "info"]({ gateway: gateway.name, state }, "the gateway's circuit changed");
    },
  });
}

/** Tells metrics about a lane. */
function observerOf(metrics: Metrics) {
  return (name: string, depth: () => number) => {
    const lane = metrics.lane(name);
    lane.readDepth(depth);
    return lane;
  };
}

function ledgerContext(database: OpenDatabase, metrics: Metrics): PostingContext {
  const name = "post_transaction";
  const observer = observerOf(metrics)(name, () => lane.depth());
  const lane: PostingContext["lane"] = createPostingLane(database.lane(name), ownBooks, { ...laneLimits, observer });
  return { database: database.pool, tenant: ownBooks, lane };
}

function reconciliationContext(
  settings: AppSettings,
  pool: Database,
  gateway: PaymentGateway,
  ledger: PostingContext,
): ReconciliationContext {
  return {
    database: pool,
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

/** As much of the application as a reconciliation from the command line takes. Nothing listens. */
export async function openReconciliation(
  settings: AppSettings,
  logger: Logger,
): Promise<{ readonly context: ReconciliationContext; close(): Promise<void> }> {
  const database = openDatabase(settings, logger);
  const gateway = await openGateway({ ...settings, simulatorBuyer: "absent" }, () => "");
  const ledger = ledgerContext(database, createMetrics());
  return {
    context: reconciliationContext(settings, database.pool, gateway, ledger),
    async close() {
      await ledger.lane.drain();
      await gateway.close();
      await database.close();
    },
  };
}

const headLogIntervalMs = 60_000;

/** Tells the log the head of the hash chain, once a minute: kept elsewhere, it proves that nothing was rewritten. */
function headLog(logger: Logger): (head: string) => void {
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  return (head) => {
    if (performance.now() - loggedAtMs < headLogIntervalMs) return;
    loggedAtMs = performance.now();
    logger.info({ head }, "the ledger is sealed up to this head");
  };
}

function paymentsContext(
  settings: AppSettings,
  overrides: AppOverrides,
  database: OpenDatabase,
  ledger: PostingContext,
  gateway: PaymentGateway,
  metrics: Metrics,
): PaymentsContext {
  const { acceptLeaseMs: leaseMs, gatewayTimeoutMs: callDeadlineMs } = settings;
  const { onStep } = overrides;
  const lanes = createPaymentLanes(database.lane, {
    ...laneLimits,
    leaseMs,
    observerOf: observerOf(metrics),
  });
  return {
    lanes,
    database: database.pool,
    ledger,
    gateway,
    pipeline: onStep === undefined ? { callDeadlineMs } : { callDeadlineMs, onStep },
    leaseMs,
    replayWaitMs,
    newId: randomUUIDv7,
    sha256: (text) => hash("sha256", text, "hex"),
    underWay: new Map(),
    observe: {
      statusReached: (status) => metrics.payment(status),
      eventReceived: (type, disposition) => metrics.webhook(type, disposition),
      attemptRecovered: (operation, result) => metrics.recovered(operation, result),
    },
  };
}

function recoveryJobs(payments: PaymentsContext, metrics: Metrics, tracer: Tracer, logger: Logger) {
  return paymentJobs(payments, {
    resumeTrace: (traceparent) => resume(tracer, traceparent),
    onFailure: (attempt, error) =>
      logger.error({ attempt, error }, "an attempt could not be recovered; it is due again"),
    onDue: metrics.sweeperDue,
  });
}

function resume(tracer: Tracer, traceparent: string | null): Trace {
  if (traceparent === null) return untraced;
  const span = tracer.startSpan("recovery", traceparent);
  span.end();
  return traceOf(tracer, span);
}

function registerMetrics(server: FastifyInstance, metrics: Metrics): void {
  server.get(
    "/metrics",
    { schema: { summary: "Metrics in Prometheus form", tags: ["operations"] } },
    async (_request, reply) =>
      reply
        .type(metrics.contentType)
        .serializer(String)
        .send(await metrics.render()),
  );
}
