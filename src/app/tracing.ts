import type { Logger } from "pino";
import type { Tracer } from "../infrastructure/telemetry/tracer.ts";
import { createTracing } from "../infrastructure/telemetry/tracing.ts";
import { version } from "../version.ts";
import type { AppSettings } from "./settings.ts";

/** Traces to the collector of the settings, where there is one. What is lost is told to the log. */
export async function openTracing(
  { otlpEndpoint, traceSampleRatio }: Pick<AppSettings, "otlpEndpoint" | "traceSampleRatio">,
  logger: Logger,
): Promise<Tracer> {
  const onLost = (reason: string, spans: number) => logger.warn({ reason, spans }, "traces were lost");
  return await createTracing({ otlpEndpoint, traceSampleRatio, serviceVersion: version, onLost });
}
