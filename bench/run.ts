import { writeFileSync } from "node:fs";
import { type BenchArguments, parseBenchArguments, scenarios, usage, wordsFor } from "./arguments.ts";
import { type BenchCluster, startBenchCluster } from "./cluster.ts";
import { isBundled, requireFreshBundle } from "./contenders.ts";
import { killAll } from "./processes.ts";
import { machineLine, markdown } from "./report.ts";
import { createPaymentScenario } from "./scenarios/create-payment.ts";
import { fullPaymentScenario } from "./scenarios/full-payment.ts";
import { ledgerGrowthScenario } from "./scenarios/ledger-growth.ts";
import { ledgerPostingScenario } from "./scenarios/ledger-posting.ts";
import { logGrowthScenario } from "./scenarios/log-growth.ts";
import type { Outcome } from "./scenarios/outcome.ts";
import { pagosScenario } from "./scenarios/pagos.ts";
import { payBillScenario } from "./scenarios/pay-bill.ts";
import { payoutsScenario } from "./scenarios/payouts.ts";
import { relayScenario } from "./scenarios/relay.ts";
import { relayCostScenario } from "./scenarios/relay-cost.ts";
import { relayLagScenario } from "./scenarios/relay-lag.ts";
import { startupScenario } from "./scenarios/startup.ts";
import { tableGrowthScenario } from "./scenarios/table-growth.ts";

const runs: Readonly<
  Record<keyof typeof scenarios, (cluster: BenchCluster, args: BenchArguments) => Promise<Outcome>>
> = {
  "create-payment": createPaymentScenario,
  "full-payment": fullPaymentScenario,
  "table-growth": tableGrowthScenario,
  "ledger-posting": ledgerPostingScenario,
  "ledger-growth": ledgerGrowthScenario,
  "log-growth": logGrowthScenario,
  "pay-bill": payBillScenario,
  payouts: payoutsScenario,
  pagos: pagosScenario,
  relay: relayScenario,
  "relay-lag": relayLagScenario,
  "relay-cost": relayCostScenario,
  startup: startupScenario,
};

function readArguments(): BenchArguments {
  try {
    return parseBenchArguments(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}

function print(args: BenchArguments, machine: string, { tables, notes, problems }: Outcome): void {
  const { scenario } = args;
  const parts = [`### ${scenario}: ${scenarios[scenario]}`, `${wordsFor(args)}; ${machine}`, ...tables.map(markdown)];
  if (notes.length > 0) parts.push(notes.join("\n"));
  if (problems.length > 0) parts.push(`FAILED:\n${problems.map((problem) => `- ${problem}`).join("\n")}`);
  process.stdout.write(`${parts.join("\n\n")}\n`);
}

const args = readArguments();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    killAll();
    // The database ends with this process; its folder is removed by the next run.
    process.exit(130);
  });
}
requireFreshBundle();
const cluster = await startBenchCluster();
try {
  const outcome = await runs[args.scenario](cluster, args);
  // The ledger and the log are driven inside this process, which runs the sources.
  const machine = machineLine(cluster.version, isBundled && !/^(ledger|log)-/.test(args.scenario));
  print(args, machine, outcome);
  if (args.jsonFile !== undefined) {
    const { figures, problems } = outcome;
    writeFileSync(args.jsonFile, `${JSON.stringify({ machine, arguments: args, problems, figures }, null, 2)}\n`);
  }
  if (outcome.problems.length > 0) process.exitCode = 1;
} finally {
  await cluster.stop();
}
