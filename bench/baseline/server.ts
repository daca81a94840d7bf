import { once } from "node:events";
import { mkdirSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { Pool } from "pg";
import { createSimulator } from "../../src/infrastructure/gateways/simulator/simulator.ts";
import { parseSettings } from "../../src/settings.ts";
import { createBaseline } from "./app.ts";

/*
 * Runs the baseline alone, with the settings of MarketFlow (DATABASE_URL, PORT, PARTNER_PORT, MARKETFLOW_HOME, …)
 * over a database that has MarketFlow's migrations, for bills and webhooks baseline/ledger.sql, too:
 *   DATABASE_URL=… STRIPE_WEBHOOK_SECRET=whsec_… node bin/marketflow.mjs --script bench/baseline/server.ts
 */
const settings = parseSettings(process.env);
const webhookSecret = settings.stripeWebhookSecret;
if (settings.databaseUrl === undefined || webhookSecret === undefined) {
  throw new Error("the baseline needs DATABASE_URL and STRIPE_WEBHOOK_SECRET");
}

// Sizes from 4 to 64 differed by less than the rounds of one size did; BASELINE_POOL_SIZE tries another.
const poolSize = Number(process.env.BASELINE_POOL_SIZE || "16");
const pool = new Pool({ connectionString: settings.databaseUrl, max: poolSize });
pool.on("error", (error) => process.stderr.write(`an idle connection broke: ${error.message}\n`));

mkdirSync(settings.home, { recursive: true });
const gateway = createSimulator({
  path: join(settings.home, "simulator.db"),
  latencyMs: settings.simulatorLatencyMs,
  payAfterMs: settings.simulatorPayAfterMs,
  buyer: settings.simulatorBuyer,
  webhook: { url: `http://127.0.0.1:${settings.port}/webhooks/stripe`, secret: webhookSecret },
});

const { marketplace, partner } = createBaseline({ pool, gateway, bills: gateway.bills, webhookSecret });
// The marketplace's port last: whoever waits for it finds both.
const servers: Server[] = [];
for (const [app, port] of [[partner, settings.partnerPort] as const, [marketplace, settings.port] as const]) {
  const server = app.listen(port, settings.host);
  await once(server, "listening");
  servers.push(server);
}
process.stdout.write(`the baseline listens on http://${settings.host}:${settings.port}\n`);

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop());

async function stop(): Promise<void> {
  await Promise.all(
    servers.map(async (server) => {
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      await closed;
    }),
  );
  await gateway.close();
  await pool.end();
}
