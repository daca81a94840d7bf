import { counterFamily, countsOf, gaugeFamily, histogramFamily } from "./instruments.ts";

/** Around the goal of one second from the commit of an event to the broker's receipt. */
const lagBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const sendBounds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];

export type DeliveryMetrics = {
  /** Counts events that a broker keeps now, by topic. */
  published(topic: string, count: number): void;
  /** One event was refused for good, and parked its stream. */
  refused(type: string): void;
  /** Whether the broker could be reached when last it was needed. */
  reachable(isReachable: boolean): void;
  /** From the commit of a page's oldest event to its receipt, in milliseconds. */
  lag(ms: number): void;
  /** What cannot be read yet, because a transaction is under way that may have drawn a lower position. */
  horizon(waiting: { readonly positions: number; readonly ageMs: number }): void;
  /** How many lanes of the log this process publishes. */
  lanes(count: number): void;
  /** How many streams wait for a person, of the lanes that this process publishes. */
  parked(streams: number): void;
  /** Counts messages that a consumer received by what became of them ("handled", "duplicate", "dead_lettered", …). */
  received(consumer: string, outcome: string, count: number): void;
  /** One webhook was sent to an integrator: what came of it, and after how many milliseconds. */
  webhookSent(outcome: string, durationMs: number): void;
  /** How many webhooks wait to be sent, and for how long the oldest has been due, in milliseconds. */
  webhooksDue(due: { readonly deliveries: number; readonly ageMs: number }): void;
};

/** What leaves for other systems and comes in from them. */
export function deliveryInstruments() {
  const published = counterFamily("marketflow_events_published_total", "Events that a broker keeps, by topic.");
  const refused = counterFamily("marketflow_events_refused_total", "Events refused for good, which parked a stream.");
  const reachable = gaugeFamily("marketflow_relay_broker_up", "1 where the broker could be reached, else 0.");
  const lag = histogramFamily(
    "marketflow_relay_lag_seconds",
    "From the commit of a page's oldest event to its receipt by the broker.",
    lagBounds,
  );
  const behind = gaugeFamily(
    "marketflow_relay_horizon_positions",
    "Positions that cannot be read yet, because a transaction that may have drawn a lower one is under way.",
  );
  const horizonAge = gaugeFamily("marketflow_relay_horizon_age_seconds", "How long such a transaction holds readers.");
  const lanes = gaugeFamily("marketflow_relay_lanes", "Lanes of the event log that this process publishes.");
  const parked = gaugeFamily("marketflow_relay_parked_streams", "Streams that wait for a person.");
  const received = counterFamily("marketflow_consumer_messages_total", "Messages received, by what became of them.");
  const sent = histogramFamily(
    "marketflow_webhook_delivery_seconds",
    "How long sending a webhook to an integrator took, by what came of it.",
    sendBounds,
  );
  const due = gaugeFamily("marketflow_webhook_deliveries_due", "Webhooks whose time to be sent has come.");
  const dueAge = gaugeFamily("marketflow_webhook_due_age_seconds", "How long the oldest of them has been due.");
  const single = { reachable, behind, horizonAge, lanes, parked, due, dueAge };
  const gauges = Object.fromEntries(Object.entries(single).map(([name, family]) => [name, family.with({})])) as {
    readonly [Name in keyof typeof single]: ReturnType<typeof reachable.with>;
  };
  const lags = lag.with({});
  const metrics: DeliveryMetrics = {
    published: countsOf(published, "topic"),
    refused: countsOf(refused, "type"),
    reachable: (isReachable) => gauges.reachable.set(isReachable ? 1 : 0),
    lag: (ms) => lags.observe(ms / 1_000),
    horizon({ positions, ageMs }) {
      gauges.behind.set(positions);
      gauges.horizonAge.set(ageMs / 1_000);
    },
    lanes: (count) => gauges.lanes.set(count),
    parked: (streams) => gauges.parked.set(streams),
    received: (consumer, outcome, count) => received.with({ consumer, outcome }).add(count),
    webhookSent: (outcome, durationMs) => sent.with({ outcome }).observe(durationMs / 1_000),
    webhooksDue({ deliveries, ageMs }) {
      gauges.due.set(deliveries);
      gauges.dueAge.set(ageMs / 1_000);
    },
  };
  return { instruments: [published, refused, lag, received, sent, ...Object.values(single)], metrics };
}
