import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import type { App } from "../../src/app.ts";
import type { Simulator, SimulatorOptions } from "../../src/infrastructure/gateways/simulator/simulator.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { startSimulatedApp } from "./simulated-app.ts";

/** The secret that signs webhooks in tests. */
export const webhookSecret = "whsec_test_secret";

/** An application on a database of its own, listening on a free port, with the simulator as its gateway. */
export type TestApp = {
  readonly app: App;
  readonly address: string;
  /** Where the partner API listens. */
  readonly partnerAddress: string;
  readonly database: TestDatabase;
  readonly simulator: Simulator;
  /** Runs a query as the superuser, to look behind the API. */
  readonly look: <Row>(text: string, values?: unknown[]) => Promise<Row[]>;
  readonly close: () => Promise<void>;
};

export type TestAppOptions = {
  readonly environment?: Record<string, string>;
  readonly faults?: SimulatorOptions["faults"];
};

/** Starts an application whose buyer is absent unless told otherwise, so that tests send the webhooks themselves. */
export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const database = await createTestDatabase();
  const home = await mkdtemp(join(tmpdir(), "marketflow-test-"));
  const environment = {
    PORT: "0",
    PARTNER_PORT: "0",
    MARKETFLOW_HOME: home,
    LOG_LEVEL: "silent",
    DATABASE_URL: database.appUrl,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    SIMULATOR_BUYER: "absent",
    SIMULATOR_PAY_AFTER_MS: "0",
    ...options.environment,
  };
  const app = await startSimulatedApp(environment, { faults: options.faults });
  const { address, partnerAddress, simulator } = app;
  const admin = new Client({ connectionString: database.adminUrl });
  await admin.connect();
  return {
    app,
    address,
    partnerAddress,
    database,
    simulator,
    look: async <Row>(text: string, values: unknown[] = []) => (await admin.query(text, values)).rows as Row[],
    async close() {
      await app.close();
      await admin.end();
      await database.drop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape, and a wrong shape fails them.
  readonly body: any;
};

/** Sends JSON (or, as a text, exactly these characters) and reads the JSON answer. */
export async function post(
  address: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const init = text === undefined ? {} : { body: text, headers: { "content-type": "application/json", ...headers } };
  return await read(await fetch(address + path, { method: "POST", headers, ...init }));
}

export async function get(address: string, path: string): Promise<Answer> {
  return await read(await fetch(address + path));
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** Asks again until the answer is there; fails with what it last saw. */
export async function eventually<Value>(
  ask: () => Promise<Value>,
  isThere: (value: Value) => boolean,
  withinMs = 10_000,
): Promise<Value> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    const value = await ask();
    if (isThere(value)) return value;
    if (performance.now() > untilMs) throw new Error(`not within ${withinMs} ms; last seen: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
