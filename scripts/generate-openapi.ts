import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import swagger from "@fastify/swagger";
import { createApp } from "../src/app.ts";
import { createLogger } from "../src/infrastructure/telemetry/logger.ts";
import { parseSettings } from "../src/settings.ts";
import { version } from "../src/version.ts";

// `npm run generate` writes `openapi/marketplace.json` from the routes' schemas; with --check it fails where that would
// change the file. The application is built and never started, so it needs no database.

const file = resolve(import.meta.dirname, "..", "openapi", "marketplace.json");

const document = await marketplaceDocument();
const paths = Object.keys((JSON.parse(document) as { paths: object }).paths);
if (paths.length === 0) throw new Error("the routes gave no paths");

if (process.argv.includes("--check")) {
  const present = await readFile(file, "utf8").catch(() => "");
  if (present !== document) {
    process.stderr.write("openapi/marketplace.json is stale: run npm run generate\n");
    process.exitCode = 1;
  } else process.stdout.write(`openapi/marketplace.json is fresh, ${paths.length} paths\n`);
} else {
  await writeFile(file, document);
  process.stdout.write(`openapi/marketplace.json written, ${paths.length} paths\n`);
}

async function marketplaceDocument(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "marketflow-openapi-"));
  const settings = {
    ...parseSettings({ MARKETFLOW_HOME: home, SIMULATOR_BUYER: "absent" }),
    databaseUrl: "postgres://127.0.0.1:1/nowhere",
    stripeWebhookSecret: "whsec_unused",
  };
  const logger = createLogger({ logLevel: "silent", serviceVersion: version, process: "generate", secrets: [] });
  const app = await createApp(settings, logger, {
    async onServer(server) {
      await server.register(swagger, {
        openapi: {
          openapi: "3.1.0",
          info: {
            title: "MarketFlow marketplace API",
            version,
            description:
              "Amounts are decimals in the currency's major unit; times are RFC 3339 UTC; " +
              "errors are RFC 9457 problems with a stable `code`.",
            license: { name: "Apache-2.0", identifier: "Apache-2.0" },
          },
          servers: [{ url: "/" }],
          tags: ["payments", "webhooks", "ledger", "reconciliation", "operations"].map((name) => ({ name })),
        },
      });
    },
  });
  try {
    await app.marketplace.ready();
    return `${JSON.stringify(app.marketplace.swagger(), null, 2)}\n`;
  } finally {
    await app.close();
    await rm(home, { recursive: true, force: true });
  }
}
