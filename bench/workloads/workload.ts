import { type BenchDatabase, queryAsOwner } from "../cluster.ts";
import type { TargetName } from "../targets.ts";

/** What a round drives a server with, and how it knows that the server did it. */
export type Workload = {
  readonly target: TargetName;
  /** Checks that the server on that port does what it must, under keys of its own. Returns problems. */
  probe(port: number, key: string): Promise<string[]>;
  /** Whether everything that was acknowledged under keys of that end is stored, and nothing else. Returns problems. */
  missing(database: BenchDatabase, keySuffix: string, acknowledged: number): Promise<string[]>;
};

/** Runs a query whose one row counts what a round stored; each count that is not what was acknowledged is a problem. */
export async function missingByCounts(
  database: BenchDatabase,
  query: string,
  keySuffix: string,
  acknowledged: number,
): Promise<string[]> {
  const [counts] = await queryAsOwner<Record<string, number>>(database, query, [keySuffix]);
  return Object.entries(counts ?? {})
    .filter(([, count]) => count !== acknowledged)
    .map(([what, count]) => `${count} ${what} are stored for ${acknowledged} that were acknowledged`);
}
