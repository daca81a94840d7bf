import type { Span, Tracer } from "../infrastructure/telemetry/tracer.ts";
import type { Message, Publisher } from "../modules/events/ports.ts";

/**
 * Gives each event that came out of a traced request a span of its publication, below the request's, and passes it on:
 * whoever consumes the message goes on with the same trace. Replayed ones too.
 */
export function tracedPublisher(publisher: Publisher, tracer: Tracer): Publisher {
  return {
    name: publisher.name,
    async publish(lane, messages) {
      const spans: Span[] = [];
      const traced = messages.map((message) => {
        const { traceparent } = message.properties;
        if (traceparent === undefined) return message;
        const span = tracer.startSpan(`publish ${message.topic}`, traceparent, { "event.id": message.eventId });
        spans.push(span);
        return withTraceparent(message, tracer.traceparentOf(span) ?? traceparent);
      });
      try {
        return await publisher.publish(lane, traced);
      } catch (error) {
        for (const span of spans) span.fail(error instanceof Error ? error.message : String(error));
        throw error;
      } finally {
        for (const span of spans) span.end();
      }
    },
    ping: () => publisher.ping(),
    close: () => publisher.close(),
  };
}

function withTraceparent(message: Message, traceparent: string): Message {
  return { ...message, properties: { ...message.properties, traceparent } };
}
