import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { putUnderLoad } from "../support/load.ts";
import { ask, commandLine, type Environment, startChild } from "../support/processes.ts";
import { openDurableSite, openSite, type Site } from "../support/site.ts";

const shutdownTimeoutMs = 5_000;

/** Runs a command that is to refuse, and returns what it said. */
async function refusalOf(command: string, settings: Environment): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "marketflow-refusal-"));
  const ports = { PORT: "0", PARTNER_PORT: "0" };
  const child = startChild(commandLine, [command], { MARKETFLOW_HOME: folder, ...ports, ...settings }, folder);
  const killer = setTimeout(() => child.kill(), 15_000);
  try {
    assert.deepEqual(await child.exited, { code: 1, signal: null }, child.output());
    assert.doesNotMatch(child.output(), /\n\s+at /, "a sentence, not a stack");
    return child.output();
  } finally {
    clearTimeout(killer);
    await child.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

suite("an API process", () => {
  let site: Site;
  before(async () => {
    site = await openDurableSite({ SHUTDOWN_TIMEOUT_MS: String(shutdownTimeoutMs) });
  });
  after(() => site.close());

  test("that is told to stop under load answers what it took, loses nothing and ends with 0", async (t) => {
    // The gateway takes its time, so that many payments are between accept and settle when the signal comes.
    const api = await site.startApi("serve", { SIMULATOR_LATENCY_MS: "300" });
    const load = putUnderLoad(api.address, 64);
    t.after(() => load.stop());
    await sleep(1_500);
    const beganMs = performance.now();
    const exit = await api.stop();
    const stoppedMs = performance.now() - beganMs;
    const results = await load.stop();
    t.diagnostic(`${results.length} requests, stopped within ${Math.round(stoppedMs)} ms`);

    assert.deepEqual(exit, { code: 0, signal: null }, api.output());
    assert.ok(stoppedMs < shutdownTimeoutMs);
    assert.equal(await ask(`${api.address}/health/live`), null, "nothing listens any more");

    const stored = new Map((await site.payments()).map((payment) => [payment.key, payment]));
    for (const { status, code, id, body } of results) {
      const isClean = status === 201 || (status === 503 && code === "shutting_down") || status === 0;
      assert.ok(isClean, `an answer was ${status} ${code}`);
      const payment = stored.get(body.idempotency_key);
      if (status === 201) assert.equal(payment?.id, id, "an acknowledged payment is stored");
      // Without an answer it was not taken: the connection was closed or refused before.
      else assert.equal(payment, undefined, `${body.idempotency_key} was taken and answered ${status}`);
    }
    const unsettled = [...stored.values()].filter(({ openAttempts }) => openAttempts > 0);
    assert.deepEqual(unsettled, [], "what was taken is settled");
    assert.ok(results.some(({ status }) => status === 201));
  });

  test("whose port is taken says so and ends with 1", async () => {
    const first = await site.startApi("serve");
    const port = new URL(first.address).port;
    const said = await refusalOf("serve", { ...site.environment, PORT: port });
    assert.match(said, new RegExp(`Port ${port} is in use\\. Set PORT`));
    const partnerPort = new URL(first.partner).port;
    const saidOfPartner = await refusalOf("serve", { ...site.environment, PARTNER_PORT: partnerPort });
    assert.match(saidOfPartner, new RegExp(`Port ${partnerPort} is in use\\. Set PARTNER_PORT`));
    await first.stop();
  });

  test("does not serve without its settings, and names all that are missing", async () => {
    const said = await refusalOf("serve", {});
    assert.match(said, /DATABASE_URL must be set/);
    assert.match(said, /STRIPE_WEBHOOK_SECRET must be set/);
    const wrong = await refusalOf("serve", { PORT: "http", LOG_LEVEL: "loud", STRIPE_WEBHOOK_SECRET: "not_a_whsec" });
    assert.match(wrong, /PORT must be/);
    assert.match(wrong, /LOG_LEVEL must be/);
    assert.match(wrong, /STRIPE_WEBHOOK_SECRET must be/);
    assert.doesNotMatch(wrong, /not_a_whsec/, "a secret is not printed");
  });

  test("does not serve as a superuser or as the owner of the tables", async () => {
    const superuser = new URL(site.adminUrl);
    superuser.pathname = "/marketflow";
    assert.match(await refusalOf("serve", { ...site.environment, DATABASE_URL: superuser.href }), /superuser/);
    assert.match(await refusalOf("serve", { ...site.environment, DATABASE_URL: site.ownerUrl }), /role that owns/);
  });

  test("does not serve on a database that could lose commits, nor where none answers", async (t) => {
    const careless = await openSite();
    t.after(() => careless.close());
    const said = await refusalOf("serve", careless.environment);
    assert.match(said, /fsync=off/);
    assert.match(said, /full_page_writes=off/);
    const nowhere = { ...site.environment, DATABASE_URL: "postgres://marketflow:geheim@127.0.0.1:1/marketflow" };
    const silence = await refusalOf("serve", nowhere);
    assert.match(silence, /does not answer/);
    assert.doesNotMatch(silence, /geheim/);
  });
});

test("the sandbox refuses production and every address but loopback", async () => {
  assert.match(await refusalOf("dev", { NODE_ENV: "production" }), /does not run with NODE_ENV=production/);
  assert.match(await refusalOf("dev", { HOST: "0.0.0.0" }), /binds only to loopback, not to 0\.0\.0\.0/);
});
