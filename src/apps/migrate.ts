import { migrate } from "../infrastructure/postgres/migrate.ts";
import type { Settings } from "../settings.ts";
import { OperatorFault } from "./operator-fault.ts";

/** `marketflow migrate` brings the schema up to date; `marketflow migrate back [number]` takes migrations back. */
export async function migrateCommand(settings: Settings, args: readonly string[]): Promise<void> {
  const url = settings.databaseOwnerUrl ?? settings.databaseUrl;
  if (url === undefined)
    throw new OperatorFault("Set DATABASE_OWNER_URL: PostgreSQL as the role that owns the schemas.");
  const [direction = "forward", target] = args;
  if ((direction !== "forward" && direction !== "back") || (target !== undefined && !/^\d+$/.test(target))) {
    throw new OperatorFault("Usage: marketflow migrate [forward|back] [number]");
  }
  const report = await migrate({ url, direction, ...(target === undefined ? {} : { target: Number(target) }) });
  const done = [
    ...report.applied.map((name) => `applied ${name}`),
    ...report.undone.map((name) => `took back ${name}`),
  ];
  process.stdout.write(
    `${done.length === 0 ? "nothing to do" : done.join("\n")}\nthe schema is at ${report.version}\n`,
  );
}
