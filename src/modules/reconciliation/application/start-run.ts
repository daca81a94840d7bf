import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { Period } from "../domain/runs.ts";
import { beginRun } from "../persistence/runs.queries.ts";
import type { ReconciliationContext } from "./context.ts";

export type RunRequest = {
  readonly period: Period | undefined;
  /** How far around the period counterparts are looked for, in milliseconds. */
  readonly toleranceMs: number;
};

/** Begins a run over what the gateway reports of the period. Returns its id; the work is still to be done. */
export async function startRun(
  context: ReconciliationContext,
  { period, toleranceMs }: RunRequest,
): Promise<Result<string, { type: "period_incomplete" }>> {
  if (period === undefined) return refuse({ type: "period_incomplete" });
  const id = context.newId();
  const { gateway, leaseMs } = context;
  const parameters = { id, gateway: gateway.name, ...period, toleranceMs: BigInt(toleranceMs), leaseMs };
  await beginRun.run(parameters, context.database);
  return accept(id);
}
