import { type Currency, parseCurrency } from "../../src/kernel/currency.ts";
import type { Money } from "../../src/kernel/money.ts";
import type { BenchArguments } from "../arguments.ts";
import { fundSimulator } from "../books.ts";
import type { BenchCluster } from "../cluster.ts";
import { type Round, runRound } from "../round.ts";
import { pagosWorkload } from "../workloads/pagos.ts";
import { byContender, disturbance, medianTable, nameOf, type Outcome, problemsOf, roundTable } from "./outcome.ts";

/** What the gateway takes for each pago. */
export const gatewayLatencyMs = 50;

/** `POST /pagos` one by one, against a gateway that takes 50 ms: figures only, there is no baseline and no goal. */
export async function pagosScenario(cluster: BenchCluster, args: BenchArguments): Promise<Outcome> {
  const database = await cluster.createDatabase("bench_pagos");
  await fundSimulator(database, dollarsOf(10n ** 13n));
  const environment = { SIMULATOR_BUYER: "absent", PASARELA_LATENCY_MS: String(gatewayLatencyMs) };
  const rounds: Round[] = [];
  for (let turn = 1; turn <= args.rounds; turn += 1) {
    const name = `round-${turn}`;
    const plan = { contender: "marketflow", workload: pagosWorkload, database, name, environment } as const;
    rounds.push(await runRound(cluster, args, plan));
  }
  return {
    tables: [medianTable(byContender(rounds)), roundTable(rounds.map((round) => [nameOf[round.contender], round]))],
    notes: disturbance(rounds),
    problems: problemsOf(rounds),
    figures: rounds,
  };
}

/** That many dollars, in cents. */
export function dollarsOf(amountMinor: bigint): Money {
  return { amountMinor, currency: knownCurrency("USD") };
}

function knownCurrency(code: string): Currency {
  const currency = parseCurrency(code);
  if (currency === undefined) throw new Error(`${code} is no currency`);
  return currency;
}
