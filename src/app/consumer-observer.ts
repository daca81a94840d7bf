import type { Logger } from "pino";
import type { Metrics } from "../infrastructure/telemetry/metrics.ts";
import type { Tracer } from "../infrastructure/telemetry/tracer.ts";
import type { ConsumerObserver } from "../modules/events/index.ts";

/** The consumer that keeps the affiliates' statements, in logs and metrics. */
export const statementConsumer = "affiliate-statement";

/** Tells metrics, the log and traces about a consumer. */
export function consumerObserver(name: string, metrics: Metrics, tracer: Tracer, logger: Logger): ConsumerObserver {
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
