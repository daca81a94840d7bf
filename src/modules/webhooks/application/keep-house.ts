import type { Database } from "../../../kernel/statement.ts";
import { firstIdAt } from "../domain/delivery.ts";
import {
  countDueWebhooks,
  forgetWebhookDeliveries,
  forgetWebhookEndpoints,
  giveUpWebhookDeliveries,
} from "../persistence/keeping.queries.ts";

/** For so long deliveries are kept, with what they sent. In milliseconds. */
const keptMs = 30 * 86_400_000;
const atOnce = 1_000;

/** Forgets a page of the deliveries that are older than 30 days. Returns how many where there may be more, else 0. */
export async function forgetDeliveries(database: Database, nowMs: number): Promise<number> {
  const before = new Date(nowMs - keptMs);
  const page = { below: firstIdAt(before.getTime()), before, limit: atOnce };
  const [row] = await forgetWebhookDeliveries.run(page, database);
  return worthAnotherRound(Number(row?.forgotten ?? 0n));
}

/** Ends what was still to be sent to endpoints that were removed, and forgets those of which nothing is left. */
export async function clearRemovedEndpoints(database: Database, nowMs: number): Promise<number> {
  const now = new Date(nowMs);
  const givenUp = await giveUpWebhookDeliveries.run({ now, limit: atOnce }, database);
  await forgetWebhookEndpoints.run({ now, before: new Date(nowMs - keptMs) }, database);
  return worthAnotherRound(givenUp.length);
}

/** How many deliveries wait to be sent (1,000 of each endpoint are counted at most), and for how long the oldest. */
export type DueDeliveries = { readonly deliveries: number; readonly ageMs: number };

/** What is due to be sent, and is not. */
export async function countDue(database: Database, nowMs: number): Promise<DueDeliveries> {
  const [row] = await countDueWebhooks.run({ now: new Date(nowMs), most: atOnce }, database);
  const { deliveries = 0n, oldest = null } = row ?? {};
  return { deliveries: Number(deliveries), ageMs: oldest === null ? 0 : Math.max(0, nowMs - oldest.getTime()) };
}

function worthAnotherRound(done: number): number {
  return done < atOnce ? 0 : done;
}
