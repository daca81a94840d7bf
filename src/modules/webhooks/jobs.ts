import type { SweeperJob } from "../../movements/index.ts";
import type { WebhooksContext } from "./application/context.ts";
import { clearRemovedEndpoints, countDue, type DueDeliveries, forgetDeliveries } from "./application/keep-house.ts";

/** What the sweeper repeats for webhooks. `onDue` is told of what waits to be sent. */
export function webhookJobs(
  { database, nowMs }: Pick<WebhooksContext, "database" | "nowMs">,
  onDue: (due: DueDeliveries) => void,
): SweeperJob[] {
  return [
    { name: "forget webhook deliveries", run: () => forgetDeliveries(database, nowMs()) },
    { name: "clear removed webhook endpoints", run: () => clearRemovedEndpoints(database, nowMs()) },
    {
      name: "count due webhooks",
      async run() {
        onDue(await countDue(database, nowMs()));
        return 0;
      },
    },
  ];
}
