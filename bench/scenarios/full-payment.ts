import { setTimeout as sleep } from "node:timers/promises";
import type { BenchArguments } from "../arguments.ts";
import { prepareBaselineBooks } from "../books.ts";
import { type BenchCluster, type BenchDatabase, queryAsOwner } from "../cluster.ts";
import type { Contender } from "../contenders.ts";
import type { LoadReport } from "../load-plan.ts";
import { median, short, type Table, whole } from "../report.ts";
import { keySuffixOf, type Round, runRound } from "../round.ts";
import { paymentsWorkload } from "../workloads/payments.ts";
import { byContender, disturbance, medianTable, nameOf, type Outcome, problemsOf, roundTable } from "./outcome.ts";

/** What became of a round's payments after they were created. */
type Settled = {
  /** All of a run's payments over the time from its first request to the last one settled, without the buyer's part. */
  readonly perSecond: number;
  /** Those that reached `succeeded` while the load went on. */
  readonly duringLoadPerSecond: number;
  /** From the end of the load until the last payment had succeeded. */
  readonly backlogSeconds: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
};

type SettledRound = Round & { readonly settled: Settled };

const nothingSettled: Settled = {
  perSecond: 0,
  duringLoadPerSecond: 0,
  backlogSeconds: 0,
  p50Ms: 0,
  p95Ms: 0,
  p99Ms: 0,
};

/** What a sale without a seller is posted to; MarketFlow opens its accounts with the first one. */
const accountsOfSale = ["gateway:simulator:clearing", "seller:platform:available", "platform:commission"];

const settleDeadlineMs = 60_000;
/**
 * Half a second from the intent to the buyer's payment, for both contenders. The baseline calls the gateway inside its
 * transaction: a webhook that came sooner would find no payment there, and its second delivery would be measured
 * instead of the first.
 */
const payAfterMs = 500;

/**
 * Create, webhook, settled: the simulated buyer pays after half a second, the gateway's webhook comes back to the
 * server that is being loaded, and a payment counts when it has reached `succeeded`. Every payment must get there.
 */
export async function fullPaymentScenario(cluster: BenchCluster, args: BenchArguments): Promise<Outcome> {
  const contenders: Contender[] = args.only === undefined ? ["marketflow", "baseline"] : [args.only];
  const databases = new Map(
    await Promise.all(contenders.map(async (name) => [name, await cluster.createDatabase(`bench_${name}`)] as const)),
  );
  const plain = databases.get("baseline");
  if (plain !== undefined) await prepareBaselineBooks(plain, accountsOfSale, "USD");
  const rounds: SettledRound[] = [];
  for (let turn = 1; turn <= args.rounds; turn += 1) {
    for (const [contender, database] of databases) {
      rounds.push(await settledRound(cluster, args, contender, database, `round-${turn}`));
    }
  }
  const groups = byContender(rounds) as Map<string, SettledRound[]>;
  const throughputs = [...groups.values()].map((group) => median(group.map(({ settled }) => settled.perSecond)));
  const [marketflow, baseline] = throughputs;
  const ratio = marketflow === undefined || baseline === undefined ? undefined : (marketflow / baseline).toFixed(1);
  return {
    tables: [
      settledTable(groups),
      medianTable(groups),
      roundTable(rounds.map((round) => [nameOf[round.contender], round])),
    ],
    notes: [
      ...(ratio === undefined ? [] : [`MarketFlow settles ${ratio} times the payments of the baseline.`]),
      ...disturbance(rounds),
    ],
    problems: problemsOf(rounds),
    figures: rounds,
  };
}

async function settledRound(
  cluster: BenchCluster,
  args: BenchArguments,
  contender: Contender,
  database: BenchDatabase,
  name: string,
): Promise<SettledRound> {
  let settled = nothingSettled;
  const round = await runRound(cluster, args, {
    contender,
    workload: paymentsWorkload,
    database,
    name,
    environment: { SIMULATOR_BUYER: "pays", SIMULATOR_PAY_AFTER_MS: String(payAfterMs) },
    afterLoad: async (load) => {
      const problems = await untilAllSucceeded(database);
      settled = await readSettled(database, load, keySuffixOf(name));
      return problems;
    },
  });
  return { ...round, settled };
}

async function untilAllSucceeded(database: BenchDatabase): Promise<string[]> {
  const deadlineMs = performance.now() + settleDeadlineMs;
  let left = 0;
  while (performance.now() < deadlineMs) {
    const [row] = await queryAsOwner<{ left: number }>(
      database,
      "select count(*)::integer as left from payments.payments where status <> 'succeeded'",
    );
    left = row?.left ?? 0;
    if (left === 0) return [];
    await sleep(500);
  }
  return [`${left} payments have not succeeded ${settleDeadlineMs / 1000} s after the load`];
}

/**
 * The throughput is over the whole run and its backlog: what is only created and left for later is no payment yet. The
 * time to succeed is between the beginnings of the two transactions, so it leaves out the commit of the second; the
 * time that the buyer took is taken off.
 */
async function readSettled(database: BenchDatabase, load: LoadReport, keySuffix: string): Promise<Settled> {
  const [row] = await queryAsOwner<{ all: number; first: Date; last: Date; during: number; times: number[] }>(
    database,
    `select count(*)::integer as all, min(created_at) as first, max(updated_at) as last,
            count(*) filter (where updated_at >= m.from and updated_at < m.until)::integer as during,
            percentile_cont(array[0.5, 0.95, 0.99]) within group (
              order by extract(epoch from updated_at - created_at)::float8 * 1000
            ) filter (where created_at >= m.from and created_at < m.until) as times
     from payments.payments,
          (select to_timestamp($1::float8 / 1000) as from, to_timestamp($2::float8 / 1000) as until) m
     where status = 'succeeded' and idempotency_key like '%' || $3`,
    [load.measuredFromMs, load.measuredUntilMs, keySuffix],
  );
  if (row === undefined || row.all === 0) return nothingSettled;
  const [p50Ms = 0, p95Ms = 0, p99Ms = 0] = (row.times ?? []).map((ms) => ms - payAfterMs);
  return {
    perSecond: (row.all / (row.last.getTime() - row.first.getTime() - payAfterMs)) * 1000,
    duringLoadPerSecond: (row.during / (load.measuredUntilMs - load.measuredFromMs)) * 1000,
    backlogSeconds: Math.max(0, row.last.getTime() - load.measuredUntilMs - payAfterMs) / 1000,
    p50Ms,
    p95Ms,
    p99Ms,
  };
}

function settledTable(groups: ReadonlyMap<string, readonly SettledRound[]>): Table {
  const columns = [
    "medians",
    "payments/s",
    "succeeded/s under load",
    "time to succeed: P50 ms",
    "P95 ms",
    "P99 ms",
    "backlog s",
  ];
  const rows = [...groups].map(([name, rounds]) => {
    const middle = (read: (settled: Settled) => number) => median(rounds.map(({ settled }) => read(settled)));
    return [
      name,
      whole(middle((settled) => settled.perSecond)),
      whole(middle((settled) => settled.duringLoadPerSecond)),
      short(middle((settled) => settled.p50Ms)),
      short(middle((settled) => settled.p95Ms)),
      short(middle((settled) => settled.p99Ms)),
      short(middle((settled) => settled.backlogSeconds)),
    ];
  });
  return { columns, rows };
}
