import type { Database } from "../../kernel/statement.ts";
import type { SweeperJob } from "../../movements/index.ts";
import { tallyEvents } from "./application.ts";

/** What the sweeper repeats for the event log. */
export function eventJobs(database: Database): SweeperJob[] {
  return [{ name: "tally events", run: () => tallyEvents(database) }];
}
