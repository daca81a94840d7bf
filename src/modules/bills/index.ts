// Owns: bills paid through a gateway, the retries of those that it declined, and the keys that they were asked with.
// Invariants: one payment for each remembered key, one attempt of it at a time; the unknown is never a failure.
// Called by: the composition root (routes, jobs, audit).
export { billChecks } from "./application/audit-bills.ts";
export type { BillsContext } from "./application/context.ts";
export { createBillLanes } from "./application/lanes.ts";
export { registerBillRoutes } from "./http/routes.ts";
export { billJobs } from "./jobs.ts";
