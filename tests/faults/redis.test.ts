import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readSimulatorJournal } from "../../src/infrastructure/gateways/simulator/journal.ts";
import { type Answer, mustAsk, type Server, until } from "../support/processes.ts";
import { startRedis, withoutRedis } from "../support/redis.ts";
import { openSite, type Site } from "../support/site.ts";

// Redis is killed and comes back while clients make payments and repeat what they asked for before. Nobody may notice
// but health: every key is one payment, whoever remembers it, and the books agree with the simulator's journal.

const connections = 16;
/** With Redis, without it and with it again, each for so long and so many answers. */
const phaseMs = 1_500;
const phaseAnswers = 100;
/** How long health may take to tell that Redis is away, and that it is back: it is tried every two seconds. */
const awayLimitMs = 2_000;
const backLimitMs = 5_000;

/** What one request came to; `id` is the payment's. */
type Result = { readonly key: string; readonly status: number; readonly id: unknown; readonly tookMs: number };

/** An API to which requests can be repeated. */
type Api = {
  address(server: Server): string;
  send(server: Server, key: string): Promise<Answer>;
  readonly id: "id" | "payment_id";
  readonly journalKind: "charge" | "bill_payment";
  /** What our books say that the gateway took in. */
  readonly account: string;
  /** Health's word for Redis. */
  redisOf(health: Answer): unknown;
  readonly words: { readonly there: string; readonly away: string };
};

const marketplace: Api = {
  address: (server) => server.address,
  send: ({ address }, key) =>
    mustAsk(`${address}/payments`, { amount: "12.50", currency: "USD", idempotency_key: key }),
  id: "id",
  journalKind: "charge",
  account: "gateway:simulator:clearing",
  redisOf: ({ body }) => body["redis"],
  words: { there: "connected", away: "disconnected" },
};

const partner: Api = {
  address: (server) => server.partner,
  send: ({ partner: address }, key) =>
    mustAsk(
      `${address}/payments`,
      { reference: `FAC-${key}`, amount: 12.5, currency: "USD" },
      { "idempotency-key": key },
    ),
  id: "payment_id",
  journalKind: "bill_payment",
  account: "gateway:simulator:bills",
  redisOf: ({ body }) => (body["services"] as { redis?: { status?: unknown } } | undefined)?.redis?.status,
  words: { there: "healthy", away: "unhealthy" },
};

/** Something is under way at any moment, and the machine is not kept from everything else. */
const pauseMs = 5;

/** Every second request repeats one that was answered before, the others are new. */
function putUnderRepeats(api: Api, server: Server) {
  const results: Result[] = [];
  let isStopped = false;
  const workers = Array.from({ length: connections }, async (_, worker) => {
    for (let n = 0; !isStopped; n++) {
      const earlier = n % 2 === 0 ? undefined : results[Math.floor(Math.random() * results.length)];
      const key = earlier?.key ?? `${worker}-${n}-${randomUUID()}`;
      const beganMs = performance.now();
      const { status, body } = await api.send(server, key);
      results.push({ key, status, id: body[api.id], tookMs: performance.now() - beganMs });
      await sleep(pauseMs);
    }
  });
  const watched = Promise.all(workers);
  watched.catch(() => undefined);
  return {
    /** Goes on for a phase, and returns how many answers it brought. */
    async goOn() {
      const before = results.length;
      await sleep(phaseMs);
      await until("there are answers", 30_000, () => results.length - before >= phaseAnswers);
      return results.length - before;
    },
    async stop() {
      isStopped = true;
      await watched;
      return results;
    },
  };
}

async function untilHealthSays(api: Api, server: Server, word: string, withinMs: number): Promise<void> {
  await until(`health says that Redis is ${word}`, withinMs, async () => {
    const health = await mustAsk(`${api.address(server)}/health`);
    if (api.redisOf(health) !== word) return false;
    assert.deepEqual(
      [health.status, health.body["status"]],
      word === api.words.there ? [200, "healthy"] : [503, "unhealthy"],
    );
    return true;
  });
}

/** Every key is one payment, which was made once and found again by everybody who repeated it. */
function assertRight(results: readonly Result[]): Map<string, unknown> {
  const ids = new Map<string, unknown>();
  for (const [key, answers] of Map.groupBy(results, (result) => result.key)) {
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [...statuses.slice(1).fill(200), 201], `${key} was answered ${statuses}`);
    assert.equal(new Set(answers.map(({ id }) => id)).size, 1, `${key} is one payment`);
    ids.set(key, answers[0]?.id);
  }
  assert.equal(new Set(ids.values()).size, ids.size, "different keys are different payments");
  return ids;
}

/** The simulator moved the money of each payment once, the ledger has the same sum, and the audit finds nothing. */
async function assertBooksAgree(site: Site, server: Server, api: Api, ids: ReadonlySet<unknown>): Promise<void> {
  const moved = () =>
    readSimulatorJournal(join(site.home, "simulator.db")).filter(({ kind }) => kind === api.journalKind);
  await until("the money of every payment has moved", 30_000, () => moved().length >= ids.size);
  // Of the marketplace's payments we hear by webhooks, after their money has moved; bills are not among these.
  await until("every payment has succeeded", 30_000, async () =>
    (await site.payments()).every(({ status }) => status === "succeeded"),
  );
  const paid = moved();
  assert.equal(paid.length, ids.size, "nothing was paid twice");
  assert.ok(paid.every(({ paymentId, amountMinor }) => ids.has(paymentId) && amountMinor === 1_250n));
  const { body } = await mustAsk(`${server.address}/ledger/accounts?code=${api.account}`);
  const [account] = body["data"] as { currency: string; balance: number }[];
  assert.deepEqual([account?.currency, account?.balance], ["USD", 12.5 * ids.size]);
  const audit = site.run(["audit"], { DATABASE_URL: site.appUrl, MARKETFLOW_HOME: site.home });
  assert.equal((await audit.exited).code, 0, audit.output());
}

for (const [name, api] of Object.entries({ marketplace, partner })) {
  test(`Redis is killed and comes back under load of the ${name} API, and only health tells`, {
    skip: withoutRedis,
  }, async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const site = await openSite({ REDIS_URL: redis.url, SIMULATOR_PAY_AFTER_MS: "20" });
    t.after(() => site.close());
    const server = await site.startApi("dev");
    await untilHealthSays(api, server, api.words.there, awayLimitMs);
    const load = putUnderRepeats(api, server);
    t.after(() => load.stop());

    const withIt = await load.goOn();
    await redis.kill();
    await untilHealthSays(api, server, api.words.away, awayLimitMs);
    const without = await load.goOn();
    const ready = await mustAsk(`${server.address}/health/ready`);
    assert.equal(ready.status, 200, "it goes on to get requests");
    await redis.start();
    await untilHealthSays(api, server, api.words.there, backLimitMs);
    const again = await load.goOn();
    const results = await load.stop();

    const slowestMs = Math.max(...results.map(({ tookMs }) => tookMs));
    t.diagnostic(`${withIt} answers with Redis, ${without} without it, ${again} with it again`);
    t.diagnostic(`the slowest answer took ${Math.round(slowestMs)} ms`);
    const ids = assertRight(results);
    await assertBooksAgree(site, server, api, new Set(ids.values()));
    assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.output().slice(-3_000));
  });
}
