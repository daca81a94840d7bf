import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { createMemoryCache } from "../../src/infrastructure/caches/memory.ts";
import { connectRedis } from "../../src/infrastructure/caches/redis.ts";
import type { Cache } from "../../src/movements/ports.ts";
import { eventually } from "../support/app.ts";
import { freePort } from "../support/free-port.ts";
import { startRedis, type TestRedis, withoutRedis } from "../support/redis.ts";
import { type CacheUnderTest, describeCache, locked } from "./cache.ts";

async function memoryUnderTest(): Promise<CacheUnderTest> {
  const cache = createMemoryCache({ maxEntries: 1_000 });
  const flushed = async () => createMemoryCache({ maxEntries: 1_000 });
  return { cache, neighbour: cache, flushed, close: () => cache.close() };
}

const unexpected = (error: Error) => assert.fail(error);

async function redisUnderTest(): Promise<CacheUnderTest> {
  const server = await startRedis();
  const [cache, neighbour] = await Promise.all([
    connectRedis(server.url, unexpected),
    connectRedis(server.url, unexpected),
  ]);
  return {
    cache,
    neighbour,
    async flushed() {
      await asOperator(server, async (client) => void (await client.flushall()));
      return neighbour;
    },
    async close() {
      await Promise.all([cache.close(), neighbour.close()]);
      await server.stop();
    },
  };
}

/** Works on the server as whoever runs it, past our adapter. */
async function asOperator<Value>({ url }: TestRedis, work: (client: Redis) => Promise<Value>): Promise<Value> {
  const client = new Redis(url);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

describeCache("memory", memoryUnderTest);
describeCache("redis", redisUnderTest, withoutRedis);

/** How long the port's "a moment" may be, on a machine that does other things as well. */
const momentMs = 100;
const backLimitMs = 3_000;

describe("Redis that comes and goes", { skip: withoutRedis }, () => {
  let server: TestRedis;
  let cache: Cache;
  let neighbour: Cache;
  const told: Error[] = [];
  const onError = (error: Error) => void told.push(error);
  before(async () => {
    server = await startRedis();
    [cache, neighbour] = await Promise.all([connectRedis(server.url, onError), connectRedis(server.url, onError)]);
  });
  beforeEach(() => {
    told.length = 0;
  });
  after(async () => {
    await Promise.all([cache.close(), neighbour.close()]);
    await server.stop();
  });

  async function inAMoment<Value>(operation: Promise<Value>): Promise<Value> {
    const beganMs = performance.now();
    const value = await operation;
    const tookMs = performance.now() - beganMs;
    assert.ok(tookMs < momentMs, `it took ${Math.round(tookMs)} ms`);
    return value;
  }

  /** Every operation says at once that nothing is there. */
  async function assertAway(): Promise<void> {
    assert.equal(await inAMoment(cache.get("key")), undefined);
    await inAMoment(cache.set("key", "value", 60_000));
    assert.deepEqual(await inAMoment(cache.lock("name", 60_000)), { type: "unreachable" });
  }

  const isBack = () =>
    eventually(
      async () => {
        await cache.set("back", "value", 60_000);
        return await cache.get("back");
      },
      (value) => value === "value",
      backLimitMs,
    );

  it("is shared: what one has set and locked, the other sees", async () => {
    await cache.set("shared", "value", 60_000);
    assert.equal(await neighbour.get("shared"), "value");
    const lease = await locked(cache, "shared");
    assert.deepEqual(await neighbour.lock("shared", 60_000), { type: "held_elsewhere" });
    await lease.release();
    await locked(neighbour, "shared");
  });

  it("is given our prefix and an end with every key, so that nothing stays for good", async () => {
    await asOperator(server, async (client) => {
      const keys = await client.keys("*");
      assert.ok(keys.length >= 3, keys.join());
      for (const key of keys) {
        assert.match(key, /^marketflow:(cache|lock|fence):/);
        assert.ok((await client.pttl(key)) > 0, `${key} ends`);
      }
    });
  });

  it("is sent each script once, and again where it has forgotten them", async () => {
    await asOperator(server, async (client) => {
      await client.config("RESETSTAT");
      for (let n = 0; n < 10; n++) await (await locked(cache, `script ${n}`)).release();
      const stats = String(await client.info("commandstats"));
      assert.match(stats, /cmdstat_evalsha:calls=(?:19|20),/);
      await client.script("FLUSH");
      await (await locked(cache, "forgotten")).release();
    });
  });

  it("counts fences from where they were, though its clock was set back", async () => {
    const ahead = 2n ** 52n;
    await asOperator(server, (client) => client.set("marketflow:fence:ahead", String(ahead), "PX", 60_000));
    assert.equal((await locked(cache, "ahead")).fence, ahead + 1n);
  });

  it("is away at once when it is killed in the middle, and back within 3 s of its return", async (t) => {
    let asking = true;
    const tookMs: number[] = [];
    // Under load, so that there are commands without an answer when it dies.
    const load = Array.from({ length: 32 }, async (_, n) => {
      while (asking) {
        const beganMs = performance.now();
        await cache.set(`load ${n}`, "value", 60_000);
        tookMs.push(performance.now() - beganMs);
        const outcome = await cache.lock(`load ${n}`, 60_000);
        if (outcome.type === "locked") await outcome.lease.release();
        await sleep(1);
      }
    });
    t.after(() => {
      asking = false;
    });
    await sleep(100);
    const lease = await locked(cache, "held");
    await server.kill();
    await assertAway();
    assert.equal(await inAMoment(lease.renew(60_000)), false);
    await inAMoment(lease.release());
    await inAMoment(assert.rejects(cache.ping()));
    await sleep(2_000);
    await assertAway();
    await assert.rejects(cache.ping());
    await server.start();
    await isBack();
    await cache.ping();
    await locked(cache, "held");
    assert.equal(await lease.renew(60_000), false, "a lock that was lost is not ours");
    asking = false;
    await Promise.all(load);
    assert.ok(tookMs.length > 1_000, `${tookMs.length}`);
    // A machine that does other things as well lets one or another wait.
    const slowestMs = tookMs.sort((a, b) => a - b)[Math.floor(tookMs.length * 0.99)] ?? 0;
    assert.ok(slowestMs < momentMs, `${Math.round(slowestMs)} ms`);
    assert.ok(told.length > 0 && told.length <= 6, told.join("\n"));
  });

  it("is away when it hangs, at once from the second second on, and back when it goes on", async (t) => {
    const { fence } = await locked(cache, "before");
    server.hang();
    t.after(() => server.letGo());
    await assertAway();
    await assert.rejects(cache.ping());
    await sleep(200);
    const beganMs = performance.now();
    for (let n = 0; n < 20; n++) await assertAway();
    assert.ok(performance.now() - beganMs < momentMs, "nobody waits for it any more");
    server.letGo();
    await isBack();
    assert.ok((await locked(cache, "after")).fence > fence);
  });

  it("lets no more than some thousands wait for one that hangs", async (t) => {
    server.hang();
    t.after(() => server.letGo());
    let answers = 0;
    const flood = Array.from({ length: 10_000 }, async (_, n) => {
      const value = await cache.get(`flood ${n}`);
      answers += 1;
      return value;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(answers > 5_000, `${answers} were answered at once`);
    assert.ok((await Promise.all(flood)).every((value) => value === undefined));
    server.letGo();
    await isBack();
  });

  it("gives a lock back that it granted too late for whoever asked", async () => {
    server.hang();
    const asked = cache.lock("late", 60_000);
    assert.deepEqual(await asked, { type: "unreachable" });
    server.letGo();
    await eventually(
      () => neighbour.lock("late", 60_000),
      ({ type }) => type === "locked",
      1_000,
    );
  });

  it("answers though this process was busy for longer than the deadline", async () => {
    await cache.set("busy", "value", 60_000);
    const asked = cache.get("busy");
    await new Promise((resolve) => setImmediate(resolve));
    const untilMs = performance.now() + 150;
    while (performance.now() < untilMs);
    assert.equal(await asked, "value");
  });

  it("tells what it refuses, without the values", async () => {
    await asOperator(server, async (client) => {
      await client.config("SET", "maxmemory", "1");
      await cache.set("full", "a secret value", 60_000);
      await cache.set("full", "a secret value", 60_000);
      assert.deepEqual(await cache.lock("full", 60_000), { type: "unreachable" });
      await client.config("SET", "maxmemory", "0");
    });
    assert.match(told.join(), /OOM/);
    assert.ok(!JSON.stringify(told.map((error) => ({ ...error, message: error.message }))).includes("secret"));
    await locked(cache, "full");
  });
});

describe("Redis that is not there", () => {
  it("stops nothing: the connection comes back at once, has nothing, and says why once", async () => {
    const told: Error[] = [];
    const port = await freePort();
    const cache = await connectRedis(`redis://user:password@127.0.0.1:${port}`, (error) => told.push(error));
    try {
      assert.equal(await cache.get("key"), undefined);
      await cache.set("key", "value", 60_000);
      assert.deepEqual(await cache.lock("name", 60_000), { type: "unreachable" });
      await assert.rejects(cache.ping());
      await sleep(500);
      assert.deepEqual(
        told.map(({ message }) => message),
        [`connect ECONNREFUSED 127.0.0.1:${port}`],
      );
    } finally {
      await cache.close();
    }
  });
});
