import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cache, Lease } from "../../src/movements/ports.ts";

/** A cache with what the suite has to do to it. */
export type CacheUnderTest = {
  readonly cache: Cache;
  /** The same cache as another process sees it; a cache inside one process is its own neighbour. */
  readonly neighbour: Cache;
  /** The same cache after it has lost everything. */
  flushed(): Promise<Cache>;
  close(): Promise<void>;
};

export type CacheSetup = () => Promise<CacheUnderTest>;

export async function locked(cache: Cache, name: string, ttlMs = 60_000): Promise<Lease> {
  const outcome = await cache.lock(name, ttlMs);
  assert(outcome.type === "locked", `${name} is ${outcome.type}`);
  return outcome.lease;
}

/** What every cache promises. */
export function describeCache(name: string, setup: CacheSetup, skip: string | false = false): void {
  describe(`the ${name} cache`, { skip }, () => {
    let under: CacheUnderTest;
    let cache: Cache;
    before(async () => {
      under = await setup();
      cache = under.cache;
    });
    after(() => under.close());
    describeValues(() => cache);
    describeLocks(() => under);

    it("answers a ping", async () => {
      await cache.ping();
      assert.equal(cache.kind, name);
    });

    it("has, keeps and locks nothing after it was closed, and can be closed again", async () => {
      const { cache: closing, close } = await setup();
      await closing.set("closed", "value", 60_000);
      const lease = await locked(closing, "closed");
      await closing.close();
      assert.equal(await closing.get("closed"), undefined);
      await closing.set("closed", "value", 60_000);
      assert.equal(await closing.get("closed"), undefined);
      assert.deepEqual(await closing.lock("other", 1_000), { type: "unreachable" });
      assert.equal(await lease.renew(1_000), false);
      await lease.release();
      await assert.rejects(closing.ping());
      await close();
    });
  });
}

function describeValues(cacheNow: () => Cache): void {
  const cache: Pick<Cache, "get" | "set"> = {
    get: (key) => cacheNow().get(key),
    set: (key, value, ttlMs) => cacheNow().set(key, value, ttlMs),
  };

  it("has nothing under a key that was never set", async () => {
    assert.equal(await cache.get("never"), undefined);
  });

  it("gives back what was set, and what it was set to last", async () => {
    await cache.set("again", "first", 60_000);
    assert.equal(await cache.get("again"), "first");
    await cache.set("again", "second", 60_000);
    assert.equal(await cache.get("again"), "second");
  });

  it("forgets a value when its time is over, and the time of the last set counts", async () => {
    await cache.set("short", "value", 40);
    await cache.set("prolonged", "value", 40);
    await cache.set("prolonged", "value", 60_000);
    await cache.set("shortened", "value", 60_000);
    await cache.set("shortened", "value", 40);
    await cache.set("fraction", "value", 39.5);
    assert.equal(await cache.get("fraction"), "value");
    await sleep(80);
    assert.equal(await cache.get("short"), undefined);
    assert.equal(await cache.get("prolonged"), "value");
    assert.equal(await cache.get("shortened"), undefined);
    assert.equal(await cache.get("fraction"), undefined);
  });

  for (const ttlMs of [0, -1, Number.NEGATIVE_INFINITY, Number.NaN]) {
    it(`keeps nothing for ${ttlMs} ms, and forgets what was there`, async () => {
      await cache.set("over", "old", 60_000);
      await cache.set("over", "new", ttlMs);
      assert.equal(await cache.get("over"), undefined);
    });
  }

  it("takes a time without an end for a long one", async () => {
    await cache.set("long", "value", Number.POSITIVE_INFINITY);
    assert.equal(await cache.get("long"), "value");
  });

  const texts = [
    "",
    " ",
    "\0",
    "\r\n",
    "日本語 🏦 é",
    "\u{10ffff}\u2028",
    '{"a":"\\"b"}',
    "$5\r\nhello\r\n",
    "x".repeat(255),
  ];
  it("gives back any characters, in keys as well", async () => {
    for (const [n, text] of texts.entries()) await cache.set(text, `${text}${n}`, 60_000);
    for (const [n, text] of texts.entries()) {
      assert.equal(await cache.get(text), `${text}${n}`, JSON.stringify(text));
      await cache.set("text", text, 60_000);
      assert.equal(await cache.get("text"), text, JSON.stringify(text));
    }
  });

  it("keeps no half of a surrogate pair, and does not take one for another", async () => {
    await cache.set("\ud800", "value", 60_000);
    assert.equal(await cache.get("\udfff"), undefined);
    assert.equal(await cache.get("\ufffd"), undefined);
    await cache.set("half", "\ud800", 60_000);
    assert.equal(await cache.get("half"), undefined);
  });

  it("keeps values of up to 64 KiB, and neither a larger one nor the one before it", async () => {
    const most = "é".repeat(32_768);
    await cache.set("large", most, 60_000);
    assert.equal(await cache.get("large"), most);
    await cache.set("large", `${most}x`, 60_000);
    assert.equal(await cache.get("large"), undefined);
  });

  it("keeps a key apart from a lock of the same name", async () => {
    const lease = await locked(cacheNow(), "both");
    assert.equal(await cache.get("both"), undefined);
    await cache.set("both", "value", 60_000);
    assert.equal(await lease.renew(60_000), true);
    await lease.release();
    assert.equal(await cache.get("both"), "value");
  });
}

function describeLocks(now: () => CacheUnderTest): void {
  const elsewhere = { type: "held_elsewhere" };

  it("gives a lock to one, and to nobody else until it is released", async () => {
    const { cache, neighbour } = now();
    const lease = await locked(cache, "one");
    assert.deepEqual(await neighbour.lock("one", 60_000), elsewhere);
    assert.deepEqual(await cache.lock("one", 60_000), elsewhere, "nor to the holder itself");
    await locked(neighbour, "two");
    await lease.release();
    await locked(neighbour, "one");
  });

  it("gives a lock to exactly one of 200 that ask at once", async () => {
    const { cache, neighbour } = now();
    const asked = Array.from({ length: 200 }, (_, n) => (n % 2 === 0 ? cache : neighbour).lock("crowd", 60_000));
    const outcomes = (await Promise.all(asked)).map(({ type }) => type);
    assert.equal(outcomes.filter((type) => type === "locked").length, 1);
    assert.equal(outcomes.filter((type) => type === "held_elsewhere").length, 199);
  });

  it("ends a lock when its time is over, and keeps it while it is renewed", async () => {
    const { cache, neighbour } = now();
    const short = await locked(cache, "short", 60);
    const renewed = await locked(cache, "renewed", 60);
    assert.equal(await renewed.renew(60_000), true);
    await sleep(120);
    assert.deepEqual(await neighbour.lock("renewed", 60_000), elsewhere);
    const next = await locked(neighbour, "short", 60_000);
    assert.equal(await short.renew(60_000), false, "it is another's");
    await short.release();
    assert.deepEqual(await cache.lock("short", 60_000), elsewhere, "nobody releases what is not theirs");
    assert.equal(await next.renew(60_000), true);
  });

  it("does not renew a lock that is over, though nobody else has it", async () => {
    const { cache } = now();
    const lease = await locked(cache, "over", 40);
    await sleep(80);
    assert.equal(await lease.renew(60_000), false);
    await locked(cache, "over");
    await lease.release();
    assert.deepEqual(await cache.lock("over", 60_000), elsewhere);
  });

  it("releases a lock twice without harm, and does not renew it afterwards", async () => {
    const { cache } = now();
    const lease = await locked(cache, "twice");
    await lease.release();
    await lease.release();
    assert.equal(await lease.renew(60_000), false);
    await locked(cache, "twice");
    await lease.release();
    assert.deepEqual(await cache.lock("twice", 60_000), elsewhere);
  });

  it("gives every holder a higher fence than all before it", async () => {
    const { cache, neighbour } = now();
    let last = 0n;
    for (let n = 0; n < 100; n++) {
      const lease = await locked(n % 2 === 0 ? cache : neighbour, "fenced");
      assert.ok(lease.fence > last, `${lease.fence} after ${last}`);
      last = lease.fence;
      await lease.release();
    }
    const expiring = await locked(cache, "fenced", 20);
    await sleep(60);
    const { fence } = await locked(neighbour, "fenced");
    assert.ok(fence > expiring.fence && expiring.fence > last);
    assert.ok(fence < 2n ** 63n, "it fits into PostgreSQL's bigint");
  });

  it("gives a higher fence and frees every lock after it has lost everything", async () => {
    const { cache, flushed } = now();
    const lost = Array.from({ length: 50 }, (_, n) => locked(cache, `flushed ${n}`));
    const fences = (await Promise.all(lost)).map(({ fence }) => fence);
    const empty = await flushed();
    for (const [n, fence] of fences.entries()) {
      const next = await locked(empty, `flushed ${n}`);
      assert.ok(next.fence > fence, `${next.fence} after ${fence}`);
    }
    await (await lost[0])?.release();
    assert.deepEqual(await empty.lock("flushed 0", 60_000), elsewhere);
  });

  for (const ttlMs of [0, -5, 0.2]) {
    it(`holds a lock of ${ttlMs} ms for a moment only`, async () => {
      const { cache } = now();
      await locked(cache, `moment ${ttlMs}`, ttlMs);
      await sleep(20);
      await locked(cache, `moment ${ttlMs}`, 60_000);
    });
  }
}
