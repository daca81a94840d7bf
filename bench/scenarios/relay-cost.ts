import type { BenchArguments } from "../arguments.ts";
import { type BenchBroker, startBenchBroker } from "../brokers.ts";
import type { BenchCluster, BenchDatabase } from "../cluster.ts";
import { cpuSecondsOf } from "../processes.ts";
import { countPending, startRelay, untilPublished, wronglyPublished } from "../relay-process.ts";
import { type Table, whole } from "../report.ts";
import { type Round, runRound } from "../round.ts";
import { paymentsWorkload } from "../workloads/payments.ts";
import { medianTable, type Outcome, problemsOf, ratioOf, roundTable } from "./outcome.ts";

const goalShare = 0.8;
/** How long the relay may take to publish what the load has left. */
const publishDeadlineMs = 30_000;

/** What stands beside the server. */
const besides = { nothing: "no relay", local: "a relay, local", pulsar: "a relay to Pulsar" } as const;
type Beside = keyof typeof besides;

type CostRound = {
  readonly beside: Beside;
  readonly round: Round;
  /** How many events were not published when the load ended. */
  readonly pending: number;
  readonly cores: { readonly relay: number; readonly broker: number };
};

/**
 * `POST /payments` as fast as `serve` answers, without a relay, with one that publishes to the consumers of its own
 * process, and with one that publishes to Pulsar, in turns. Pulsar runs all the time and on the same cores, so what it
 * takes counts as the relay's.
 */
export async function relayCostScenario(cluster: BenchCluster, args: BenchArguments): Promise<Outcome> {
  const started = await startBenchBroker();
  const broker = typeof started === "string" ? undefined : started;
  const kinds: Beside[] = ["nothing", "local", ...(broker === undefined ? [] : ["pulsar" as const])];
  const rounds: CostRound[] = [];
  try {
    const places = new Map<Beside, Place>();
    for (const beside of kinds) places.set(beside, await placeFor(cluster, beside, broker));
    for (let turn = 1; turn <= args.rounds; turn += 1) {
      for (const place of places.values()) rounds.push(await costRound(cluster, args, place, turn));
    }
  } finally {
    await broker?.stop();
  }
  const groups = new Map(kinds.map((beside) => [besides[beside], roundsOf(rounds, beside)]));
  return {
    tables: [
      medianTable(groups),
      roundTable(rounds.map(({ beside, round }) => [besides[beside], round])),
      relayTable(rounds),
    ],
    notes: [...verdicts(rounds), ...(typeof started === "string" ? [started] : [])],
    problems: problemsOf(rounds.map(({ round }) => round)),
    figures: rounds,
  };
}

/** Each has a database of its own, which grows from round to round, so that no relay finds what another has left. */
type Place = {
  readonly beside: Beside;
  readonly database: BenchDatabase;
  readonly broker: { readonly broker: BenchBroker; readonly namespace: string } | undefined;
};

async function placeFor(cluster: BenchCluster, beside: Beside, broker: BenchBroker | undefined): Promise<Place> {
  const database = await cluster.createDatabase(`bench_relay_cost_${beside}`);
  if (beside !== "pulsar" || broker === undefined) return { beside, database, broker: undefined };
  return { beside, database, broker: { broker, namespace: await broker.createNamespace() } };
}

async function costRound(cluster: BenchCluster, args: BenchArguments, place: Place, turn: number): Promise<CostRound> {
  const { beside, database, broker } = place;
  const relay =
    beside === "nothing" ? undefined : await startRelay(cluster, { database, nodeOptions: args.nodeOptions, broker });
  const used = () => ({
    seconds: performance.now() / 1000,
    relay: relay === undefined ? 0 : cpuSecondsOf(relay.pid),
    broker: broker === undefined ? 0 : cpuSecondsOf(broker.broker.pid),
  });
  const before = used();
  let after = before;
  let pending = 0;
  try {
    const round = await runRound(cluster, args, {
      contender: "marketflow",
      workload: paymentsWorkload,
      database,
      name: `round-${turn}`,
      environment: { SIMULATOR_BUYER: "absent" },
      async afterLoad() {
        after = used();
        if (relay === undefined) return [];
        pending = await countPending(database);
        if (await untilPublished(database, publishDeadlineMs)) return await wronglyPublished(database);
        return [`${await countPending(database)} events are not published ${publishDeadlineMs} ms after the load`];
      },
    });
    const seconds = after.seconds - before.seconds;
    const cores = { relay: (after.relay - before.relay) / seconds, broker: (after.broker - before.broker) / seconds };
    return { beside, round, pending, cores };
  } catch (error) {
    throw new Error(`${String(error)}\n${relay?.endOfLog() ?? ""}`);
  } finally {
    await relay?.stop();
  }
}

function roundsOf(rounds: readonly CostRound[], beside: Beside): Round[] {
  return rounds.filter((round) => round.beside === beside).map(({ round }) => round);
}

function relayTable(rounds: readonly CostRound[]): Table {
  const columns = ["rounds with a relay", "pending at the end", "cores: relay", "broker"];
  const rows = rounds
    .filter(({ beside }) => beside !== "nothing")
    .map(({ beside, pending, cores }, index) => [
      `${index + 1} ${besides[beside]}`,
      whole(pending),
      cores.relay.toFixed(2),
      cores.broker.toFixed(2),
    ]);
  return { columns, rows };
}

function verdicts(rounds: readonly CostRound[]): string[] {
  const alone = roundsOf(rounds, "nothing");
  return (["local", "pulsar"] as const)
    .map((beside) => [beside, roundsOf(rounds, beside)] as const)
    .filter(([, group]) => group.length > 0)
    .map(([beside, group]) => {
      const share = ratioOf(group, alone);
      const met = share >= goalShare ? "met" : "missed";
      const percent = (share * 100).toFixed(1);
      return `Beside ${besides[beside]}, ${percent} % of the requests; the goal of ${goalShare * 100} % is ${met}.`;
    });
}
