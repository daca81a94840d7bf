/**
 * The seed of properties that also assert what they came across: by chance alone one of them would fail some day. One
 * seed for every run, then; PROPERTY_SEED=n explores others.
 */
export const propertySeed = Number(process.env["PROPERTY_SEED"] ?? "20261122");
