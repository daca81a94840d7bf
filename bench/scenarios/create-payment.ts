import type { BenchArguments } from "../arguments.ts";
import type { BenchCluster } from "../cluster.ts";
import type { Contender } from "../contenders.ts";
import { median, short } from "../report.ts";
import { type Round, runRound } from "../round.ts";
import { paymentsWorkload } from "../workloads/payments.ts";
import {
  byContender,
  disturbance,
  medianTable,
  nameOf,
  type Outcome,
  problemsOf,
  ratioOf,
  roundTable,
} from "./outcome.ts";

/**
 * `POST /payments` with a buyer who never pays: what it costs to accept a payment durably, have the gateway make the
 * intent, and settle. The contenders take turns; each has its own database, which grows from round to round.
 */
export async function createPaymentScenario(cluster: BenchCluster, args: BenchArguments): Promise<Outcome> {
  const contenders: Contender[] = args.only === undefined ? ["marketflow", "baseline"] : [args.only];
  const databases = new Map(
    await Promise.all(contenders.map(async (name) => [name, await cluster.createDatabase(`bench_${name}`)] as const)),
  );
  const rounds: Round[] = [];
  for (let turn = 1; turn <= args.rounds; turn += 1) {
    for (const [contender, database] of databases) {
      const environment = { SIMULATOR_BUYER: "absent" };
      const plan = { contender, workload: paymentsWorkload, database, name: `round-${turn}`, environment };
      rounds.push(await runRound(cluster, args, plan));
    }
  }
  const groups = byContender(rounds);
  return {
    tables: [medianTable(groups), roundTable(rounds.map((round) => [nameOf[round.contender], round]))],
    notes: [...comparison(groups), ...disturbance(rounds)],
    problems: problemsOf(rounds),
    figures: rounds,
  };
}

/** How MarketFlow stands to the baseline; nothing where only one was run. */
function comparison(groups: ReadonlyMap<string, readonly Round[]>): string[] {
  const marketflow = groups.get(nameOf.marketflow);
  const baseline = groups.get(nameOf.baseline);
  if (marketflow === undefined || baseline === undefined) return [];
  const p99Ms = median(marketflow.map((round) => round.load.latency.p99Ms));
  const p50Ms = median(baseline.map((round) => round.load.latency.p50Ms));
  const ratio = ratioOf(marketflow, baseline).toFixed(1);
  return [
    `MarketFlow answers ${ratio} times the requests of the baseline.`,
    `MarketFlow's P99 is ${short(p99Ms)} ms, the baseline's P50 ${short(p50Ms)} ms.`,
  ];
}
