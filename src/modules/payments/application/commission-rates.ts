import type { Database } from "../../../kernel/statement.ts";
import * as statements from "../persistence/commission.queries.ts";

/** What the marketplace takes of sales, in hundredths of a percent; null is every seller, every category, no rate. */
export type CommissionRate = {
  readonly sellerId: string | null;
  readonly category: string | null;
  readonly basisPoints: number | null;
};

/** Sets a rate for payments made from now on; without basis points the particular rate is taken away. */
export async function setCommissionRate(database: Database, rate: CommissionRate): Promise<void> {
  const named = { sellerId: rate.sellerId ?? "", category: rate.category ?? "" };
  if (rate.basisPoints === null) await statements.removeCommissionRate.run(named, database);
  else await statements.upsertCommissionRate.run({ ...named, basisPoints: rate.basisPoints }, database);
}

/** Every rate, everybody's first. */
export async function listCommissionRates(database: Database): Promise<CommissionRate[]> {
  const rows = await statements.listCommissionRates.run(undefined, database);
  return rows.map(({ sellerId, category, basisPoints }) => ({
    sellerId: sellerId === "" ? null : sellerId,
    category: category === "" ? null : category,
    basisPoints,
  }));
}
