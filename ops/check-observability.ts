import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { collectorBinary, freePort, prometheusBinary, type Running, run } from "./watching.ts";

// `npm run check:observability`: starts the sandbox, a real Prometheus with our own configuration and alert rules, and
// a real OpenTelemetry collector; pays, pays a bill and pays out; and wants to see it in both. Without these two
// programs it says so and checks nothing, unless REQUIRE_SERVICES=1, which makes that a failure.

const root = join(import.meta.dirname, "..");
const patienceMs = 60_000;
const wantedSpans = ["POST /payments", "accept", "gateway call", "settle"];

const prometheus = prometheusBinary();
const collector = collectorBinary();
if (prometheus === undefined || collector === undefined) {
  const missing =
    prometheus === undefined ? "prometheus is not installed" : "there is neither otelcol nor a Go compiler";
  console.error(`NOT CHECKED: ${missing}, so neither metrics nor traces were looked at`);
  process.exit(process.env["REQUIRE_SERVICES"] === "1" ? 1 : 0);
}

const work = mkdtempSync(join(tmpdir(), "marketflow-observability-"));
// The PostgreSQL of a root run belongs to another account, which must be able to pass this folder.
chmodSync(work, 0o711);
const started: Running[] = [];
try {
  await check(prometheus, collector);
  console.log("ok: a payment was seen by Prometheus and by the OpenTelemetry collector");
} catch (error) {
  process.exitCode = 1;
  console.error(error instanceof Error ? error.message : error);
  for (const { name, output } of started) console.error(`--- ${name}\n${output().slice(-3_000)}`);
} finally {
  for (const { stop } of started.reverse()) await stop();
  rmSync(work, { recursive: true, force: true });
}

async function check(prometheusPath: string, collectorPath: string): Promise<void> {
  const [apiPort, partnerPort, prometheusPort, otlpPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const api = `http://127.0.0.1:${apiPort}`;
  const partner = `http://127.0.0.1:${partnerPort}`;

  const receiver = start("collector", collectorPath, [`--config=${join(root, "ops/collector/collector.yaml")}`], {
    OTLP_PORT: String(otlpPort),
  });
  await until("the collector to listen", async () => receiver.output().includes("Everything is ready"));
  start("marketflow", process.execPath, [join(root, "bin/marketflow.mjs"), "dev"], {
    PORT: String(apiPort),
    PARTNER_PORT: String(partnerPort),
    MARKETFLOW_HOME: join(work, "home"),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${otlpPort}`,
    OTEL_TRACES_SAMPLER_ARG: "1",
  });
  await until("the API to be ready", async () => (await fetch(`${api}/health/ready`)).ok);
  start("prometheus", prometheusPath, [
    `--config.file=${prometheusConfiguration(`127.0.0.1:${apiPort}`)}`,
    `--storage.tsdb.path=${join(work, "prometheus")}`,
    `--web.listen-address=127.0.0.1:${prometheusPort}`,
  ]);

  await pay(api);
  await payOut(partner);
  const prometheusApi = `http://127.0.0.1:${prometheusPort}/api/v1`;
  const answered = (route: string) => `marketflow_http_request_duration_seconds_count{status="2xx",route="${route}"}`;
  for (const query of [
    'sum(marketflow_payments_total{job="marketflow",status="succeeded"})',
    'sum(marketflow_bills_total{job="marketflow",status="SUCCESS"})',
    'sum(marketflow_payouts_total{job="marketflow",recipient="affiliate",status="EXITOSO"})',
    'up{job="marketflow"}',
    `count(sum by (listener) (${answered("/payments")})) >= 2`,
    `sum(${answered("/pagos")})`,
    "sum(marketflow_lane_batch_size_count)",
    'sum(marketflow_gateway_call_duration_seconds_count{outcome="succeeded"})',
    'sum(process_resident_memory_bytes{job="marketflow"}) > 30e6',
  ]) {
    await until(`Prometheus to answer ${query}`, async () => (await answerTo(prometheusApi, query)) >= 1);
  }
  const rules = await (await fetch(`${prometheusApi}/rules`)).json();
  const alerts = JSON.stringify(rules).match(/"type":"alerting"/g)?.length ?? 0;
  if (alerts < 5) throw new Error(`Prometheus loaded ${alerts} alert rules`);
  console.log(`Prometheus scraped payment, bill and payout, and loaded ${alerts} alert rules`);

  await until(
    "the collector to have every span",
    async () => spansMissing(receiver.output()).length === 0,
    () => {
      return `missing: ${spansMissing(receiver.output()).join(", ")}`;
    },
  );
  const ofPayment = traceOf(receiver.output(), "POST /payments");
  const others = wantedSpans.filter((name) => !ofPayment.has(name));
  if (others.length > 0) throw new Error(`not in the trace of the request: ${others.join(", ")}`);
  console.log(`the collector received ${[...ofPayment].join(", ")} in one trace`);
}

function start(
  name: string,
  command: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Running {
  const running = run(name, command, args, { ...process.env, ...environment }, work);
  started.push(running);
  return running;
}

/** Our own configuration with this run's target and a shorter interval, beside a copy of the alert rules. */
function prometheusConfiguration(target: string): string {
  const ours = readFileSync(join(root, "ops/prometheus/prometheus.yml"), "utf8");
  const changed = ours.replace("app:3000", target).replaceAll("15s", "1s");
  if (!changed.includes(target)) throw new Error("ops/prometheus/prometheus.yml does not name the target app:3000");
  writeFileSync(join(work, "alerts.yml"), readFileSync(join(root, "ops/prometheus/alerts.yml")));
  writeFileSync(join(work, "prometheus.yml"), changed);
  return join(work, "prometheus.yml");
}

async function pay(api: string): Promise<void> {
  await mustPost(`${api}/payments`, { amount: "10.00", currency: "USD", idempotency_key: `observed-${process.pid}` });
}

/** A bill and a pago at the partner listener. */
async function payOut(partner: string): Promise<void> {
  await mustPost(`${partner}/payments`, { reference: "FAC-12345", amount: 500, currency: "MXN" });
  await mustPost(`${partner}/pagos`, { id_afiliado: "afiliado_123", monto: 100.5, moneda: "USD" });
}

async function mustPost(url: string, body: object): Promise<void> {
  const headers = { "content-type": "application/json", "idempotency-key": `observed-${process.pid}` };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`POST ${url} was answered ${response.status}: ${await response.text()}`);
}

async function answerTo(prometheusApi: string, query: string): Promise<number> {
  const answer = (await (await fetch(`${prometheusApi}/query?query=${encodeURIComponent(query)}`)).json()) as {
    data?: { result?: { value?: [number, string] }[] };
  };
  return Number(answer.data?.result?.[0]?.value?.[1] ?? Number.NaN) || 0;
}

/** The spans that the collector printed, as pairs of trace id and name. */
function spansOf(output: string): { traceId: string; name: string }[] {
  const spans = output.matchAll(/Trace ID\s+: ([0-9a-f]{32})[\s\S]*?Name\s+: (.+)/g);
  return [...spans].map(([, traceId = "", name = ""]) => ({ traceId, name: name.trim() }));
}

function spansMissing(output: string): string[] {
  const seen = new Set(spansOf(output).map(({ name }) => name));
  return wantedSpans.filter((name) => !seen.has(name));
}

/** The names of all spans in the trace that has a span of this name. */
function traceOf(output: string, name: string): Set<string> {
  const spans = spansOf(output);
  const traceId = spans.find((span) => span.name === name)?.traceId;
  return new Set(spans.filter((span) => span.traceId === traceId).map((span) => span.name));
}

async function until(what: string, done: () => Promise<boolean>, detail: () => string = () => ""): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await done().catch(() => false))) {
    const dead = started.find(({ exited }) => exited());
    if (dead !== undefined) throw new Error(`${dead.name} ended while we waited for ${what}`);
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs / 1000} s for ${what}. ${detail()}`);
    await sleep(100);
  }
}
