import { join } from "node:path";
import { startEmbeddedPostgres } from "../infrastructure/postgres/embedded.ts";
import { readOrMakeCredentials } from "../infrastructure/postgres/embedded-home.ts";
import { findPostmaster } from "../infrastructure/postgres/embedded-postmaster.ts";
import type { Settings } from "../settings.ts";

/** The database of the settings; the sandbox's where there is none, whether the sandbox runs or not. */
export async function findDatabase({
  databaseUrl,
  home,
}: Settings): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  if (databaseUrl !== undefined) return { url: databaseUrl, stop: async () => undefined };
  const running = await findPostmaster(join(home, "postgres"));
  if (running?.isReady === true) {
    const { app } = await readOrMakeCredentials(home);
    return { url: `postgres://marketflow:${app}@127.0.0.1:${running.port}/marketflow`, stop: async () => undefined };
  }
  const embedded = await startEmbeddedPostgres({ home });
  return { url: embedded.appUrl, stop: () => embedded.stop() };
}
