import { join } from "node:path";
import type { BenchArguments } from "./arguments.ts";
import { type BenchCluster, type BenchDatabase, queryAsOwner } from "./cluster.ts";
import { type Contender, startContender } from "./contenders.ts";
import type { LoadPlan, LoadReport } from "./load-plan.ts";
import { probe } from "./probe.ts";
import { cpuSecondsOf, machineCpuSeconds, memoryOf, runScript } from "./processes.ts";

/** One contender measured once, by a fresh process over its database. */
export type Round = {
  readonly contender: Contender;
  readonly load: LoadReport;
  readonly peakRssMb: number;
  /**
   * How many cores each part kept busy on average, from the first request to the last; `others` is what was not ours
   * (and the kernel's own work): where it is large, the machine was not ours alone and the figures are too low.
   */
  readonly cores: Readonly<Record<"server" | "postgres" | "load" | "others", number>>;
  /** Processor time for each payment, in microseconds; other work on the machine raises it, too. */
  readonly cpuUsEach: { readonly server: number; readonly postgres: number };
  /** What was wrong, one sentence each; empty where the figures count. */
  readonly problems: readonly string[];
};

export type RoundPlan = {
  readonly contender: Contender;
  readonly database: BenchDatabase;
  /** Different for every round of a run: the idempotency keys of its payments end in it. */
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What a scenario waits for and looks at after the load, while the server still runs. Returns problems. */
  readonly afterLoad?: (load: LoadReport) => Promise<string[]>;
};

const drainMs = 30_000;
const sampleEvery = 1000;

/**
 * Starts a contender, checks that it does what it must, drives it, and checks that everything acknowledged is stored.
 * What goes wrong under load is a problem of the round; it throws where the server or the load cannot be run at all.
 */
export async function runRound(cluster: BenchCluster, args: BenchArguments, plan: RoundPlan): Promise<Round> {
  const home = cluster.makeHome(`${plan.database.name}-home`);
  await cluster.checkpoint();
  const server = await startContender({ ...plan, home, nodeOptions: args.nodeOptions });
  const problems: string[] = [];
  let stopped = false;
  try {
    const failings = await probe(server.port, `${plan.name}-probe`);
    if (failings.length > 0) {
      throw new Error(`${plan.contender} does not do what it must:\n${failings.join("\n")}\n${server.endOfLog()}`);
    }
    const loadPlan: LoadPlan = {
      port: server.port,
      connections: args.connections,
      warmupMs: args.warmupMs,
      measureMs: args.measureMs,
      keySuffix: keySuffixOf(plan.name),
      sampleEvery,
      drainMs,
    };
    const usage = () => ({
      server: cpuSecondsOf(server.pid),
      postgres: cpuSecondsOf(cluster.postmasterPid),
      machine: machineCpuSeconds(),
      seconds: performance.now() / 1000,
    });
    const before = usage();
    const load: LoadReport = JSON.parse(
      await runScript([join(import.meta.dirname, "load.ts"), JSON.stringify(loadPlan)]),
    );
    const after = usage();
    problems.push(...problemsOf(load), ...((await plan.afterLoad?.(load)) ?? []));
    const peakRssMb = memoryOf(server.pid).peakMb;
    stopped = true;
    if (!(await server.stop())) problems.push("the server did not stop by itself");
    problems.push(...(await missingRows(plan, load)));
    const coresOf = (part: "server" | "postgres" | "machine") =>
      (after[part] - before[part]) / (after.seconds - before.seconds);
    const [serverCores, postgresCores] = [coresOf("server"), coresOf("postgres")];
    const loadCores = load.cpuSeconds / (after.seconds - before.seconds);
    const others = Math.max(0, coresOf("machine") - serverCores - postgresCores - loadCores);
    const cores = { server: serverCores, postgres: postgresCores, load: loadCores, others };
    const usEach = (part: "server" | "postgres") => ((after[part] - before[part]) * 1e6) / load.acknowledged;
    const cpuUsEach = { server: usEach("server"), postgres: usEach("postgres") };
    return { contender: plan.contender, load, peakRssMb, cores, cpuUsEach, problems };
  } finally {
    if (!stopped) await server.stop();
  }
}

/** What the idempotency keys of a round's payments end in. */
export function keySuffixOf(roundName: string): string {
  return `-${roundName}`;
}

function problemsOf(load: LoadReport): string[] {
  const problems = Object.entries(load.errors).map(([what, count]) => `${count} × ${what}`);
  if (problems.length > 0) problems.push(...load.errorSamples);
  if (load.created === 0) problems.push("no payment was created");
  if (load.created > 10 * sampleEvery && load.sampledBodies === 0) problems.push("no answer's body was looked at");
  return problems;
}

/** Every payment that was acknowledged has its row, its closed attempt and its event; nothing else has. */
async function missingRows(plan: RoundPlan, load: LoadReport): Promise<string[]> {
  const [counts] = await queryAsOwner<{ payments: number; attempts: number; events: number }>(
    plan.database,
    `select count(*)::integer as payments,
            count(a.payment_id)::integer as attempts,
            count(e.stream)::integer as events
     from payments.payments p
     left join payments.attempts a
       on a.payment_id = p.id and a.number = 1 and a.state = 'succeeded' and a.stripe_payment_intent_id is not null
     left join events.log e on e.stream = p.id and e.type = 'payment.created'
     where p.idempotency_key like '%' || $1`,
    [keySuffixOf(plan.name)],
  );
  return Object.entries(counts ?? {})
    .filter(([, count]) => count !== load.acknowledged)
    .map(([what, count]) => `${count} ${what} are stored for ${load.acknowledged} that were acknowledged`);
}
