/** What the W3C `traceparent` header carries (https://www.w3.org/TR/trace-context/#traceparent-header). */
export type TraceContext = { readonly traceId: string; readonly spanId: string; readonly traceFlags: number };

const layout = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const sampled = 1;

/**
 * Reads a `traceparent`. Undefined for whatever the standard calls invalid: upper case, version ff, an id of zeros,
 * anything after version 00's four fields. A later version's extra fields are passed over, as the standard asks.
 */
export function parseTraceparent(header: string): TraceContext | undefined {
  const [, version, traceId = "", spanId = "", flags = "", more] = layout.exec(header) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & sampled };
}

/** Writes a `traceparent` of version 00. */
export function formatTraceparent({ traceId, spanId, traceFlags }: TraceContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & sampled) === sampled ? "01" : "00"}`;
}
