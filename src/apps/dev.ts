import type { Logger } from "pino";
import { fundSandbox } from "../app/funding.ts";
import type { AppSettings } from "../app/settings.ts";
import { type Addresses, createApp } from "../app.ts";
import { startEmbeddedPostgres } from "../infrastructure/postgres/embedded.ts";
import { EmbeddedPostgresFailure } from "../infrastructure/postgres/embedded-failure.ts";
import { migrate } from "../infrastructure/postgres/migrate.ts";
import type { Settings } from "../settings.ts";
import { OperatorFault } from "./operator-fault.ts";
import { openLog, startApp, stopOnSignals } from "./run-app.ts";

const loopback = new Set(["127.0.0.1", "::1", "localhost"]);

/**
 * The sandbox: an embedded database, migrations, both APIs and the simulated gateway, on loopback only. With
 * DATABASE_URL that database is used instead.
 */
export async function dev(settings: Settings): Promise<void> {
  if (settings.nodeEnv === "production") {
    throw new OperatorFault(
      "The sandbox needs no login, so it does not run with NODE_ENV=production. Use `marketflow serve`.",
    );
  }
  if (!loopback.has(settings.host)) {
    throw new OperatorFault(
      `The sandbox needs no login, so it binds only to loopback, not to ${settings.host}. Unset HOST.`,
    );
  }
  const logger = openLog(settings, "sandbox");
  const stops: (() => Promise<void>)[] = [];
  const stopAll = async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  stopOnSignals(stopAll, settings.shutdownTimeoutMs, logger);
  try {
    const database = await openSandboxDatabase(settings, logger, stops);
    const complete: AppSettings = {
      ...settings,
      databaseUrl: database,
      stripeWebhookSecret: settings.stripeWebhookSecret ?? "whsec_sandbox",
      webhooksAllowPrivate: settings.webhooksAllowPrivate ?? true,
      publishes: true,
    };
    if (settings.gateway === "simulator") await fundSandbox(complete, logger);
    const app = await createApp(complete, logger);
    stops.push(() => app.close());
    process.stdout.write(whatToTry(await startApp(app, settings)));
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/** The URL of a migrated database, as the role that owns nothing where there is one. */
async function openSandboxDatabase(
  settings: Settings,
  logger: Logger,
  stops: (() => Promise<void>)[],
): Promise<string> {
  const { databaseUrl, databaseOwnerUrl } = settings;
  if (databaseUrl !== undefined) {
    await migrate({ url: databaseOwnerUrl ?? databaseUrl });
    return asApplication(databaseUrl);
  }
  const embedded = await startEmbeddedPostgres({ home: settings.home, log: logger }).catch((error: unknown) => {
    if (error instanceof EmbeddedPostgresFailure) throw new OperatorFault(error.message, error);
    throw error;
  });
  stops.push(() => embedded.stop());
  await migrate({ url: embedded.ownerUrl });
  return embedded.appUrl;
}

/** Whoever logs in, the sandbox works as the application's role, which owns nothing. */
function asApplication(url: string): string {
  const address = new URL(url);
  address.searchParams.set("options", "-c role=marketflow_app");
  return address.href;
}

function whatToTry({ marketplace, partner }: Addresses): string {
  return `
MarketFlow's sandbox listens at ${marketplace}
Its partner API listens at ${partner}

Make a payment, and see it succeed through the simulated gateway's webhook:

  curl -s ${marketplace}/payments -H 'content-type: application/json' \\
    -d '{"amount": 1000.00, "currency": "USD", "idempotency_key": "order_123_attempt_1"}'

  curl -s ${marketplace}/payments

Pay a bill, and pay an affiliate out:

  curl -s ${partner}/payments -H 'content-type: application/json' -H 'Idempotency-Key: bill_1' \\
    -d '{"reference": "FAC-12345", "amount": 500, "currency": "MXN"}'

  curl -s ${partner}/pagos/ -H 'content-type: application/json' \\
    -d '{"id_afiliado": "afiliado_123", "monto": 100.50, "moneda": "USD"}'

  curl -s ${partner}/pagos/afiliados/afiliado_123/estado-de-cuenta

The references of the APIs: ${marketplace}/docs and ${partner}/docs   Stop with Ctrl-C.

`;
}
