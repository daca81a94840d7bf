import type { FastifyInstance } from "fastify";

export type HealthChecks = {
  /** Whether the database answers; must resolve within its own deadline. */
  readonly database: () => Promise<boolean>;
  /** Undefined where no Redis is configured. */
  readonly redis: (() => Promise<boolean>) | undefined;
  /** The gateway's name and the state of its circuit breaker: told, but no reason to be unhealthy. */
  readonly gateway: () => { name: string; circuit: string };
  /** False once the process is stopping. */
  readonly isReady: () => boolean;
};

/** `GET /health`, `/health/live` and `/health/ready`. */
export function registerHealth(server: FastifyInstance, checks: HealthChecks): void {
  const tags = ["operations"];
  server.get(
    "/health",
    { schema: { summary: "Is everything this server needs there?", tags } },
    async (_request, reply) => {
      const [database, redis] = await Promise.all([checks.database(), checks.redis?.()]);
      const healthy = database && redis !== false;
      return reply.code(healthy ? 200 : 503).send({
        status: healthy ? "healthy" : "unhealthy",
        database: word(database),
        redis: redis === undefined ? "in-memory" : word(redis),
        gateway: checks.gateway(),
      });
    },
  );
  server.get("/health/live", { schema: { summary: "Does this process run?", tags } }, async () => ({
    status: "alive",
  }));
  server.get(
    "/health/ready",
    { schema: { summary: "Should this process get requests?", tags } },
    async (_request, reply) => {
      const ready = checks.isReady() && (await checks.database());
      return reply.code(ready ? 200 : 503).send({ status: ready ? "ready" : "not ready" });
    },
  );
}

function word(connected: boolean): string {
  return connected ? "connected" : "disconnected";
}
