import type { BillGateway, Cache, MovementContext } from "../../../movements/index.ts";
import type { BillLanes } from "./lanes.ts";
import type { RetryBursts } from "./retry-bursts.ts";

/** What the use cases of this module work with; built once, in the composition root. */
export type BillsContext = MovementContext & {
  readonly lanes: BillLanes;
  readonly gateway: BillGateway;
  /** Keeps the answers of payments that are final, for keys that are asked for again and again. */
  readonly cache: Cache;
  /** The retry that is declined after so many makes a payment EXHAUSTED. */
  readonly maxRetries: number;
  /** Keys that this process has seen repeated, by scope and key, the latest last: it does not try to take them. */
  readonly takenKeys: Set<string>;
  /** Retries that are being answered in this process. */
  readonly retrying: RetryBursts;
  readonly observe: {
    readonly statusReached: (status: string) => void;
    readonly attemptRecovered: (operation: string, result: string) => void;
  };
};
