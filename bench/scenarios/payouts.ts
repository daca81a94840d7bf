import type { BenchArguments } from "../arguments.ts";
import { fundSimulator, paidByJournal, paidByTables, sumsOf, unlike } from "../books.ts";
import { type BenchCluster, type BenchDatabase, queryAsOwner } from "../cluster.ts";
import { startContender } from "../contenders.ts";
import { loteOf, pagosOfLote, sendLote, untilFinished } from "../lotes.ts";
import { isFlat, type MemoryCourse, watchMemory } from "../memory.ts";
import { memoryOf } from "../processes.ts";
import { median, short, type Table, whole } from "../report.ts";
import { homeOf } from "../round.ts";
import { type Cores, coresOf, cpuUsEachOf, watchUsage } from "../usage.ts";
import { disturbance, type Outcome } from "./outcome.ts";
import { dollarsOf, gatewayLatencyMs } from "./pagos.ts";

/** One file of pagos paid by a fresh server. */
type PayoutRound = Settled & {
  readonly uploadSeconds: number;
  readonly memory: MemoryCourse & { readonly beforeMb: number };
  readonly cores: Cores;
  readonly cpuUsEach: { readonly server: number; readonly postgres: number };
  readonly problems: readonly string[];
};

/** What the database says of a round's pagos. */
type Settled = {
  readonly settled: number;
  /** Between the first that was begun and the last that was settled. */
  readonly perSecond: number;
  /** The same from the moment when the last lote had been taken: before, the server reads lotes as well. */
  readonly perSecondAfterUploads: number;
  /** From the beginning of the statement that begins a pago to the beginning of the one that settles it. */
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
};

/** The goals: the share of what that many calls of that latency allow, and the time of a pago. */
const goalShare = 0.9;
const goalP99Ms = 150;
/** Ten lotes are the 100,000 pagos of the goal. */
const lotesOfFile = 10;
const lotesOfShortFile = 2;
const finishDeadlineMs = 120_000;

/**
 * A file of 100,000 pagos in lotes of 10,000, against a gateway that takes 50 ms for each: how near the worker comes
 * to what its calls in flight allow, how long a pago takes from its reservation to its settlement, and whether the
 * server's memory grows. A lote that is not measured goes first: it opens the affiliates' accounts.
 */
export async function payoutsScenario(cluster: BenchCluster, args: BenchArguments): Promise<Outcome> {
  const database = await cluster.createDatabase("bench_payouts");
  await fundSimulator(database, dollarsOf(10n ** 13n));
  const rounds: PayoutRound[] = [];
  for (let turn = 1; turn <= args.rounds; turn += 1) {
    rounds.push(await payoutRound(cluster, args, database, `round-${turn}`));
  }
  return {
    tables: [payoutTable(rounds, limitOf(args)), machineTable(rounds)],
    notes: [...verdicts(rounds, limitOf(args)), ...disturbance(rounds)],
    problems: rounds.flatMap(({ problems }, index) => problems.map((problem) => `round ${index + 1}: ${problem}`)),
    figures: rounds,
  };
}

/** How many pagos a second that many calls of that latency allow. */
function limitOf(args: BenchArguments): number {
  return (args.connections * 1000) / gatewayLatencyMs;
}

async function payoutRound(
  cluster: BenchCluster,
  args: BenchArguments,
  database: BenchDatabase,
  name: string,
): Promise<PayoutRound> {
  const home = homeOf(cluster, database);
  const environment = {
    SIMULATOR_BUYER: "absent",
    PASARELA_LATENCY_MS: String(gatewayLatencyMs),
    PAYOUT_CONCURRENCY: String(args.connections),
  };
  const { nodeOptions } = args;
  const server = await startContender({ contender: "marketflow", database, home, environment, nodeOptions });
  let stopped = false;
  try {
    const body = loteOf(pagosOfLote);
    const warmUp = await sendLote(server.partnerPort, body, `${name}-warm-up`);
    await untilFinished(server.partnerPort, [warmUp], finishDeadlineMs);
    await cluster.checkpoint();
    const beforeMb = memoryOf(server.pid).residentMb;
    const usageSince = watchUsage(server.pid, cluster.postmasterPid);
    const cpuBefore = process.cpuUsage();
    const memorySince = watchMemory(server.pid);
    const startedAtMs = Date.now();
    const ids: string[] = [];
    for (let lote = 1; lote <= (args.short ? lotesOfShortFile : lotesOfFile); lote += 1) {
      ids.push(await sendLote(server.partnerPort, body, `${name}-${lote}`));
    }
    const uploadedAtMs = Date.now();
    await untilFinished(server.partnerPort, ids, finishDeadlineMs);
    const memory = { ...memorySince(), beforeMb };
    const { user, system } = process.cpuUsage(cpuBefore);
    const usage = usageSince();
    stopped = true;
    const problems = (await server.stop()) ? [] : ["the server did not stop by itself"];
    const settled = await readSettled(database, ids, uploadedAtMs);
    if (settled.settled !== ids.length * pagosOfLote) problems.push(`${settled.settled} pagos are EXITOSO`);
    problems.push(...(await wrongPayouts(database, home)));
    return {
      ...settled,
      uploadSeconds: (uploadedAtMs - startedAtMs) / 1000,
      memory,
      cores: coresOf(usage, (user + system) / 1e6),
      cpuUsEach: cpuUsEachOf(usage, settled.settled),
      problems,
    };
  } catch (error) {
    throw new Error(`${String(error)}\n${server.endOfLog()}`);
  } finally {
    if (!stopped) await server.stop();
  }
}

async function readSettled(database: BenchDatabase, ids: readonly string[], uploadedAtMs: number): Promise<Settled> {
  const [row] = await queryAsOwner<Omit<Settled, "p50Ms" | "p95Ms" | "p99Ms"> & { times: number[] }>(
    database,
    `select count(*)::integer as settled,
            count(*) / extract(epoch from max(processed_at) - min(begun_at))::float8 as "perSecond",
            coalesce(count(*) filter (where processed_at >= u.uploaded)
              / nullif(extract(epoch from max(processed_at) - u.uploaded), 0)::float8, 0) as "perSecondAfterUploads",
            avg(t.took)::float8 as "meanMs",
            percentile_cont(array[0.5, 0.95, 0.99]) within group (order by t.took) as times
     from payouts.payouts p
     cross join (select to_timestamp($2::float8 / 1000) as uploaded) u
     cross join lateral (select extract(epoch from p.processed_at - p.begun_at)::float8 * 1000 as took) t
     where p.batch_id = any ($1) and p.status = 'EXITOSO'
     group by u.uploaded`,
    [ids, uploadedAtMs],
  );
  if (row === undefined) throw new Error("no pago was settled");
  const { times, ...settled } = row;
  const [p50Ms = 0, p95Ms = 0, p99Ms = 0] = times;
  return { ...settled, p50Ms, p95Ms, p99Ms };
}

/** Compares the pagos with the ledger, the events and the simulator's journal. Returns what is wrong. */
async function wrongPayouts(database: BenchDatabase, home: string): Promise<string[]> {
  const paid = await paidByTables(
    database,
    "select id, amount_minor::text from payouts.payouts where status = 'EXITOSO' order by id",
  );
  const problems = unlike(paid, paidByJournal(home, "payout"));
  const funding = await sumsOf(database, "gateway:simulator:funding");
  const affiliates = await sumsOf(database, "affiliate:%:paid");
  if (funding.credits !== paid.amountMinor || funding.held !== 0n) {
    problems.push(`${funding.credits} left the funding and ${funding.held} is held; ${paid.amountMinor} was paid`);
  }
  if (affiliates.debits !== paid.amountMinor) {
    problems.push(`the affiliates' accounts say ${affiliates.debits}; ${paid.amountMinor} was paid`);
  }
  const off = funding.off + affiliates.off;
  if (off > 0) problems.push(`${off} balances are not what their entries add up to`);
  const [left] = await queryAsOwner<Record<string, number>>(
    database,
    `select (select count(*) from payouts.payouts where status <> 'EXITOSO')::integer as "are not EXITOSO",
            (select count(*) from payouts.under_way)::integer as "are under way",
            (select count(*) from ledger.open_holds)::integer as "have their money held",
            (select count(*) from payouts.payouts)::integer
              - (select count(*) from events.log where category = 'pago' and type = 'PagoExitoso')::integer
              as "have no event"`,
  );
  const wrong = Object.entries(left ?? {}).filter(([, count]) => count !== 0);
  return [...problems, ...wrong.map(([what, count]) => `${count} pagos ${what}`)];
}

function payoutTable(rounds: readonly PayoutRound[], limit: number): Table {
  const columns = [
    "rounds",
    "pagos",
    "settled/s",
    "of what the calls allow",
    "settled/s after the uploads",
    "in flight",
    "begun to settled: P50 ms",
    "P95 ms",
    "P99 ms",
    "uploads s",
  ];
  const rows = rounds.map((round, index) => [
    String(index + 1),
    whole(round.settled),
    whole(round.perSecond),
    percent(round.perSecond / limit),
    whole(round.perSecondAfterUploads),
    // Little's law: what is settled in a second, times how long each was under way.
    whole((round.perSecond * round.meanMs) / 1000),
    short(round.p50Ms),
    short(round.p95Ms),
    short(round.p99Ms),
    short(round.uploadSeconds),
  ]);
  return { columns, rows };
}

function machineTable(rounds: readonly PayoutRound[]): Table {
  const columns = [
    "rounds",
    "RSS MB before",
    "first fifth",
    "last fifth",
    "most",
    "cores: server",
    "postgres",
    "load",
    "others",
    "CPU µs each: server",
    "postgres",
  ];
  const rows = rounds.map(({ memory, cores, cpuUsEach }, index) => [
    String(index + 1),
    whole(memory.beforeMb),
    whole(memory.firstMb),
    whole(memory.lastMb),
    whole(memory.peakMb),
    cores.server.toFixed(2),
    cores.postgres.toFixed(2),
    cores.load.toFixed(2),
    cores.others.toFixed(2),
    whole(cpuUsEach.server),
    whole(cpuUsEach.postgres),
  ]);
  return { columns, rows };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function verdicts(rounds: readonly PayoutRound[], limit: number): string[] {
  const share = median(rounds.map(({ perSecond }) => perSecond)) / limit;
  const p99Ms = median(rounds.map((round) => round.p99Ms));
  const flat = rounds.every(({ memory }) => isFlat(memory));
  const said = (met: boolean) => (met ? "met" : "missed");
  const allowed = `${percent(share)} of the ${whole(limit)} pagos/s that the calls in flight allow`;
  return [
    `${allowed}; the goal of ${percent(goalShare)} is ${said(share >= goalShare)}.`,
    `P99 from begun to settled ${short(p99Ms)} ms; the goal of under ${goalP99Ms} ms is ${said(p99Ms < goalP99Ms)}.`,
    `The server's memory ${flat ? "does not grow" : "grows"} over a round: the goal is ${said(flat)}.`,
  ];
}
