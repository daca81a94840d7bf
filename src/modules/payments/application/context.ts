import type { Database } from "../../../kernel/statement.ts";
import type { PaymentGateway, PipelineSettings } from "../../../movements/index.ts";
import type { LedgerContext } from "../../ledger/index.ts";
import type { Disposition, PaymentLanes } from "./lanes.ts";

/** What the use cases of this module work with; built once, in the composition root. */
export type PaymentsContext = {
  readonly lanes: PaymentLanes;
  /** For everything that is not hot. */
  readonly database: Database;
  readonly gateway: PaymentGateway;
  /** The books that the postings of payments are read from. */
  readonly ledger: LedgerContext;
  readonly pipeline: PipelineSettings;
  /** After how long recovery takes an attempt over from whoever works on it, in milliseconds. */
  readonly leaseMs: number;
  /** How long a repeated request waits for the first one to end, in milliseconds. */
  readonly replayWaitMs: number;
  readonly newId: () => string;
  readonly sha256: (text: string) => string;
  /** Requests under way in this process, by scope and key, so that a repeated one is woken instead of polling. */
  readonly underWay: Map<string, Promise<unknown>>;
  readonly observe: {
    readonly statusReached: (status: string) => void;
    readonly eventReceived: (type: string, disposition: Disposition) => void;
    readonly attemptRecovered: (operation: string, result: string) => void;
  };
};
