import assert from "node:assert/strict";
import { test } from "node:test";
import { get, startTestApp } from "../support/app.ts";
import { freePort } from "../support/free-port.ts";
import { startRedis, withoutRedis } from "../support/redis.ts";

test("health says from the first request on that a configured Redis is connected", { skip: withoutRedis }, async () => {
  const redis = await startRedis();
  const running = await startTestApp({ environment: { REDIS_URL: redis.url } });
  try {
    const { status, body } = await get(running.address, "/health");
    assert.deepEqual([status, body.redis], [200, "connected"]);
  } finally {
    await running.close();
    await redis.stop();
  }
});

test("health is 503 and names Redis where a configured one is away, and the server stays ready", async () => {
  const running = await startTestApp({ environment: { REDIS_URL: `redis://127.0.0.1:${await freePort()}` } });
  try {
    const { status, body } = await get(running.address, "/health");
    assert.equal(status, 503);
    assert.deepEqual([body.status, body.database, body.redis], ["unhealthy", "connected", "disconnected"]);
    assert.equal((await get(running.address, "/health/ready")).status, 200);
  } finally {
    await running.close();
  }
});
