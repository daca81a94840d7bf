import { createHttpServer } from "../../src/infrastructure/http/server.ts";
import { createLogger } from "../../src/infrastructure/telemetry/logger.ts";
import {
  createPostingLane,
  listMovements,
  postTransaction,
  type TransactionDraft,
} from "../../src/modules/ledger/index.ts";
import type { ReconciliationContext } from "../../src/modules/reconciliation/application/context.ts";
import { createRunWorker, registerReconciliationRoutes } from "../../src/modules/reconciliation/index.ts";
import type { Books, Sides } from "./support.ts";
import { contextOf } from "./support.ts";

/** The routes of reconciliation on a free port. */
export type Served = { readonly address: string; readonly context: ReconciliationContext; close(): Promise<void> };

export type ServeOptions = { readonly answerWithinMs?: number; readonly fileLimitBytes?: number };

export async function serve(books: Books, sides: Sides, options: ServeOptions = {}): Promise<Served> {
  const server = createHttpServer({
    logger: createLogger({ logLevel: "silent", serviceVersion: "0", process: "test", secrets: [] }),
    routeMetric: () => () => undefined,
    traceIdOf: () => undefined,
  });
  const context = contextOf(books.pool, sides);
  const worker = createRunWorker(context, (_id, error) => {
    throw error;
  });
  registerReconciliationRoutes(server, context, worker, { actorOf: () => "operator", ...options });
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    address,
    context,
    async close() {
      await server.close();
      await worker.stop();
    },
  };
}

/** The ledger itself, as the composition root hands it to reconciliation. */
export function realLedger(books: Books): ReconciliationContext["ledger"] & { close(): Promise<void> } {
  const tenant = "default";
  const lane = createPostingLane(books.pool, tenant, { maxBatch: 64, maxQueued: 256, maxWaitMs: 5_000 });
  const ledger = { database: books.pool, tenant, lane };
  return {
    listMovements: (request) => listMovements(ledger, request),
    post: (draft: TransactionDraft) => postTransaction(ledger, draft),
    close: () => lane.drain(),
  };
}
