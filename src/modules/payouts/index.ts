// Owns: money out. Payouts to affiliates (pagos) and to sellers, single and in batches, and what is under way of them.
// Invariants: money is held before a gateway is called; one payout for each key; an unknown outcome is never a failure.
// Called by: the composition root (routes, jobs, batches) and the command line.
export { payoutChecks } from "./application/audit-payouts.ts";
export { type BatchWorker, createBatchWorker } from "./application/batches/batch-worker.ts";
export type { PayoutsContext } from "./application/context.ts";
export { createPayoutLanes } from "./application/lanes.ts";
export { createStatementConsumer } from "./application/statement/consume-pagos.ts";
export { type BatchFileReader, createBatchFileReader, type FileFault, type FileLine } from "./domain/batch-file.ts";
export { canonicalLine, mostLines } from "./domain/batch-line.ts";
export { registerEstadoDeCuentaRoutes } from "./http/estado-de-cuenta-routes.ts";
export { registerLoteRoutes } from "./http/lotes-routes.ts";
export { registerPagoRoutes } from "./http/pagos-routes.ts";
export { registerPayoutRoutes } from "./http/payout-routes.ts";
export { payoutJobs } from "./jobs.ts";
