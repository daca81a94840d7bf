import type { Logger } from "pino";
import { createMetrics } from "../infrastructure/telemetry/metrics.ts";
import { openDatabase } from "./database.ts";
import { startOperations } from "./operations.ts";
import { openOutbox } from "./outbox.ts";
import type { AppSettings } from "./settings.ts";
import { openTracing } from "./tracing.ts";

/** `marketflow relay`: a process that does nothing but take the event log to other systems. */
export async function openRelay(settings: AppSettings, logger: Logger) {
  const metrics = createMetrics();
  const tracer = await openTracing(settings, logger);
  const database = openDatabase(settings, logger);
  const outbox = await openOutbox({ settings, database, metrics, tracer, logger });
  let ready = false;
  const operations = await startOperations(settings, logger, metrics, {
    database: database.ping,
    broker: outbox.publisher,
    isReady: () => ready,
  });
  return {
    publisher: outbox.publisher.name,
    /** Where its health and metrics are; undefined where OPERATIONS_PORT is not set. */
    operations: operations.address,
    start(): void {
      outbox.start();
      ready = true;
    },
    async close(): Promise<void> {
      ready = false;
      await outbox.close();
      await operations.close();
      await database.close();
      await tracer.shutdown();
    },
  };
}
