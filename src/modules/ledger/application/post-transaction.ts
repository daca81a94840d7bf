import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { Database } from "../../../kernel/statement.ts";
import { createLane, type Lane, type LaneSettings } from "../../../movements/index.ts";
import { draftColumns } from "../domain/draft-columns.ts";
import {
  type DraftRefusal,
  judgeDraft,
  type PostedTransaction,
  type PostingRefusal,
  type PostOutcome,
  type TransactionDraft,
} from "../domain/transaction.ts";
import { postTransactions } from "../persistence/posting.queries.ts";
import type { PostingContext } from "./context.ts";

/** Posts a transaction, in one commit with whatever else waits to be posted. The same one again changes nothing. */
export async function postTransaction(
  context: PostingContext,
  draft: TransactionDraft,
): Promise<Result<PostedTransaction, PostingRefusal | DraftRefusal>> {
  const judged = judgeDraft(draft);
  return judged.ok ? await context.lane.submit(judged.value) : judged;
}

export type PostingLaneLimits = Omit<LaneSettings<TransactionDraft, PostOutcome>, "name" | "run" | "keyOf">;

/** Group commit for transactions that are no part of another module's statement. */
export function createPostingLane(
  database: Database,
  tenant: string,
  limits: PostingLaneLimits,
): Lane<TransactionDraft, PostOutcome> {
  return createLane<TransactionDraft, PostOutcome>({
    ...limits,
    name: "post_transaction",
    run: (drafts) => post(database, tenant, drafts),
    // The second of two drafts with one reference comes with the next batch, and finds what became of the first.
    keyOf: (draft) => draft.reference,
  });
}

async function post(database: Database, tenant: string, drafts: readonly TransactionDraft[]): Promise<PostOutcome[]> {
  const [row] = await postTransactions.run({ tenant, ...draftColumns(drafts) }, database);
  const exceptions = (row?.exceptions ?? {}) as Record<string, { result: string; id?: string }>;
  const firstId = BigInt(row?.firstId ?? 0n);
  return drafts.map((_draft, place) => {
    const exception = exceptions[place + 1];
    if (exception === undefined) {
      return accept({ transactionId: (firstId + BigInt(place)).toString(), already: false });
    }
    const { result, id = "" } = exception;
    if (result === "already_posted") return accept({ transactionId: id, already: true });
    if (result === "reference_conflict") return refuse({ type: result, transactionId: id });
    return refuse({ type: result as Exclude<PostingRefusal["type"], "reference_conflict"> });
  });
}
