// Owns: runs that compare the gateway's report with our clearing account, their exceptions and what became of those.
// Invariants: each line counts once, whatever dies; exceptions and resolutions never change; one posting resolves one.
// Called by: the composition root (routes, jobs) and the command line.
export { advanceRun } from "./application/advance-run.ts";
export type { ReconciliationContext } from "./application/context.ts";
export { getRun, listExceptions } from "./application/read-runs.ts";
export { receiveFile } from "./application/receive-file.ts";
export { createRunWorker } from "./application/run-worker.ts";
export { startRun } from "./application/start-run.ts";
export type { Exception } from "./domain/exceptions.ts";
export { type Period, type Run, readPeriod } from "./domain/runs.ts";
export { registerReconciliationRoutes } from "./http/routes.ts";
export { reconciliationJobs } from "./jobs.ts";
