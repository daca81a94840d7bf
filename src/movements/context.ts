import type { Database } from "../kernel/statement.ts";
import type { PipelineSettings } from "./pipeline.ts";
import type { UnderWay } from "./under-way.ts";

/** What the use cases of every kind of movement work with. */
export type MovementContext = {
  /** For everything that is not hot. */
  readonly database: Database;
  readonly pipeline: PipelineSettings;
  /** After how long recovery takes an attempt over from whoever works on it, in milliseconds. */
  readonly leaseMs: number;
  /** How long a repeated request waits for the first one to end, in milliseconds. */
  readonly replayWaitMs: number;
  readonly newId: () => string;
  /** Requests under way in this process, by scope and key: a repeated one waits for the first instead of polling. */
  readonly underWay: UnderWay;
};
