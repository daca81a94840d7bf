/** Why an embedded PostgreSQL could not be started. */
export type EmbeddedPostgresFailureType =
  /** Another MarketFlow holds this home. */
  | "home_in_use"
  /** The home cannot be created or written, or belongs to another account. */
  | "home_not_writable"
  | "disk_full"
  /** There are no PostgreSQL binaries for this operating system and processor. */
  | "unsupported_platform"
  /** No port could be had on 127.0.0.1. */
  | "port_taken"
  /** We are root, PostgreSQL refuses root, and it could not be run as another account. */
  | "cannot_drop_root"
  | "start_failed";

/** Thrown by the embedded PostgreSQL; the message is a sentence for the person who started it and holds no secret. */
export class EmbeddedPostgresFailure extends Error {
  readonly type: EmbeddedPostgresFailureType;

  constructor(type: EmbeddedPostgresFailureType, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "EmbeddedPostgresFailure";
    this.type = type;
  }
}

/** The failure that an error of a file or process operation in `home` stands for. */
export function failureFromError(error: unknown, home: string): EmbeddedPostgresFailure {
  if (error instanceof EmbeddedPostgresFailure) return error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const message = error instanceof Error ? error.message : String(error);
  if (code === "ENOSPC" || code === "EDQUOT") return diskFull(home, error);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOTDIR" || code === "EEXIST") {
    const advice = "Set MARKETFLOW_HOME to a folder that this account can write.";
    return new EmbeddedPostgresFailure("home_not_writable", `The home ${home} cannot be used: ${message}. ${advice}`, {
      cause: error,
    });
  }
  return new EmbeddedPostgresFailure("start_failed", `The embedded PostgreSQL did not start: ${message}`, {
    cause: error,
  });
}

/** The failure that the output of initdb or postgres stands for. `logFile` is where the whole of it can be read. */
export function failureFromOutput(output: string, home: string, logFile: string): EmbeddedPostgresFailure {
  if (/No space left on device|Disk quota exceeded/i.test(output)) return diskFull(home);
  if (/Address already in use|could not create any TCP\/IP sockets/i.test(output)) {
    return new EmbeddedPostgresFailure("port_taken", "The embedded PostgreSQL's port on 127.0.0.1 is already in use.");
  }
  const lastLines = output.trim().split("\n").slice(-12).join("\n");
  const message = `The embedded PostgreSQL in ${home} did not start. Its log (${logFile}) ends with:\n${lastLines}`;
  return new EmbeddedPostgresFailure("start_failed", message);
}

function diskFull(home: string, cause?: unknown): EmbeddedPostgresFailure {
  const message = `The disk that holds ${home} is full. Free some space, or set MARKETFLOW_HOME to a folder elsewhere.`;
  return new EmbeddedPostgresFailure("disk_full", message, { cause });
}
