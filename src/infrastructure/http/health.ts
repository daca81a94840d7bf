import type { FastifyInstance } from "fastify";

type Probes = {
  /** Asks the database for anything; what it answers does not matter, and a rejection says that it does not. */
  readonly database: () => Promise<unknown>;
  /** False once the process is stopping. */
  readonly isReady: () => boolean;
};

export type HealthChecks = Probes & {
  /** The same of Redis; undefined where none is configured. */
  readonly redis: (() => Promise<unknown>) | undefined;
  /** The gateway's name and the state of its circuit breaker: told, but no reason to be unhealthy. */
  readonly gateway: () => { name: string; circuit: string };
};

/** What a process needs that moves events. */
export type EventHealthChecks = Probes & {
  /** The broker's name, and a question to it. Events wait in the log while it is away. */
  readonly broker: { readonly name: string; ping(): Promise<void> };
};

const tags = ["operations"];
const summary = "Is everything this server needs there?";

function connection(there: boolean): string {
  return there ? "connected" : "disconnected";
}

/** `GET /health` in the marketplace contract's words, `/health/live` and `/health/ready`. */
export function registerHealth(server: FastifyInstance, checks: HealthChecks): void {
  server.get("/health", { schema: { summary, tags } }, async (_request, reply) => {
    const { healthy, database, redis } = await examine(checks);
    return reply.code(healthy ? 200 : 503).send({
      status: healthy ? "healthy" : "unhealthy",
      database: connection(database),
      redis: redis === undefined ? "in-memory" : connection(redis),
      gateway: checks.gateway(),
    });
  });
  registerProbes(server, checks);
}

const healthWords = { type: "string", enum: ["healthy", "unhealthy"] };
const part = { type: "object", properties: { status: { type: "string", enum: [...healthWords.enum, "in-memory"] } } };
const partnerHealth = {
  type: "object",
  properties: {
    status: healthWords,
    timestamp: { type: "string", format: "date-time" },
    services: { type: "object", properties: { database: part, redis: part } },
  },
};

/** The same in the bills contract's words, for the partner listener. */
export function registerPartnerHealth(server: FastifyInstance, checks: HealthChecks): void {
  const response = { 200: partnerHealth, 503: partnerHealth };
  server.get("/health", { schema: { summary, tags, response } }, async (_request, reply) => {
    const { healthy, database, redis } = await examine(checks);
    const word = (there: boolean) => (there ? "healthy" : "unhealthy");
    return reply.code(healthy ? 200 : 503).send({
      status: word(healthy),
      timestamp: new Date().toISOString(),
      services: {
        database: { status: word(database) },
        redis: { status: redis === undefined ? "in-memory" : word(redis) },
      },
    });
  });
  registerProbes(server, checks);
}

/** The health of a process that publishes or consumes events. */
export function registerEventHealth(server: FastifyInstance, checks: EventHealthChecks): void {
  server.get("/health", { schema: { summary, tags } }, async (_request, reply) => {
    const [database, broker] = await Promise.all([answers(checks.database), answers(() => checks.broker.ping())]);
    return reply.code(database && broker ? 200 : 503).send({
      status: database && broker ? "healthy" : "unhealthy",
      database: connection(database),
      broker: { name: checks.broker.name, status: connection(broker) },
    });
  });
  registerProbes(server, checks);
}

/** What an orchestrator asks: is the process to be restarted, and is it to be sent requests? */
function registerProbes(server: FastifyInstance, checks: Probes): void {
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

/** Which parts answer; `redis` is undefined where none is configured. */
async function examine(checks: HealthChecks) {
  const [database, redis] = await Promise.all([
    answers(checks.database),
    checks.redis === undefined ? undefined : answers(checks.redis),
  ]);
  return { healthy: database && redis !== false, database, redis };
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
