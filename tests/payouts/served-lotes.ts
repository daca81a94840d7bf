import { hash, randomUUIDv7 } from "node:crypto";
import { createMemoryCache } from "../../src/infrastructure/caches/memory.ts";
import { presentPartnerProblem } from "../../src/infrastructure/http/partner-problems.ts";
import { createHttpServer } from "../../src/infrastructure/http/server.ts";
import {
  type ClosableDatabase,
  createDedicatedConnection,
  createPool,
} from "../../src/infrastructure/postgres/connections.ts";
import { createLogger } from "../../src/infrastructure/telemetry/logger.ts";
import type { Currency } from "../../src/kernel/currency.ts";
import { createPostingLane, fundGateway, ownBooks } from "../../src/modules/ledger/index.ts";
import { type BatchWorker, createBatchWorker } from "../../src/modules/payouts/application/batches/batch-worker.ts";
import type { PayoutsContext } from "../../src/modules/payouts/application/context.ts";
import { createPayoutLanes } from "../../src/modules/payouts/application/lanes.ts";
import { registerLoteRoutes } from "../../src/modules/payouts/http/lotes-routes.ts";
import { payoutJobs } from "../../src/modules/payouts/jobs.ts";
import {
  type Cache,
  type PayoutGateway,
  type PipelineSettings,
  startSweeper,
  untraced,
} from "../../src/movements/index.ts";

/** The routes of lotes on a free port, with the worker and recovery behind them. */
export type ServedLotes = {
  readonly address: string;
  readonly context: PayoutsContext;
  readonly worker: BatchWorker;
  /** What the worker and recovery could not do. */
  readonly failures: unknown[];
  close(): Promise<void>;
};

export type ServeLotesOptions = {
  readonly databaseUrl: string;
  readonly gateway: PayoutGateway;
  readonly cache?: Cache;
  readonly concurrency?: number;
  readonly leaseMs?: number;
  readonly callDeadlineMs?: number;
  readonly onStep?: PipelineSettings["onStep"];
};

/** A process of payouts as the composition root builds it, as far as lotes need it. Each statement has 5 s. */
export async function serveLotes(options: ServeLotesOptions): Promise<ServedLotes> {
  const { databaseUrl: url, gateway, leaseMs = 2_000, callDeadlineMs = 1_000, onStep } = options;
  const connection = {
    url,
    applicationName: "marketflow",
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
    onIdleError: () => undefined,
  };
  const opened: ClosableDatabase[] = [];
  const open = (database: ClosableDatabase) => {
    opened.push(database);
    return database;
  };
  const pool = open(createPool({ ...connection, most: 8 }));
  const lane = () => open(createDedicatedConnection(connection));
  const limits = { maxBatch: 256, maxQueued: 4_096, maxWaitMs: 5_000, sendAheadFrom: 32, leaseMs, tenant: ownBooks };
  const context: PayoutsContext = {
    lanes: createPayoutLanes(lane, { ...limits, observerOf: () => ignored }),
    database: pool,
    ledger: { database: pool, tenant: ownBooks },
    gateway,
    pipeline: onStep === undefined ? { callDeadlineMs } : { callDeadlineMs, onStep },
    leaseMs,
    replayWaitMs: 2_000,
    newId: randomUUIDv7,
    sha256: (text) => hash("sha256", text, "hex"),
    underWay: new Map(),
    observe: { statusReached: () => undefined, payoutRecovered: () => undefined },
  };
  const failures: unknown[] = [];
  const worker = createBatchWorker(context, {
    database: lane(),
    cache: options.cache ?? createMemoryCache({ maxEntries: 100 }),
    concurrency: options.concurrency ?? 64,
    onFailure: (_payoutId, error) => failures.push(error),
    onSettled: () => undefined,
  });
  const server = createHttpServer({
    logger: createLogger({ logLevel: "silent", serviceVersion: "0", process: "test", secrets: [] }),
    routeMetric: () => () => undefined,
    traceIdOf: () => undefined,
    present: presentPartnerProblem,
  });
  server.decorateRequest("trace", { getter: () => untraced });
  registerLoteRoutes(server, context, worker, { scopeOf: () => "default" });
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  worker.start();
  const sweeper = startSweeper({
    jobs: payoutJobs(context, {
      resumeTrace: () => untraced,
      onFailure: (_payoutId, error) => failures.push(error),
      onDue: () => undefined,
    }),
    holdsOwnership: async () => true,
    intervalMs: 100,
    onFailure: (_job, error) => failures.push(error),
  });
  return {
    address,
    context,
    worker,
    failures,
    async close() {
      await server.close();
      await worker.stop();
      await sweeper.stop();
      await Promise.all(Object.values(context.lanes).map((each) => each.drain()));
      await Promise.all(opened.map((database) => database.close()));
    },
  };
}

const ignored = { batch: () => undefined, shed: () => undefined, failed: () => undefined };

/** Sets money apart at the simulator: so many minor units of each of the monedas. */
export async function fund(databaseUrl: string, amountMinor: bigint, reference = "tests"): Promise<void> {
  const pool = createPool({
    url: databaseUrl,
    applicationName: "tests",
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
    onIdleError: () => undefined,
    most: 1,
  });
  const lane = createPostingLane(pool, ownBooks, { maxBatch: 8, maxQueued: 8, maxWaitMs: 1_000 });
  try {
    for (const code of ["USD", "EUR", "COP"]) {
      const amount = { amountMinor, currency: code as Currency };
      const ledger = { database: pool, tenant: ownBooks, lane };
      const funded = await fundGateway(ledger, "simulator", amount, `${reference}:${code}`);
      if (!funded.ok) throw new Error(`the gateway was not funded: ${funded.refusal.type}`);
    }
  } finally {
    await lane.drain();
    await pool.close();
  }
}

/** A gateway in memory: pays each attempt once, after a while, and remembers whom. */
export type FakePayouts = PayoutGateway & {
  /** What was paid, by the attempt's id. */
  readonly paid: Map<string, { recipient: string; amountMinor: bigint }>;
  /** Every call, also those that pay nothing anew. */
  calls: number;
  /** How many calls were under way at the same time, at most. */
  mostAtOnce: number;
  latencyMs: number;
  /** What becomes of a payment to somebody instead of being made. */
  outcomeFor: (recipient: string) => Outcome | undefined;
};

type Outcome = Awaited<ReturnType<PayoutGateway["createPayout"]>>;

export function createFakePayouts(latencyMs = 1): FakePayouts {
  const paid: FakePayouts["paid"] = new Map();
  let atOnce = 0;
  const fake: FakePayouts = {
    name: "simulator",
    paid,
    calls: 0,
    mostAtOnce: 0,
    latencyMs,
    outcomeFor: () => undefined,
    async createPayout({ attemptId, recipient, amount }) {
      fake.calls += 1;
      atOnce += 1;
      fake.mostAtOnce = Math.max(fake.mostAtOnce, atOnce);
      const outcome = fake.outcomeFor(recipient);
      if (outcome === undefined) paid.set(attemptId, { recipient, amountMinor: amount.amountMinor });
      await new Promise((resolve) => setTimeout(resolve, fake.latencyMs));
      atOnce -= 1;
      return outcome ?? { type: "succeeded", gatewayReference: `tr_${attemptId}` };
    },
    async findPayout({ attemptId }) {
      if (!paid.has(attemptId)) return { type: "absent" };
      return { type: "succeeded", gatewayReference: `tr_${attemptId}` };
    },
  };
  return fake;
}
