import type { BenchArguments } from "../arguments.ts";
import type { BenchCluster, BenchDatabase } from "../cluster.ts";
import {
  installBaseline,
  openAccounts,
  openBaseline,
  openLane,
  type Poster,
  type PostingRound,
  runPostingRound,
  wrongBooks,
} from "../ledger-load.ts";
import { median, short, type Table, whole } from "../report.ts";
import { nameOf, type Outcome } from "./outcome.ts";

type Entrant = { readonly name: string; readonly database: BenchDatabase; readonly open: () => Poster; posted: number };

/**
 * Payments of three legs, two of them on accounts that every payment posts to, straight into the ledger: through
 * MarketFlow's posting lane, and row by row in PL/pgSQL on the same tables. Both write versions, running balances and
 * unique references under the same constraints. Each has its own database, which grows from round to round.
 */
export async function ledgerPostingScenario(cluster: BenchCluster, args: BenchArguments): Promise<Outcome> {
  const entrants: Entrant[] = [];
  for (const contender of args.only === undefined ? (["marketflow", "baseline"] as const) : [args.only]) {
    const database = await cluster.createDatabase(`bench_ledger_${contender}`);
    const posted = await openAccounts(database);
    if (contender === "baseline") await installBaseline(database);
    const open = contender === "baseline" ? () => openBaseline(database) : () => openLane(database);
    entrants.push({ name: contender === "baseline" ? "row by row" : nameOf.marketflow, database, open, posted });
  }
  const rounds: PostingRound[] = [];
  for (let turn = 1; turn <= args.rounds; turn += 1) {
    for (const entrant of entrants) {
      const poster = entrant.open();
      const round = await runPostingRound(cluster, args, { contender: entrant.name, poster });
      await poster.close();
      entrant.posted += round.posted;
      const problems = [...round.problems, ...(await wrongBooks(entrant.database, entrant.posted))];
      rounds.push({ ...round, problems });
    }
  }
  const groups = postingGroups(rounds);
  const [marketflow, baseline] = [...groups.values()].map((group) => median(group.map((round) => round.perSecond)));
  const ratio = marketflow === undefined || baseline === undefined ? undefined : (marketflow / baseline).toFixed(1);
  return {
    tables: [postingMedians(groups), postingRounds(rounds)],
    notes: [
      ...(ratio === undefined ? [] : [`MarketFlow posts ${ratio} times the payments of posting row by row.`]),
      "A payment is three entries; every balance was compared with its entries and with what was acknowledged.",
      ...postingDisturbance(rounds),
    ],
    problems: postingProblems(rounds),
    figures: rounds,
  };
}

/** The rounds of each contender, in the order in which they first came. */
export function postingGroups(rounds: readonly PostingRound[]): Map<string, PostingRound[]> {
  return Map.groupBy(rounds, ({ contender }) => contender);
}

/** One row of medians for each group of rounds. */
export function postingMedians(groups: ReadonlyMap<string, readonly PostingRound[]>): Table {
  const rows = [...groups].map(([name, rounds]) => {
    const middle = (read: (round: PostingRound) => number) => median(rounds.map(read));
    return [
      name,
      whole(middle((round) => round.perSecond)),
      short(middle((round) => round.latency.p50Ms)),
      short(middle((round) => round.latency.p95Ms)),
      short(middle((round) => round.latency.p99Ms)),
      short(middle((round) => round.cpuUsEach.postgres)),
    ];
  });
  return { columns: ["medians", "payments/s", "P50 ms", "P95 ms", "P99 ms", "PostgreSQL CPU µs each"], rows };
}

/** Every round as it was run, with what kept the cores busy. */
export function postingRounds(rounds: readonly PostingRound[]): Table {
  const columns = ["rounds", "payments/s", "P50 ms", "P99 ms", "cores: process", "postgres", "others"];
  const rows = rounds.map(({ contender, perSecond, latency, cores }, index) => [
    `${index + 1} ${contender}`,
    whole(perSecond),
    short(latency.p50Ms),
    short(latency.p99Ms),
    cores.process.toFixed(2),
    cores.postgres.toFixed(2),
    cores.others.toFixed(2),
  ]);
  return {
    columns: [...columns, "CPU µs each: process", "postgres"],
    rows: rows.map((row, index) => [...row, ...cpuOf(rounds[index])]),
  };
}

function cpuOf(round: PostingRound | undefined): string[] {
  return [short(round?.cpuUsEach.process ?? 0), short(round?.cpuUsEach.postgres ?? 0)];
}

/** A warning where the machine was not the bench's alone. */
export function postingDisturbance(rounds: readonly PostingRound[]): string[] {
  const most = Math.max(...rounds.map(({ cores }) => cores.others));
  if (most <= 0.25) return [];
  return [`NOT A FAIR COMPARISON: other work took up to ${most.toFixed(2)} cores. Repeat it on a quiet machine.`];
}

/** The problems of all rounds, each with the round it is from. */
export function postingProblems(rounds: readonly PostingRound[]): string[] {
  return rounds.flatMap(({ contender, problems }, index) =>
    problems.map((problem) => `round ${index + 1} (${contender}): ${problem}`),
  );
}
