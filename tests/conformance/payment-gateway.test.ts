import { rmSync } from "node:fs";
import { join } from "node:path";
import { createSimulator, type SimulatedCall } from "../../src/infrastructure/gateways/simulator/simulator.ts";
import { createStripeGateway } from "../../src/infrastructure/gateways/stripe/adapter.ts";
import { type StandInCall, startStripeStandIn } from "../../src/infrastructure/gateways/stripe/stand-in.ts";
import {
  type ConformanceFault,
  closedPort,
  type GatewaySetup,
  type GatewayUnderTest,
  newHome,
  type Operation,
} from "./gateway-under-test.ts";
import { describePaymentGateway } from "./payment-gateway.ts";

type Buyer = Parameters<GatewaySetup>[0];

function buyerOptions(buyer: Buyer) {
  return buyer === "absent"
    ? ({ buyer, payAfterMs: 0 } as const)
    : ({ buyer: "pays", payAfterMs: buyer.payAfterMs } as const);
}

function movableClock() {
  let aheadMs = 0;
  const advance = (milliseconds: number) => {
    aheadMs += milliseconds;
  };
  return { clock: () => Date.now() + aheadMs, advance };
}

async function startSimulator(home: string, buyer: Buyer): Promise<GatewayUnderTest> {
  const failing = new Map<string, ConformanceFault>();
  const { clock, advance } = movableClock();
  const common = { latencyMs: 0, webhook: null, clock, ...buyerOptions(buyer) };
  const faults = ({ operation }: SimulatedCall) => failing.get(operation);
  const gateway = createSimulator({ ...common, path: join(home, "simulator.db"), faults });
  const unreachable = createSimulator({ ...common, path: join(home, "unreachable.db"), faults: () => "not_sent" });
  const stop = () => Promise.all([gateway.close(), unreachable.close()]);
  return {
    gateway,
    unreachable,
    chargesOf: (paymentId) => gateway.chargesOf(paymentId),
    refundsOf: (paymentId) => gateway.refundsOf(paymentId),
    advance,
    fail: (operation, fault) => void (fault ? failing.set(operation, fault) : failing.delete(operation)),
    async restart() {
      await stop();
      return startSimulator(home, buyer);
    },
    async close() {
      await stop();
      rmSync(home, { recursive: true });
    },
  };
}

function operationOf({ method, path }: StandInCall): Operation {
  if (path === "/v1/balance_transactions") return "settlements";
  if (path.startsWith("/v1/refunds")) return method === "GET" ? "find_refund" : "refund";
  if (method === "GET") return "find";
  if (path.endsWith("/capture")) return "capture";
  return path.endsWith("/cancel") ? "cancel" : "create";
}

async function startStripe(home: string, buyer: Buyer): Promise<GatewayUnderTest> {
  const failing = new Map<Operation, ConformanceFault>();
  const { clock, advance } = movableClock();
  const standIn = await startStripeStandIn({
    port: 0,
    clock,
    path: join(home, "stand-in.db"),
    webhook: null,
    faults: (call) => failing.get(operationOf(call)),
    ...buyerOptions(buyer),
  });
  const gateway = createStripeGateway({ secretKey: "sk_test_1", apiBase: standIn.url });
  const unreachable = createStripeGateway({
    secretKey: "sk_test_1",
    apiBase: `http://127.0.0.1:${await closedPort()}`,
  });
  const stop = () => Promise.all([gateway.close(), unreachable.close(), standIn.close()]);
  return {
    gateway,
    unreachable,
    chargesOf: (paymentId) => standIn.chargesOf(paymentId),
    refundsOf: (paymentId) => standIn.refundsOf(paymentId),
    advance,
    fail: (operation, fault) => void (fault ? failing.set(operation, fault) : failing.delete(operation)),
    async restart() {
      await stop();
      return startStripe(home, buyer);
    },
    async close() {
      await stop();
      rmSync(home, { recursive: true });
    },
  };
}

describePaymentGateway("the simulator", (buyer) => startSimulator(newHome(), buyer));
describePaymentGateway("Stripe's SDK against the stand-in", (buyer) => startStripe(newHome(), buyer));
