import type { Logger } from "pino";
import type { Addresses, App } from "../app.ts";
import { createLogger } from "../infrastructure/telemetry/logger.ts";
import { type Settings, secretsOf } from "../settings.ts";
import { version } from "../version.ts";
import { OperatorFault } from "./operator-fault.ts";

/** The log of a process, which never shows a secret of its settings. */
export function openLog(settings: Settings, process: string): Logger {
  const { logLevel } = settings;
  return createLogger({ logLevel, serviceVersion: version, process, secrets: secretsOf(settings) });
}

/** Begins to listen; a port that is taken is a fault that says which setting to change. */
export async function startApp(app: App, settings: Settings): Promise<Addresses> {
  try {
    return await app.start();
  } catch (error) {
    await app.close();
    throw portFault(error, (port) => (port === settings.partnerPort ? "PARTNER_PORT" : "PORT"));
  }
}

/** The same of a process that listens at OPERATIONS_PORT only. */
export function operationsFault(error: unknown): unknown {
  return portFault(error, () => "OPERATIONS_PORT");
}

function portFault(error: unknown, variableOf: (port: number | undefined) => string): unknown {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  const variable = variableOf(port);
  if (code === "EADDRINUSE") {
    return new OperatorFault(`Port ${port} is in use. Set ${variable} to another one, or stop what uses it.`, error);
  }
  if (code === "EACCES") {
    return new OperatorFault(`Port ${port} may not be used by this account. Set ${variable} to 1024 or above.`, error);
  }
  return error;
}

/** How long further signals count as the first one. */
const sameSignalMs = 2_000;

/**
 * Stops on SIGINT, SIGTERM or SIGHUP: finishes what is under way, for at most the given time, and ends the process.
 * One Ctrl-C arrives several times, from the terminal, from npm and from the launcher; a signal that comes later than
 * that ends the process at once. Nothing that was answered is lost either way.
 */
export function stopOnSignals(stop: () => Promise<void>, timeoutMs: number, logger: Logger): void {
  let stoppingSinceMs: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stoppingSinceMs !== undefined) {
      if (performance.now() - stoppingSinceMs > sameSignalMs) process.exit(1);
      return;
    }
    stoppingSinceMs = performance.now();
    logger.info({ signal }, "stopping");
    const timer = setTimeout(() => {
      logger.error({ timeout_ms: timeoutMs }, "stopping took too long; recovery will finish what is left");
      process.exit(1);
    }, timeoutMs);
    stop().then(
      () => {
        clearTimeout(timer);
        process.exit(0);
      },
      (error: unknown) => {
        logger.error({ error }, "could not stop cleanly");
        process.exit(1);
      },
    );
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
}
