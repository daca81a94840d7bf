import { hash, randomUUIDv7 } from "node:crypto";
import { Client } from "pg";
import { pino } from "pino";
import { presentPartnerProblem } from "../../src/infrastructure/http/partner-problems.ts";
import { createHttpServer } from "../../src/infrastructure/http/server.ts";
import {
  type ClosableDatabase,
  createDedicatedConnection,
  createPool,
} from "../../src/infrastructure/postgres/connections.ts";
import type { Currency } from "../../src/kernel/currency.ts";
import { accountCodes, createPostingLane, postTransaction, runAudit } from "../../src/modules/ledger/index.ts";
import {
  createPayoutLanes,
  type PayoutsContext,
  payoutChecks,
  payoutJobs,
  registerPagoRoutes,
  registerPayoutRoutes,
} from "../../src/modules/payouts/index.ts";
import { type PayoutGateway, type Step, untraced } from "../../src/movements/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { createFakeGateway, type FakeGateway } from "./fake-gateway.ts";

const tenant = "default";

/** As much of a process as payouts need: connections of its own, a context, and no listener. */
export type PayoutProcess = {
  readonly context: PayoutsContext;
  /** Every payout that this process settled, by what it became. */
  readonly reached: string[];
  /** Runs recovery until it finds nothing that is due. */
  recover(): Promise<void>;
  close(): Promise<void>;
};

export type ProcessOptions = {
  readonly leaseMs?: number;
  readonly replayWaitMs?: number;
  readonly onStep?: (step: Step, operation: string, attemptId: string) => void;
};

export function startPayoutProcess(
  url: string,
  gateway: PayoutGateway,
  { leaseMs = 60_000, replayWaitMs = 2_000, onStep }: ProcessOptions = {},
): PayoutProcess {
  const connection = { url, statementTimeoutMs: 20_000, connectTimeoutMs: 5_000, onIdleError: () => undefined };
  const opened: ClosableDatabase[] = [];
  const open = <Opened extends ClosableDatabase>(database: Opened): Opened => {
    opened.push(database);
    return database;
  };
  const pool = open(createPool({ ...connection, applicationName: "payouts", most: 4 }));
  const lanes = createPayoutLanes((lane) => open(createDedicatedConnection({ ...connection, applicationName: lane })), {
    maxBatch: 256,
    maxQueued: 4_096,
    maxWaitMs: 10_000,
    sendAheadFrom: 32,
    leaseMs,
    tenant,
    observerOf: () => ({ batch: () => undefined, shed: () => undefined, failed: () => undefined }),
  });
  const reached: string[] = [];
  const context: PayoutsContext = {
    lanes,
    database: pool,
    ledger: { database: pool, tenant },
    gateway,
    pipeline: { callDeadlineMs: 2_000, ...(onStep === undefined ? {} : { onStep }) },
    leaseMs,
    replayWaitMs,
    newId: randomUUIDv7,
    sha256: (text) => hash("sha256", text, "hex"),
    underWay: new Map(),
    observe: { statusReached: (_kind, status) => reached.push(status), payoutRecovered: () => undefined },
  };
  const jobs = payoutJobs(context, {
    resumeTrace: () => untraced,
    onFailure(_id, error) {
      throw error;
    },
    onDue: () => undefined,
  });
  return {
    context,
    reached,
    async recover() {
      for (const job of jobs) while ((await job.run()) > 0);
    },
    async close() {
      await Promise.all(Object.values(lanes).map((lane) => lane.drain()));
      await Promise.all(opened.map((database) => database.close()));
    },
  };
}

/** Payouts on a database of a test file's own, with both listeners, and a gateway that does as it is told. */
export type ServedPayouts = PayoutProcess & {
  readonly database: TestDatabase;
  readonly gateway: FakeGateway;
  /** The listener of the pagos contract. */
  readonly partner: string;
  /** The listener of the marketplace contract. */
  readonly marketplace: string;
  /** Runs a query as the superuser, to look behind the API; numbers of eight bytes come as texts. */
  look<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Posts minor units from one account to another. */
  move(kind: string, debited: string, credited: string, amountMinor: bigint, currency: string): Promise<void>;
  /** Sets money apart for payouts to affiliates, in minor units. */
  fund(amountMinor: bigint, currency?: string): Promise<void>;
  /** Has a seller earn so much. */
  earn(sellerId: string, amountMinor: bigint, currency?: string): Promise<void>;
  /** What is on an account and what of it is held. */
  balanceOf(code: string, currency?: string): Promise<{ balance: bigint; held: bigint }>;
  /** Makes every payout under way due for recovery. */
  letLeasesPass(): Promise<void>;
  /** What an audit of payouts finds. */
  audit(): Promise<string[]>;
};

export async function servePayouts(options: ProcessOptions = {}): Promise<ServedPayouts> {
  const database = await createTestDatabase();
  const gateway = createFakeGateway();
  const running = startPayoutProcess(database.appUrl, gateway, options);
  const admin = new Client({ connectionString: database.adminUrl });
  await admin.connect();
  const { context } = running;
  const lane = createPostingLane(context.database, tenant, { maxBatch: 64, maxQueued: 4_096, maxWaitMs: 5_000 });
  const look = async <Row>(text: string, values: unknown[] = []) => (await admin.query(text, values)).rows as Row[];

  async function move(
    kind: string,
    debited: string,
    credited: string,
    amountMinor: bigint,
    currency: string,
  ): Promise<void> {
    const amount = (minor: bigint) => ({ amountMinor: minor, currency: currency as Currency });
    const posted = await postTransaction(
      { database: context.database, tenant, lane },
      {
        kind,
        reference: `${kind}:${randomUUIDv7()}`,
        externalId: null,
        effectiveAt: null,
        holdId: null,
        shortfall: null,
        legs: [
          { account: debited, amount: amount(amountMinor) },
          { account: credited, amount: amount(-amountMinor) },
        ],
      },
    );
    if (!posted.ok) throw new Error(`not posted: ${posted.refusal.type}`);
  }

  const { servers, partner, marketplace } = await listen(context);
  return {
    ...running,
    database,
    gateway,
    partner,
    marketplace,
    look,
    move,
    fund: (amount, currency = "USD") =>
      move("funding", accountCodes.funding(gateway.name), accountCodes.platformFunding, amount, currency),
    earn: (seller, amount, currency = "USD") =>
      move("sale", accountCodes.clearing(gateway.name), accountCodes.sellerAvailable(seller), amount, currency),
    async balanceOf(code, currency = "USD") {
      const [row] = await look<{ balance: string; held: string }>(
        `select b.sign * (b.debits - b.credits) as balance, b.held
         from ledger.accounts a join ledger.balances b on b.account_id = a.id
         where a.code = $1 and a.currency = $2 and a.tenant = $3`,
        [code, currency, tenant],
      );
      return { balance: BigInt(row?.balance ?? 0), held: BigInt(row?.held ?? 0) };
    },
    async letLeasesPass() {
      await look("update payouts.under_way set due_at = now() - interval '1 second'");
    },
    async audit() {
      const { findings } = await runAudit(payoutChecks(context.database, tenant));
      return findings.map(({ where, what }) => `${where} ${what}`);
    },
    async close() {
      await Promise.all(servers.map((server) => server.close()));
      await lane.drain();
      await running.close();
      await admin.end();
      await database.drop();
    },
  };
}

/** Both listeners on free ports, as the composition root builds them. */
async function listen(context: PayoutsContext) {
  const common = {
    logger: pino({ level: "silent" }),
    routeMetric: () => () => undefined,
    traceIdOf: () => undefined,
  };
  const scopeOf = () => "default";
  const pagos = createHttpServer({ ...common, present: presentPartnerProblem });
  const sellers = createHttpServer(common);
  for (const server of [pagos, sellers]) server.decorateRequest("trace", { getter: () => untraced });
  registerPagoRoutes(pagos, context, {
    scopeOf,
    readStatistics: async () => ({ total: 10, handled: 8, pending: 2 }),
  });
  registerPayoutRoutes(sellers, context, { scopeOf });
  return {
    servers: [pagos, sellers],
    partner: await pagos.listen({ host: "127.0.0.1", port: 0 }),
    marketplace: await sellers.listen({ host: "127.0.0.1", port: 0 }),
  };
}
