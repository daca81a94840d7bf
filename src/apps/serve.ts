import type { AppSettings } from "../app/settings.ts";
import { createApp } from "../app.ts";
import { faultsOfDatabase } from "../infrastructure/postgres/safety.ts";
import type { Settings } from "../settings.ts";
import { OperatorFault } from "./operator-fault.ts";
import { openLog, startApp, stopOnSignals } from "./run-app.ts";

const checkTimeoutMs = 5_000;

/**
 * Both APIs in production form. Refuses to start without its secrets, on a database that could lose commits,
 * or with a login that may change what it must not.
 */
export async function serve(settings: Settings): Promise<void> {
  const complete = requireSecrets(settings);
  await requireSafeDatabase(complete.databaseUrl);
  const logger = openLog(settings, "api");
  const app = await createApp(complete, logger);
  stopOnSignals(() => app.close(), settings.shutdownTimeoutMs, logger);
  const { marketplace: address, partner: partner_address } = await startApp(app, settings);
  if (settings.gateway === "simulator") logger.warn("GATEWAY=simulator: no money moves");
  else logger.warn("bills are paid by the simulator, because there is no other gateway for them: no money moves there");
  logger.info({ address, partner_address }, "listening");
}

function requireSecrets(settings: Settings): AppSettings {
  const { databaseUrl, stripeWebhookSecret } = settings;
  const missing = [
    ...(databaseUrl === undefined ? ["DATABASE_URL must be set: PostgreSQL as the application's role"] : []),
    ...(stripeWebhookSecret === undefined ? ["STRIPE_WEBHOOK_SECRET must be set: whsec_…"] : []),
  ];
  if (databaseUrl === undefined || stripeWebhookSecret === undefined) {
    throw new OperatorFault(`\`serve\` cannot start:\n${missing.map((fault) => `  - ${fault}`).join("\n")}`);
  }
  if (stripeWebhookSecret === "whsec_sandbox" && settings.nodeEnv === "production") {
    throw new OperatorFault("STRIPE_WEBHOOK_SECRET is the sandbox's, which everybody knows. Set your endpoint's own.");
  }
  return { ...settings, databaseUrl, stripeWebhookSecret };
}

async function requireSafeDatabase(url: string): Promise<void> {
  const faults = await faultsOfDatabase(url, checkTimeoutMs).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperatorFault(`The database of DATABASE_URL does not answer: ${reason}`, error);
  });
  if (faults.length > 0) {
    throw new OperatorFault(
      `\`serve\` does not trust this database:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`,
    );
  }
}
