import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fastify } from "fastify";
import { type HealthChecks, registerHealth, registerPartnerHealth } from "./health.ts";

const there = async () => 1;
const away = async () => {
  throw new Error("ECONNREFUSED 10.0.0.7");
};

async function ask(register: typeof registerHealth, checks: Partial<HealthChecks>, url = "/health") {
  const server = fastify();
  const gateway = () => ({ name: "simulator", circuit: "closed" });
  register(server, { database: there, redis: undefined, gateway, isReady: () => true, ...checks });
  const response = await server.inject({ url });
  await server.close();
  return { status: response.statusCode, body: response.json() as Record<string, unknown> };
}

describe("health", () => {
  test("in the marketplace's words", async () => {
    const { status, body } = await ask(registerHealth, { redis: there });
    const gateway = { name: "simulator", circuit: "closed" };
    assert.deepEqual([status, body], [200, { status: "healthy", database: "connected", redis: "connected", gateway }]);
    const without = await ask(registerHealth, { database: away });
    assert.deepEqual(
      [without.status, without.body],
      [503, { status: "unhealthy", database: "disconnected", redis: "in-memory", gateway }],
    );
  });

  test("in the partners' words, with the time and nothing else", async () => {
    const seen = async (checks: Partial<HealthChecks>) => {
      const { status, body } = await ask(registerPartnerHealth, checks);
      const { timestamp, ...rest } = body;
      assert.ok(Math.abs(Date.parse(String(timestamp)) - Date.now()) < 5_000);
      return [status, rest];
    };
    const form = (status: string, database: string, redis: string) => ({
      status,
      services: { database: { status: database }, redis: { status: redis } },
    });
    assert.deepEqual(await seen({ redis: there }), [200, form("healthy", "healthy", "healthy")]);
    assert.deepEqual(await seen({}), [200, form("healthy", "healthy", "in-memory")]);
    assert.deepEqual(await seen({ database: away }), [503, form("unhealthy", "unhealthy", "in-memory")]);
    assert.deepEqual(await seen({ redis: away }), [503, form("unhealthy", "healthy", "unhealthy")]);
  });

  test("does not wait for ever for a part that does not answer", async () => {
    const { status } = await ask(registerPartnerHealth, { database: () => new Promise(() => {}) });
    assert.equal(status, 503);
  });

  for (const register of [registerHealth, registerPartnerHealth]) {
    test(`${register.name} tells living from being ready`, async () => {
      assert.equal((await ask(register, { isReady: () => false }, "/health/live")).status, 200);
      assert.equal((await ask(register, { isReady: () => false }, "/health/ready")).status, 503);
      assert.equal((await ask(register, { redis: away }, "/health/ready")).status, 200, "Redis makes us only faster");
      assert.equal((await ask(register, { database: away }, "/health/ready")).status, 503);
    });
  }
});
