import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { createApp } from "../src/app.ts";
import { createLogger } from "../src/infrastructure/telemetry/logger.ts";
import { parseSettings } from "../src/settings.ts";
import { version } from "../src/version.ts";

// `npm run generate` writes `openapi/*.json`, one document for each listener, from the routes' schemas; with --check it
// fails where that would change a file. The application is built and never started, so it needs no database.

type Listener = "marketplace" | "partner";

type Described = { title: string; description: string; tags: readonly string[]; mustHave: readonly string[] };

const listeners: Readonly<Record<Listener, Described>> = {
  marketplace: {
    title: "MarketFlow marketplace API",
    description:
      "Amounts are decimals in the currency's major unit; times are RFC 3339 UTC; " +
      "errors are RFC 9457 problems with a stable `code`.",
    tags: ["payments", "payouts", "webhooks", "webhook-endpoints", "ledger", "reconciliation", "operations"],
    mustHave: ["/payments", "/webhooks/stripe", "/ledger/accounts", "/reconciliation/runs", "/health"],
  },
  partner: {
    title: "MarketFlow partner API",
    description:
      "Bill payments with controlled retries, and payouts to affiliates (pagos). Amounts are decimals in the " +
      "currency's major unit; times are RFC 3339 UTC. " +
      'Errors are `{"success": false, "error": {"code", "message"}}`; ' +
      'under `/pagos` they are `{"detail": …}`, with a list of the fields at fault where it is 422.',
    tags: ["bills", "pagos", "operations"],
    mustHave: ["/payments", "/pagos", "/health"],
  },
};

const documents = await readDocuments();
for (const [listener, document] of Object.entries(documents)) {
  const paths = Object.keys((JSON.parse(document) as { paths: object }).paths);
  const missing = listeners[listener as Listener].mustHave.filter((path) => !paths.includes(path));
  if (missing.length > 0) throw new Error(`the ${listener} listener has no ${missing.join(" and no ")}`);
  const name = `openapi/${listener}.json`;
  const file = resolve(import.meta.dirname, "..", name);
  if (!process.argv.includes("--check")) {
    await writeFile(file, document);
    process.stdout.write(`${name} written, ${paths.length} paths\n`);
  } else if ((await readFile(file, "utf8").catch(() => "")) === document) {
    process.stdout.write(`${name} is fresh, ${paths.length} paths\n`);
  } else {
    process.stderr.write(`${name} is stale: run npm run generate\n`);
    process.exitCode = 1;
  }
}

async function readDocuments(): Promise<Record<Listener, string>> {
  const home = await mkdtemp(join(tmpdir(), "marketflow-openapi-"));
  const settings = {
    ...parseSettings({ MARKETFLOW_HOME: home, SIMULATOR_BUYER: "absent" }),
    databaseUrl: "postgres://127.0.0.1:1/nowhere",
    stripeWebhookSecret: "whsec_unused",
  };
  const logger = createLogger({ logLevel: "silent", serviceVersion: version, process: "generate", secrets: [] });
  const app = await createApp(settings, logger, { onServer: describeRoutes });
  try {
    return { marketplace: await documentOf(app.marketplace), partner: await documentOf(app.partner) };
  } finally {
    await app.close();
    await rm(home, { recursive: true, force: true });
  }
}

/** Before a listener has its routes, so that the plugin hears of each. */
async function describeRoutes(server: FastifyInstance, listener: Listener): Promise<void> {
  const { title, description, tags } = listeners[listener];
  await server.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title, version, description, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
      servers: [{ url: "/" }],
      tags: tags.map((name) => ({ name })),
    },
  });
}

async function documentOf(server: FastifyInstance): Promise<string> {
  await server.ready();
  return `${JSON.stringify(server.swagger(), null, 2)}\n`;
}
