import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { whyNoPulsar } from "../scripts/pulsar/install.ts";
import { startEmbeddedPostgres } from "../src/infrastructure/postgres/embedded.ts";
import { migrate } from "../src/infrastructure/postgres/migrate.ts";
import { collectorBinary, freePort, prometheusBinary, type Running, run } from "./watching.ts";

// `npm run check:observability`: starts the processes of a production site (`serve`, `relay` and, over a real Pulsar,
// `consume`), a real Prometheus with our own configuration and alert rules, and a real OpenTelemetry collector; pays,
// pays a bill and pays out; and wants to see it in both: each process scraped, and a pago from the request to its line
// in the affiliate's statement as one trace. Without Prometheus or the collector it says so and checks nothing, and
// without Pulsar the relay hands events to its own consumer; REQUIRE_SERVICES=1 makes both a failure.

const root = join(import.meta.dirname, "..");
const launcher = join(root, "bin/marketflow.mjs");
const patienceMs = 60_000;
/** A span as the collector prints it, or the process that those after it are of. */
const printed = new RegExp(
  [
    String.raw`service\.instance\.id: Str\((?<instance>\d+)\)`,
    String.raw`Trace ID +: (?<traceId>\w+)\s+Parent ID +: (?<parentId>\w*)\s+ID +: (?<id>\w+)\s+Name +: (?<name>.+)`,
  ].join("|"),
  "g",
);
const isStrict = process.env["REQUIRE_SERVICES"] === "1";

const prometheus = prometheusBinary();
const collector = collectorBinary();
const noPulsar = whyNoPulsar();
if (prometheus === undefined || collector === undefined) {
  const missing =
    prometheus === undefined ? "prometheus is not installed" : "there is neither otelcol nor a Go compiler";
  console.error(`NOT CHECKED: ${missing}, so neither metrics nor traces were looked at`);
  process.exit(isStrict ? 1 : 0);
}
if (noPulsar !== null) console.error(`NO PULSAR: ${noPulsar}; the relay consumes what it publishes`);
if (noPulsar !== null && isStrict) process.exit(1);

const work = mkdtempSync(join(tmpdir(), "marketflow-observability-"));
// The PostgreSQL of a root run belongs to another account, which must be able to pass this folder.
chmodSync(work, 0o711);
const started: Running[] = [];
const postgres = await startEmbeddedPostgres({ home: join(work, "postgres"), durable: true });
try {
  await migrate({ url: postgres.ownerUrl });
  await check(prometheus, collector);
  console.log("ok: payment, bill and pago were seen by Prometheus and by the OpenTelemetry collector");
} catch (error) {
  process.exitCode = 1;
  console.error(error instanceof Error ? error.message : error);
  for (const { name, output } of started) console.error(`--- ${name}\n${output().slice(-3_000)}`);
} finally {
  for (const { stop } of started.reverse()) await stop();
  await postgres.stop();
  rmSync(work, { recursive: true, force: true });
}

async function check(prometheusPath: string, collectorPath: string): Promise<void> {
  const [otlpPort, prometheusPort] = await Promise.all([freePort(), freePort()]);
  const config = `--config=${join(root, "ops/collector/collector.yaml")}`;
  const receiver = start("collector", collectorPath, [config], { OTLP_PORT: String(otlpPort) });
  await until("the collector to listen", async () => receiver.output().includes("Everything is ready"));
  const site = await startSite(`http://127.0.0.1:${otlpPort}`);
  start("prometheus", prometheusPath, [
    `--config.file=${prometheusConfiguration(site.targets)}`,
    `--storage.tsdb.path=${join(work, "prometheus")}`,
    `--web.listen-address=127.0.0.1:${prometheusPort}`,
  ]);
  const pago = { traceId: randomBytes(16).toString("hex"), spanId: randomBytes(8).toString("hex") };
  await mustPost(`${site.api}/payments`, { amount: "10.00", currency: "USD", idempotency_key: "observed" });
  await mustPost(`${site.partner}/payments`, { reference: "FAC-12345", amount: 500, currency: "MXN" });
  await mustPost(
    `${site.partner}/pagos`,
    { id_afiliado: "afiliado_123", monto: 100.5, moneda: "USD" },
    { traceparent: `00-${pago.traceId}-${pago.spanId}-01` },
  );
  await checkMetrics(`http://127.0.0.1:${prometheusPort}/api/v1`, Object.keys(site.targets).length);
  await checkPaymentTrace(receiver);
  await checkPagoTrace(receiver, pago, Object.keys(site.targets).length);
}

type Site = {
  readonly api: string;
  readonly partner: string;
  /** Where each process answers `/metrics`, by what our configuration of Prometheus calls it. */
  readonly targets: Readonly<Record<string, string>>;
};

/** Starts the processes of a site, which trace everything, and resolves once they are at work. */
async function startSite(otlpEndpoint: string): Promise<Site> {
  const [port, partnerPort, relayPort, consumePort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const settings = {
    DATABASE_URL: postgres.appUrl,
    STRIPE_WEBHOOK_SECRET: "whsec_observed",
    MARKETFLOW_HOME: join(work, "home"),
    PORT: String(port),
    PARTNER_PORT: String(partnerPort),
    OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint,
    OTEL_TRACES_SAMPLER_ARG: "1",
    ...(noPulsar === null ? await startPulsar() : {}),
  };
  await fund(settings);
  start("serve", process.execPath, [launcher, "serve"], settings);
  start("relay", process.execPath, [launcher, "relay"], { ...settings, OPERATIONS_PORT: String(relayPort) });
  const targets: Record<string, string> = { "app:3000": `127.0.0.1:${port}`, "relay:9464": `127.0.0.1:${relayPort}` };
  if (noPulsar === null) {
    start("consume", process.execPath, [launcher, "consume"], { ...settings, OPERATIONS_PORT: String(consumePort) });
    targets["consume:9464"] = `127.0.0.1:${consumePort}`;
  }
  for (const [name, target] of Object.entries(targets)) {
    await until(`${name} to be ready`, async () => (await fetch(`http://${target}/health/ready`)).ok);
  }
  return { api: `http://127.0.0.1:${port}`, partner: `http://127.0.0.1:${partnerPort}`, targets };
}

async function startPulsar(): Promise<Record<string, string>> {
  const [port, webPort] = await Promise.all([freePort(), freePort()]);
  const places = ["--port", String(port), "--web-port", String(webPort), "--data", join(work, "pulsar")];
  const script = ["--script", join(root, "scripts/pulsar.ts")];
  const broker = start("pulsar", process.execPath, [launcher, ...script, ...places]);
  await until("Pulsar to be ready", async () => broker.output().includes("Pulsar is at"));
  return { PULSAR_URL: `pulsar://127.0.0.1:${port}`, PULSAR_WEB_URL: `http://127.0.0.1:${webPort}` };
}

/** Sets money apart for pagos. */
async function fund(settings: Record<string, string>): Promise<void> {
  const environment = { ...process.env, ...settings };
  const funding = run("fund", process.execPath, [launcher, "payouts", "fund", "1000", "USD"], environment, work);
  await until("the money for pagos", async () => funding.exited());
  console.log(funding.output().trim());
}

async function checkMetrics(prometheusApi: string, processes: number): Promise<void> {
  const answered = (route: string) => `marketflow_http_request_duration_seconds_count{status="2xx",route="${route}"}`;
  for (const query of [
    'sum(marketflow_payments_total{job="marketflow",status="succeeded"})',
    'sum(marketflow_bills_total{job="marketflow",status="SUCCESS"})',
    'sum(marketflow_payouts_total{job="marketflow",recipient="affiliate",status="EXITOSO"})',
    `sum(up{job="marketflow"}) == ${processes}`,
    `count(sum by (listener) (${answered("/payments")})) >= 2`,
    `sum(${answered("/pagos")})`,
    "sum(marketflow_lane_batch_size_count)",
    'sum(marketflow_gateway_call_duration_seconds_count{outcome="succeeded"})',
    'sum(process_resident_memory_bytes{job="marketflow"}) > 30e6',
    'sum(marketflow_relay_lanes{job="marketflow"}) == 8',
    `sum(marketflow_events_published_total{topic="pagos-events"})`,
    'sum(marketflow_consumer_messages_total{consumer="affiliate-statement",outcome="handled"})',
  ]) {
    await until(`Prometheus to answer ${query}`, async () => (await answerTo(prometheusApi, query)) >= 1);
  }
  const rules = await (await fetch(`${prometheusApi}/rules`)).json();
  const alerts = JSON.stringify(rules).match(/"type":"alerting"/g)?.length ?? 0;
  if (alerts < 5) throw new Error(`Prometheus loaded ${alerts} alert rules`);
  console.log(
    `Prometheus scraped ${processes} processes, saw payment, bill and pago, and loaded ${alerts} alert rules`,
  );
}

/** A payment whose request came without a trace has one of its own, down to its publication. */
async function checkPaymentTrace(receiver: Running): Promise<void> {
  const published = "publish payments-events";
  const wanted = [published, "POST /payments", "accept", "gateway call", "settle"];
  const spans = await tracedSpans(receiver, wanted, (all) => all.find(({ name }) => name === published)?.traceId);
  console.log(`the collector received ${[...new Set(spans.map(({ name }) => name))].join(", ")} in one trace`);
}

/** The trace of whoever asked for the pago goes on to the consumer of its event, over all processes. */
async function checkPagoTrace(
  receiver: Running,
  caller: { readonly traceId: string; readonly spanId: string },
  processes: number,
): Promise<void> {
  const chain = ["POST /pagos", "publish pagos-events", "consume affiliate-statement"];
  const wanted = [...chain, "accept", "gateway call", "settle"];
  const spans = await tracedSpans(receiver, wanted, () => caller.traceId);
  let parentId = caller.spanId;
  for (const name of chain) {
    const span = spans.find((one) => one.name === name);
    if (span?.parentId !== parentId) throw new Error(`${name} is not below ${parentId}: ${JSON.stringify(spans)}`);
    parentId = span.id;
  }
  const instances = new Set(spans.map(({ instance }) => instance));
  if (instances.size !== processes) throw new Error(`the trace is of ${instances.size} processes, not ${processes}`);
  const names = spans.map(({ name, instance }) => `${name} (${instance})`);
  console.log(`the collector received ${names.join(", ")} in the caller's trace ${caller.traceId}`);
}

/** The spans of one trace, once it has those of all these names. */
async function tracedSpans(
  receiver: Running,
  wanted: readonly string[],
  traceIdOf: (spans: readonly Span[]) => string | undefined,
): Promise<Span[]> {
  let spans: Span[] = [];
  const missing = () => wanted.filter((name) => !spans.some((span) => span.name === name));
  await until(
    `the collector to have ${wanted[0]}`,
    async () => {
      const all = spansOf(receiver.output());
      const traceId = traceIdOf(all);
      spans = all.filter((span) => span.traceId === traceId);
      return missing().length === 0;
    },
    () => `missing in its trace: ${missing().join(", ")}`,
  );
  return spans;
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

/** Our own configuration with this run's targets and a shorter interval, beside a copy of the alert rules. */
function prometheusConfiguration(targets: Site["targets"]): string {
  const ours = readFileSync(join(root, "ops/prometheus/prometheus.yml"), "utf8");
  const [list = "", names = ""] = /targets: \[([^\]]*)\]/.exec(ours) ?? [];
  const unknown = Object.keys(targets).filter((name) => !names.includes(`"${name}"`));
  if (unknown.length > 0) throw new Error(`ops/prometheus/prometheus.yml does not name ${unknown.join(", ")}`);
  const here = `targets: [${Object.values(targets).map((target) => `"${target}"`)}]`;
  writeFileSync(join(work, "alerts.yml"), readFileSync(join(root, "ops/prometheus/alerts.yml")));
  writeFileSync(join(work, "prometheus.yml"), ours.replace(list, here).replaceAll("15s", "1s"));
  return join(work, "prometheus.yml");
}

async function mustPost(url: string, body: object, more: Record<string, string> = {}): Promise<void> {
  const headers = { "content-type": "application/json", "idempotency-key": "observed", ...more };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`POST ${url} was answered ${response.status}: ${await response.text()}`);
}

async function answerTo(prometheusApi: string, query: string): Promise<number> {
  const answer = (await (await fetch(`${prometheusApi}/query?query=${encodeURIComponent(query)}`)).json()) as {
    data?: { result?: { value?: [number, string] }[] };
  };
  return Number(answer.data?.result?.[0]?.value?.[1] ?? Number.NaN) || 0;
}

type Span = {
  /** The process that sent it. */
  readonly instance: string;
  readonly traceId: string;
  /** Empty where it begins a trace. */
  readonly parentId: string;
  readonly id: string;
  readonly name: string;
};

/** The spans that the collector printed. */
function spansOf(output: string): Span[] {
  const spans: Span[] = [];
  let instance = "";
  for (const { groups = {} } of output.matchAll(printed)) {
    const { traceId = "", parentId = "", id = "", name = "" } = groups;
    if (groups["instance"] !== undefined) instance = groups["instance"];
    else spans.push({ instance, traceId, parentId, id, name: name.trim() });
  }
  return spans;
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
