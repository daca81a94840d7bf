import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Fault } from "../../src/infrastructure/gateways/simulator/magic-amounts.ts";
import { eventually, get } from "../support/app.ts";
import { payAffiliate } from "../support/partner.ts";
import { startSimulatedApp } from "../support/simulated-app.ts";
import { openSite, rowsOf } from "../support/site.ts";
import { fund } from "./served-lotes.ts";

// The whole application over the simulator: what the gateway did is in the simulator's journal, whoever believes what.

async function open(t: TestContext, fault: () => Fault | undefined, nowMs: () => number = Date.now) {
  const site = await openSite();
  t.after(() => site.close());
  await fund(site.appUrl, 1_000_000_000n);
  const settings = { ...site.environment, ACCEPT_LEASE_MS: "600", GATEWAY_TIMEOUT_MS: "200", LOG_LEVEL: "silent" };
  const app = await startSimulatedApp(settings, { faults: fault, nowMs });
  t.after(() => app.close());
  const stateOf = async (id: string) => (await get(app.partnerAddress, `/pagos/${id}`)).body.estado as string;
  const held = async () =>
    (await rowsOf(site.ownerUrl, "select coalesce(sum(held), 0) as held from ledger.balances"))[0];
  return { app, site, stateOf, held };
}

test("a pago whose gateway times out after paying is PROCESANDO, and EXITOSO once recovery has asked", async (t) => {
  let isBad = true;
  const { app, stateOf, held } = await open(t, () => (isBad ? "timeout_after" : undefined));
  const { status, body } = await payAffiliate(app.partnerAddress);
  assert.deepEqual([status, body.estado], [202, "PROCESANDO"]);
  assert.equal(await stateOf(body.id_pago), "PROCESANDO");
  assert.deepEqual(await held(), { held: "10050" });

  // Also the questions of recovery time out: what is not known stays so.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.equal(await stateOf(body.id_pago), "PROCESANDO");

  isBad = false;
  await eventually(
    () => stateOf(body.id_pago),
    (state) => state === "EXITOSO",
  );
  assert.equal(app.simulator.payoutsOf(body.id_pago).length, 1);
  assert.deepEqual(await held(), { held: "0" });
});

test("five faults in a minute open the circuit, half a minute later one probe closes it: all are paid", async (t) => {
  let fault: Fault | undefined = "not_sent";
  let nowMs = 1_000_000_000_000;
  let calls = 0;
  const { app, stateOf } = await open(
    t,
    () => {
      calls += 1;
      return fault;
    },
    () => nowMs,
  );
  const circuit = app.gateways.payouts.breaker;
  const ids: string[] = [];
  for (let number = 0; number < 8; number++) {
    const { status, body } = await payAffiliate(app.partnerAddress, { id_afiliado: `afiliado_${number}` });
    assert.equal(status, 202);
    ids.push(body.id_pago);
  }
  assert.equal(circuit.state(), "open");
  assert.equal(app.gateways.payments.breaker.state(), "closed", "payments have a circuit of their own");
  const callsUntilOpen = calls;
  assert.ok(callsUntilOpen >= 5 && callsUntilOpen < 8, `${callsUntilOpen} calls`);

  // The gateway is back, and nobody knows: recovery asks, and is refused at once.
  fault = undefined;
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  assert.equal(calls, callsUntilOpen);
  nowMs += 29_999;
  assert.equal(circuit.state(), "open");

  nowMs += 1;
  await eventually(
    () => Promise.all(ids.map(stateOf)),
    (states) => states.every((state) => state === "EXITOSO"),
    20_000,
  );
  assert.equal(circuit.state(), "closed");
  for (const id of ids) assert.equal(app.simulator.payoutsOf(id).length, 1);
});
