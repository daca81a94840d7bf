import type { SweeperJob } from "../../../movements/index.ts";
import { formatHead, type Head } from "../domain/canonical.ts";
import { readLatestSeal, sealOldestBatches } from "../persistence/audit.queries.ts";
import type { LedgerContext } from "./context.ts";

/** A seal of at most 64 batches is some 16,000 transactions at the most, and takes PostgreSQL about a second then. */
const batchesInSeal = 64;

/** So many seals in one run, so that a backlog does not keep the sweeper from its other jobs. */
const sealsInRun = 16;

export type SealRun = {
  readonly seals: number;
  /** The newest seal that was made; undefined where there was nothing to seal. */
  readonly head: Head | undefined;
  /** Whether the run ended at its bound, and there may be more. */
  readonly more: boolean;
};

/**
 * Seals what was committed since the last seal, off the path of those who post: they never wait for it. Any number of
 * processes may: one seals at a time. A batch that is being committed meanwhile comes with a later seal.
 */
export async function sealBatches(
  { database }: Pick<LedgerContext, "database">,
  mostBatches = batchesInSeal,
): Promise<SealRun> {
  let head: Head | undefined;
  for (let seals = 0; seals < sealsInRun; seals++) {
    const [seal] = await sealOldestBatches.run({ mostBatches }, database);
    if (seal === undefined) return { seals, head, more: false };
    head = { number: seal.number, hash: seal.hash };
    if (seal.batches < mostBatches) return { seals: seals + 1, head, more: false };
  }
  return { seals: sealsInRun, head, more: true };
}

/**
 * What the sweeper repeats. It says that it did nothing where it has caught up: under traffic there is always one more
 * batch, and it waits for the next round with the others. `onSealed` is told the head, for the log: a copy of it
 * outside the database is what the audit can find a rewritten chain by.
 */
export function sealingJob(context: Pick<LedgerContext, "database">, onSealed: (head: string) => void): SweeperJob {
  return {
    name: "seal batches",
    async run() {
      const { seals, head, more } = await sealBatches(context);
      if (head !== undefined) onSealed(formatHead(head));
      return more ? seals : 0;
    },
  };
}

/** The newest seal; undefined before the first one. */
export async function readHead({
  database,
}: Pick<LedgerContext, "database">): Promise<(Head & { readonly sealedAt: Date }) | undefined> {
  const [seal] = await readLatestSeal.run(undefined, database);
  return seal;
}
