import { mkdir } from "node:fs/promises";
import { simulatorOptions } from "../../src/app/gateways.ts";
import type { AppOverrides } from "../../src/app/settings.ts";
import { type App, createApp } from "../../src/app.ts";
import {
  createSimulator,
  type Simulator,
  type SimulatorOptions,
} from "../../src/infrastructure/gateways/simulator/simulator.ts";
import { createLogger } from "../../src/infrastructure/telemetry/logger.ts";
import type { PaymentGateway } from "../../src/movements/index.ts";
import { parseSettings } from "../../src/settings.ts";

export type SimulatedAppOptions = Pick<AppOverrides, "onStep" | "nowMs"> & {
  /** What goes wrong with a call to the gateway. */
  readonly faults?: SimulatorOptions["faults"] | undefined;
  /** What is left to chance: seeded where a test asserts what it brings. */
  readonly random?: SimulatorOptions["random"];
  /** Puts something between the application and its simulator. */
  readonly wrap?: (simulator: Simulator) => PaymentGateway;
};

/**
 * Builds the application from environment variables as `serve` does, over a simulator that misbehaves as told, and
 * starts it. It logs where it listens, as `serve` does. Closing the application closes the simulator.
 */
export async function startSimulatedApp(
  environment: Readonly<Record<string, string | undefined>>,
  options: SimulatedAppOptions,
): Promise<App & { readonly address: string; readonly partnerAddress: string; readonly simulator: Simulator }> {
  const settings = parseSettings(environment);
  const { databaseUrl, stripeWebhookSecret } = settings;
  if (databaseUrl === undefined || stripeWebhookSecret === undefined) throw new Error("a site's environment is needed");
  let address = "";
  await mkdir(settings.home, { recursive: true });
  const complete = { ...settings, databaseUrl, stripeWebhookSecret };
  const { faults, random } = options;
  const simulator = createSimulator({ ...simulatorOptions(complete, () => address), faults, random });
  const logger = createLogger({ logLevel: settings.logLevel, serviceVersion: "0", process: "test", secrets: [] });
  const { onStep, nowMs, wrap } = options;
  const { bills, payouts } = simulator;
  const payments = wrap === undefined ? simulator : wrap(simulator);
  const app = await createApp(complete, logger, {
    gateways: { payments, bills, payouts, close: () => payments.close() },
    ...(onStep === undefined ? {} : { onStep }),
    ...(nowMs === undefined ? {} : { nowMs }),
  });
  const addresses = await app.start();
  address = addresses.marketplace;
  const { partner } = addresses;
  logger.info({ address, partner_address: partner }, "listening");
  return { ...app, address, partnerAddress: partner, simulator };
}
