import { setTimeout as sleep } from "node:timers/promises";
import type { BenchArguments } from "../arguments.ts";
import type { BenchCluster, BenchDatabase } from "../cluster.ts";
import { type Contender, startContender } from "../contenders.ts";
import { memoryOf } from "../processes.ts";
import { median, type Table, whole } from "../report.ts";
import { nameOf, type Outcome } from "./outcome.ts";

type Start = {
  readonly contender: Contender;
  readonly listeningAfterMs: number;
  readonly healthyAfterMs: number;
  readonly residentMb: number;
  readonly peakMb: number;
  readonly stoppedBySignal: boolean;
};

/** Lets timers and garbage of the start pass before the memory is read. */
const settleMs = 1000;

/** How long a process takes to listen and to be healthy with its database up and migrated, and what it holds then. */
export async function startupScenario(cluster: BenchCluster, args: BenchArguments): Promise<Outcome> {
  const contenders: Contender[] = args.only === undefined ? ["marketflow", "baseline"] : [args.only];
  const database = await cluster.createDatabase("bench_startup");
  const starts: Start[] = [];
  // The first start compiles into Node's cache, as the first one after an installation does; it is not counted.
  for (let turn = 0; turn <= args.rounds; turn += 1) {
    for (const contender of contenders) {
      const start = await startOnce(cluster, args, contender, database);
      if (turn > 0) starts.push(start);
    }
  }
  return {
    tables: [startTable(contenders, starts)],
    notes: ["Times are medians from the creation of the process; memory is read a second after it was healthy."],
    problems: starts.filter(({ stoppedBySignal }) => !stoppedBySignal).map(() => "a server did not stop by itself"),
    figures: starts,
  };
}

async function startOnce(
  cluster: BenchCluster,
  args: BenchArguments,
  contender: Contender,
  database: BenchDatabase,
): Promise<Start> {
  const home = cluster.makeHome(`startup-${contender}`);
  const environment = { SIMULATOR_BUYER: "absent" };
  const server = await startContender({ contender, database, home, environment, nodeOptions: args.nodeOptions });
  await sleep(settleMs);
  const memory = memoryOf(server.pid);
  const stoppedBySignal = await server.stop();
  const { listeningAfterMs, healthyAfterMs } = server;
  return { contender, listeningAfterMs, healthyAfterMs, ...memory, stoppedBySignal };
}

function startTable(contenders: readonly Contender[], starts: readonly Start[]): Table {
  const columns = ["medians", "listening after ms", "healthy after ms", "RSS MB", "peak RSS MB"];
  const rows = contenders.map((contender) => {
    const own = starts.filter((start) => start.contender === contender);
    const middle = (read: (start: Start) => number) => whole(median(own.map(read)));
    return [
      nameOf[contender],
      middle((start) => start.listeningAfterMs),
      middle((start) => start.healthyAfterMs),
      middle((start) => start.residentMb),
      middle((start) => start.peakMb),
    ];
  });
  return { columns, rows };
}
