import type { MovementContext, PaymentGateway } from "../../../movements/index.ts";
import type { LedgerContext } from "../../ledger/index.ts";
import type { Disposition, PaymentLanes } from "./lanes.ts";

/** What the use cases of this module work with; built once, in the composition root. */
export type PaymentsContext = MovementContext & {
  readonly lanes: PaymentLanes;
  readonly gateway: PaymentGateway;
  /** The books that the postings of payments are read from. */
  readonly ledger: LedgerContext;
  readonly sha256: (text: string) => string;
  readonly observe: {
    readonly statusReached: (status: string) => void;
    readonly eventReceived: (type: string, disposition: Disposition) => void;
    readonly attemptRecovered: (operation: string, result: string) => void;
  };
};
