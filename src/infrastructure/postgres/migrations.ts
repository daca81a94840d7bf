import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** One numbered step of the schema: the SQL that makes it and the SQL that takes it back. */
export type Migration = {
  readonly number: number;
  /** The file's name without its ending: `0001_events`. */
  readonly name: string;
  readonly forward: string;
  readonly back: string;
  /** Of the forward file, to notice that a file was edited after it was applied. */
  readonly sha256: string;
};

/** Why migrations were not run; see {@link MigrationFailure}. */
export type MigrationFailureType =
  /** The files themselves are wrong: a number missing or twice, a way back missing, a name out of the pattern. */
  | "files_invalid"
  /** A file differs from what was applied under its number. */
  | "edited"
  /** The database has a migration that the code does not: it was migrated by a newer version. */
  | "ahead"
  /** Another process migrated for too long. */
  | "locked"
  /** A migration's SQL failed; nothing of that migration remains. */
  | "failed";

/** Thrown instead of running migrations that are not safe to run; the message is a sentence for the operator. */
export class MigrationFailure extends Error {
  readonly type: MigrationFailureType;

  constructor(type: MigrationFailureType, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "MigrationFailure";
    this.type = type;
  }
}

/** The project's `migrations` folder, found from this file whether it runs as source or inside a bundle. */
export function migrationsDirectory(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) {
    if (folder === dirname(folder)) throw new Error(`no package.json above ${import.meta.dirname}`);
    folder = dirname(folder);
  }
  return join(folder, "migrations");
}

/**
 * Reads `NNNN_name.sql` and `NNNN_name.back.sql` in the order of their numbers.
 * Throws {@link MigrationFailure} `files_invalid`.
 */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith(".sql")).sort();
  const strange = files.find((file) => !/^\d{4}_[a-z0-9_]+(\.back)?\.sql$/.test(file));
  if (strange !== undefined) throw invalid(directory, `${strange} is not named like 0001_events.sql`);
  const migrations: Migration[] = [];
  for (const file of files.filter((name) => !name.endsWith(".back.sql"))) {
    const name = file.slice(0, -".sql".length);
    const number = Number(name.slice(0, 4));
    if (number !== migrations.length + 1) {
      throw invalid(directory, `${file} comes where number ${migrations.length + 1} should`);
    }
    if (!files.includes(`${name}.back.sql`)) throw invalid(directory, `${name}.back.sql is missing`);
    const forward = await readSql(join(directory, file));
    const back = await readSql(join(directory, `${name}.back.sql`));
    migrations.push({ number, name, forward, back, sha256: createHash("sha256").update(forward).digest("hex") });
  }
  if (files.length !== migrations.length * 2) throw invalid(directory, "a .back.sql file has no forward file");
  return migrations;
}

/** Line ends are made alike, so that a checkout on another system does not look like an edit. */
async function readSql(file: string): Promise<string> {
  return (await readFile(file, "utf8")).replaceAll("\r\n", "\n");
}

function invalid(directory: string, what: string): MigrationFailure {
  return new MigrationFailure("files_invalid", `The migrations in ${directory} are not usable: ${what}.`);
}
