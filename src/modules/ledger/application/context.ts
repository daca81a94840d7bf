import type { Database } from "../../../kernel/statement.ts";
import type { Lane } from "../../../movements/index.ts";
import type { PostOutcome, TransactionDraft } from "../domain/transaction.ts";

/** The books of the marketplace itself: those that the statements of payments post to. */
export const ownBooks = "default";

/** What reading the ledger takes. */
export type LedgerContext = {
  /** For everything that is not hot. */
  readonly database: Database;
  /** Whose books these are: references and account codes are unique in them. */
  readonly tenant: string;
};

/** What posting to it takes besides. */
export type PostingContext = LedgerContext & { readonly lane: Lane<TransactionDraft, PostOutcome> };
