import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { formatTraceparent, parseTraceparent } from "./traceparent.ts";
import { traceOf } from "./traces.ts";
import { createTracing } from "./tracing.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

type SentSpan = {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  kind: number;
  status: { code?: number; message?: string };
  attributes: { key: string; value: Record<string, unknown> }[];
};
type Sent = { resourceSpans: { resource: { attributes: unknown[] }; scopeSpans: { spans: SentSpan[] }[] }[] };

/** A collector that takes OTLP as JSON, or answers as it is told to ("never": it does not answer at all). */
async function startCollector(t: TestContext, answer: number | "never" = 200) {
  const received: { path: string | undefined; body: Sent }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ path: request.url, body: JSON.parse(Buffer.concat(chunks).toString()) });
    if (answer !== "never") response.writeHead(answer, { "content-type": "application/json" }).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const spans = () =>
    received.flatMap(({ body }) => body.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans)));
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received, spans };
}

describe("traceparent", () => {
  test("is read and written as the standard says", () => {
    const header = `00-${traceId}-${spanId}-01`;
    assert.deepEqual(parseTraceparent(header), { traceId, spanId, traceFlags: 1 });
    assert.equal(formatTraceparent({ traceId, spanId, traceFlags: 1 }), header);
    assert.deepEqual(parseTraceparent(`cc-${traceId}-${spanId}-00-more`), { traceId, spanId, traceFlags: 0 });
  });

  for (const malformed of [
    "",
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${"0".repeat(32)}-${spanId}-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId}-${spanId}`,
  ]) {
    test(`"${malformed}" is refused`, () => assert.equal(parseTraceparent(malformed), undefined));
  }
});

describe("tracing", () => {
  test("without a collector does nothing and says so", async () => {
    const tracer = await createTracing({ otlpEndpoint: undefined, traceSampleRatio: 1, serviceVersion: "1" });
    const span = tracer.startSpan("request", `00-${traceId}-${spanId}-01`);
    span.setAttribute("a", 1);
    span.fail("x");
    span.end();
    assert.equal(tracer.enabled, false);
    assert.equal(tracer.traceparentOf(span), null);
    assert.equal(tracer.startSpan("other"), span, "one constant span serves all");
    await tracer.shutdown();
  });

  test("spans reach the collector with their parents, attributes, failure and resource", async (t) => {
    const collector = await startCollector(t);
    const tracer = await createTracing({
      otlpEndpoint: `${collector.endpoint}/`,
      traceSampleRatio: 1,
      serviceVersion: "9.8.7",
    });
    const request = tracer.startSpan("request", undefined, { "http.route": "/payments" }, "server");
    const call = tracer.startSpan("gateway call", request, {}, "client");
    const header = tracer.traceparentOf(call) ?? "";
    call.fail("the gateway timed out");
    call.end();
    request.setAttribute("http.response.status_code", 201);
    request.end();
    await tracer.shutdown();

    assert.equal(collector.received[0]?.path, "/v1/traces");
    const resource = JSON.stringify(collector.received[0]?.body.resourceSpans[0]?.resource.attributes);
    assert.match(resource, /"service.name","value":\{"stringValue":"marketflow"/);
    assert.match(resource, /"service.version","value":\{"stringValue":"9.8.7"/);
    const sentRequest = collector.spans().find((span) => span.name === "request");
    const sentCall = collector.spans().find((span) => span.name === "gateway call");
    assert.equal(sentCall?.parentSpanId, sentRequest?.spanId);
    assert.equal(sentCall?.traceId, sentRequest?.traceId);
    assert.equal(header, `00-${sentCall?.traceId}-${sentCall?.spanId}-01`);
    assert.deepEqual(sentCall?.status, { code: 2, message: "the gateway timed out" });
    assert.deepEqual([sentRequest?.kind, sentCall?.kind], [2, 3]);
    assert.deepEqual(
      sentRequest?.attributes.map(({ key }) => key),
      ["http.route", "http.response.status_code"],
    );
  });

  test("work below a span is a child of it, and its rejection marks the child", async (t) => {
    const collector = await startCollector(t);
    const tracer = await createTracing({ otlpEndpoint: collector.endpoint, traceSampleRatio: 1, serviceVersion: "1" });
    const request = tracer.startSpan("request");
    const trace = traceOf(tracer, request);
    assert.equal(await trace.span("accept", async () => 7), 7);
    await assert.rejects(
      trace.span("settle", async () => {
        throw new Error("the database went away");
      }),
      /the database went away/,
    );
    request.end();
    await tracer.shutdown();
    assert.equal(trace.traceparent, tracer.traceparentOf(request));
    const [accept, settle, sentRequest] = collector.spans();
    assert.deepEqual([accept?.name, settle?.name], ["accept", "settle"]);
    assert.deepEqual([accept?.parentSpanId, settle?.parentSpanId], [sentRequest?.spanId, sentRequest?.spanId]);
    assert.equal(accept?.status.code ?? 0, 0);
    assert.deepEqual(settle?.status, { code: 2, message: "the database went away" });
  });

  test("work below an untraced span just runs", async () => {
    const tracer = await createTracing({ otlpEndpoint: undefined, traceSampleRatio: 1, serviceVersion: "1" });
    const trace = traceOf(tracer, tracer.startSpan("request"));
    assert.equal(trace.traceparent, null);
    assert.equal(await trace.span("accept", async () => 7), 7);
  });

  test("a trace that began elsewhere keeps its id and its sampling decision", async (t) => {
    const collector = await startCollector(t);
    const tracer = await createTracing({ otlpEndpoint: collector.endpoint, traceSampleRatio: 0, serviceVersion: "1" });
    const sampled = tracer.startSpan("sampled", `00-${traceId}-${spanId}-01`);
    const unsampled = tracer.startSpan("unsampled", `00-${traceId}-${spanId}-00`);
    const rooted = tracer.startSpan("root of our own");
    assert.match(tracer.traceparentOf(sampled) ?? "", new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    assert.match(tracer.traceparentOf(unsampled) ?? "", new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    for (const span of [sampled, unsampled, rooted]) span.end();
    await tracer.shutdown();
    assert.deepEqual(
      collector.spans().map(({ name, parentSpanId }) => [name, parentSpanId]),
      [["sampled", spanId]],
    );
  });

  test("a collector that refuses or is not there loses spans, says so, and throws nothing", async (t) => {
    const refusing = await startCollector(t, 400);
    for (const otlpEndpoint of [refusing.endpoint, "http://127.0.0.1:1"]) {
      const lost: number[] = [];
      const tracer = await createTracing({
        otlpEndpoint,
        traceSampleRatio: 1,
        serviceVersion: "1",
        onLost: (_reason, spans) => lost.push(spans),
      });
      tracer.startSpan("lost").end();
      await tracer.shutdown();
      if (otlpEndpoint === refusing.endpoint) assert.deepEqual(lost, [1]);
    }
  });

  test("a collector that never answers holds a shutdown for two seconds at most", async (t) => {
    const collector = await startCollector(t, "never");
    const tracer = await createTracing({ otlpEndpoint: collector.endpoint, traceSampleRatio: 1, serviceVersion: "1" });
    tracer.startSpan("stuck").end();
    const begun = performance.now();
    await tracer.shutdown();
    const tookMs = performance.now() - begun;
    assert.ok(tookMs > 1_500 && tookMs < 3_000, `${tookMs} ms`);
  });

  test("the queue is bounded: what a stuck collector does not take is dropped", async (t) => {
    const collector = await startCollector(t);
    const tracer = await createTracing({ otlpEndpoint: collector.endpoint, traceSampleRatio: 1, serviceVersion: "1" });
    for (let span = 0; span < 10_000; span += 1) tracer.startSpan("many").end();
    await tracer.shutdown();
    assert.ok(
      collector.spans().length >= 512 && collector.spans().length <= 2_048 + 512,
      `${collector.spans().length}`,
    );
  });
});
