import { type DestinationStream, type Logger, pino } from "pino";
import { createRedaction } from "./redaction.ts";

export type LoggerOptions = {
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
  readonly serviceVersion: string;
  /** Which process writes ("marketplace-api", "worker"). */
  readonly process: string;
  /** Values that must never be written, whatever they stand in: the secrets among the settings. */
  readonly secrets: readonly string[];
  /** Where lines go in a test; standard output otherwise. */
  readonly destination?: DestinationStream;
};

/**
 * Lines wait until there are 4 KiB of them or 100 ms have passed: one write for some twenty lines. An exit, an uncaught
 * exception and a fatal line write what waits at once; only SIGKILL can lose the last 100 ms. Beyond 8 MiB, because
 * nobody reads the pipe, lines are dropped: a log must not take the memory or the time of payments.
 */
const buffering = { fd: 1, sync: false, minLength: 4_096, periodicFlush: 100, maxLength: 8 * 1_024 * 1_024 } as const;

/**
 * Creates the logger: one JSON object a line, with the time as RFC 3339 text, the level by name, the service and its
 * version. Secrets are taken out of the finished line (see redaction.ts).
 */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.logLevel,
      base: { service: "marketflow", version: options.serviceVersion, process: options.process, pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "message",
      errorKey: "error",
      serializers: { error: pino.stdSerializers.err },
      hooks: { streamWrite: createRedaction(options.secrets) },
    },
    options.destination ?? pino.destination(buffering),
  );
}
