import { findHolds } from "../persistence/holds.queries.ts";
import type { LedgerContext } from "./context.ts";

/** A hold by its maker's name for it, and what became of it. */
export type NamedHold = {
  readonly reference: string;
  readonly holdId: string;
  readonly state: "open" | "posted" | "voided" | "expired";
};

const mostReferences = 1_000;

/**
 * The holds with these references, in no order; what was never held is not among them. Throws a RangeError for more
 * than 1,000 references at once.
 */
export async function findHoldsByReferences(
  { tenant, database }: LedgerContext,
  references: readonly string[],
): Promise<NamedHold[]> {
  if (references.length === 0) return [];
  if (references.length > mostReferences) throw new RangeError(`more than ${mostReferences} references at once`);
  const rows = await findHolds.run({ tenant, references }, database);
  return rows.map(({ reference, holdId, state }) => ({ reference, holdId, state: state as NamedHold["state"] }));
}
