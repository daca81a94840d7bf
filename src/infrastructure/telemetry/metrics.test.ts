import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createMetrics } from "./metrics.ts";

/** The samples of a text in the Prometheus format, by name and labels. */
function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, series, value] = /^([a-z_]\w*(?:\{.*\})?) (\S+)$/i.exec(line) ?? [];
    assert.ok(series !== undefined && value !== undefined, `not a sample: ${line}`);
    assert.ok(!samples.has(series), `twice: ${series}`);
    samples.set(series, Number(value));
  }
  return samples;
}

describe("metrics", () => {
  test("a request is counted in its bucket, its class and its sum", async () => {
    const metrics = createMetrics();
    const observe = metrics.httpRoute("POST", "/payments", "marketplace");
    observe(201, 5);
    observe(201, 5.1);
    observe(503, 20_000);
    const samples = samplesOf(await metrics.render());
    const name = "marketflow_http_request_duration_seconds";
    const created = 'listener="marketplace",method="POST",route="/payments",status="2xx"';
    assert.equal(samples.get(`${name}_bucket{${created},le="0.0025"}`), 0);
    assert.equal(samples.get(`${name}_bucket{${created},le="0.005"}`), 1, "an upper bound belongs to its bucket");
    assert.equal(samples.get(`${name}_bucket{${created},le="0.01"}`), 2);
    assert.equal(samples.get(`${name}_bucket{${created},le="+Inf"}`), 2);
    assert.equal(samples.get(`${name}_count{${created}}`), 2);
    assert.ok(Math.abs((samples.get(`${name}_sum{${created}}`) ?? 0) - 0.0101) < 1e-9);
    const shed = 'listener="marketplace",method="POST",route="/payments",status="5xx"';
    assert.equal(samples.get(`${name}_bucket{${shed},le="10"}`), 0);
    assert.equal(samples.get(`${name}_bucket{${shed},le="+Inf"}`), 1);
    assert.equal(
      samples.get(`${name}_count{listener="marketplace",method="POST",route="/payments",status="4xx"}`),
      undefined,
    );
  });

  test("a lane reports its depth when scraped, its batches, what it shed and what failed", async () => {
    const metrics = createMetrics();
    const lane = metrics.lane("accept");
    let depth = 3;
    lane.readDepth(() => depth);
    lane.batch({ size: 128, durationMs: 9, waitedMs: 2 });
    lane.shed();
    lane.failed();
    depth = 7;
    const samples = samplesOf(await metrics.render());
    assert.equal(samples.get('marketflow_lane_queue_depth{lane="accept"}'), 7);
    assert.equal(samples.get('marketflow_lane_batch_size_bucket{lane="accept",le="64"}'), 0);
    assert.equal(samples.get('marketflow_lane_batch_size_bucket{lane="accept",le="128"}'), 1);
    assert.equal(samples.get('marketflow_lane_wait_seconds_sum{lane="accept"}'), 0.002);
    assert.equal(samples.get('marketflow_lane_statement_duration_seconds_sum{lane="accept"}'), 0.009);
    assert.equal(samples.get('marketflow_lane_shed_total{lane="accept"}'), 1);
    assert.equal(samples.get('marketflow_lane_failures_total{lane="accept"}'), 1);
  });

  test("a gateway's calls and its breaker are told apart", async () => {
    const metrics = createMetrics();
    const called = metrics.gatewayCall("stripe", "create_intent");
    called("succeeded", 100);
    called("unknown", 8_000);
    called("unknown", 8_000);
    const entered = metrics.breaker("stripe");
    const before = samplesOf(await metrics.render());
    assert.equal(before.get('marketflow_circuit_breaker_state{gateway="stripe",state="closed"}'), 1);
    entered("open");
    const samples = samplesOf(await metrics.render());
    const unknown = 'gateway="stripe",operation="create_intent",outcome="unknown"';
    assert.equal(samples.get(`marketflow_gateway_call_duration_seconds_count{${unknown}}`), 2);
    assert.equal(samples.get(`marketflow_gateway_call_duration_seconds_sum{${unknown}}`), 16);
    assert.equal(samples.get('marketflow_circuit_breaker_state{gateway="stripe",state="closed"}'), 0);
    assert.equal(samples.get('marketflow_circuit_breaker_state{gateway="stripe",state="open"}'), 1);
  });

  test("payments, recovery and webhooks are counted; an unheard-of event type makes no series of its own", async () => {
    const metrics = createMetrics();
    metrics.payment("succeeded");
    metrics.payment("succeeded", 4);
    metrics.sweeperDue(9, "payments");
    metrics.recovered("create", "succeeded");
    metrics.webhook("payment_intent.succeeded", "applied");
    metrics.webhook("made.up.1", "ignored");
    metrics.webhook("made.up.2", "ignored");
    const samples = samplesOf(await metrics.render());
    assert.equal(samples.get('marketflow_payments_total{status="succeeded"}'), 5);
    assert.equal(samples.get('marketflow_payments_total{status="failed"}'), 0);
    assert.equal(samples.get('marketflow_sweeper_due_attempts{policy="payments"}'), 9);
    assert.equal(samples.get('marketflow_sweeper_due_attempts{policy="bills"}'), 0);
    assert.equal(samples.get('marketflow_sweeper_recovered_total{operation="create",outcome="succeeded"}'), 1);
    assert.equal(
      samples.get('marketflow_webhook_events_total{type="payment_intent.succeeded",disposition="applied"}'),
      1,
    );
    assert.equal(samples.get('marketflow_webhook_events_total{type="other",disposition="ignored"}'), 2);
  });

  test("the same address of two listeners is two series", async () => {
    const metrics = createMetrics();
    metrics.httpRoute("POST", "/payments", "marketplace")(201, 5);
    metrics.httpRoute("POST", "/payments", "partner")(201, 5);
    const samples = samplesOf(await metrics.render());
    for (const listener of ["marketplace", "partner"]) {
      const series = `{listener="${listener}",method="POST",route="/payments",status="2xx"}`;
      assert.equal(samples.get(`marketflow_http_request_duration_seconds_count${series}`), 1);
    }
  });

  test("bills and payouts are counted by state, payouts of batches timed, the cache's answers told apart", async () => {
    const metrics = createMetrics();
    metrics.bill("SUCCESS");
    metrics.bill("SUCCESS", 3);
    metrics.payout("affiliate", "EXITOSO", 2);
    metrics.payout("seller", "FALLIDO");
    metrics.payoutSettled(60);
    let flying = 512;
    metrics.payoutsInFlight(() => flying);
    metrics.cache("get", "hit");
    metrics.sweeperDue(4, "payouts");
    flying = 7;
    const samples = samplesOf(await metrics.render());
    assert.equal(samples.get('marketflow_bills_total{status="SUCCESS"}'), 4);
    assert.equal(samples.get('marketflow_bills_total{status="EXHAUSTED"}'), 0);
    assert.equal(samples.get('marketflow_payouts_total{recipient="affiliate",status="EXITOSO"}'), 2);
    assert.equal(samples.get('marketflow_payouts_total{recipient="seller",status="FALLIDO"}'), 1);
    assert.equal(samples.get('marketflow_payout_seconds_bucket{le="0.05"}'), 0);
    assert.equal(samples.get('marketflow_payout_seconds_bucket{le="0.075"}'), 1);
    assert.equal(samples.get("marketflow_payouts_in_flight"), 7);
    assert.equal(samples.get('marketflow_cache_operations_total{operation="get",result="hit"}'), 1);
    assert.equal(samples.get('marketflow_sweeper_due_attempts{policy="payouts"}'), 4);
    assert.equal(samples.get('marketflow_sweeper_due_attempts{policy="payments"}'), 0);
  });

  test("the process is among them: memory and the lag of the event loop", async () => {
    const samples = samplesOf(await createMetrics().render());
    assert.ok((samples.get("process_resident_memory_bytes") ?? 0) > 10_000_000);
    assert.ok(samples.has("nodejs_eventloop_lag_p99_seconds"));
  });

  test("every name is marketflow's, the process's or Node's, and every series has help and a type", async () => {
    const metrics = createMetrics();
    metrics.lane("accept");
    const text = await metrics.render();
    const typed = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1]));
    const helped = new Set([...text.matchAll(/^# HELP (\S+) ./gm)].map((match) => match[1]));
    assert.deepEqual(typed, helped);
    for (const series of samplesOf(text).keys()) {
      assert.match(series, /^(marketflow|process|nodejs)_/);
      const name = (series.split("{")[0] ?? "").replace(/_(bucket|sum|count)$/, "");
      assert.ok(typed.has(name) || typed.has(series.split("{")[0]), `${series} has no type`);
    }
  });

  test("two applications in one process do not add to each other", async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.payment("failed");
    assert.equal(samplesOf(await one.render()).get('marketflow_payments_total{status="failed"}'), 1);
    assert.equal(samplesOf(await other.render()).get('marketflow_payments_total{status="failed"}'), 0);
  });

  test("a label may carry any text", async () => {
    const metrics = createMetrics();
    metrics.httpRoute("GET", 'a"b\\c\nd', "marketplace")(200, 1);
    const text = await metrics.render();
    assert.ok(text.includes('route="a\\"b\\\\c\\nd"'), text.slice(0, 400));
  });
});
