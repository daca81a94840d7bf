import { listReferencesOfKinds } from "../persistence/posting.queries.ts";
import type { LedgerContext } from "./context.ts";

const pageSize = 5_000;

/** The references of every transaction of some kinds, in pages: for a module that must be able to explain them. */
export async function* referencesOfKinds(
  { tenant, database }: LedgerContext,
  kinds: readonly string[],
): AsyncGenerator<string[]> {
  let after = 0n;
  for (;;) {
    const rows = await listReferencesOfKinds.run({ tenant, kinds, after, limit: pageSize }, database);
    if (rows.length > 0) yield rows.map(({ reference }) => reference);
    if (rows.length < pageSize) return;
    after = rows.at(-1)?.id ?? after;
  }
}
