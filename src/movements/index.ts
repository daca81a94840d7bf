// Owns: the one way in which money moves, accept → call → settle → recover, and group commit under it.
// Invariants: nothing is called before it is committed or settled twice; every queue, wait and retry is bounded.
// Called by: payments, bills and payouts, each with its own policy; the gateways implement its port.
export * from "./context.ts";
export * from "./group-commit.ts";
export * from "./lane-set.ts";
export * from "./pipeline.ts";
export * from "./ports.ts";
export * from "./recovery.ts";
export * from "./sweeper.ts";
export * from "./under-way.ts";
