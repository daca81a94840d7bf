import type { Contender } from "../contenders.ts";
import { median, short, type Table, whole } from "../report.ts";
import type { Round } from "../round.ts";
import type { Cores } from "../usage.ts";

/** What a scenario found out. */
export type Outcome = {
  readonly tables: readonly Table[];
  /** Sentences below the tables: ratios and how to read the figures. */
  readonly notes: readonly string[];
  /** What made the figures worthless; any of them fails the run. */
  readonly problems: readonly string[];
  /** The same figures for programs. */
  readonly figures: unknown;
};

export const nameOf: Readonly<Record<Contender, string>> = { marketflow: "MarketFlow", baseline: "baseline" };

const latencyColumns = ["P50 ms", "P95 ms", "P99 ms", "max ms"];

/** One row of medians for each group of rounds, in the order given. */
export function medianTable(groups: ReadonlyMap<string, readonly Round[]>): Table {
  const columns = ["medians", "requests/s", ...latencyColumns, "peak RSS MB", "errors"];
  const rows = [...groups].map(([name, rounds]) => {
    const middle = (read: (round: Round) => number) => median(rounds.map(read));
    return [
      name,
      whole(middle((round) => round.load.createdPerSecond)),
      short(middle((round) => round.load.latency.p50Ms)),
      short(middle((round) => round.load.latency.p95Ms)),
      short(middle((round) => round.load.latency.p99Ms)),
      short(middle((round) => round.load.latency.maxMs)),
      whole(middle((round) => round.peakRssMb)),
      whole(rounds.reduce((sum, round) => sum + errorsOf(round), 0)),
    ];
  });
  return { columns, rows };
}

/** Every round as it was run, with what kept the cores busy. */
export function roundTable(rounds: readonly (readonly [string, Round])[]): Table {
  const columns = [
    "rounds",
    "requests/s",
    "P50 ms",
    "P99 ms",
    "peak RSS MB",
    "cores: server",
    "postgres",
    "load",
    "others",
    "CPU µs each: server",
    "postgres",
  ];
  const rows = rounds.map(([name, { load, peakRssMb, cores, cpuUsEach }], index) => [
    `${index + 1} ${name}`,
    whole(load.createdPerSecond),
    short(load.latency.p50Ms),
    short(load.latency.p99Ms),
    whole(peakRssMb),
    cores.server.toFixed(2),
    cores.postgres.toFixed(2),
    cores.load.toFixed(2),
    cores.others.toFixed(2),
    whole(cpuUsEach.server),
    whole(cpuUsEach.postgres),
  ]);
  return { columns, rows };
}

function errorsOf({ load }: Round): number {
  return Object.values(load.errors).reduce((sum, count) => sum + count, 0);
}

/** The median throughput of one group of rounds over that of another. */
export function ratioOf(rounds: readonly Round[], others: readonly Round[]): number {
  const throughput = (group: readonly Round[]) => median(group.map((round) => round.load.createdPerSecond));
  return throughput(rounds) / throughput(others);
}

/** The rounds of each contender, MarketFlow first. */
export function byContender(rounds: readonly Round[]): Map<string, Round[]> {
  const groups = new Map<string, Round[]>();
  for (const round of rounds) {
    const name = nameOf[round.contender];
    groups.set(name, [...(groups.get(name) ?? []), round]);
  }
  return groups;
}

/** Above this many cores of other work, requests/s say more about the machine than about the servers. */
const tolerableOthers = 0.25;

/** A warning where the machine was not the bench's alone; nothing where it was. */
export function disturbance(rounds: readonly { readonly cores: Cores }[]): string[] {
  const disturbed = rounds.filter(({ cores }) => cores.others > tolerableOthers);
  if (disturbed.length === 0) return [];
  const most = Math.max(...disturbed.map(({ cores }) => cores.others)).toFixed(2);
  const extent = `up to ${most} cores in ${disturbed.length} of ${rounds.length} rounds`;
  return [`NOT A FAIR COMPARISON: other work took ${extent}. Repeat it on a quiet machine.`];
}

/** The problems of all rounds, each with the round it is from. */
export function problemsOf(rounds: readonly Round[]): string[] {
  return rounds.flatMap(({ contender, problems }, index) =>
    problems.map((problem) => `round ${index + 1} (${nameOf[contender]}): ${problem}`),
  );
}
