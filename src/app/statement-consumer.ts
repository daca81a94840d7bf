import type { Logger } from "pino";
import type { Metrics } from "../infrastructure/telemetry/metrics.ts";
import type { Tracer } from "../infrastructure/telemetry/tracer.ts";
import type { ConsumerObserver } from "../modules/events/index.ts";
import type { Receive } from "../modules/events/ports.ts";
import { createStatementConsumer } from "../modules/payouts/index.ts";
import type { OpenDatabase } from "./database.ts";

/** What a consumer is made of. */
export type ConsumerParts = {
  readonly database: OpenDatabase;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly logger: Logger;
};

/** Keeps the affiliates' statements from what is published of the pagos, whoever brings it. */
export function openStatementConsumer({ database, metrics, tracer, logger }: ConsumerParts): Receive {
  const observe = consumerObserver("affiliate-statement", metrics, tracer, logger);
  return createStatementConsumer(database.lane("affiliate_statement"), observe);
}

/** Tells metrics, the log and traces about a consumer. */
function consumerObserver(name: string, metrics: Metrics, tracer: Tracer, logger: Logger): ConsumerObserver {
  return {
    counted(outcome, messages) {
      if (messages > 0) metrics.delivery.received(name, outcome, messages);
    },
    failed(error, message) {
      const about = { consumer: name, message: message?.messageId, topic: message?.topic, error };
      logger.warn(about, "events could not be taken; they are delivered again");
    },
    deadLettered(reason, { messageId: message, topic }) {
      logger.error({ consumer: name, message, topic, reason }, "a message was put aside");
    },
    startSpan: (span, traceparent) => tracer.startSpan(span, traceparent),
  };
}
