/** What a span may say about itself; amounts and personal data do not belong here. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** One timed piece of work. Ending it twice or after the tracer's shutdown does nothing. */
export interface Span {
  setAttribute(name: string, value: string | number | boolean): void;
  /** Marks the span as failed, with a sentence that says why. */
  fail(reason: string): void;
  end(): void;
}

/**
 * Spans are made by hand at the boundaries of money: request, accept, gateway call, settle. A parent is passed as an
 * argument: following it through AsyncLocalStorage costs every await of every request, sampled or not.
 */
export interface Tracer {
  /** False where no collector is configured: nothing is recorded then. */
  readonly enabled: boolean;
  /**
   * Starts a span below `parent`: a span of this tracer, or the text of a `traceparent` (a header, or one stored with
   * an event). A malformed text starts a new trace, as the standard asks. "server" and "client" are the ends of a call.
   */
  startSpan(name: string, parent?: Span | string, attributes?: SpanAttributes, kind?: "server" | "client"): Span;
  /** The span as a W3C `traceparent`, to be sent or stored; null where nothing is traced. */
  traceparentOf(span: Span): string | null;
  /** Sends what is still queued, for at most two seconds. Never rejects. */
  shutdown(): Promise<void>;
}

export type TracingOptions = {
  /** The collector's OTLP/HTTP address without a path ("http://localhost:4318"); undefined traces nothing. */
  readonly otlpEndpoint: string | undefined;
  /** The share of traces that begin here which is recorded, 0 to 1; traces that begin elsewhere keep their decision. */
  readonly traceSampleRatio: number;
  readonly serviceVersion: string;
  /** Told of every batch that was lost. A collector that is down must not be noticed in any other way. */
  readonly onLost?: (reason: string, spans: number) => void;
};
