// Owns: where integrators take events, what is sent there, and what came of every try.
// Invariants: each event is decided on once for each endpoint; every try sends the same bytes under one webhook-id.
// Called by: the composition root (routes, jobs, the worker of `marketflow relay` and the sandbox).
export type { WebhooksContext } from "./application/context.ts";
export { createWebhookWorker, type WebhookWorker } from "./application/webhook-worker.ts";
export { registerWebhookRoutes } from "./http/routes.ts";
export { webhookJobs } from "./jobs.ts";
