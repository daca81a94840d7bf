/**
 * One statement of the plain server. Without a name, as the documentation of `pg` shows it and nearly everybody writes
 * it, PostgreSQL parses and plans it for each request. BASELINE_PREPARED=1 names them, so that each connection prepares
 * them once: what somebody does who has measured, and the harder comparison.
 */
export function statement(name: string, text: string): { name?: string; text: string } {
  return process.env["BASELINE_PREPARED"] === "1" ? { name, text } : { text };
}
