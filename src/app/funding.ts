import type { Logger } from "pino";
import { createMetrics } from "../infrastructure/telemetry/metrics.ts";
import { parseCurrency } from "../kernel/currency.ts";
import { fundGateway } from "../modules/ledger/index.ts";
import { ledgerContext } from "./contexts.ts";
import { openDatabase } from "./database.ts";
import type { AppSettings } from "./settings.ts";

/** What the sandbox may pay affiliates: a thousand million of each currency, in minor units. */
const sandboxFundsMinor = 100_000_000_000n;

/** Sets money apart at the simulated gateway, so that the sandbox can pay affiliates; once, however often it starts. */
export async function fundSandbox(settings: AppSettings, logger: Logger): Promise<void> {
  const database = openDatabase(settings, logger);
  const ledger = ledgerContext({ database, metrics: createMetrics() });
  try {
    const fundings = ["USD", "EUR", "COP"].map(async (code) => {
      const currency = parseCurrency(code);
      if (currency === undefined) throw new Error(`not a currency: ${code}`);
      const amount = { amountMinor: sandboxFundsMinor, currency };
      const funded = await fundGateway(ledger, "simulator", amount, `sandbox:${code}`);
      if (!funded.ok) throw new Error(`the sandbox could not be funded in ${code}: ${funded.refusal.type}`);
    });
    await Promise.all(fundings);
  } finally {
    await ledger.lane.drain();
    await database.close();
  }
}
