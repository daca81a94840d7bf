import { pino } from "pino";
import { createHttpServer } from "../../src/infrastructure/http/server.ts";
import type { Database } from "../../src/kernel/statement.ts";
import type { LedgerContext } from "../../src/modules/ledger/application/context.ts";
import { registerLedgerRoutes } from "../../src/modules/ledger/http/routes.ts";
import { openVault, tenant, type Vault } from "./vault.ts";

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape, and a wrong shape fails them.
  readonly body: any;
};

/** A vault with the ledger's routes in front of it, on a free port. */
export type ServedLedger = {
  readonly vault: Vault;
  readonly context: LedgerContext;
  readonly address: string;
  readonly read: (path: string) => Promise<Answer>;
  readonly close: () => Promise<void>;
};

/** `broken` stands between the routes and the database, for faults. */
export async function serveLedger(broken: (database: Database) => Database = (whole) => whole): Promise<ServedLedger> {
  const vault = await openVault();
  const server = createHttpServer({
    logger: pino({ level: "silent" }),
    routeMetric: () => () => undefined,
    traceIdOf: () => undefined,
  });
  const context = { database: broken(vault.pool), tenant };
  registerLedgerRoutes(server, context);
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    vault,
    context,
    address,
    async read(path) {
      const response = await fetch(address + path);
      const { status, headers } = response;
      const text = await response.text();
      return { status, headers, body: headers.get("content-type")?.includes("json") ? JSON.parse(text) : text };
    },
    async close() {
      await server.close();
      await vault.close();
    },
  };
}
