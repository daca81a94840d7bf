import { isUuid } from "../../../../kernel/identifiers.ts";
import { accept, type Result, refuse } from "../../../../kernel/result.ts";
import type { Payout, Recipient } from "../../domain/payout.ts";
import { getPayout } from "../../persistence/reading.queries.ts";
import type { PayoutsContext } from "../context.ts";
import { payoutOf } from "../stored-payout.ts";

export type PayoutNotFound = { type: "payout_not_found" };

/** ObtenerEstadoPago: the payout as it stands. Only the scope that it was made in sees it, and only by its kind. */
export async function findPayout(
  context: PayoutsContext,
  scope: string,
  kind: Recipient["kind"],
  id: string,
): Promise<Result<Payout, PayoutNotFound>> {
  const payout = isUuid(id) ? await readPayout(context, scope, kind, id) : undefined;
  return payout === undefined ? refuse({ type: "payout_not_found" }) : accept(payout);
}

/** The same for an id that is one; undefined where there is no such payout. */
export async function readPayout(
  { database }: PayoutsContext,
  scope: string,
  recipientKind: Recipient["kind"],
  id: string,
): Promise<Payout | undefined> {
  const [row] = await getPayout.run({ id, scope, recipientKind }, database);
  return row === undefined ? undefined : payoutOf(row);
}
