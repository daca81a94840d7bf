import type { Logger } from "pino";
import { createPulsarBroker } from "../infrastructure/publishers/pulsar/broker.ts";
import { createMetrics } from "../infrastructure/telemetry/metrics.ts";
import { topicsOf } from "../modules/events/index.ts";
import type { Subscription } from "../modules/events/ports.ts";
import { openDatabase } from "./database.ts";
import { startOperations } from "./operations.ts";
import { pulsarOptions } from "./pulsar.ts";
import type { AppSettings } from "./settings.ts";
import { openStatementConsumer } from "./statement-consumer.ts";
import { openTracing } from "./tracing.ts";

/** `marketflow consume`: the affiliates' statement from a Pulsar subscription. */
export async function openConsumer(settings: AppSettings & { readonly pulsarUrl: string }, logger: Logger) {
  const metrics = createMetrics();
  const tracer = await openTracing(settings, logger);
  const database = openDatabase(settings, logger);
  const broker = createPulsarBroker(pulsarOptions(settings, settings.pulsarUrl, logger));
  const receive = openStatementConsumer({ database, metrics, tracer, logger });
  let subscription: Subscription | undefined;
  const operations = await startOperations(settings, logger, metrics, {
    database: database.ping,
    broker: { name: "pulsar", ping: () => broker.ping() },
    isReady: () => subscription !== undefined,
  });
  return {
    async start() {
      subscription = await broker.subscribe({
        topics: [topicsOf(settings.pulsarTopic).pago],
        subscription: settings.pulsarSubscription,
        receive,
        onFailure: (error) => logger.warn({ error }, "the subscription met a fault; it goes on"),
      });
    },
    async close() {
      await subscription?.close();
      await broker.close();
      await operations.close();
      await database.close();
      await tracer.shutdown();
    },
  };
}
