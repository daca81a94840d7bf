import type { LatencySummary } from "./histogram.ts";
import type { TargetName } from "./targets.ts";

/** What the load process is to do; it comes as JSON in its first argument. */
export type LoadPlan = {
  readonly target: TargetName;
  readonly port: number;
  /** Connections that are kept open, each with one request outstanding at any time (a closed loop). */
  readonly connections: number;
  /** So many requests in a second, over whichever connections are free; left out: as many as the server answers. */
  readonly ratePerSecond?: number | undefined;
  /** Answers of this first stretch are checked and counted as acknowledged, but not measured. */
  readonly warmupMs: number;
  readonly measureMs: number;
  /** Every key ends with it and is unique before it, so that what a run made is found by it. */
  readonly keySuffix: string;
  /** Of how many answers one is parsed and checked. */
  readonly sampleEvery: number;
  /** How long the answers that are outstanding at the end may take. */
  readonly drainMs: number;
};

/** What came of it; the load process prints it as one line of JSON. */
export type LoadReport = {
  /** Answers of the target's status inside the measured stretch, and for each second of it. */
  readonly created: number;
  readonly createdPerSecond: number;
  /** Such answers from the first to the last request: as much must be in the database. */
  readonly acknowledged: number;
  readonly latency: LatencySummary;
  /** The measured stretch by the machine's clock, in milliseconds since 1970. */
  readonly measuredFromMs: number;
  readonly measuredUntilMs: number;
  /** How often which thing went wrong, over the whole run: `status_503`, `connection_closed`, `wrong_body` … */
  readonly errors: Readonly<Record<string, number>>;
  /** The first bodies or messages of what went wrong, to say why. */
  readonly errorSamples: readonly string[];
  readonly sampledBodies: number;
  /** What the load itself took of the machine's cores. */
  readonly cpuSeconds: number;
};
