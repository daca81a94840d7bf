import { openRelay } from "../app/relay.ts";
import type { Settings } from "../settings.ts";
import { findDatabase } from "./find-database.ts";
import { openLog, operationsFault, stopOnSignals } from "./run-app.ts";

/**
 * `marketflow relay`: publishes the event log to Pulsar (PULSAR_URL), or without it to the consumers of this process,
 * and sends webhooks to integrators. Any number may run: each has its share of the lanes, and takes over those of one
 * that dies.
 */
export async function relay(settings: Settings): Promise<void> {
  const logger = openLog(settings, "relay");
  const { url: databaseUrl, stop } = await findDatabase(settings);
  const { stripeWebhookSecret = "" } = settings;
  const running = await openRelay({ ...settings, databaseUrl, stripeWebhookSecret }, logger).catch(
    async (error: unknown) => {
      await stop();
      throw operationsFault(error);
    },
  );
  stopOnSignals(() => running.close().finally(stop), settings.shutdownTimeoutMs, logger);
  running.start();
  if (settings.pulsarUrl === undefined) logger.warn("PULSAR_URL is not set: events go no further than this process");
  logger.info({ publisher: running.publisher, operations: running.operations }, "publishing");
}
