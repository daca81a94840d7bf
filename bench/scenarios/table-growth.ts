import type { BenchArguments } from "../arguments.ts";
import { type BenchCluster, type BenchDatabase, queryAsOwner } from "../cluster.ts";
import { whole } from "../report.ts";
import { type Round, runRound } from "../round.ts";
import { paymentsWorkload } from "../workloads/payments.ts";
import { disturbance, medianTable, type Outcome, problemsOf, ratioOf, roundTable } from "./outcome.ts";

const sizes = [10_000, 1_000_000] as const;

/**
 * What a payment costs when many are stored. Every round gets a fresh copy of the filled database, because a round
 * itself stores more payments than the small one holds.
 */
export async function tableGrowthScenario(cluster: BenchCluster, args: BenchArguments): Promise<Outcome> {
  const templates: [number, BenchDatabase][] = [];
  for (const size of sizes) {
    const template = await cluster.createDatabase(`bench_filled_${size}`);
    await fill(template, size);
    templates.push([size, template]);
  }
  const groups = new Map<string, Round[]>();
  const inOrder: [string, Round][] = [];
  for (let turn = 1; turn <= args.rounds; turn += 1) {
    for (const [size, template] of templates) {
      const name = `${whole(size)} stored`;
      const round = await growthRound(cluster, args, template, `${size}-${turn}`);
      groups.set(name, [...(groups.get(name) ?? []), round]);
      inOrder.push([name, round]);
    }
  }
  const rounds = inOrder.map(([, round]) => round);
  const [small = [], large = []] = [...groups.values()];
  const change = (ratioOf(large, small) - 1) * 100;
  const words = `${Math.abs(change).toFixed(1)} % ${change < 0 ? "lower" : "higher"}`;
  return {
    tables: [medianTable(groups), roundTable(inOrder)],
    notes: [
      `With ${whole(sizes[1])} payments stored the throughput is ${words} than with ${whole(sizes[0])}.`,
      ...disturbance(rounds),
    ],
    problems: problemsOf(rounds),
    figures: Object.fromEntries(groups),
  };
}

async function growthRound(
  cluster: BenchCluster,
  args: BenchArguments,
  template: BenchDatabase,
  name: string,
): Promise<Round> {
  const database = await cluster.createDatabase(`bench_growth_${name}`, template);
  try {
    const environment = { SIMULATOR_BUYER: "absent" };
    return await runRound(cluster, args, {
      contender: args.only ?? "marketflow",
      workload: paymentsWorkload,
      database,
      name,
      environment,
      afterLoad: () => oneScope(database),
    });
  } finally {
    await cluster.dropDatabase(database);
  }
}

/** Keys of another scope are in another part of the index: what is filled must be where the load's keys go. */
async function oneScope(database: BenchDatabase): Promise<string[]> {
  const rows = await queryAsOwner<{ scope: string }>(database, "select distinct scope from payments.payments");
  return rows.length === 1 ? [] : [`the load's keys and the filled ones are of ${rows.length} scopes`];
}

/** Payments of the last days, nearly all paid, with attempts and events; keys are in no order, as clients' are. */
async function fill(database: BenchDatabase, size: number): Promise<void> {
  await queryAsOwner(
    database,
    `insert into payments.payments (
       id, scope, idempotency_key, fingerprint, amount, currency, status, capture, gateway, version, created_at,
       updated_at
     )
     select uuidv7((n - $1) * interval '0.2 seconds'), 'default', md5(n::text), sha256(n::text::bytea),
            1000.00, 'USD', case when n % 50 = 0 then 'failed' else 'succeeded' end, 'automatic', 'simulator',
            2, at, at
     from generate_series(1, $1::integer) n, lateral (select now() + (n - $1) * interval '0.2 seconds' as at) t`,
    [size],
  );
  await queryAsOwner(
    database,
    `insert into payments.attempts (
       payment_id, number, operation, gateway, state, tries, due_at, stripe_payment_intent_id, accepted_at, settled_at
     )
     select id, 1, 'create', gateway, 'succeeded', 1, created_at, 'pi_filled_' || id, created_at, created_at
     from payments.payments order by id`,
  );
  await queryAsOwner(
    database,
    `insert into events.log (category, stream, stream_version, type, data)
     select 'payment', id, version, 'payment.' || case version when 1 then 'created' else status end,
            jsonb_build_object('amount', amount, 'currency', currency, 'intent_id', 'pi_filled_' || id)
     from (select id, status, amount, currency from payments.payments) p, generate_series(1, 2) version
     order by id, version`,
  );
  for (const table of ["payments.payments", "payments.attempts", "events.log"]) {
    await queryAsOwner(database, `vacuum (analyze) ${table}`);
  }
}
