import { parseArgs } from "node:util";

/** The scenarios by name, with what each measures. */
export const scenarios = {
  "create-payment": "POST /payments, MarketFlow and the baseline in turns",
  "full-payment": "payments created, confirmed by webhook and settled, MarketFlow and the baseline in turns",
  "table-growth": "create-payment with 10 thousand and with 1 million payments stored, in turns",
  "ledger-posting": "payments posted straight into the ledger, MarketFlow and row by row in PL/pgSQL in turns",
  "log-growth": "reading and appending where the log has 10 thousand and 10 million events, in turns",
  "ledger-growth": "ledger-posting with 100 thousand and with 10 million entries, in turns, and reading there",
  "pay-bill": "POST /payments of the partner API, accepted, paid and settled, MarketFlow and the baseline in turns",
  payouts: "a file of 100,000 pagos as lotes, against a gateway of 50 ms",
  pagos: "POST /pagos one by one, against a gateway of 50 ms",
  relay: "a log of 300,000 events published, to nobody, to the statement and to Pulsar, and by the baseline in turns",
  "relay-lag": "from an event's appending to its arrival through Pulsar, at 3,000 payments a second",
  "relay-cost": "POST /payments without a relay beside it and with one, in turns",
  startup: "time to listen and memory after the start, MarketFlow and the baseline in turns",
} as const;

export type Scenario = keyof typeof scenarios;

export type BenchArguments = {
  readonly scenario: Scenario;
  readonly connections: number;
  readonly warmupMs: number;
  readonly measureMs: number;
  readonly rounds: number;
  /** Only to see that it works: whatever has a size of its own takes a small one. */
  readonly short: boolean;
  readonly only: "marketflow" | "baseline" | undefined;
  readonly nodeOptions: string;
  readonly jsonFile: string | undefined;
};

export const usage = `usage: npm run bench -- <scenario> [options]

${Object.entries(scenarios)
  .map(([name, meaning]) => `  ${name.padEnd(16)}${meaning}`)
  .join("\n")}

  --connections N   connections with one request outstanding each (256; 512 in pagos); payments in flight in ledger-*
                    (128); calls to the gateway in flight in payouts (512)
  --seconds N       measured seconds of each round, after the warm-up (8; 20 in relay-lag)
  --warmup N        seconds of warm-up (3)
  --rounds N        rounds of each contender, in turns (3)
  --short           one round of 2 seconds (of 20,000 pagos), to see that it works
  --only NAME       only marketflow or only baseline
  --node-options=S  flags of Node.js for the servers, e.g. --node-options="--cpu-prof --cpu-prof-dir=/tmp/profile"
  --json FILE       writes the figures there as well
`;

/** Reads the command line. Throws an Error with a sentence for whoever typed it. */
export function parseBenchArguments(args: readonly string[]): BenchArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      connections: { type: "string" },
      seconds: { type: "string" },
      warmup: { type: "string" },
      rounds: { type: "string" },
      short: { type: "boolean", default: false },
      only: { type: "string" },
      "node-options": { type: "string", default: "" },
      json: { type: "string" },
    },
  });
  const scenario = positionals[0];
  if (positionals.length !== 1 || scenario === undefined || !isScenario(scenario)) {
    throw new Error(`name one scenario: ${Object.keys(scenarios).join(", ")}`);
  }
  const { only, short } = values;
  if (only !== undefined && only !== "marketflow" && only !== "baseline") {
    throw new Error("--only takes marketflow or baseline");
  }
  return {
    scenario,
    connections: wholeNumber("--connections", values.connections ?? defaultConnections(scenario), 1, 10_000),
    measureMs: wholeNumber("--seconds", values.seconds ?? defaultSeconds(scenario, short), 1, 3600) * 1000,
    warmupMs: wholeNumber("--warmup", values.warmup ?? (short ? "1" : "3"), 0, 600) * 1000,
    rounds: wholeNumber("--rounds", values.rounds ?? (short ? "1" : "3"), 1, 100),
    short,
    only,
    nodeOptions: values["node-options"],
    jsonFile: values.json,
  };
}

function defaultSeconds(scenario: Scenario, short: boolean): string {
  if (short) return "2";
  return scenario === "relay-lag" ? "20" : "8";
}

function defaultConnections(scenario: Scenario): string {
  if (scenario.startsWith("ledger-")) return "128";
  return scenario === "payouts" || scenario === "pagos" ? "512" : "256";
}

/** What a run does, in a few words for the head of its report. */
export function wordsFor({ scenario, connections, rounds, warmupMs, measureMs }: BenchArguments): string {
  if (scenario === "startup") return `${rounds} starts of each`;
  if (scenario === "payouts") return `${connections} calls in flight, ${rounds} rounds`;
  if (scenario === "relay") return `${rounds} rounds, those of the baseline of ${measureMs / 1000} s`;
  const load = scenario.startsWith("ledger-") ? `${connections} payments in flight` : `${connections} connections`;
  return `${load}, ${rounds} rounds of ${measureMs / 1000} s after ${warmupMs / 1000} s of warm-up`;
}

function isScenario(name: string): name is Scenario {
  return Object.hasOwn(scenarios, name);
}

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most)) throw new Error(`${flag} takes a whole number from ${least} to ${most}`);
  return number;
}
