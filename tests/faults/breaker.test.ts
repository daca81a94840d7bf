import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createCircuit } from "../../src/infrastructure/gateways/circuit.ts";
import { guardBills, guardPayouts } from "../../src/infrastructure/gateways/guarded.ts";
import { readSimulatorJournal } from "../../src/infrastructure/gateways/simulator/journal.ts";
import type { Fault } from "../../src/infrastructure/gateways/simulator/magic-amounts.ts";
import { createSimulator, type SimulatedCall } from "../../src/infrastructure/gateways/simulator/simulator.ts";
import type { Currency } from "../../src/kernel/currency.ts";
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
  assert.equal(first.gateways.payments.breaker.state(), "open");

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

/** A simulator over a book of its own, every call of which goes wrong as `fault` says at the moment. */
function openSimulator(t: TestContext, fault: () => Fault | undefined) {
  const home = mkdtempSync(join(tmpdir(), "marketflow-breaker-"));
  const path = join(home, "simulator.db");
  const called: SimulatedCall["operation"][] = [];
  const faults = ({ operation }: SimulatedCall) => {
    called.push(operation);
    return fault();
  };
  const simulator = createSimulator({ path, latencyMs: 0, payAfterMs: 0, buyer: "absent", webhook: null, faults });
  t.after(async () => {
    await simulator.close();
    rmSync(home, { recursive: true });
  });
  return { simulator, called, journal: () => readSimulatorJournal(path) };
}

const money = { amountMinor: 10_050n, currency: "USD" as Currency };

test("payouts that time out after paying open the circuit, a probe closes it, and each is paid once", async (t) => {
  let fault: Fault | undefined = "timeout_after";
  let now = 1_000_000;
  const { simulator, called, journal } = openSimulator(t, () => fault);
  const states: string[] = [];
  const circuit = createCircuit({ nowMs: () => now, onStateChange: (state) => states.push(state) });
  const gateway = guardPayouts(simulator.payouts, circuit);
  const requests = Array.from({ length: 10 }, (_, n) => {
    const payoutId = `payout-${n}`;
    return { attemptId: `${payoutId}-1`, payoutId, recipient: `afiliado_${n}`, amount: money, reference: `ref_${n}` };
  });
  const pay = () => Promise.all(requests.map((request) => gateway.createPayout(request, 50)));

  for (const request of requests.slice(0, 5)) {
    assert.equal((await gateway.createPayout(request, 50)).type, "unknown");
    now += 10_000;
  }
  assert.equal(circuit.state(), "open");
  for (const outcome of await pay()) assert.equal(outcome.type === "not_sent" && outcome.code, "gateway_circuit_open");
  assert.deepEqual([called.length, journal().length], [5, 5]);

  fault = undefined;
  // The fifth fault came ten seconds before now.
  now += 19_999;
  assert.equal((await gateway.findPayout(requests[0] as (typeof requests)[0], 50)).type, "unreachable");
  now += 1;
  const outcomes = await pay();
  assert.equal(outcomes.filter(({ type }) => type === "succeeded").length, 1);
  assert.equal(called.length, 6, "exactly one call was let through");
  assert.deepEqual(states, ["open", "half_open", "closed"]);

  for (const outcome of await pay()) assert.equal(outcome.type, "succeeded");
  assert.deepEqual(
    journal()
      .map(({ paymentId }) => paymentId)
      .sort(),
    requests.map(({ payoutId }) => payoutId),
  );
});

test("a probe that fails keeps bills from the gateway for another 30 s, and none of them is paid", async (t) => {
  let now = 0;
  const { simulator, called, journal } = openSimulator(t, () => "not_sent");
  const circuit = createCircuit({ nowMs: () => now });
  const gateway = guardBills(simulator.bills, circuit);
  const bill = { attemptId: "b-1", paymentId: "b", reference: "FAC-1", amount: money, retry: 0 };
  for (let second = 0; second < 120; second++) {
    now = second * 1000;
    assert.equal((await gateway.payBill(bill, 50)).type, "not_sent");
  }
  // Five in the first seconds, and a probe at 34, 64 and 94 seconds.
  assert.equal(called.length, 8);
  assert.deepEqual(journal(), []);
});
