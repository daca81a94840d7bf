import type { Logger } from "pino";
import { parseTopic } from "../infrastructure/publishers/pulsar/topics.ts";
import type { AppSettings } from "./settings.ts";

/** Where Pulsar is and how we are known there; all topics are in the namespace of the pagos'. */
export function pulsarOptions(settings: AppSettings, url: string, logger: Logger) {
  const { pulsarWebUrl: webUrl, pulsarToken: token, pulsarPartitions: partitions, pulsarTopic } = settings;
  const { namespace } = parseTopic(pulsarTopic);
  const onWarning = (warning: string) => logger.warn({ warning }, "Pulsar is not set up as it should be");
  return { url, webUrl, token, partitions, namespace, onWarning };
}
