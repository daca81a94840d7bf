import { DatabaseFailure } from "../../kernel/statement.ts";

/** SQLSTATE classes and codes, from PostgreSQL's appendix A. */
const rejectedClasses = new Set(["22", "23"]);
const busyCodes = new Set(["40001", "40P01", "55P03"]);
/** Connection trouble, resources (disk full, too many connections), an operator's stop, a statement's own timeout. */
const unavailableClasses = new Set(["08", "53", "57", "58"]);
/**
 * A server that became a standby (25006), and a prepared statement whose result a migration changed (0A000): a new
 * connection, to the new primary or with a new plan, is what helps, and that is what follows on "unavailable".
 */
const needsNewConnection = new Set(["25006", "0A000"]);
/** The server ended the connection: whether a commit under way went through is not known. */
const endedByServer = new Set(["57P01", "57P02", "57P05"]);

/**
 * What an error of the driver means for whoever ran the statement. `sent` says whether the statement may have reached
 * the server. Errors that are bugs (a syntax error, a missing table or right) are returned as they are.
 */
export function failureOf(error: unknown, sent: boolean): unknown {
  if (error instanceof DatabaseFailure || !(error instanceof Error)) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const isSqlState = /^[0-9A-Z]{5}$/.test(code) && !code.startsWith("E");
  if (!isSqlState) {
    return new DatabaseFailure("unavailable", sent, `the database did not answer: ${error.message || code}`, error);
  }
  const sqlClass = code.slice(0, 2);
  if (rejectedClasses.has(sqlClass)) {
    const constraint = "constraint" in error && typeof error.constraint === "string" ? error.constraint : null;
    return new DatabaseFailure("rejected", false, error.message, error, constraint);
  }
  if (busyCodes.has(code)) return new DatabaseFailure("busy", false, error.message, error);
  if (unavailableClasses.has(sqlClass) || needsNewConnection.has(code)) {
    return new DatabaseFailure("unavailable", sent && endedByServer.has(code), error.message, error);
  }
  return error;
}
