import type { BenchArguments } from "../arguments.ts";
import { paidByJournal, paidByTables, prepareBaselineBooks, sumsOf, unlike } from "../books.ts";
import type { BenchCluster, BenchDatabase } from "../cluster.ts";
import type { Contender } from "../contenders.ts";
import { homeOf, type Round, runRound } from "../round.ts";
import { billsWorkload } from "../workloads/bills.ts";
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

/** How many times the bills of the baseline are the goal. */
const goal = 12;

/**
 * `POST /payments` of the bills contract: what it costs to accept a bill durably, have the gateway pay it, and settle
 * it with its posting and its event. The contenders take turns; each has its own database, which grows from round to
 * round. Every bill must be paid, in our tables, in the ledger and in the simulator's journal.
 */
export async function payBillScenario(cluster: BenchCluster, args: BenchArguments): Promise<Outcome> {
  const contenders: Contender[] = args.only === undefined ? ["marketflow", "baseline"] : [args.only];
  const databases = new Map(
    await Promise.all(contenders.map(async (name) => [name, await cluster.createDatabase(`bench_${name}`)] as const)),
  );
  const plain = databases.get("baseline");
  if (plain !== undefined) await prepareBaselineBooks(plain, ["gateway:simulator:bills", "bills:payable"], "MXN");
  const rounds: Round[] = [];
  for (let turn = 1; turn <= args.rounds; turn += 1) {
    for (const [contender, database] of databases) {
      const environment = { SIMULATOR_BUYER: "absent" };
      const plan = { contender, workload: billsWorkload, database, name: `round-${turn}`, environment };
      const round = await runRound(cluster, args, plan);
      const problems = [...round.problems, ...(await wrongBills(database, homeOf(cluster, database)))];
      rounds.push({ ...round, problems });
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

/** How MarketFlow stands to the goal; nothing where only one was run. */
function comparison(groups: ReadonlyMap<string, readonly Round[]>): string[] {
  const marketflow = groups.get(nameOf.marketflow);
  const baseline = groups.get(nameOf.baseline);
  if (marketflow === undefined || baseline === undefined) return [];
  const ratio = ratioOf(marketflow, baseline);
  const verdict = ratio >= goal ? "met" : "missed";
  return [
    `MarketFlow pays ${ratio.toFixed(1)} times the bills of the baseline; the goal of ${goal} times is ${verdict}.`,
  ];
}

/** Compares the bills that are paid with the ledger and with the simulator's journal. Returns what is wrong. */
async function wrongBills(database: BenchDatabase, home: string): Promise<string[]> {
  const paid = await paidByTables(
    database,
    "select id, amount_minor::text from bills.payments where status = 'SUCCESS' order by id",
  );
  const problems = unlike(paid, paidByJournal(home, "bill_payment"));
  const { debits, credits, off } = await sumsOf(database, "gateway:simulator:bills");
  if (debits !== paid.amountMinor || credits !== 0n) {
    problems.push(`gateway:simulator:bills has ${debits} - ${credits} for ${paid.amountMinor} that was paid`);
  }
  if (off > 0) problems.push("the balance of gateway:simulator:bills is not what its entries add up to");
  return problems;
}
