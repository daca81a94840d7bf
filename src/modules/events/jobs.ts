import type { Database } from "../../kernel/statement.ts";
import type { SweeperJob } from "../../movements/index.ts";
import { forgetReceipts } from "./application/inbox.ts";
import { partitionJob } from "./application/partitions.ts";
import { tallyEvents } from "./application/statistics.ts";

/** What the sweeper repeats for the event log. */
export function eventJobs(database: Database): SweeperJob[] {
  return [
    { name: "tally events", run: () => tallyEvents(database) },
    { name: "forget receipts", run: () => forgetReceipts(database) },
    partitionJob(database),
  ];
}
