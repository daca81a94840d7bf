import type { FastifyInstance } from "fastify";

export type HealthChecks = {
  /** Asks the database for anything; what it answers does not matter, and a rejection says that it does not. */
  readonly database: () => Promise<unknown>;
  /** The same of Redis; undefined where none is configured. */
  readonly redis: (() => Promise<unknown>) | undefined;
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
      const [database, redis] = await Promise.all([
        answers(checks.database),
        checks.redis === undefined ? undefined : answers(checks.redis),
      ]);
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
      const ready = checks.isReady() && (await answers(checks.database));
      return reply.code(ready ? 200 : 503).send({ status: ready ? "ready" : "not ready" });
    },
  );
}

const patienceMs = 2_000;

async function answers(check: () => Promise<unknown>): Promise<boolean> {
  const answered = check().then(
    () => true,
    // That it failed is the answer; why is in the log of whoever needed it.
    () => false,
  );
  const tooLate = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), patienceMs).unref());
  return await Promise.race([answered, tooLate]);
}

function word(connected: boolean): string {
  return connected ? "connected" : "disconnected";
}
