import { type Trace, untraced } from "../../movements/ports.ts";
import type { Span, Tracer } from "./tracer.ts";

/** A span as what the money boundaries see of it: their own spans become its children. */
export function traceOf(tracer: Tracer, parent: Span): Trace {
  if (!tracer.enabled) return untraced;
  return {
    traceparent: tracer.traceparentOf(parent),
    async span(name, work) {
      const span = tracer.startSpan(name, parent);
      try {
        return await work();
      } catch (error) {
        span.fail(error instanceof Error ? error.message : String(error));
        throw error;
      } finally {
        span.end();
      }
    },
  };
}
