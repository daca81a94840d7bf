import type { Currency } from "../../../../kernel/currency.ts";
import type { Database } from "../../../../kernel/statement.ts";
import { startLines } from "../../persistence/batches.queries.ts";
import type { PayoutsContext } from "../context.ts";
import { firstAttempt, type PayoutAttempt } from "../movements.ts";

/** What came of beginning lines. */
export type StartedLines =
  | { readonly type: "begun"; readonly attempts: readonly PayoutAttempt[] }
  /** Whoever holds the lock now has a higher fence. */
  | { readonly type: "fenced" }
  /** No batch has a line that has not begun. */
  | { readonly type: "nothing_left" };

/** A line that has begun as the statement returns it: the payout's id, whom it pays, how much in which currency. */
type BegunLine = readonly [id: string, recipientId: string, amountMinor: string, currency: string];

/**
 * Begins up to `most` lines of the oldest batch that has any, with the money for each reserved or found missing.
 * `fence` is the one of the lock that this is done under; null where it is done under none.
 */
export async function beginLines(
  context: PayoutsContext,
  database: Database,
  most: number,
  fence: bigint | null,
): Promise<StartedLines> {
  const { gateway, ledger, leaseMs, pipeline } = context;
  const [row] = await startLines.run(
    {
      most,
      fence,
      gateway: gateway.name,
      tenant: ledger.tenant,
      // A line that has begun waits for its turn at the gateway at most as long as the calls before it may take.
      leaseMs: leaseMs + pipeline.callDeadlineMs,
    },
    database,
  );
  if (row === undefined) return { type: "nothing_left" };
  if (row.isFenced) return { type: "fenced" };
  const { firstHoldId, traceparent } = row;
  const lines = (row.attempts ?? []) as unknown as readonly BegunLine[];
  const unheld = (row.unheld ?? {}) as Readonly<Record<string, unknown>>;
  const attempts = lines.map(([id, recipientId, amountMinor, currency], place) => {
    const isHeld = firstHoldId !== null && unheld[place + 1] === undefined;
    const amount = { amountMinor: BigInt(amountMinor), currency: currency as Currency };
    const recipient = { kind: "affiliate", id: recipientId } as const;
    return firstAttempt({ id, recipient, amount }, isHeld ? firstHoldId + BigInt(place) : null, traceparent);
  });
  return { type: "begun", attempts };
}
