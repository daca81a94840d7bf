import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { eventually, get, startTestApp } from "../support/app.ts";

const redisUrl = process.env["MARKETFLOW_TEST_REDIS_URL"];
const required = process.env["REQUIRE_SERVICES"] === "1";
const skip =
  redisUrl !== undefined || required ? false : "NO REDIS: set MARKETFLOW_TEST_REDIS_URL to run this against a real one";

test("health says that a configured Redis is connected", { skip }, async () => {
  assert.ok(redisUrl, "REQUIRE_SERVICES=1 needs MARKETFLOW_TEST_REDIS_URL");
  const running = await startTestApp({ environment: { REDIS_URL: redisUrl } });
  try {
    const answer = await eventually(
      () => get(running.address, "/health"),
      ({ status }) => status === 200,
    );
    assert.equal(answer.body.redis, "connected");
  } finally {
    await running.close();
  }
});

test("health is 503 and names Redis where a configured one is away, and the server stays ready", async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const address = closed.address();
  await new Promise((resolve) => closed.close(resolve));
  assert.ok(typeof address === "object" && address !== null);
  const running = await startTestApp({ environment: { REDIS_URL: `redis://127.0.0.1:${address.port}` } });
  try {
    const { status, body } = await get(running.address, "/health");
    assert.equal(status, 503);
    assert.deepEqual([body.status, body.database, body.redis], ["unhealthy", "connected", "disconnected"]);
    assert.equal((await get(running.address, "/health/ready")).status, 200);
  } finally {
    await running.close();
  }
});
