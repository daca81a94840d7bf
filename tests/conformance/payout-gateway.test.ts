import { rmSync } from "node:fs";
import { join } from "node:path";
import { createSimulator, type SimulatedCall } from "../../src/infrastructure/gateways/simulator/simulator.ts";
import { createStripeGateway } from "../../src/infrastructure/gateways/stripe/adapter.ts";
import { startStripeStandIn } from "../../src/infrastructure/gateways/stripe/stand-in.ts";
import type { DisbursingFault, DisbursingUnderTest } from "./disbursing.ts";
import { closedPort, newHome } from "./gateway-under-test.ts";
import { describePayoutGateway, payingOut } from "./payout-gateway.ts";

async function startSimulator(home: string, payoutLatencyMs: number): Promise<DisbursingUnderTest> {
  const failing = new Map<SimulatedCall["operation"], DisbursingFault>();
  const common = { latencyMs: 0, payoutLatencyMs, payAfterMs: 0, buyer: "absent", webhook: null } as const;
  const faults = ({ operation }: SimulatedCall) => failing.get(operation);
  const simulator = createSimulator({ ...common, path: join(home, "simulator.db"), faults });
  const unreachable = createSimulator({ ...common, path: join(home, "unreachable.db"), faults: () => "not_sent" });
  const stop = () => Promise.all([simulator.close(), unreachable.close()]);
  return {
    ...payingOut(simulator.payouts),
    unreachable: payingOut(unreachable.payouts),
    paidOf: (payoutId) => simulator.payoutsOf(payoutId),
    fail(call, fault) {
      const operation = call === "pay" ? "payout" : "find_payout";
      if (fault === undefined) failing.delete(operation);
      else failing.set(operation, fault);
    },
    async restart() {
      await stop();
      return startSimulator(home, payoutLatencyMs);
    },
    async close() {
      await stop();
      rmSync(home, { recursive: true });
    },
  };
}

async function startStripe(home: string, latencyMs: number): Promise<DisbursingUnderTest> {
  const failing = new Map<string, DisbursingFault>();
  const standIn = await startStripeStandIn({
    port: 0,
    path: join(home, "stand-in.db"),
    payAfterMs: 0,
    buyer: "absent",
    webhook: null,
    latencyMs,
    faults: ({ method }) => failing.get(method),
  });
  const gateway = createStripeGateway({ secretKey: "sk_test_1", apiBase: standIn.url });
  const apiBase = `http://127.0.0.1:${await closedPort()}`;
  const unreachable = createStripeGateway({ secretKey: "sk_test_1", apiBase });
  const stop = () => Promise.all([gateway.close(), unreachable.close(), standIn.close()]);
  return {
    ...payingOut(gateway.payouts),
    unreachable: payingOut(unreachable.payouts),
    paidOf: (payoutId) => standIn.payoutsOf(payoutId),
    fail(call, fault) {
      const method = call === "pay" ? "POST" : "GET";
      if (fault === undefined) failing.delete(method);
      else failing.set(method, fault);
    },
    async restart() {
      await stop();
      return startStripe(home, latencyMs);
    },
    async close() {
      await stop();
      rmSync(home, { recursive: true });
    },
  };
}

describePayoutGateway("the simulator", (latencyMs) => startSimulator(newHome(), latencyMs));
describePayoutGateway("Stripe's SDK against the stand-in", (latencyMs) => startStripe(newHome(), latencyMs));
