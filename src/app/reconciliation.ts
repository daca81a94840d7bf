import type { Logger } from "pino";
import { createMetrics } from "../infrastructure/telemetry/metrics.ts";
import type { ReconciliationContext } from "../modules/reconciliation/index.ts";
import { ledgerContext, reconciliationContext } from "./contexts.ts";
import { openDatabase } from "./database.ts";
import { openGateways } from "./gateways.ts";
import type { AppSettings } from "./settings.ts";

/** As much of the application as a reconciliation from the command line takes. Nothing listens. */
export async function openReconciliation(
  settings: AppSettings,
  logger: Logger,
): Promise<{ readonly context: ReconciliationContext; close(): Promise<void> }> {
  const database = openDatabase(settings, logger);
  const gateways = await openGateways({ ...settings, simulatorBuyer: "absent" }, () => "");
  const ledger = ledgerContext({ database, metrics: createMetrics() });
  return {
    context: reconciliationContext({ settings, database }, ledger, gateways.payments),
    async close() {
      await ledger.lane.drain();
      await gateways.close();
      await database.close();
    },
  };
}
