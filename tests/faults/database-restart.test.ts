import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type PaymentBody, putUnderLoad } from "../support/load.ts";
import { pgCtl } from "../support/pg-ctl.ts";
import { ask, mustAsk, until } from "../support/processes.ts";
import { openDurableSite } from "../support/site.ts";

const connections = 32;
/** The limit for being healthy again. */
const healthyLimitMs = 10_000;

/** What the API may say while its database is away. */
const outageCodes = new Set(["database_unavailable", "overloaded"]);

/** Repeats a request until it is answered with its payment: 409 says that recovery has not come to it yet. */
async function repeat(address: string, body: PaymentBody): Promise<void> {
  await until(`${body.idempotency_key} is answered`, 15_000, async () => {
    const { status, body: answer } = await mustAsk(`${address}/payments`, body);
    assert.ok(status < 300 || status === 409, `repeated: ${status} ${JSON.stringify(answer)}`);
    return status < 300;
  });
}

for (const command of ["restart", "stop"] as const) {
  const name = command === "restart" ? "is restarted" : "is stopped and brought back by its supervisor";
  test(`PostgreSQL ${name} at once under load: nothing acknowledged is lost, and the API lives on`, async (t) => {
    const site = await openDurableSite({
      SIMULATOR_BUYER: "absent",
      ACCEPT_LEASE_MS: "2000",
      GATEWAY_TIMEOUT_MS: "500",
    });
    t.after(() => site.close());
    const api = await site.startApi("serve");
    const load = putUnderLoad(api.address, connections);
    t.after(() => load.stop());
    const health: { status: number; database: unknown }[] = [];
    let isWatching = true;
    t.after(() => {
      isWatching = false;
    });
    // Readers as well, so that there is always a connection of the pool in somebody's hands when the server ends.
    const readers = Array.from({ length: 8 }, async () => {
      while (isWatching) {
        const list = await mustAsk(`${api.address}/payments?limit=1`);
        assert.ok(list.status === 200 || list.body["code"] === "database_unavailable", JSON.stringify(list.body));
        const { status, body } = await mustAsk(`${api.address}/health`);
        health.push({ status, database: body["database"] });
      }
    });
    const watched = Promise.all(readers);
    watched.catch(() => undefined);

    await sleep(2_000);
    const beforeTheStop = load.results().filter(({ status }) => status === 201).length;
    assert.ok(beforeTheStop > 100, `only ${beforeTheStop} payments in 2 s`);
    await pgCtl(site.postgres.dataDir, command, "-m", "immediate");
    const healthyMs = await until("the API is healthy", healthyLimitMs, async () => {
      const answer = await ask(`${api.address}/health`);
      assert.ok(answer !== null, `the API does not answer: ${api.output().slice(-3_000)}`);
      return answer.status === 200;
    });
    const atHealthy = load.results().length;
    await sleep(2_000);
    const results = await load.stop();
    isWatching = false;
    await watched;
    t.diagnostic(`healthy after ${Math.round(healthyMs)} ms`);

    for (const { status, code } of results) {
      const isFine = status === 201 || (status === 503 && outageCodes.has(String(code)));
      assert.ok(isFine, `an answer was ${status} ${code}`);
    }
    assert.ok(
      results.slice(atHealthy).some(({ status }) => status === 201),
      "payments are made again",
    );
    // A restart can be over before anybody has asked; the supervisor takes a second.
    if (command === "stop") {
      const felt = results.some(({ status }) => status === 503);
      assert.ok(felt, "the outage was felt");
      const told = health.some(({ status, database }) => status === 503 && database === "disconnected");
      assert.ok(told, "health told of it");
    }

    // Every unacknowledged request is repeated with its key, as its 503 says.
    const unacknowledged = results.filter(({ status }) => status !== 201);
    await Promise.all(unacknowledged.map(({ body }) => repeat(api.address, body)));

    const stored = Map.groupBy(await site.payments(), ({ key }) => key);
    const answered = results.map(({ body, id }) => ({ key: body.idempotency_key, id }));
    for (const { key, id } of answered) {
      const [payment, ...more] = stored.get(key) ?? [];
      assert.equal(more.length, 0);
      assert.ok(payment !== undefined, `${key} is stored`);
      if (id !== null) assert.equal(payment.id, id, `${key} is the payment that was answered`);
      assert.equal(payment.attempts, 1);
      assert.deepEqual(payment.eventVersions, [1]);
    }
    assert.equal(stored.size, results.length);
    assert.equal(site.intents(), results.length, "the gateway made one intent for each");
    assert.deepEqual(await api.stop(), { code: 0, signal: null });
  });
}

test("a process that is told to stop while its database is away ends all the same", async (t) => {
  const site = await openDurableSite();
  t.after(() => site.close());
  const api = await site.startApi("serve");
  const load = putUnderLoad(api.address, connections);
  t.after(() => load.stop());
  await sleep(500);
  await pgCtl(site.postgres.dataDir, "stop", "-m", "immediate");
  const beganMs = performance.now();
  assert.deepEqual(await api.stop(), { code: 0, signal: null }, api.output().slice(-3_000));
  assert.ok(performance.now() - beganMs < 10_000, "within SHUTDOWN_TIMEOUT_MS");
});
