import type { Logger } from "pino";
import { type EventHealthChecks, registerEventHealth } from "../infrastructure/http/health.ts";
import { createHttpServer } from "../infrastructure/http/server.ts";
import type { Metrics } from "../infrastructure/telemetry/metrics.ts";
import { registerMetrics } from "./listeners.ts";
import type { AppSettings } from "./settings.ts";

/** Where a process that serves nobody else answers `/health` and `/metrics`. */
export type Operations = { readonly address: string | undefined; close(): Promise<void> };

/** Listens at OPERATIONS_PORT, where it is set. */
export async function startOperations(
  { host, operationsPort }: Pick<AppSettings, "host" | "operationsPort">,
  logger: Logger,
  metrics: Metrics,
  health: EventHealthChecks,
): Promise<Operations> {
  if (operationsPort === undefined) return { address: undefined, close: async () => undefined };
  const server = createHttpServer({
    logger,
    routeMetric: (method, route) => metrics.httpRoute(method, route, "operations"),
    traceIdOf: () => undefined,
  });
  registerEventHealth(server, health);
  registerMetrics(server, metrics);
  const address = await server.listen({ host, port: operationsPort });
  return { address, close: () => server.close() };
}
