import { type ClosableDatabase, createDedicatedConnection } from "../../src/infrastructure/postgres/connections.ts";
import { createLaneLocks } from "../../src/infrastructure/postgres/lane-locks.ts";
import { createLocalPublisher } from "../../src/infrastructure/publishers/local.ts";
import { createPulsarPublisher } from "../../src/infrastructure/publishers/pulsar/publisher.ts";
import { createRelay, messageOf, type RelayObserver, topicsOf } from "../../src/modules/events/index.ts";
import type { Publisher } from "../../src/modules/events/ports.ts";
import type { BenchArguments } from "../arguments.ts";
import { drainOutbox, fillOutbox } from "../baseline/outbox.ts";
import { type BenchBroker, partitions, startBenchBroker } from "../brokers.ts";
import { type BenchCluster, type BenchDatabase, queryAsOwner } from "../cluster.ts";
import { cpuSecondsOf, memoryOf } from "../processes.ts";
import { type Drained, startRelay, watchDrain, wronglyPublished } from "../relay-process.ts";
import { median, short, type Table, whole } from "../report.ts";
import { type Cores, coresOf, cpuUsEachOf, type Usage, watchUsage } from "../usage.ts";
import { fillLog } from "../workloads/events.ts";
import { disturbance, type Outcome } from "./outcome.ts";

const events = 300_000;
const eventsOfShort = 20_000;
const outboxRows = 100_000;
const drainDeadlineMs = 120_000;
const goals = { local: 30_000, pulsar: 10_000 } as const;

/** How a log leaves: MarketFlow's ways, and the plain relay's. */
const ways = {
  local: "to nobody",
  statement: "to the affiliates' statement",
  pulsar: "to Pulsar",
  plainLocal: "baseline, to nobody",
  plainPulsar: "baseline, to Pulsar",
} as const;
type Way = keyof typeof ways;

type RelayRound = Drained & {
  readonly way: Way;
  readonly perSecond: number;
  /** `server` is the relay, `load` is the broker. */
  readonly cores: Cores;
  readonly cpuUsEach: { readonly server: number; readonly postgres: number; readonly broker: number };
  readonly peakMb: number | undefined;
  readonly problems: readonly string[];
};

type Bench = {
  readonly cluster: BenchCluster;
  readonly args: BenchArguments;
  /** Where nothing was published yet. */
  readonly filled: BenchDatabase;
  readonly logged: number;
  readonly last: bigint;
  readonly outbox: BenchDatabase;
  readonly broker: BenchBroker | undefined;
};

/**
 * A log of 300,000 events of all kinds, drained by one relay: to nobody, to the consumer that keeps the affiliates'
 * statement, and to a real Pulsar; and an outbox drained by the plain relay, row by row, in turns.
 */
export async function relayScenario(cluster: BenchCluster, args: BenchArguments): Promise<Outcome> {
  const filled = await cluster.createDatabase("bench_relay_filled");
  const logged = await fillLog(filled, args.short ? eventsOfShort : events);
  const [edge] = await queryAsOwner<{ last: string }>(filled, "select max(position) as last from events.log");
  const outbox = await cluster.createDatabase("bench_relay_outbox");
  const started = await startBenchBroker();
  const broker = typeof started === "string" ? undefined : started;
  const bench = { cluster, args, filled, logged, last: BigInt(edge?.last ?? 0), outbox, broker };
  const rounds: RelayRound[] = [];
  try {
    for (let turn = 1; turn <= args.rounds; turn += 1) {
      for (const way of waysOf(args, broker)) {
        await cluster.checkpoint();
        rounds.push(await runs[way](bench, `bench_relay_${way}_${turn}`));
      }
    }
  } finally {
    await broker?.stop();
  }
  return {
    tables: [medians(rounds), everyRound(rounds)],
    notes: [...verdicts(rounds), ...(typeof started === "string" ? [started] : []), ...disturbance(rounds)],
    problems: rounds.flatMap(({ way, problems }) => problems.map((problem) => `${ways[way]}: ${problem}`)),
    figures: rounds,
  };
}

function waysOf({ only, short: isShort }: BenchArguments, broker: BenchBroker | undefined): Way[] {
  const marketflow: Way[] = ["local", "statement", ...(broker === undefined ? [] : ["pulsar" as const])];
  const baseline: Way[] = ["plainLocal", ...(broker === undefined || isShort ? [] : ["plainPulsar" as const])];
  return [...(only === "baseline" ? [] : marketflow), ...(only === "marketflow" ? [] : baseline)];
}

const runs: Readonly<Record<Way, (bench: Bench, name: string) => Promise<RelayRound>>> = {
  local: drainToNobody,
  statement: (bench, name) => drainByProcess(bench, name, "statement"),
  pulsar: (bench, name) => drainByProcess(bench, name, "pulsar"),
  plainLocal: (bench) => drainPlainly(bench, "plainLocal", createLocalPublisher({ subscribers: [] })),
  plainPulsar: drainPlainlyToPulsar,
};

/** `marketflow relay`, as it is started in production. */
async function drainByProcess(bench: Bench, name: string, way: "statement" | "pulsar"): Promise<RelayRound> {
  const { cluster, args, filled, logged, last, broker } = bench;
  const database = await cluster.createDatabase(name, filled);
  const namespace = way === "pulsar" ? await broker?.createNamespace() : undefined;
  const to = broker !== undefined && namespace !== undefined ? { broker, namespace } : undefined;
  const relay = await startRelay(cluster, { database, nodeOptions: args.nodeOptions, broker: to });
  try {
    const watch = watchOf(bench, () => cpuSecondsOf(relay.pid));
    const drained = await watchDrain(database, last, drainDeadlineMs, watch.begin);
    const { cores, cpuUsEach } = watch.end(drained.events);
    const peakMb = memoryOf(relay.pid).peakMb;
    const problems = (await relay.stop()) ? [] : [`the relay did not stop by itself: ${relay.endOfLog()}`];
    problems.push(...(await wronglyPublished(database)));
    problems.push(...(await (to === undefined ? wrongStatement(database) : wrongTopics(to, logged))));
    await cluster.dropDatabase(database);
    return { ...drained, way, perSecond: drained.events / drained.seconds, cores, cpuUsEach, peakMb, problems };
  } catch (error) {
    await relay.stop();
    throw new Error(`${String(error)}\n${relay.endOfLog()}`);
  }
}

/** No process of MarketFlow is without the consumer of the pagos: this relay runs in the bench's. */
async function drainToNobody(bench: Bench, name: string): Promise<RelayRound> {
  const database = await bench.cluster.createDatabase(name, bench.filled);
  const topics = topicsOf("pagos-events");
  const publisher = createLocalPublisher({ subscribers: [] });
  const connections: ClosableDatabase[] = [];
  const problems: string[] = [];
  const relay = createRelay({
    connection(applicationName) {
      const connection = openLane(database, applicationName);
      connections.push(connection);
      return connection;
    },
    locks: createLaneLocks({ url: database.url, task: "relay", timeoutMs: 5_000 }),
    publisher,
    messageOf: (event) => messageOf(event, topics),
    observe: observerOf((fault) => problems.push(fault)),
  });
  const watch = watchOf(bench, ownCpuSeconds);
  relay.start();
  const drained = await watchDrain(database, bench.last, drainDeadlineMs, watch.begin);
  const { cores, cpuUsEach } = watch.end(drained.events);
  await relay.stop();
  await publisher.close();
  for (const connection of connections) await connection.close();
  problems.push(...(await wronglyPublished(database)));
  await bench.cluster.dropDatabase(database);
  const perSecond = drained.events / drained.seconds;
  return { ...drained, way: "local", perSecond, cores, cpuUsEach, peakMb: undefined, problems };
}

function openLane({ url }: BenchDatabase, applicationName: string): ClosableDatabase {
  return createDedicatedConnection({
    url,
    applicationName,
    statementTimeoutMs: 30_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
  });
}

/** Tells of nothing but what must not happen. */
function observerOf(onFault: (fault: string) => void): RelayObserver {
  const silent = () => undefined;
  const faulty = (what: string) => (about: unknown) => onFault(`${what}: ${String(about)}`);
  return {
    published: silent,
    lag: silent,
    refused: faulty("an event was refused"),
    parked: silent,
    halted: faulty("a lane was halted"),
    unreachable: faulty("the publisher was away"),
    reachable: silent,
    horizon: silent,
    lanes: silent,
    failed: faulty("the relay failed"),
  };
}

async function drainPlainlyToPulsar(bench: Bench): Promise<RelayRound> {
  const { broker } = bench;
  if (broker === undefined) throw new Error("there is no Pulsar");
  const { url, webUrl } = broker;
  const namespace = await broker.createNamespace();
  const onWarning = (warning: string) => void process.stderr.write(`${warning}\n`);
  const publisher = createPulsarPublisher({ url, webUrl, partitions, namespace, onWarning });
  return await drainPlainly(bench, "plainPulsar", publisher, (sent) => wrongTopics({ broker, namespace }, sent));
}

async function drainPlainly(
  bench: Bench,
  way: Way,
  publisher: Publisher,
  check: (sent: number) => Promise<string[]> = async () => [],
): Promise<RelayRound> {
  const { ownerUrl } = bench.outbox;
  const { short: isShort, warmupMs, measureMs } = bench.args;
  await fillOutbox(ownerUrl, isShort ? eventsOfShort : outboxRows);
  // Makes the topic as well.
  const sentBefore = await drainOutbox(ownerUrl, publisher, warmupMs);
  const watch = watchOf(bench, ownCpuSeconds);
  watch.begin();
  const startedAtMs = performance.now();
  const sent = await drainOutbox(ownerUrl, publisher, measureMs);
  const seconds = (performance.now() - startedAtMs) / 1000;
  const { cores, cpuUsEach } = watch.end(sent);
  await publisher.close();
  const problems = sent === 0 ? ["nothing was published"] : await check(sentBefore + sent);
  return { way, events: sent, seconds, perSecond: sent / seconds, cores, cpuUsEach, peakMb: undefined, problems };
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** What the relay, PostgreSQL and the broker use between the two calls. */
function watchOf({ cluster, broker }: Bench, relaySeconds: () => number) {
  const brokerSeconds = () => (broker === undefined ? 0 : cpuSecondsOf(broker.pid));
  let brokerBefore = 0;
  let usageSince: (() => Usage) | undefined;
  return {
    begin() {
      brokerBefore = brokerSeconds();
      usageSince = watchUsage(relaySeconds, cluster.postmasterPid);
    },
    end(things: number): Pick<RelayRound, "cores" | "cpuUsEach"> {
      if (usageSince === undefined) throw new Error("nothing was watched");
      const usage = usageSince();
      const used = brokerSeconds() - brokerBefore;
      return {
        cores: coresOf(usage, used),
        cpuUsEach: { ...cpuUsEachOf(usage, things), broker: (used * 1e6) / things },
      };
    },
  };
}

/** Each pago must be one line of a statement, and in its sums. */
async function wrongStatement(database: BenchDatabase): Promise<string[]> {
  const [row] = await queryAsOwner<{ pagos: string; lines: string; summed: string }>(
    database,
    `select (select count(*) from events.log where category = 'pago') as pagos,
            (select count(*) from payouts.statement_lines) as lines,
            (select coalesce(sum(succeeded), 0) from payouts.statement_totals) as summed`,
  );
  if (row !== undefined && row.lines === row.pagos && row.summed === row.pagos) return [];
  return [`the statements have ${row?.lines} lines and count ${row?.summed}, for ${row?.pagos} pagos`];
}

async function wrongTopics({ broker, namespace }: { broker: BenchBroker; namespace: string }, sent: number) {
  const kept = await broker.countMessages(namespace, sent);
  return kept === sent ? [] : [`the broker says that it was sent ${kept} messages, and not ${sent}`];
}

function medians(rounds: readonly RelayRound[]): Table {
  const columns = ["medians", "events/s", "CPU µs each: relay", "postgres", "broker", "peak RSS MB"];
  const rows = present(rounds).map((way) => [
    ways[way],
    whole(middle(rounds, way, ({ perSecond }) => perSecond)),
    short(middle(rounds, way, ({ cpuUsEach }) => cpuUsEach.server)),
    short(middle(rounds, way, ({ cpuUsEach }) => cpuUsEach.postgres)),
    short(middle(rounds, way, ({ cpuUsEach }) => cpuUsEach.broker)),
    whole(middle(rounds, way, ({ peakMb }) => peakMb ?? Number.NaN)),
  ]);
  return { columns, rows };
}

function everyRound(rounds: readonly RelayRound[]): Table {
  const columns = ["rounds", "events", "s", "events/s", "cores: relay", "postgres", "broker", "others"];
  const rows = rounds.map(({ way, events: done, seconds, perSecond, cores }, index) => [
    `${index + 1} ${ways[way]}`,
    whole(done),
    short(seconds),
    whole(perSecond),
    cores.server.toFixed(2),
    cores.postgres.toFixed(2),
    cores.load.toFixed(2),
    cores.others.toFixed(2),
  ]);
  return { columns, rows };
}

/** The ways that were gone, in their order. */
function present(rounds: readonly RelayRound[]): Way[] {
  return (Object.keys(ways) as Way[]).filter((way) => rounds.some((round) => round.way === way));
}

function middle(rounds: readonly RelayRound[], way: Way, read: (round: RelayRound) => number): number {
  return median(rounds.filter((round) => round.way === way).map(read));
}

function verdicts(rounds: readonly RelayRound[]): string[] {
  const perSecond = (way: Way) => middle(rounds, way, (round) => round.perSecond);
  const gone = new Set(present(rounds));
  const notes: string[] = [];
  const compare = (way: "local" | "pulsar", plain: Way) => {
    if (!gone.has(way)) return;
    const met = perSecond(way) >= goals[way] ? "met" : "missed";
    notes.push(`${whole(perSecond(way))} events/s ${ways[way]}; the goal of ${whole(goals[way])} is ${met}.`);
    if (gone.has(plain)) notes.push(`That is ${(perSecond(way) / perSecond(plain)).toFixed(1)} times the baseline.`);
  };
  compare("local", "plainLocal");
  compare("pulsar", "plainPulsar");
  return notes;
}
