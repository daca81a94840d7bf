import { join } from "node:path";
import type { BenchArguments } from "./arguments.ts";
import type { BenchCluster, BenchDatabase } from "./cluster.ts";
import { type Contender, startContender } from "./contenders.ts";
import type { LoadPlan, LoadReport } from "./load-plan.ts";
import { memoryOf, runScript } from "./processes.ts";
import { targets } from "./targets.ts";
import { type Cores, coresOf, cpuUsEachOf, watchUsage } from "./usage.ts";
import type { Workload } from "./workloads/workload.ts";

/** One contender measured once, by a fresh process over its database. */
export type Round = {
  readonly contender: Contender;
  readonly load: LoadReport;
  readonly peakRssMb: number;
  /** From the first request to the last; where `others` is large, the machine was not ours alone. */
  readonly cores: Cores;
  /** Processor time for each acknowledged request, in microseconds; other work on the machine raises it, too. */
  readonly cpuUsEach: { readonly server: number; readonly postgres: number };
  /** What was wrong, one sentence each; empty where the figures count. */
  readonly problems: readonly string[];
};

export type RoundPlan = {
  readonly contender: Contender;
  readonly workload: Workload;
  readonly database: BenchDatabase;
  /** Different for every round of a run: the idempotency keys of its requests end in it. */
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  /** So many requests in a second; left out: as many as the server answers. */
  readonly ratePerSecond?: number;
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
  const { workload } = plan;
  await cluster.checkpoint();
  const server = await startContender({ ...plan, home: homeOf(cluster, plan.database), nodeOptions: args.nodeOptions });
  const port = targets[workload.target].listener === "partner" ? server.partnerPort : server.port;
  const problems: string[] = [];
  let stopped = false;
  try {
    const failings = await workload.probe(port, `${plan.name}-probe`);
    if (failings.length > 0) {
      throw new Error(`${plan.contender} does not do what it must:\n${failings.join("\n")}\n${server.endOfLog()}`);
    }
    const loadPlan: LoadPlan = {
      target: workload.target,
      port,
      connections: args.connections,
      ratePerSecond: plan.ratePerSecond,
      warmupMs: args.warmupMs,
      measureMs: args.measureMs,
      keySuffix: keySuffixOf(plan.name),
      sampleEvery,
      drainMs,
    };
    const usageSince = watchUsage(server.pid, cluster.postmasterPid);
    const load: LoadReport = JSON.parse(
      await runScript([join(import.meta.dirname, "load.ts"), JSON.stringify(loadPlan)]),
    );
    const usage = usageSince();
    problems.push(...problemsOf(load), ...((await plan.afterLoad?.(load)) ?? []));
    const peakRssMb = memoryOf(server.pid).peakMb;
    stopped = true;
    if (!(await server.stop())) problems.push("the server did not stop by itself");
    problems.push(...(await workload.missing(plan.database, keySuffixOf(plan.name), load.acknowledged)));
    const cores = coresOf(usage, load.cpuSeconds);
    const cpuUsEach = cpuUsEachOf(usage, load.acknowledged);
    return { contender: plan.contender, load, peakRssMb, cores, cpuUsEach, problems };
  } finally {
    if (!stopped) await server.stop();
  }
}

/** Where the servers over a database keep what is beside it: the simulator's journal and their log. */
export function homeOf(cluster: BenchCluster, database: BenchDatabase): string {
  return cluster.makeHome(`${database.name}-home`);
}

/** What the idempotency keys of a round's requests end in. */
export function keySuffixOf(roundName: string): string {
  return `-${roundName}`;
}

function problemsOf(load: LoadReport): string[] {
  const problems = Object.entries(load.errors).map(([what, count]) => `${count} × ${what}`);
  if (problems.length > 0) problems.push(...load.errorSamples);
  if (load.created === 0) problems.push("nothing was acknowledged");
  if (load.created > 10 * sampleEvery && load.sampledBodies === 0) problems.push("no answer's body was looked at");
  return problems;
}
