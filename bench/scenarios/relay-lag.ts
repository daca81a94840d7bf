import { setTimeout as sleep } from "node:timers/promises";
import { createPulsarBroker } from "../../src/infrastructure/publishers/pulsar/broker.ts";
import { topicsOf } from "../../src/modules/events/index.ts";
import type { Broker, Receive } from "../../src/modules/events/ports.ts";
import type { BenchArguments } from "../arguments.ts";
import { type BenchBroker, partitions, startBenchBroker } from "../brokers.ts";
import { type BenchCluster, type BenchDatabase, queryAsOwner } from "../cluster.ts";
import { Histogram, type LatencySummary } from "../histogram.ts";
import type { LoadReport } from "../load-plan.ts";
import { cpuSecondsOf } from "../processes.ts";
import { startRelay } from "../relay-process.ts";
import { median, short, type Table, whole } from "../report.ts";
import { type Round, runRound } from "../round.ts";
import { paymentsWorkload } from "../workloads/payments.ts";
import { type Outcome, problemsOf } from "./outcome.ts";

const paymentsPerSecond = 3_000;
const paymentsPerSecondOfShort = 500;
/** A round with less than this share of them had another load. */
const leastShare = 0.97;
const goalP99Ms = 1_000;
const arrivalDeadlineMs = 20_000;

type LagRound = {
  readonly round: Round;
  /** From when an event was appended, before its commit, to its arrival at a consumer; of the measured stretch. */
  readonly lag: LatencySummary;
  readonly again: number;
  readonly cores: { readonly relay: number; readonly broker: number; readonly consumer: number };
};

/** What has arrived at the consumer: for each event when it was appended and how long ago that was, and repetitions. */
type Arrivals = {
  readonly events: Map<string, { readonly recordedAtMs: number; readonly tookMs: number }>;
  again: number;
};

/**
 * `POST /payments` at 3,000 a second, a relay process that publishes to a real Pulsar, and a consumer of Pulsar's that
 * notes how long ago each event was appended. All of them have the machine's clock.
 */
export async function relayLagScenario(cluster: BenchCluster, args: BenchArguments): Promise<Outcome> {
  const broker = await startBenchBroker();
  if (typeof broker === "string") return { tables: [], notes: [broker], problems: [], figures: [] };
  const rounds: LagRound[] = [];
  try {
    for (let turn = 1; turn <= args.rounds; turn += 1) rounds.push(await lagRound(cluster, args, broker, turn));
  } finally {
    await broker.stop();
  }
  const p99Ms = median(rounds.map(({ lag }) => lag.p99Ms));
  const met = p99Ms < goalP99Ms ? "met" : "missed";
  return {
    tables: [lagTable(rounds)],
    notes: [`P99 of the lag ${short(p99Ms)} ms; the goal of under ${whole(goalP99Ms)} ms is ${met}.`],
    problems: problemsOf(rounds.map(({ round }) => round)),
    figures: rounds,
  };
}

async function lagRound(
  cluster: BenchCluster,
  args: BenchArguments,
  broker: BenchBroker,
  turn: number,
): Promise<LagRound> {
  const database = await cluster.createDatabase(`bench_relay_lag_${turn}`);
  const namespace = await broker.createNamespace();
  const arrivals: Arrivals = { events: new Map(), again: 0 };
  const ratePerSecond = args.short ? paymentsPerSecondOfShort : paymentsPerSecond;
  const consumer = await consume(broker, namespace, arrivals);
  const relay = await startRelay(cluster, { database, nodeOptions: args.nodeOptions, broker: { broker, namespace } });
  const usedSince = watchUsed({ relay: relay.pid, broker: broker.pid });
  let cores = { relay: 0, broker: 0, consumer: 0 };
  try {
    const round = await runRound(cluster, args, {
      contender: "marketflow",
      workload: paymentsWorkload,
      database,
      name: `round-${turn}`,
      environment: { SIMULATOR_BUYER: "absent" },
      ratePerSecond,
      async afterLoad(load) {
        cores = usedSince();
        return [...tooSlow(load, ratePerSecond), ...(await notArrived(database, arrivals))];
      },
    });
    return { round, lag: lagWithin(round.load, arrivals), again: arrivals.again, cores };
  } catch (error) {
    throw new Error(`${String(error)}\n${relay.endOfLog()}`);
  } finally {
    await relay.stop();
    await consumer.close();
  }
}

/** Reads the payments' topic from its beginning; resolves once it is subscribed to all of its partitions. */
async function consume({ url, webUrl }: BenchBroker, namespace: string, arrivals: Arrivals): Promise<Broker> {
  const onWarning = (warning: string) => void process.stderr.write(`${warning}\n`);
  const broker = createPulsarBroker({ url, webUrl, partitions, namespace, onWarning });
  const receive: Receive = async (messages) => {
    const nowMs = Date.now();
    for (const { payload } of messages) {
      const { event_id: id, timestamp } = JSON.parse(payload) as { event_id: string; timestamp: string };
      const recordedAtMs = Date.parse(timestamp);
      if (arrivals.events.has(id)) arrivals.again += 1;
      else arrivals.events.set(id, { recordedAtMs, tookMs: nowMs - recordedAtMs });
    }
    return { handled: messages.length };
  };
  const onFailure = (error: unknown) => void process.stderr.write(`the consumer: ${String(error)}\n`);
  const { payment } = topicsOf("pagos-events");
  await broker.subscribe({ topics: [payment], subscription: "bench", receive, onFailure });
  return broker;
}

function lagWithin({ measuredFromMs, measuredUntilMs }: LoadReport, { events }: Arrivals): LatencySummary {
  const lag = new Histogram();
  for (const { recordedAtMs, tookMs } of events.values()) {
    if (recordedAtMs >= measuredFromMs && recordedAtMs < measuredUntilMs) lag.record(tookMs * 1000);
  }
  return lag.summary();
}

function tooSlow({ createdPerSecond }: LoadReport, ratePerSecond: number): string[] {
  if (createdPerSecond >= ratePerSecond * leastShare) return [];
  return [`only ${whole(createdPerSecond)} payments/s were made, and not ${whole(ratePerSecond)}`];
}

/** Waits until every payment's event has arrived. Returns problems. */
async function notArrived(database: BenchDatabase, { events }: Arrivals): Promise<string[]> {
  const [row] = await queryAsOwner<{ logged: number }>(
    database,
    "select count(*)::integer as logged from events.log where category = 'payment'",
  );
  const logged = row?.logged ?? 0;
  const deadlineMs = performance.now() + arrivalDeadlineMs;
  while (events.size < logged && performance.now() < deadlineMs) await sleep(50);
  return events.size === logged ? [] : [`${events.size} of ${logged} events have arrived`];
}

/** How many cores each was keeping busy on average since the call; the consumer is this process. */
function watchUsed(pids: { readonly relay: number; readonly broker: number }) {
  const read = () => {
    const { user, system } = process.cpuUsage();
    return {
      seconds: performance.now() / 1000,
      relay: cpuSecondsOf(pids.relay),
      broker: cpuSecondsOf(pids.broker),
      consumer: (user + system) / 1e6,
    };
  };
  const before = read();
  return () => {
    const after = read();
    const coresOf = (part: "relay" | "broker" | "consumer") =>
      (after[part] - before[part]) / (after.seconds - before.seconds);
    return { relay: coresOf("relay"), broker: coresOf("broker"), consumer: coresOf("consumer") };
  };
}

function lagTable(rounds: readonly LagRound[]): Table {
  const columns = [
    "rounds",
    "payments/s",
    "lag: P50 ms",
    "P95 ms",
    "P99 ms",
    "max ms",
    "arrived twice",
    "answer P99 ms",
    "cores: server",
    "postgres",
    "load",
    "relay",
    "broker",
    "consumer",
  ];
  const rows = rounds.map(({ round, lag, again, cores }, index) => [
    String(index + 1),
    whole(round.load.createdPerSecond),
    short(lag.p50Ms),
    short(lag.p95Ms),
    short(lag.p99Ms),
    short(lag.maxMs),
    whole(again),
    short(round.load.latency.p99Ms),
    round.cores.server.toFixed(2),
    round.cores.postgres.toFixed(2),
    round.cores.load.toFixed(2),
    cores.relay.toFixed(2),
    cores.broker.toFixed(2),
    cores.consumer.toFixed(2),
  ]);
  return { columns, rows };
}
