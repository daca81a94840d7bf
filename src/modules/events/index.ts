// Owns: the append-only log of every state change, which is the outbox, the timeline and the audit trail at once.
// Invariants: an event is appended in the commit of its change, by events.append, and never changed; whole months go.
// Called by: the settle statements of every module (in SQL), and whoever shows a history or counts it.
export { type ConsumerObserver, createConsumer } from "./application/consumer.ts";
export { readCursor } from "./application/cursors.ts";
export { createLogReader, type LogPage, type LogReader } from "./application/log-reader.ts";
export {
  type InspectedEvent,
  inspectEvents,
  listParkedStreams,
  type OutboxReport,
  type ParkedReport,
  releaseStreams,
  reportOutbox,
} from "./application/outbox.ts";
export { messageOf } from "./application/outgoing.ts";
export { readStream } from "./application/read-stream.ts";
export { createRelay } from "./application/relay/relay.ts";
export { type RelayObserver, relayConsumer } from "./application/relay/settings.ts";
export { eventStatistics } from "./application/statistics.ts";
export { eventTypes } from "./catalogue/catalogue.ts";
export { topicsOf } from "./catalogue/topics.ts";
export { registerEventDocs } from "./http/routes.ts";
export { eventJobs } from "./jobs.ts";
export type { Receive } from "./ports.ts";
