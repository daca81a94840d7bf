import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Fault } from "../../src/infrastructure/gateways/simulator/magic-amounts.ts";
import { mustAsk, until } from "../support/processes.ts";
import { startSimulatedApp } from "../support/simulated-app.ts";
import { openSite, type Site } from "../support/site.ts";

/** An application in this process, on whose gateway every call goes wrong as `fault` says at the moment. */
async function startOver(t: TestContext, site: Site, fault: () => Fault | undefined) {
  const settings = {
    ...site.environment,
    ACCEPT_LEASE_MS: "1000",
    GATEWAY_TIMEOUT_MS: "800",
    SIMULATOR_PAY_AFTER_MS: "20",
    LOG_LEVEL: "silent",
  };
  const app = await startSimulatedApp(settings, { faults: fault });
  t.after(() => app.close());
  return app;
}

function bodyOf(key: string) {
  return { amount: "10.00", currency: "USD", idempotency_key: key };
}

test("a gateway that is down opens the circuit; payments are kept, and succeed when it is back", async (t) => {
  const site = await openSite();
  t.after(() => site.close());
  let isDown = true;
  const first = await startOver(t, site, () => (isDown ? "not_sent" : undefined));
  const keys = Array.from({ length: 20 }, (_, n) => `kept-${n}`);
  for (const key of keys.slice(0, 5)) {
    const { status, body } = await mustAsk(`${first.address}/payments`, bodyOf(key));
    assert.deepEqual([status, body["code"]], [503, "gateway_unavailable"]);
  }
  assert.equal(first.gateway.breaker.state(), "open");

  for (const key of keys.slice(5)) {
    const beganMs = performance.now();
    const { status, headers, body } = await mustAsk(`${first.address}/payments`, bodyOf(key));
    assert.deepEqual([status, body["code"]], [503, "gateway_unavailable"]);
    assert.match(String(body["payment_id"]), /^[0-9a-f-]{36}$/);
    assert.match(headers.get("retry-after") ?? "", /^\d+$/);
    assert.ok(performance.now() - beganMs < 500, "nobody waits for a gateway that is not called");
  }
  const health = await mustAsk(`${first.address}/health`);
  assert.equal(health.status, 200, "a gateway that is down is no reason to restart us");
  assert.deepEqual(health.body["gateway"], { name: "simulator", circuit: "open" });
  assert.equal(site.intents(), 0);

  // The circuit of a new process is closed, so that the test need not wait half a minute for the probe.
  await first.close();
  isDown = false;
  const second = await startOver(t, site, () => undefined);
  await until("every payment has succeeded", 30_000, async () => {
    return (await site.payments()).every(({ status }) => status === "succeeded");
  });
  assert.equal((await site.payments()).length, keys.length);
  assert.equal(site.charges().length, keys.length);
  assert.equal((await mustAsk(`${second.address}/payments`, bodyOf("kept-7"))).status, 200);
});

test("a payment outlives a gateway that is down for longer than recovery first asks", async (t) => {
  const site = await openSite();
  t.after(() => site.close());
  let isDown = true;
  const app = await startOver(t, site, () => (isDown ? "not_sent" : undefined));
  assert.equal((await mustAsk(`${app.address}/payments`, bodyOf("patient"))).status, 503);
  const triesOf = async () => {
    const { id } = (await site.payments())[0] ?? {};
    const timeline = await mustAsk(`${app.address}/payments/${id}/timeline`);
    const entries = timeline.body["data"] as { kind: string; tries?: number }[];
    return entries.find(({ kind }) => kind === "attempt")?.tries ?? 0;
  };
  // After 1, 2 and 4 seconds recovery has found nobody there three times.
  await until("recovery has asked in vain three times", 20_000, async () => (await triesOf()) >= 4);
  isDown = false;
  await until("the payment has ended", 30_000, async () => {
    return (await site.payments()).every(({ status }) => status !== "pending");
  });
  assert.deepEqual(
    (await site.payments()).map(({ status }) => status),
    ["succeeded"],
  );
  assert.equal(site.charges().length, 1);
});
