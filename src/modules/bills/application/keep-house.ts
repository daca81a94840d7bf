import { foldBillChanges, forgetBillKeys } from "../persistence/movements.queries.ts";
import type { BillsContext } from "./context.ts";

const keysAtOnce = 1_000;
const changesAtOnce = 10_000;

/** Forgets a page of the idempotency keys whose time is over. Returns how many, as {@link worthAnotherRound}. */
export async function forgetKeys({ database }: Pick<BillsContext, "database">): Promise<number> {
  const forgotten = await forgetBillKeys.run({ limit: keysAtOnce }, database);
  return worthAnotherRound(forgotten.length, keysAtOnce);
}

/** Adds a page of what batches counted to the tallies. Returns how many rows, as {@link worthAnotherRound}. */
export async function foldChanges({ database }: Pick<BillsContext, "database">): Promise<number> {
  const [row] = await foldBillChanges.run({ limit: changesAtOnce }, database);
  return worthAnotherRound(Number(row?.folded ?? 0n), changesAtOnce);
}

/** Under load there is always one more: what is less than a page can wait for the sweeper's next round. */
function worthAnotherRound(done: number, page: number): number {
  return done < page ? 0 : done;
}
