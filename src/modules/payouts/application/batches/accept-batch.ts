import { accept, type Result, refuse } from "../../../../kernel/result.ts";
import type { Trace } from "../../../../movements/index.ts";
import { type BatchLine, canonicalLines } from "../../domain/batch-line.ts";
import { findBatchByKey, storeBatch } from "../../persistence/batches.queries.ts";
import type { PayoutsContext } from "../context.ts";

/** A batch that is kept; `replayed` where an earlier request had brought it. */
export type AcceptedBatch = {
  readonly id: string;
  readonly lines: number;
  readonly createdAt: Date;
  readonly replayed: boolean;
};

export type AcceptBatchRefusal = { type: "idempotency_key_reused" };

/**
 * Keeps a batch of payouts, none of which has begun, in one commit. The same key with the same lines, as JSON or as
 * CSV, gets the same batch; with other lines it is refused. Without a key every request is a batch of its own.
 */
export async function acceptBatch(
  context: PayoutsContext,
  scope: string,
  lines: readonly BatchLine[],
  idempotencyKey: string | null,
  trace: Trace,
): Promise<Result<AcceptedBatch, AcceptBatchRefusal>> {
  const { database, gateway, newId } = context;
  const id = newId();
  const fingerprint = context.sha256(canonicalLines(lines));
  const batch = {
    id,
    scope,
    idempotencyKey,
    fingerprint,
    gateway: gateway.name,
    traceparent: trace.traceparent,
    ids: lines.map(() => newId()),
    recipientIds: lines.map(({ recipientId }) => recipientId),
    amountsMinor: lines.map(({ amount }) => amount.amountMinor),
    currencies: lines.map(({ amount }) => amount.currency),
  };
  const [stored] = await trace.span("accept", () => storeBatch.run(batch, database));
  if (stored !== undefined) return accept({ id, lines: lines.length, createdAt: stored.createdAt, replayed: false });
  // Only a key that is taken keeps nothing, and what has it is committed by now.
  const [standing] = await findBatchByKey.run({ scope, idempotencyKey: idempotencyKey ?? "" }, database);
  if (standing === undefined) throw new Error(`no batch stands under a key that is taken: ${idempotencyKey}`);
  if (standing.fingerprint !== fingerprint) return refuse({ type: "idempotency_key_reused" });
  return accept({ id: standing.id, lines: standing.lines, createdAt: standing.createdAt, replayed: true });
}
