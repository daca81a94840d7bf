/**
 * The seed of properties that also assert what they came across: by chance alone one of them would fail some day. One
 * seed for every run, then; PROPERTY_SEED=n explores others.
 */
export const propertySeed = Number(process.env["PROPERTY_SEED"] ?? "20261122");

/** All of a long test's runs where every service is required, as in CI; elsewhere what a developer waits for. */
export function runsOf(inAll: number, elsewhere: number): number {
  return process.env["REQUIRE_SERVICES"] === "1" ? inAll : elsewhere;
}
