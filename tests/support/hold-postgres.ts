import { startEmbeddedPostgres } from "../../src/infrastructure/postgres/embedded.ts";

// Holds an embedded PostgreSQL as a process of its own, for tests that kill its owner: `hold-postgres.ts HOME`.
// Writes one line of JSON when it is up, and stops it at SIGTERM.

const [home = ""] = process.argv.slice(2);
const { adminUrl, ownerUrl, stop } = await startEmbeddedPostgres({ home, durable: false });
const keepAlive = setInterval(() => {}, 1_000);
process.once("SIGTERM", () => {
  clearInterval(keepAlive);
  stop().then(() => process.exit(0));
});
process.stdout.write(`${JSON.stringify({ adminUrl, ownerUrl })}\n`);
