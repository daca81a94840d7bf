import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type App, type AppOverrides, createApp } from "../../src/app.ts";
import {
  createSimulator,
  type Simulator,
  type SimulatorOptions,
} from "../../src/infrastructure/gateways/simulator/simulator.ts";
import { createLogger } from "../../src/infrastructure/telemetry/logger.ts";
import type { PaymentGateway } from "../../src/movements/index.ts";
import { parseSettings } from "../../src/settings.ts";

export type SimulatedAppOptions = Pick<AppOverrides, "onStep"> & {
  /** What goes wrong with a call to the gateway. */
  readonly faults?: SimulatorOptions["faults"] | undefined;
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
): Promise<App & { readonly address: string; readonly simulator: Simulator }> {
  const settings = parseSettings(environment);
  const { databaseUrl, stripeWebhookSecret } = settings;
  if (databaseUrl === undefined || stripeWebhookSecret === undefined) throw new Error("a site's environment is needed");
  let address = "";
  await mkdir(settings.home, { recursive: true });
  const simulator = createSimulator({
    path: join(settings.home, "simulator.db"),
    latencyMs: settings.simulatorLatencyMs,
    payAfterMs: settings.simulatorPayAfterMs,
    buyer: settings.simulatorBuyer,
    webhook: { url: () => `${address}/webhooks/stripe`, secret: stripeWebhookSecret },
    faults: options.faults,
  });
  const logger = createLogger({ logLevel: settings.logLevel, serviceVersion: "0", process: "test", secrets: [] });
  const { onStep, wrap } = options;
  const app = await createApp({ ...settings, databaseUrl, stripeWebhookSecret }, logger, {
    gateway: wrap === undefined ? simulator : wrap(simulator),
    ...(onStep === undefined ? {} : { onStep }),
  });
  address = await app.start();
  logger.info({ address }, "listening");
  return { ...app, address, simulator };
}
