import type { Registry } from "prom-client";
import { type DeliveryMetrics, deliveryInstruments } from "./delivery-metrics.ts";
import { counterFamily, countsOf, gaugeFamily, histogramFamily, type Instrument } from "./instruments.ts";

/** Upper bounds in seconds, made for answers between 1 ms and 1 s and for the deadlines above. */
const requestBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const statementBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const gatewayBounds = [0.001, 0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16];
/** Around the goal of 150 ms for one payout of a batch. */
const payoutBounds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.25, 0.5, 1, 2.5, 5, 10, 60];
const batchBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256];

const breakerStates = ["closed", "half_open", "open"] as const;
export type BreakerState = (typeof breakerStates)[number];

/** Webhook events with a series of their own; the rest counts as "other", so that the number of series has a bound. */
const webhookTypes: ReadonlySet<string> = new Set([
  "payment_intent.succeeded",
  "payment_intent.payment_failed",
  "payment_intent.canceled",
  "charge.refunded",
  "charge.dispute.created",
  "charge.dispute.updated",
  "charge.dispute.closed",
]);

export type Listener = "marketplace" | "partner" | "operations";
/** What recovery recovers. */
export type Policy = "payments" | "bills" | "payouts";
const policies: readonly Policy[] = ["payments", "bills", "payouts"];

/** What one group-commit lane reports. All times are in milliseconds. */
export type LaneMetrics = {
  /** Lets every scrape read the queue's length; costs nothing in between. */
  readDepth(depth: () => number): void;
  /** One batch had its statement: its size, how long its oldest item had waited, how long the statement took. */
  batch(observed: { readonly size: number; readonly durationMs: number; readonly waitedMs: number }): void;
  /** One item was turned away because the queue was full. */
  shed(): void;
  /** One statement failed and took its batch with it. */
  failed(): void;
};

/** Every instrument of MarketFlow. Bind once, at start or when a route or a lane is made; then call what was bound. */
export type Metrics = {
  /** What leaves for other systems and comes in from them: the relay, the consumer, webhooks. */
  readonly delivery: DeliveryMetrics;
  /**
   * Binds one route ("/payments/:id"; "unmatched" where none is) of a listener, because both have a `/payments`. The
   * result takes a status code and milliseconds.
   */
  httpRoute(method: string, route: string, listener: Listener): (statusCode: number, durationMs: number) => void;
  lane(name: string): LaneMetrics;
  /** Binds an operation of a gateway; the result takes the outcome ("succeeded", "not_sent", …) and milliseconds. */
  gatewayCall(gateway: string, operation: string): (outcome: string, durationMs: number) => void;
  /** Binds the circuit breaker of one gateway; starts as closed. */
  breaker(gateway: string): (state: BreakerState) => void;
  /** Counts payments by the state they entered. */
  payment(status: string, count?: number): void;
  /** Counts bill payments by the state they entered ("SUCCESS", "FAILED", "EXHAUSTED"). */
  bill(status: string, count?: number): void;
  /** Counts payouts by who is paid ("affiliate", "seller") and the state they entered ("EXITOSO", "FALLIDO"). */
  payout(recipient: "affiliate" | "seller", status: string, count?: number): void;
  /** One payout of a batch was settled, this long after it was begun. */
  payoutSettled(durationMs: number): void;
  /** Lets every scrape read how many payouts of batches this process has at the gateway. */
  payoutsInFlight(read: () => number): void;
  /** Counts what the cache was asked ("get", "set", "lock") by what came of it ("hit", "miss", "unreachable", …). */
  cache(operation: string, result: string): void;
  /** How many accepted attempts are past their lease and wait for recovery. */
  sweeperDue(attempts: number, policy: Policy): void;
  /** Counts what recovery found out of an operation's attempts ("succeeded", "failed", "still_unknown", …). */
  recovered(operation: string, outcome: string, count?: number): void;
  /** Counts webhook events by type and by what became of them ("applied", "duplicate", "deferred", …). */
  webhook(type: string, disposition: string): void;
  /** Everything in the Prometheus text format 0.0.4, process metrics included. */
  render(): Promise<string>;
  readonly contentType: string;
};

/**
 * Creates the instruments of one application. Nothing is global, so two applications in one process (as in tests) do
 * not add to each other's numbers. prom-client brings the process metrics (CPU, RSS, event loop lag, garbage
 * collection); it is loaded by the first scrape, because loading it costs 20 to 90 ms that a start should not pay.
 */
export function createMetrics(): Metrics {
  const http = httpInstruments();
  const lanes = laneInstruments();
  const gateways = gatewayInstruments();
  const flow = flowInstruments();
  const partner = partnerInstruments();
  const delivery = deliveryInstruments();
  const instruments = [http, lanes, gateways, flow, partner, delivery].flatMap((group) => group.instruments);
  let processMetrics: Promise<Registry> | undefined;

  return {
    httpRoute: http.bind,
    lane: lanes.bind,
    gatewayCall: gateways.bindCall,
    breaker: gateways.bindBreaker,
    ...flow.counters,
    ...partner.counters,
    delivery: delivery.metrics,
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    async render() {
      processMetrics ??= loadProcessMetrics();
      const own = instruments.map((instrument: Instrument) => instrument.expose()).join("\n");
      return `${own}\n${await (await processMetrics).metrics()}`;
    },
  };
}

async function loadProcessMetrics(): Promise<Registry> {
  const { collectDefaultMetrics, Registry } = await import("prom-client");
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

function httpInstruments() {
  const duration = histogramFamily(
    "marketflow_http_request_duration_seconds",
    "How long requests took, from the first byte read to the answer handed over.",
    requestBounds,
  );
  return {
    instruments: [duration],
    bind(method: string, route: string, listener: Listener) {
      const byClass = [1, 2, 3, 4, 5].map((digit) =>
        lazy(() => duration.with({ listener, method, route, status: `${digit}xx` })),
      );
      return (statusCode: number, durationMs: number) => {
        byClass[Math.trunc(statusCode / 100) - 1]?.().observe(durationMs / 1000);
      };
    },
  };
}

function laneInstruments() {
  const depth = gaugeFamily("marketflow_lane_queue_depth", "Items that wait for the lane's next batch.");
  const size = histogramFamily("marketflow_lane_batch_size", "Items in one batch.", batchBounds);
  const wait = histogramFamily(
    "marketflow_lane_wait_seconds",
    "How long the oldest item of a batch waited for its statement to begin.",
    statementBounds,
  );
  const statement = histogramFamily(
    "marketflow_lane_statement_duration_seconds",
    "How long one batch's statement took, its commit included.",
    statementBounds,
  );
  const shed = counterFamily("marketflow_lane_shed_total", "Items turned away because the lane's queue was full.");
  const failed = counterFamily(
    "marketflow_lane_failures_total",
    "Statements that failed and took their batch with them.",
  );
  return {
    instruments: [depth, size, wait, statement, shed, failed],
    bind(lane: string): LaneMetrics {
      const series = {
        depth: depth.with({ lane }),
        size: size.with({ lane }),
        wait: wait.with({ lane }),
        statement: statement.with({ lane }),
        shed: shed.with({ lane }),
        failed: failed.with({ lane }),
      };
      return {
        readDepth: (read) => series.depth.readFrom(read),
        batch({ size: items, durationMs, waitedMs }) {
          series.size.observe(items);
          series.wait.observe(waitedMs / 1000);
          series.statement.observe(durationMs / 1000);
        },
        shed: () => series.shed.add(),
        failed: () => series.failed.add(),
      };
    },
  };
}

function gatewayInstruments() {
  const calls = histogramFamily(
    "marketflow_gateway_call_duration_seconds",
    "How long calls to a gateway took, by what came of them.",
    gatewayBounds,
  );
  const breaker = gaugeFamily(
    "marketflow_circuit_breaker_state",
    "1 for the state the gateway's circuit breaker is in, 0 for the others.",
  );
  return {
    instruments: [calls, breaker],
    bindCall(gateway: string, operation: string) {
      const byOutcome = new Map<string, { observe(seconds: number): void }>();
      return (outcome: string, durationMs: number) => {
        let series = byOutcome.get(outcome);
        if (series === undefined) {
          series = calls.with({ gateway, operation, outcome });
          byOutcome.set(outcome, series);
        }
        series.observe(durationMs / 1000);
      };
    },
    bindBreaker(gateway: string) {
      const series = breakerStates.map((state) => ({ state, gauge: breaker.with({ gateway, state }) }));
      const enter = (entered: BreakerState) => {
        for (const { state, gauge } of series) gauge.set(state === entered ? 1 : 0);
      };
      enter("closed");
      return enter;
    },
  };
}

function flowInstruments() {
  const payments = counterFamily("marketflow_payments_total", "Payments by the state they entered.");
  const due = gaugeFamily(
    "marketflow_sweeper_due_attempts",
    "Accepted attempts past their lease, waiting for recovery.",
  );
  const recovered = counterFamily(
    "marketflow_sweeper_recovered_total",
    "Attempts that recovery settled, by what it found.",
  );
  const webhooks = counterFamily(
    "marketflow_webhook_events_total",
    "Webhook events by type and by what became of them.",
  );
  for (const status of ["pending", "succeeded", "failed", "cancelled"]) payments.with({ status });
  const dueOf = Object.fromEntries(policies.map((policy) => [policy, due.with({ policy })]));
  return {
    instruments: [payments, due, recovered, webhooks],
    counters: {
      payment: countsOf(payments, "status"),
      sweeperDue: (attempts: number, policy: Policy) => dueOf[policy]?.set(attempts),
      recovered: (operation: string, outcome: string, count = 1) => recovered.with({ operation, outcome }).add(count),
      webhook(type: string, disposition: string) {
        webhooks.with({ type: webhookTypes.has(type) ? type : "other", disposition }).add();
      },
    },
  };
}

function partnerInstruments() {
  const bills = counterFamily("marketflow_bills_total", "Bill payments by the state they entered.");
  const payouts = counterFamily("marketflow_payouts_total", "Payouts by who is paid and by the state they entered.");
  const took = histogramFamily(
    "marketflow_payout_seconds",
    "How long the payouts of batches took, from being begun to being settled.",
    payoutBounds,
  );
  const inFlight = gaugeFamily("marketflow_payouts_in_flight", "Payouts of batches that are at the gateway.");
  const cache = counterFamily("marketflow_cache_operations_total", "What the cache was asked, by what came of it.");
  for (const status of ["SUCCESS", "FAILED", "EXHAUSTED"]) bills.with({ status });
  const paidTo = {
    affiliate: countsOf(payouts, "status", { recipient: "affiliate" }),
    seller: countsOf(payouts, "status", { recipient: "seller" }),
  };
  for (const count of Object.values(paidTo)) for (const status of ["EXITOSO", "FALLIDO"]) count(status, 0);
  const settled = took.with({});
  const flying = inFlight.with({});
  return {
    instruments: [bills, payouts, took, inFlight, cache],
    counters: {
      bill: countsOf(bills, "status"),
      payout: (recipient: keyof typeof paidTo, status: string, count = 1) => paidTo[recipient](status, count),
      payoutSettled: (durationMs: number) => settled.observe(durationMs / 1000),
      payoutsInFlight: (read: () => number) => flying.readFrom(read),
      cache: (operation: string, result: string) => cache.with({ operation, result }).add(),
    },
  };
}

function lazy<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
