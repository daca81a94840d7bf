import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { createCircuit } from "../infrastructure/gateways/circuit.ts";
import { type Guarded, guardBills, guardPayouts, withCircuitBreaker } from "../infrastructure/gateways/guarded.ts";
import { measureBills, measurePayouts, withMetrics } from "../infrastructure/gateways/measured.ts";
import type { Simulator, SimulatorOptions } from "../infrastructure/gateways/simulator/simulator.ts";
import type { Metrics } from "../infrastructure/telemetry/metrics.ts";
import type { BillGateway, PaymentGateway, PayoutGateway } from "../movements/index.ts";
import type { AppOverrides, AppSettings, Gateways } from "./settings.ts";

/**
 * The gateways of the settings; bills are the simulator's in any case, because there is no other gateway for them. Each
 * is loaded only where it is used: Stripe's package alone costs 40 MB of memory.
 */
export async function openGateways(settings: AppSettings, address: () => string): Promise<Gateways> {
  if (settings.gateway !== "stripe") {
    const simulator = await openSimulator(settings, address);
    const { bills, payouts } = simulator;
    return { payments: simulator, bills, payouts, close: () => simulator.close() };
  }
  const { createStripeGateway } = await import("../infrastructure/gateways/stripe/adapter.ts");
  const stripe = createStripeGateway({
    secretKey: settings.stripeSecretKey ?? "",
    apiBase: settings.stripeApiBase,
  });
  const simulator = await openSimulator({ ...settings, simulatorBuyer: "absent" }, null);
  return {
    payments: stripe,
    bills: simulator.bills,
    payouts: stripe.payouts,
    async close() {
      await stripe.close();
      await simulator.close();
    },
  };
}

async function openSimulator(settings: AppSettings, address: (() => string) | null): Promise<Simulator> {
  const { createSimulator } = await import("../infrastructure/gateways/simulator/simulator.ts");
  await mkdir(settings.home, { recursive: true });
  return createSimulator(simulatorOptions(settings, address));
}

/** The simulator of the settings. It sends webhooks where it is given the address of the marketplace API. */
export function simulatorOptions(settings: AppSettings, address: (() => string) | null): SimulatorOptions {
  return {
    path: join(settings.home, "simulator.db"),
    latencyMs: settings.simulatorLatencyMs,
    payAfterMs: settings.simulatorPayAfterMs,
    buyer: settings.simulatorBuyer,
    retrySuccessProbability: settings.retrySuccessProbability,
    payoutLatencyMs: settings.pasarelaLatencyMs,
    payoutFailureRate: settings.pasarelaFailureRate,
    // Which port it is may be known only when we listen.
    webhook: address && { url: () => `${address()}/webhooks/stripe`, secret: settings.stripeWebhookSecret },
  };
}

/** The gateways as the modules call them: measured, and each behind a circuit of its own. */
export type GuardedGateways = {
  readonly payments: Guarded<PaymentGateway>;
  readonly bills: Guarded<BillGateway>;
  readonly payouts: Guarded<PayoutGateway>;
};

/** One that fails for payouts may still take payments, so each has its own circuit. */
export function guardGateways(
  gateways: Gateways,
  metrics: Metrics,
  logger: Logger,
  nowMs: AppOverrides["nowMs"],
): GuardedGateways {
  const circuitOf = (name: string) => {
    const tellMetrics = metrics.breaker(name);
    return createCircuit({
      nowMs,
      onStateChange(state) {
        tellMetrics(state);
        logger[state === "open" ? "error" : "info"]({ gateway: name, state }, "the gateway's circuit changed");
      },
    });
  };
  const { payments, bills, payouts } = gateways;
  const { gatewayCall } = metrics;
  return {
    payments: withCircuitBreaker(withMetrics(payments, gatewayCall), circuitOf(payments.name)),
    bills: guardBills(measureBills(bills, gatewayCall), circuitOf(`${bills.name} bills`)),
    payouts: guardPayouts(measurePayouts(payouts, gatewayCall), circuitOf(`${payouts.name} payouts`)),
  };
}
