import { randomUUIDv7 } from "node:crypto";
import { createLaneLocks } from "../infrastructure/postgres/lane-locks.ts";
import { createOwnership } from "../infrastructure/postgres/ownership.ts";
import { createLocalPublisher } from "../infrastructure/publishers/local.ts";
import { createWebhookClient } from "../infrastructure/webhooks/client.ts";
import { createRelay, messageOf, type RelayObserver, relayConsumer, topicsOf } from "../modules/events/index.ts";
import type { Publisher } from "../modules/events/ports.ts";
import { createWebhookWorker, type WebhookWorker } from "../modules/webhooks/index.ts";
import { version } from "../version.ts";
import { connectTimeoutMs } from "./database.ts";
import { pulsarOptions } from "./pulsar.ts";
import type { AppSettings } from "./settings.ts";
import { type ConsumerParts, openStatementConsumer } from "./statement-consumer.ts";
import { tracedPublisher } from "./traced-publisher.ts";

/** What the outbox is made of. */
export type OutboxParts = ConsumerParts & { readonly settings: AppSettings };

/** What takes the event log to other systems: the relay with its publisher, and the webhooks to integrators. */
export type Outbox = {
  readonly publisher: Publisher;
  start(): void;
  /** Finishes what is under way, for at most some seconds. */
  close(): Promise<void>;
};

/** Publishes to Pulsar where PULSAR_URL is set, and to this process's own consumers otherwise; and sends webhooks. */
export async function openOutbox(parts: OutboxParts): Promise<Outbox> {
  const { settings, database, tracer } = parts;
  const topics = topicsOf(settings.pulsarTopic);
  const publisher = await openPublisher(parts, topics.pago);
  const relay = createRelay({
    connection: database.lane,
    locks: createLaneLocks({ url: settings.databaseUrl, task: relayConsumer, timeoutMs: connectTimeoutMs }),
    publisher: tracer.enabled ? tracedPublisher(publisher, tracer) : publisher,
    messageOf: (event) => messageOf(event, topics),
    observe: relayObserver(parts),
  });
  const ownership = createOwnership(settings.databaseUrl, "webhooks", connectTimeoutMs);
  const webhooks = openWebhooks(parts, topics, () => ownership.holds());
  return {
    publisher,
    start() {
      // Until it is known to be away.
      parts.metrics.delivery.reachable(true);
      relay.start();
      webhooks.start();
    },
    async close() {
      await Promise.all([relay.stop(), webhooks.stop()]);
      await Promise.all([publisher.close(), ownership.release()]);
    },
  };
}

/** Pulsar's client is loaded only where it is used. */
async function openPublisher(parts: OutboxParts, pagoTopic: string): Promise<Publisher> {
  const { settings, logger } = parts;
  if (settings.pulsarUrl === undefined) {
    return createLocalPublisher({ subscribers: [{ topics: [pagoTopic], receive: openStatementConsumer(parts) }] });
  }
  const { createPulsarPublisher } = await import("../infrastructure/publishers/pulsar/publisher.ts");
  // The consumer may come later than the first event: the topic is made with its subscription.
  const subscriptionOf = (topic: string) => (topic === pagoTopic ? settings.pulsarSubscription : undefined);
  return createPulsarPublisher({ ...pulsarOptions(settings, settings.pulsarUrl, logger), subscriptionOf });
}

function relayObserver({ metrics, logger }: OutboxParts): RelayObserver {
  const { delivery } = metrics;
  return {
    published: delivery.published,
    lag: delivery.lag,
    parked: delivery.parked,
    horizon: delivery.horizon,
    refused(parked) {
      delivery.refused(parked.type);
      logger.error(parked, "the broker refused an event for good; its stream waits for a person");
    },
    halted: (lane, parked) => logger.error({ lane, parked }, "a lane waits: too many of its streams are parked"),
    unreachable(error) {
      delivery.reachable(false);
      logger.warn({ error }, "events cannot be published; they wait in the log");
    },
    reachable() {
      delivery.reachable(true);
      logger.info("events can be published");
    },
    lanes(owned) {
      delivery.lanes(owned);
      logger.info({ lanes: owned }, "publishes so many lanes of the event log");
    },
    failed: (error) => logger.warn({ error }, "the relay met a fault; it goes on"),
  };
}

function openWebhooks(
  { settings, database, metrics, logger }: OutboxParts,
  topics: ReturnType<typeof topicsOf>,
  holdsOwnership: () => Promise<boolean>,
): WebhookWorker {
  const { delivery } = metrics;
  return createWebhookWorker({
    logDatabase: database.lane("webhooks_fan_out"),
    database: database.lane("webhooks_send"),
    client: openWebhookClient(settings),
    holdsOwnership,
    bodyOf: (event) => messageOf(event, topics),
    newId: randomUUIDv7,
    userAgent: `MarketFlow/${version}`,
    observe: {
      sent: delivery.webhookSent,
      endpointDisabled: (endpoint, reason) => logger.warn({ endpoint, reason }, "a webhook endpoint was disabled"),
      notSent: (position, event_type, reason) =>
        logger.error({ position, event_type, reason }, "an event cannot be sent to webhook endpoints"),
      failed: (step, error) => logger.warn({ step, error }, "webhooks met a fault; they go on"),
    },
  });
}

/** Who posts to integrators, with the rules about where that may be. */
export function openWebhookClient({ webhooksAllowPrivate = false }: AppSettings) {
  return createWebhookClient({ allowPrivate: webhooksAllowPrivate, allowHttp: webhooksAllowPrivate });
}
