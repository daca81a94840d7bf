import { createDedicatedConnection } from "../../src/infrastructure/postgres/connections.ts";
import { createLaneLocks } from "../../src/infrastructure/postgres/lane-locks.ts";
import { createRelay } from "../../src/modules/events/application/relay/relay.ts";
import { messageOf } from "./support.ts";

// A relay as a process of its own, for tests that kill it or hold it: `relay-process.ts DATABASE_URL`. It writes a line
// of JSON for the lanes that it owns whenever that changes, and one for each message.

const [url = ""] = process.argv.slice(2);
const say = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`);
const nothing = () => undefined;

createRelay({
  connection: (name) =>
    createDedicatedConnection({
      url,
      applicationName: `process ${name}`,
      statementTimeoutMs: 5_000,
      connectTimeoutMs: 5_000,
      onIdleError: nothing,
    }),
  locks: createLaneLocks({ url, task: "relay", timeoutMs: 2_000, silenceMs: 2_000 }),
  publisher: {
    name: "stdout",
    async publish(_lane, messages) {
      // What Node.js still holds back is lost when we are killed: kept is what has left the process.
      const lines = messages.map(({ eventId }) => `${JSON.stringify({ event: eventId })}\n`).join("");
      await new Promise<void>((kept, lost) => {
        process.stdout.write(lines, (error) => (error ? lost(error) : kept()));
      });
      return [];
    },
    ping: async () => undefined,
    close: async () => undefined,
  },
  messageOf,
  observe: {
    published: nothing,
    lag: nothing,
    refused: nothing,
    parked: nothing,
    halted: nothing,
    unreachable: nothing,
    reachable: nothing,
    horizon: nothing,
    lanes: (owned) => say({ owned }),
    failed: nothing,
  },
  limits: { lookMs: 200, idleMs: 10, gatherMs: 0 },
}).start();
setInterval(nothing, 1_000);
