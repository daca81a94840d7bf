import { randomUUIDv7 } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { pino } from "pino";
import { createMemoryCache } from "../../src/infrastructure/caches/memory.ts";
import {
  createSimulator,
  type Simulator,
  type SimulatorOptions,
} from "../../src/infrastructure/gateways/simulator/simulator.ts";
import { presentPartnerProblem } from "../../src/infrastructure/http/partner-problems.ts";
import { traceRequests } from "../../src/infrastructure/http/request-traces.ts";
import { createHttpServer } from "../../src/infrastructure/http/server.ts";
import { createDedicatedConnection, createPool } from "../../src/infrastructure/postgres/connections.ts";
import { createTracing } from "../../src/infrastructure/telemetry/tracing.ts";
import type { BillsContext } from "../../src/modules/bills/application/context.ts";
import { billChecks, billJobs, createBillLanes, registerBillRoutes } from "../../src/modules/bills/index.ts";
import { type AuditOutcome, ledgerChecks, ownBooks, runAudit } from "../../src/modules/ledger/index.ts";
import { untraced } from "../../src/movements/index.ts";
import { type Answer, get, post } from "../support/app.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

export type ServedBillsOptions = {
  readonly faults?: SimulatorOptions["faults"];
  /** What chance brings to the simulator: a retry succeeds where it is below 0.5. */
  readonly random?: () => number;
  readonly context?: Partial<BillsContext>;
  readonly leaseMs?: number;
  readonly idempotencyTtlMs?: number;
  /** Another process over the same database and gateway: it closes neither. */
  readonly beside?: Pick<ServedBills, "database" | "simulator">;
};

/** The bills contract on a listener of its own, over a database of its own and the simulator. */
export type ServedBills = {
  readonly address: string;
  readonly context: BillsContext;
  readonly simulator: Simulator;
  readonly database: TestDatabase;
  readonly create: (body: unknown, key?: string) => Promise<Answer>;
  readonly retry: (id: string) => Promise<Answer>;
  readonly read: (path: string) => Promise<Answer>;
  /** Runs one job of the sweeper until it finds no more to do; returns what failed. */
  readonly runJob: (name: string) => Promise<unknown[]>;
  readonly audit: () => Promise<AuditOutcome>;
  /** Runs a query as the superuser, to look behind the API. */
  readonly look: <Row>(text: string, values?: unknown[]) => Promise<Row[]>;
  readonly close: () => Promise<void>;
};

export const bill = { reference: "FAC-12345", amount: 500, currency: "MXN" };
export const overLimit = { ...bill, amount: 1500 };

const noObserver = { batch: () => undefined, shed: () => undefined, failed: () => undefined };

export async function serveBills(options: ServedBillsOptions = {}): Promise<ServedBills> {
  const { beside, leaseMs = 5_000, idempotencyTtlMs = 86_400_000 } = options;
  const database = beside?.database ?? (await createTestDatabase());
  const home = await mkdtemp(join(tmpdir(), "marketflow-bills-"));
  const { faults, random } = options;
  const simulator =
    beside?.simulator ??
    createSimulator({
      path: join(home, "simulator.db"),
      latencyMs: 0,
      payAfterMs: 0,
      buyer: "absent",
      webhook: { url: () => "", secret: "" },
      faults,
      ...(random === undefined ? {} : { random }),
    });
  const connection = {
    url: database.appUrl,
    applicationName: "bills",
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
  };
  const pool = createPool({ ...connection, most: 8 });
  const lanes: ReturnType<typeof createDedicatedConnection>[] = [];
  const opened = () => {
    const lane = createDedicatedConnection(connection);
    lanes.push(lane);
    return lane;
  };
  const limits = { maxBatch: 256, maxQueued: 4_096, maxWaitMs: 5_000, sendAheadFrom: 32, leaseMs, idempotencyTtlMs };
  const context: BillsContext = {
    lanes: createBillLanes(opened, { ...limits, observerOf: () => noObserver }),
    database: pool,
    gateway: simulator.bills,
    cache: createMemoryCache({ maxEntries: 1_000 }),
    pipeline: { callDeadlineMs: 500 },
    leaseMs,
    replayWaitMs: 2_000,
    maxRetries: 3,
    newId: randomUUIDv7,
    underWay: new Map(),
    takenKeys: new Set(),
    retrying: new Map(),
    observe: { statusReached: () => undefined, attemptRecovered: () => undefined },
    ...options.context,
  };
  const server = createHttpServer({
    logger: pino({ level: "silent" }),
    routeMetric: () => () => undefined,
    traceIdOf: () => undefined,
    present: presentPartnerProblem,
  });
  const tracing = { otlpEndpoint: undefined, traceSampleRatio: 0, serviceVersion: "0", onLost: () => undefined };
  traceRequests(server, await createTracing(tracing));
  registerBillRoutes(server, context, { scopeOf: () => "default" });
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  const admin = new Client({ connectionString: database.adminUrl });
  await admin.connect();
  return {
    address,
    context,
    simulator,
    database,
    create: (body, key) => post(address, "/payments", body, key === undefined ? {} : { "idempotency-key": key }),
    retry: (id) => post(address, `/payments/${id}/retry`),
    read: (path) => get(address, path),
    async runJob(name) {
      const failures: unknown[] = [];
      const settings = {
        resumeTrace: () => untraced,
        onFailure: (_id: string, error: unknown) => failures.push(error),
        onDue: () => undefined,
      };
      const job = billJobs(context, settings).find((known) => known.name === name);
      if (job === undefined) throw new Error(`no job ${name}`);
      while ((await job.run()) > 0);
      return failures;
    },
    audit: () => runAudit([...ledgerChecks(pool), ...billChecks(pool, ownBooks)]),
    look: async <Row>(text: string, values: unknown[] = []) => (await admin.query(text, values)).rows as Row[],
    async close() {
      await server.close();
      await Promise.all(Object.values(context.lanes).map((lane) => lane.drain()));
      await Promise.all([pool, ...lanes].map((one) => one.close()));
      await admin.end();
      if (beside === undefined) {
        await simulator.close();
        await database.drop();
      }
      await rm(home, { recursive: true, force: true });
    },
  };
}
