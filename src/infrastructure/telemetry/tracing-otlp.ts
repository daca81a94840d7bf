import { type Context, type Span as OtelSpan, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { formatTraceparent, parseTraceparent } from "./traceparent.ts";
import type { Span, Tracer, TracingOptions } from "./tracer.ts";

/** A batch that the collector has not taken by then is dropped. */
const exportTimeoutMs = 5_000;
const shutdownTimeoutMs = 2_000;

/** 2,048 finished spans (about 2 MB) wait at most; what comes on top is dropped, never queued. */
const queue = { maxQueueSize: 2_048, maxExportBatchSize: 512, scheduledDelayMillis: 1_000 };

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT } as const;

class RecordedSpan implements Span {
  readonly otel: OtelSpan;

  constructor(otel: OtelSpan) {
    this.otel = otel;
  }

  setAttribute(name: string, value: string | number | boolean): void {
    this.otel.setAttribute(name, value);
  }

  fail(reason: string): void {
    this.otel.setStatus({ code: SpanStatusCode.ERROR, message: reason });
  }

  end(): void {
    this.otel.end();
  }
}

/**
 * A tracer that sends its spans to an OTLP/HTTP collector in batches, off the request's path. Nothing is registered
 * globally. A collector that is slow, down or refuses loses spans and nothing else.
 */
export function createOtlpTracing(options: TracingOptions & { readonly otlpEndpoint: string }): Tracer {
  const exporter = new OTLPTraceExporter({
    url: `${options.otlpEndpoint.replace(/\/+$/, "")}/v1/traces`,
    timeoutMillis: exportTimeoutMs,
    // A shutdown sends the whole queue at once, in four batches, perhaps with one still under way.
    concurrencyLimit: 8,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": "marketflow",
      "service.version": options.serviceVersion,
      "service.instance.id": `${process.pid}`,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.traceSampleRatio) }),
    spanLimits: { attributeCountLimit: 32, attributeValueLengthLimit: 512 },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: reportingLosses(exporter, options.onLost),
        exportTimeoutMillis: exportTimeoutMs,
        ...queue,
      }),
    ],
  });
  const tracer = provider.getTracer("marketflow", options.serviceVersion);

  return {
    enabled: true,
    startSpan(name, parent, attributes, kind) {
      const spanKind = kind === undefined ? SpanKind.INTERNAL : kinds[kind];
      return new RecordedSpan(
        tracer.startSpan(name, { attributes: attributes ?? {}, kind: spanKind }, contextOf(parent)),
      );
    },
    traceparentOf: (span) => (span instanceof RecordedSpan ? formatTraceparent(span.otel.spanContext()) : null),
    shutdown: () => within(shutdownTimeoutMs, provider.shutdown()),
  };
}

function contextOf(parent: Span | string | undefined): Context {
  if (parent instanceof RecordedSpan) return trace.setSpan(ROOT_CONTEXT, parent.otel);
  const remote = typeof parent === "string" ? parseTraceparent(parent) : undefined;
  return remote === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: true });
}

function reportingLosses(exporter: SpanExporter, onLost: TracingOptions["onLost"]): SpanExporter {
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.error !== undefined) onLost?.(result.error.message, spans.length);
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}

/** Waits for the work, but no longer than that, and passes over its failure: telemetry never stops a stop. */
function within(limitMs: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, limitMs);
    const finish = () => {
      clearTimeout(timer);
      resolve();
    };
    work.then(finish, finish);
  });
}
