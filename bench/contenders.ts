import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { BenchDatabase } from "./cluster.ts";
import { type ServerProcess, startServer } from "./processes.ts";

/** One of the two servers that are compared. */
export type Contender = "marketflow" | "baseline";

export type ContenderStart = {
  readonly contender: Contender;
  readonly database: BenchDatabase;
  /** A folder of this contender's own: the simulator's journal and the server's log are in it. */
  readonly home: string;
  /** What this scenario sets beyond what production sets. */
  readonly environment: Readonly<Record<string, string>>;
  /** Flags for Node.js that only the server gets, to profile it or to try limits. */
  readonly nodeOptions: string;
};

const root = join(import.meta.dirname, "..");
const bundle = join(root, "dist", "marketflow.mjs");

/** Whether MarketFlow runs from its bundle or, where none is built, from its sources. */
export const isBundled = existsSync(bundle);

/** Throws where the bundle is older than a source: the figures would be those of other code. */
export function requireFreshBundle(): void {
  if (!isBundled) return;
  const builtAtMs = statSync(bundle).mtimeMs;
  const newer = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    // The typed statements are written anew by every check; the SQL that they come from is not.
    .filter((name) => /\.(ts|sql)$/.test(name) && !/\.(test|queries)\.ts$/.test(name))
    .find((name) => statSync(join(root, "src", name)).mtimeMs > builtAtMs);
  if (newer !== undefined) {
    throw new Error(`dist/ is older than src/${newer}: run \`npm run build\`, or remove dist/ to measure the sources`);
  }
}

/**
 * Starts a contender the way a user does in production: `marketflow serve` through its launcher, from the bundle
 * where `npm run build` has made one. The baseline is started by the same Node.js.
 */
export function startContender(start: ContenderStart): Promise<ServerProcess> {
  const args =
    start.contender === "marketflow"
      ? [join(root, "bin", "marketflow.mjs"), "serve"]
      : [join(root, "bin", "marketflow.mjs"), "--script", join(import.meta.dirname, "baseline", "server.ts")];
  const environment = {
    NODE_ENV: "production",
    GATEWAY: "simulator",
    STRIPE_WEBHOOK_SECRET: "whsec_bench_0123456789abcdef",
    MARKETFLOW_HOME: start.home,
    DATABASE_URL: start.database.url,
    DATABASE_OWNER_URL: start.database.ownerUrl,
    NODE_OPTIONS: start.nodeOptions,
    MARKETFLOW_BUNDLE: isBundled ? "1" : "",
    BASELINE_PREPARED: process.env["BASELINE_PREPARED"] ?? "",
    BASELINE_POOL_SIZE: process.env.BASELINE_POOL_SIZE ?? "",
    ...start.environment,
  };
  return startServer({ args, environment, folder: start.home });
}
