import type { SweeperJob } from "../../movements/index.ts";
import type { PostingContext } from "./application/context.ts";
import { expireHolds } from "./application/hold-funds.ts";
import { netReceivables } from "./application/net-receivables.ts";
import { sealingJob } from "./application/seal-batches.ts";

/** What the sweeper repeats for the ledger. `onSealed` is told each new head of the hash chain. */
export function ledgerJobs(context: PostingContext, onSealed: (head: string) => void): SweeperJob[] {
  return [
    sealingJob(context, onSealed),
    { name: "expire holds", run: () => expireHolds(context) },
    { name: "net receivables", run: () => netReceivables(context) },
  ];
}
