import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cache } from "../../movements/ports.ts";
import { createMemoryCache } from "./memory.ts";

async function keysIn(cache: Cache, keys: readonly string[]): Promise<string[]> {
  const values = await Promise.all(keys.map((key) => cache.get(key)));
  return keys.filter((_, n) => values[n] !== undefined);
}

test("lets the oldest entry go first once there are as many as it keeps", async () => {
  const cache = createMemoryCache({ maxEntries: 3 });
  for (const key of ["a", "b", "c"]) await cache.set(key, key, 60_000);
  await cache.set("a", "newer", 60_000);
  await cache.set("d", "d", 60_000);
  assert.deepEqual(await keysIn(cache, ["a", "b", "c", "d"]), ["a", "c", "d"]);
});

test("keeps the newest after any number of sets, removals and overwrites", async () => {
  const cache = createMemoryCache({ maxEntries: 5 });
  let expected: string[] = [];
  for (let n = 0; n < 10_000; n++) {
    const key = `key ${(n * n + 7 * n) % 11}`;
    expected = expected.filter((other) => other !== key);
    await cache.set(key, "value", n % 3 === 0 ? 0 : 60_000);
    if (n % 3 !== 0) expected = [...expected, key].slice(-5);
    if (n % 97 === 0) assert.deepEqual((await keysIn(cache, expected)).length, expected.length);
  }
  const all = Array.from({ length: 11 }, (_, n) => `key ${n}`);
  assert.deepEqual((await keysIn(cache, all)).sort(), expected.sort());
});

test("keeps no more bytes than it may, however few entries they are", async () => {
  const cache = createMemoryCache({ maxEntries: 1_000, maxBytes: 100_000 });
  const keys = Array.from({ length: 50 }, (_, n) => `key ${n}`);
  for (const key of keys) await cache.set(key, "x".repeat(20_000), 60_000);
  assert.deepEqual(await keysIn(cache, keys), keys.slice(-4));
  await cache.set("key 49", "short", 60_000);
  for (const key of ["a", "b"]) await cache.set(key, "x".repeat(21_000), 60_000);
  assert.deepEqual(await keysIn(cache, [...keys, "a", "b"]), [...keys.slice(-4), "a", "b"].slice(1));
});

test("200,000 entries take no more room than those that are kept", async () => {
  const cache = createMemoryCache({ maxEntries: 1_000 });
  for (let n = 0; n < 200_000; n++) await cache.set(`key ${n}`, "value", 60_000);
  const keys = Array.from({ length: 2_000 }, (_, n) => `key ${198_000 + n}`);
  assert.equal((await keysIn(cache, keys)).length, 1_000);
});

test("goes by the clock that it is given", async () => {
  let nowMs = 1_000_000;
  const cache = createMemoryCache({ maxEntries: 10, nowMs: () => nowMs });
  await cache.set("key", "value", 1_000);
  const first = await cache.lock("name", 1_000);
  assert(first.type === "locked");
  nowMs += 999;
  assert.equal(await cache.get("key"), "value");
  assert.deepEqual(await cache.lock("name", 1_000), { type: "held_elsewhere" });
  nowMs += 1;
  assert.equal(await cache.get("key"), undefined);
  assert.equal(await first.lease.renew(1_000), false);
  const second = await cache.lock("name", 1_000);
  assert(second.type === "locked");
  assert.equal(second.lease.fence - first.lease.fence, 1_000_000n, "a fence is the time in microseconds");
  nowMs -= 500_000;
  await second.lease.release();
  const third = await cache.lock("name", 1_000);
  assert(third.type === "locked");
  assert.equal(third.lease.fence, second.lease.fence + 1n, "though the clock was set back");
});

test("holds no more locks than entries, and makes room for others only of those that are over", async () => {
  let nowMs = 0;
  const cache = createMemoryCache({ maxEntries: 2, nowMs: () => nowMs });
  assert.equal((await cache.lock("a", 1_000)).type, "locked");
  assert.equal((await cache.lock("b", 2_000)).type, "locked");
  assert.equal((await cache.lock("c", 1_000)).type, "unreachable");
  nowMs += 1_500;
  assert.equal((await cache.lock("c", 1_000)).type, "locked");
  assert.equal((await cache.lock("b", 1_000)).type, "held_elsewhere");
});
