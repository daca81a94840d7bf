// Owns: the append-only log of every state change, which is the outbox, the timeline and the audit trail at once.
// Invariants: an event is appended in the commit of its change, by events.append; no row is ever changed or removed.
// Called by: the settle statements of every module (in SQL), and whoever shows a history or counts it.
export { eventStatistics, readStream } from "./application.ts";
export { eventJobs } from "./jobs.ts";
