import type { Result } from "../../../kernel/result.ts";
import type { Database } from "../../../kernel/statement.ts";
import type { PaymentGateway } from "../../../movements/index.ts";
import type { TransactionDraft } from "../../ledger/index.ts";
import type { LedgerMovement } from "../domain/lines.ts";

/** Asks for the entries of an account in [from, to), all currencies, in an order that does not change. */
export type MovementsRequest = {
  /** The account's code. */
  readonly code: string;
  readonly from: Date;
  readonly to: Date;
  /** The `next` of the page before; null for the first page. */
  readonly after: string | null;
  readonly limit: number;
};

export type MovementsPage = { readonly movements: readonly LedgerMovement[]; readonly next: string | null };

/** A transaction that stands in the ledger, posted now or by an earlier try. */
export type PostedAdjustment = { readonly transactionId: string };

/** How many lines were read so far, and which share of the comparison is done (0 to 1). */
export type StepProgress = { readonly lines: number; readonly compared: number };

/** What the use cases of this module work with; built once, in the composition root. */
export type ReconciliationContext = {
  readonly database: Database;
  readonly gateway: Pick<PaymentGateway, "name" | "listSettlements">;
  readonly ledger: {
    readonly listMovements: (request: MovementsRequest) => Promise<MovementsPage>;
    /** Posts a transaction, or finds it posted. The refusals are the ledger's own. */
    readonly post: (draft: TransactionDraft) => Promise<Result<PostedAdjustment, { type: string }>>;
  };
  readonly newId: () => string;
  /** How long a call to the gateway may take, in milliseconds. */
  readonly callDeadlineMs: number;
  /** After how long without progress another process takes a run over, in milliseconds. */
  readonly leaseMs: number;
  /** How long the first wait for an unreachable gateway is; each further one is twice as long. In milliseconds. */
  readonly retryMs: number;
  /** Told before each step of a run: for progress bars, and for tests that end a process between two steps. */
  readonly onStep?: (runId: string, step: string, progress: StepProgress) => void;
};
