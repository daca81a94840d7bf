import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { AppSettings } from "../app/settings.ts";
import type { Settings } from "../settings.ts";
import { findDatabase } from "./find-database.ts";
import { OperatorFault } from "./operator-fault.ts";
import { openLog, operationsFault, stopOnSignals } from "./run-app.ts";

/** Settings with which events can be consumed: where the database and the broker are is known. */
export type ConsumingSettings = AppSettings & { readonly pulsarUrl: string };

/** A consumer of published events, with all that it works with. */
export type RunningConsumer = {
  /** Subscribes, and resolves once events come in. Rejects where the broker cannot be reached; may be called again. */
  start(): Promise<void>;
  /** Takes nothing more, finishes the batch under way, and lets go of everything. */
  close(): Promise<void>;
};

/** Brokers start slower than we do; one that does not answer within this is not there. */
const startPatienceMs = 120_000;
const longestPauseMs = 5_000;

/**
 * `marketflow consume`: keeps the affiliates' statement from PULSAR_TOPIC, with the subscription PULSAR_SUBSCRIPTION.
 * Any number may run: each partition of the topic is consumed by one of them at a time. What is under way when it
 * stops, or dies, is delivered to another one.
 */
export async function consume(
  settings: Settings,
  open: (settings: ConsumingSettings, logger: Logger) => Promise<RunningConsumer>,
): Promise<void> {
  const { pulsarUrl, pulsarTopic, pulsarSubscription, stripeWebhookSecret = "" } = settings;
  if (pulsarUrl === undefined) {
    throw new OperatorFault(
      "`consume` needs PULSAR_URL (pulsar://localhost:6650). Without a broker, `relay` and the sandbox consume " +
        "events in their own process.",
    );
  }
  const logger = openLog(settings, "consume");
  const { url: databaseUrl, stop } = await findDatabase(settings);
  const complete = { ...settings, databaseUrl, pulsarUrl, stripeWebhookSecret };
  const consumer = await open(complete, logger).catch(async (error: unknown) => {
    await stop();
    throw operationsFault(error);
  });
  const starting = new AbortController();
  const close = async () => {
    starting.abort();
    await consumer.close().finally(stop);
  };
  stopOnSignals(close, settings.shutdownTimeoutMs, logger);
  try {
    await startWithin(consumer, startPatienceMs, starting.signal, logger);
  } catch (error) {
    await close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperatorFault(`The broker of PULSAR_URL could not be subscribed to: ${reason}`, error);
  }
  if (!starting.signal.aborted) logger.info({ topic: pulsarTopic, subscription: pulsarSubscription }, "consuming");
}

/** Tries until it is subscribed or told to stop; rejects with the last failure where that takes too long. */
async function startWithin(
  consumer: RunningConsumer,
  patienceMs: number,
  signal: AbortSignal,
  logger: Logger,
): Promise<void> {
  const untilMs = performance.now() + patienceMs;
  for (let pauseMs = 250; !signal.aborted; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    try {
      return await consumer.start();
    } catch (error) {
      if (signal.aborted) return;
      if (performance.now() + pauseMs > untilMs) throw error;
      logger.warn({ error, retry_after_ms: pauseMs }, "the broker could not be subscribed to; it is tried again");
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
