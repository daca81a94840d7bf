import type { MovementContext, PayoutGateway } from "../../../movements/index.ts";
import type { LedgerContext } from "../../ledger/index.ts";
import type { Estado, Recipient } from "../domain/payout.ts";
import type { PayoutLanes } from "./lanes.ts";

/** What the use cases of this module work with; built once, in the composition root. */
export type PayoutsContext = MovementContext & {
  readonly lanes: PayoutLanes;
  /** The books that payouts are reserved in and posted to. */
  readonly ledger: LedgerContext;
  readonly gateway: PayoutGateway;
  readonly sha256: (text: string) => string;
  readonly observe: {
    /** A payout was settled by this process. */
    readonly statusReached: (kind: Recipient["kind"], status: Estado) => void;
    readonly payoutRecovered: (result: string) => void;
  };
};
