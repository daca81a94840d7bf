import type { Money } from "../../../kernel/money.ts";
import { setAccountFloor } from "../persistence/posting.queries.ts";
import type { LedgerContext } from "./context.ts";

/**
 * Sets the least that may be available in an account, and keeps why. Only the owner of the ledger may; throws what the
 * database says where the account has no floor, is not in the chart, or is below the new one already.
 */
export async function setFloor(
  { database, tenant }: LedgerContext,
  account: string,
  floor: Money,
  reason: string,
): Promise<void> {
  const { currency, amountMinor } = floor;
  await setAccountFloor.run({ tenant, account, currency, floorMinor: amountMinor, reason }, database);
}
